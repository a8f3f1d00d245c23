package server_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// limited is a server with limits whose handlers note when an event came.
func limited(t *testing.T, l server.Limits) (*rig, *notebook) {
	r := serveInMemory(t, server.WithLimits(l))
	n := &notebook{began: time.Now()}
	for _, ns := range []string{"/", "/x"} {
		r.Of(ns).OnAny(func(_ context.Context, s *server.Socket, args server.Args) error {
			n.notef("%s %s at %v", s.Namespace().Name(), args.Event(), time.Since(n.began))
			return nil
		})
		r.Of(ns).On("ack", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack() })
		r.Of(ns).OnDisconnect(func(_ context.Context, s *server.Socket, reason server.Reason) {
			n.notef("%s ends: %s", s.Namespace().Name(), reason)
		})
	}
	return r, n
}

// What is more than the budget waits, and with it all that the connection sends,
// in any of its namespaces and on any transport; nothing is lost.
func TestRateWait(t *testing.T) {
	for _, transport := range wire.Transports() {
		t.Run(transport, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, n := limited(t, server.Limits{EventsPerSecond: 10, EventBurst: 3})
				c, err := wire.Open(r.addr, transport)
				r.must(err)
				defer c.Close()
				_, err = wire.Join(c, "/")
				r.must(err)
				_, err = wire.Join(c, "/x")
				r.must(err)
				n.began = time.Now()
				go func() {
					if err := c.Send(`42["a"]`, `42/x,["b"]`, `42["c"]`, `42/x,["d"]`, `42["e"]`); err != nil {
						t.Error(err)
					}
				}()
				time.Sleep(time.Second)
				n.took(t, "events", "/ a at 0s", "/x b at 100ms", "/ c at 200ms", "/x d at 300ms", "/ e at 400ms")
				if got := r.Stats().RateLimited; got != 4 {
					t.Errorf("%d events were counted as too fast, want 4", got)
				}
				other, err := wire.Open(r.addr, transport) // has a budget of its own
				r.must(err)
				defer other.Close()
				_, err = wire.Join(other, "/")
				r.must(err)
				n.began = time.Now()
				r.must(other.Send(`42["a"]`))
				synctest.Wait()
				n.took(t, "another client", "/ a at 0s")
			})
		})
	}
}

// Bytes count with the attachments; what is larger than the burst waits for all of
// it, and for what it took too much afterwards.
func TestRateOfBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := limited(t, server.Limits{BytesPerSecond: 1000, ByteBurst: 2000})
		c, _ := r.connect()
		event := func(name string, size int) string {
			return fmt.Sprintf(`42["%s","%s"]`, name, strings.Repeat("x", size-len(name)-8))
		}
		time.Sleep(10 * time.Second)
		c.send(event("first", 1500), event("large", 5000), event("last", 500))
		time.Sleep(20 * time.Second)
		n.took(t, "events", "/ first at 10s", "/ large at 11.5s", "/ last at 15s")
		c.send(`451-["bin",{"_placeholder":true,"num":0}]`)
		c.binary(make([]byte, 4000)...)
		c.send(event("after", 1000))
		time.Sleep(3 * time.Second) // 2,000 more than the burst, and what is beside the attachment
		n.took(t, "binary", "/ bin at 30s")
		time.Sleep(time.Second)
		if got := n.taken(); len(got) != 1 {
			t.Errorf("after an attachment: %q", got)
		}
	})
}

// What is more than the budget is refused: who waits for an acknowledgement is told.
func TestRateRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := limited(t, server.Limits{EventsPerSecond: 1, EventBurst: 3, OverRate: server.RateRefuse})
		c, _ := r.connect()
		c.send(`42["a"]`, `421["ack"]`)
		c.expect(`431[]`)
		c.send(`42["b"]`, `422["ack"]`, `40/x,`)
		c.expect(`432[{"ok":false,"error":{"code":"rate_limited","message":"Rate limit exceeded"}}]`, `44/x,{"message":"Rate limit exceeded"}`)
		time.Sleep(time.Second)
		c.send(`423["ack"]`)
		c.expect(`433[]`)
		synctest.Wait()
		n.took(t, "events", "/ a at 0s", "/ ack at 0s", "/ ack at 1s")
		if got := r.Stats().RateLimited; got != 3 {
			t.Errorf("%d packets were counted as too fast, want 3", got)
		}
	})
}

