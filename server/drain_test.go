package server_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// drain drains the server on a goroutine of its own.
func (r *rig) drain(ctx context.Context, window time.Duration) <-chan error {
	ended := make(chan error, 1)
	go func() { ended <- r.Drain(ctx, window) }()
	return ended
}

// Clients are moved away one by one over the window, while those that are still
// there are served and new ones are not.
func TestDrainSpreads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients = 10
		r := serveInMemory(t)
		r.Of("/").On("e", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack() })
		var mu sync.Mutex
		var at []time.Duration
		began := time.Now()
		r.Of("/").OnDisconnect(func(_ context.Context, _ *server.Socket, reason server.Reason) {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(began))
			if reason != server.ServerShuttingDown {
				t.Errorf("a socket ended with %q", reason)
			}
		})
		for range clients {
			c, _ := r.connect()
			go func() { // until it is told to go
				for {
					if _, err := c.Next(); err != nil {
						_ = c.Close()
						return
					}
				}
			}()
		}
		ended := r.drain(t.Context(), 10*time.Second)
		synctest.Wait()
		if !r.Draining() {
			t.Error("the server says that it takes clients")
		}
		_, err := wire.OpenWS(r.addr, wire.Handshake{})
		if res := wire.Refusal(err); res == nil || res.Status != 503 || res.Header.Get("Retry-After") == "" {
			t.Errorf("a new client gets %v", err)
		}
		time.Sleep(5*time.Second + time.Millisecond)
		synctest.Wait()
		if n := r.Stats().Connections; n != 4 {
			t.Errorf("%d connections are left after half of the time", n)
		}
		r.must(<-ended)
		if took := time.Since(began); took != 9*time.Second {
			t.Errorf("it took %v", took)
		}
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		for i, d := range at {
			if want := time.Duration(i) * time.Second; d != want {
				t.Errorf("client %d went after %v, want %v", i, d, want)
			}
		}
	})
}

// A connection is closed when what is at work for it has ended, on either
// transport: its acknowledgements arrive, the client's answers are still taken, and
// what comes after its turn is not begun.
func TestDrainLetsHandlersEnd(t *testing.T) {
	for _, transport := range wire.Transports() {
		t.Run(transport, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := serveInMemory(t)
				ns := r.Of("/")
				answer := func(after time.Duration, detached bool) server.Handler {
					return func(ctx context.Context, _ *server.Socket, args server.Args) error {
						if detached {
							server.Detach(ctx)
						}
						time.Sleep(after)
						return args.Ack(args.Event())
					}
				}
				ns.On("slow", answer(time.Second, false))
				ns.On("asks", func(ctx context.Context, s *server.Socket, args server.Args) error {
					if _, err := s.Ask(ctx, "question"); err != nil {
						return err
					}
					return args.Ack("asked")
				})
				ns.On("detached", answer(3*time.Second, true))
				ns.On("late", func(context.Context, *server.Socket, server.Args) error {
					t.Error("an event that came too late is handled")
					return nil
				})
				c, err := wire.Open(r.addr, transport)
				r.must(err)
				defer c.Close()
				_, err = wire.Join(c, "/")
				r.must(err)
				r.must(c.Send(`421["slow"]`, `422["detached"]`, `423["asks"]`))
				synctest.Wait()
				ended := r.drain(t.Context(), 0)
				synctest.Wait()
				r.must(c.Send(`42["late"]`, `40/too-late,`))
				r.must(wire.Expect(c, `431["slow"]`, `420["question"]`))
				r.must(c.Send(`430[]`))
				r.must(wire.Expect(c, `433["asked"]`, `432["detached"]`))
				if _, _, err := wire.WaitClosed(c); err != nil {
					t.Error(err)
				}
				_ = c.Close()
				r.must(<-ended)
			})
		})
	}
}

// A connection that is being let in, or refused, is waited for too.
func TestDrainDuringAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		r.Of("/").Use(func(server.ConnectHandler) server.ConnectHandler {
			return func(context.Context, *server.Socket) error {
				time.Sleep(time.Second)
				return errors.New("no")
			}
		})
		c := r.dial()
		c.send("40")
		synctest.Wait()
		began := time.Now()
		ended := r.drain(t.Context(), 0)
		c.expect(`44{"message":"no"}`)
		c.closed()
		r.must(<-ended)
		if took := time.Since(began); took != time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// Drain ends with its context, whatever still goes on, and Shutdown does the rest.
func TestDrainDeadline(t *testing.T) {
	for name, window := range map[string]time.Duration{"a handler": 0, "the window": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := serveInMemory(t)
				r.Of("/").On("for ever", func(ctx context.Context, _ *server.Socket, _ server.Args) error {
					<-ctx.Done()
					return nil
				})
				for range 2 {
					c, _ := r.connect()
					c.send(`42["for ever"]`)
					go c.closed()
				}
				synctest.Wait()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				began := time.Now()
				err := <-r.drain(ctx, window)
				if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
					t.Errorf("%v after %v", err, time.Since(began))
				}
				if want := "handlers at work: 2,"; !strings.Contains(err.Error(), want) {
					t.Errorf("%v, want %q in it", err, want)
				}
				r.must(r.Shutdown(t.Context()))
			})
		})
	}
}

// vanish connects clients that poll no more.
func (r *rig) vanish(n int) {
	for range n {
		c, err := wire.Open(r.addr, wire.Polling)
		r.must(err)
		r.t.Cleanup(func() { _ = c.Close() })
		_, err = wire.Join(c, "/")
		r.must(err)
	}
}

// A client that has vanished, and so does not fetch its last packets, is let go while
// one that polls gets them. When there is no time for that, Drain says whom it has
// waited for.
func TestDrainOfVanishedPollers(t *testing.T) {
	for name, test := range map[string]struct {
		window, patience, took time.Duration
		left                   string
	}{
		"let go":     {0, time.Minute, 3 * time.Second, ""},
		"waited for": {0, time.Second, time.Second, "handlers at work: 0, that have not fetched their last packets: 2, whose turn had not come: 0: "},
		"in between": {3 * time.Second, time.Second, time.Second, "handlers at work: 0, that have not fetched their last packets: 1, whose turn had not come: 1: "},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := serveInMemory(t)
				r.vanish(2)
				ctx, cancel := context.WithTimeout(t.Context(), test.patience)
				defer cancel()
				began := time.Now()
				err := <-r.drain(ctx, test.window)
				if took := time.Since(began); took != test.took {
					t.Errorf("it took %v", took)
				}
				if (err == nil) != (test.left == "") || err != nil && !strings.Contains(err.Error(), test.left) {
					t.Errorf("%v, want %q in it", err, test.left)
				}
				r.must(r.Shutdown(t.Context()))
			})
		})
	}
}

// Clients that poll, vanish, and are disconnected for another reason before the server
// goes or while it does, are waited for no longer than the others.
func TestDrainOfDisconnectedPollers(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(r *rig) <-chan error
		wait time.Duration // from the disconnection to the end; or, when negative, the other way round
		took time.Duration
	}{
		"before Drain":    {func(r *rig) <-chan error { return r.drain(r.t.Context(), 0) }, time.Second, 3 * time.Second},
		"while it drains": {func(r *rig) <-chan error { return r.drain(r.t.Context(), time.Minute) }, -time.Second, 4 * time.Second},
		"before Shutdown": {func(r *rig) <-chan error {
			ended := make(chan error, 1)
			go func() { ended <- r.Shutdown(r.t.Context()) }()
			return ended
		}, time.Second, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := serveInMemory(t)
				r.vanish(2)
				disconnect := func() {
					for s := range r.Of("/").Sockets() {
						s.Disconnect(true)
					}
				}
				if test.wait > 0 {
					disconnect()
					time.Sleep(test.wait)
				}
				began := time.Now()
				ended := test.end(r)
				if test.wait < 0 {
					time.Sleep(-test.wait)
					disconnect()
				}
				r.must(<-ended)
				if took := time.Since(began); took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
				r.must(r.Shutdown(t.Context()))
			})
		})
	}
}

// A server without clients is drained at once, as often as it is asked.
func TestDrainOfNobody(t *testing.T) {
	r := serve(t)
	for range 2 {
		r.must(r.Drain(waited(t), time.Hour))
	}
	r.must(r.Shutdown(waited(t)))
	r.must(r.Drain(waited(t), time.Hour))
	if !r.Draining() {
		t.Error("it takes clients again")
	}
}