// A connection that sends more than its budget is closed, with its reason.
func TestRateClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := limited(t, server.Limits{EventsPerSecond: 1, EventBurst: 2, OverRate: server.RateClose})
		c, _ := r.connect()
		c.send(`42["a"]`, `42["b"]`)
		c.closed()
		synctest.Wait()
		n.took(t, "events", "/ a at 0s", "/ ends: rate limited")
	})
}

// Answers to the server's questions are free, stray ones are not; a client that
// leaves is not waited for.
func TestRateOfAcks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := limited(t, server.Limits{EventsPerSecond: 0.001, EventBurst: 2})
		c, id := r.connect()
		for i := range 5 {
			go func() {
				c.expect(fmt.Sprintf(`42%d["q"]`, i))
				c.send(fmt.Sprintf(`43%d[]`, i))
			}()
			if _, err := r.socket("/", id).Ask(t.Context(), "q"); err != nil {
				t.Fatal(err)
			}
		}
		c.send(`439[]`, `439[]`, `42["a"]`)
		synctest.Wait()
		if got := r.Stats(); got.StrayAcks != 2 || got.RateLimited != 1 {
			t.Errorf("%d stray acknowledgements, %d too fast", got.StrayAcks, got.RateLimited)
		}
		_ = c.Close()
		time.Sleep(time.Minute) // nothing is read that would tell of its end: a ping does
		n.took(t, "the end", "/ ends: transport close")
	})
}

// Where what is too much is dropped, answers and leaving are not: without them
// nothing would be right any more. They leave a debt.
func TestRateRefuseKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := limited(t, server.Limits{BytesPerSecond: 100, ByteBurst: 200, OverRate: server.RateRefuse})
		c, id := r.connect()
		big := strings.Repeat("x", 190) // with its event, the burst but for a byte
		asked := make(chan error, 1)
		go func() {
			_, err := r.socket("/", id).Ask(t.Context(), "q")
			asked <- err
		}()
		c.expect(`420["q"]`)
		c.send(`42["a","`+big+`"]`, `430["`+big+`"]`, `42["dropped","`+big+`"]`, `41`)
		if err := <-asked; err != nil {
			t.Errorf("the answer: %v", err)
		}
		synctest.Wait()
		n.took(t, "events", "/ a at 0s", "/ ends: client namespace disconnect")
		time.Sleep(10 * time.Second)
		c.send(`40`)
		c.expect(`40{"sid":"*"}`)
	})
}

// Other limits hold for connections that are there: from the next packet on.
func TestSetLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, n := limited(t, server.Limits{})
		c, id := r.connect()
		send := func(what string, want ...string) {
			t.Helper()
			n.began = time.Now()
			go func() {
				if err := c.Send(`42["a"]`, `42["b"]`, `42["c"]`); err != nil {
					t.Error(err)
				}
			}()
			time.Sleep(3 * time.Second)
			n.took(t, what, want...)
		}
		send("no limit", "/ a at 0s", "/ b at 0s", "/ c at 0s")
		r.SetLimits(server.Limits{EventsPerSecond: 1, EventBurst: 1})
		send("a limit", "/ a at 0s", "/ b at 1s", "/ c at 2s")
		r.SetLimits(server.Limits{EventsPerSecond: 10, EventBurst: 1})
		send("another", "/ a at 0s", "/ b at 100ms", "/ c at 200ms")
		r.SetLimits(server.Limits{BytesPerSecond: 1e6})
		for range 100 { // they are not counted now, and nothing of them is owed later
			c.send(`42["x"]`)
		}
		synctest.Wait()
		n.taken()
		r.SetLimits(server.Limits{EventsPerSecond: 10, EventBurst: 1})
		send("one that was off", "/ a at 0s", "/ b at 100ms", "/ c at 200ms")
		r.SetLimits(server.Limits{})
		send("none again", "/ a at 0s", "/ b at 0s", "/ c at 0s")

		s := r.socket("/", id)
		r.must(s.Join("one", "two"))
		r.SetLimits(server.Limits{RoomsPerSocket: 1})
		if err := s.Join("three"); !errors.Is(err, server.ErrTooManyRooms) {
			t.Errorf("one room more: %v", err)
		}
		if got := len(s.Rooms()); got != 3 { // its own is one
			t.Errorf("it is in %d rooms", got)
		}
	})
}

// A rate without end is none: what comes at the same instant is handled.
func TestRateInfinite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inf := math.Inf(1)
		r := serveInMemory(t, server.WithLimits(server.Limits{EventsPerSecond: inf, BytesPerSecond: inf}))
		r.Of("/").On("e", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack() })
		c, _ := r.connect()
		for range 3 {
			c.send(`420["e"]`)
			c.expect("430[]")
		}
	})
}
