package server_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// A full inbox stops the reader, and nothing is lost: the kernel's buffers fill,
// the client's writes wait, and when the handlers go on all events arrive.
func TestInboxBound(t *testing.T) {
	for name, option := range map[string]server.Option{
		"events":        server.WithInbox(8, 1<<20),
		"bytes":         server.WithInbox(1<<20, 64<<10),
		"one event":     server.WithInbox(1, 1<<20),
		"of less bytes": server.WithInbox(256, 1), // than any event has: one at a time
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t, option)
			const n = 2000
			goOn := make(chan struct{})
			var handled atomic.Int64
			done := make(chan struct{})
			r.Of("/").On("e", func(_ context.Context, _ *server.Socket, args server.Args) error {
				<-goOn
				var i int64
				if err := args.Scan(&i); err != nil || i != handled.Load() {
					t.Errorf("event %d where %d is due, %v", i, handled.Load(), err)
				}
				if handled.Add(1) == n {
					close(done)
				}
				return nil
			})
			c, _ := r.connect()
			payload := strings.Repeat("x", 8<<10)
			var sent atomic.Int64
			go func() {
				for i := range n {
					if c.Send(fmt.Sprintf(`42["e",%d,"%s"]`, i, payload)) != nil {
						return
					}
					sent.Add(1)
				}
			}()
			// The client is stopped when what it has sent stays the same for a while.
			last, since := int64(-1), time.Now()
			eventually(t, "the client is stopped", func() bool {
				if now := sent.Load(); now != last {
					last, since = now, time.Now()
				}
				return time.Since(since) > 200*time.Millisecond
			})
			if last == n {
				t.Error("the reader took all that was sent")
			}
			close(goOn)
			receive(t, "all events", done)
		})
	}
}

// While the reader waits for the server's own handlers, the client's pongs are
// not read, and it is not let go for that; a heartbeat goes on where the inbox
// has room.
func TestHeartbeatWhileHandlersAreSlow(t *testing.T) {
	for name, tt := range map[string]struct {
		events int           // the client sends
		slow   time.Duration // the handler of the first
	}{
		"room in the inbox": {3, 10 * time.Minute},
		"a full inbox":      {50, 60 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := serveInMemory(t, server.WithInbox(8, 1<<20))
				var handled atomic.Int64
				r.Of("/").On("e", func(context.Context, *server.Socket, server.Args) error {
					if handled.Add(1) == 1 {
						time.Sleep(tt.slow)
					}
					return nil
				})
				c, id := r.connect()
				for range tt.events {
					c.send(`42["e"]`)
				}
				for time.Sleep(time.Nanosecond); handled.Load() < int64(tt.events); {
					f, err := c.ReadFrameWithin(tt.slow * 2)
					if err != nil {
						t.Fatalf("after %d events: %v", handled.Load(), err)
					}
					if f.Opcode == wire.OpText && string(f.Payload) == "2" {
						c.send("3")
					}
					synctest.Wait()
				}
				if !r.socket("/", id).Connected() {
					t.Error("disconnected")
				}
			})
		})
	}
}

// A client whose handler hangs for ever is found out when it is gone.
func TestHeartbeatFindsTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t, server.WithInbox(1, 1<<20))
		goOn := make(chan struct{})
		gone := make(chan server.Reason, 1)
		r.Of("/").On("e", func(ctx context.Context, _ *server.Socket, _ server.Args) error {
			<-ctx.Done()
			<-goOn
			return nil
		})
		r.Of("/").OnDisconnect(func(_ context.Context, _ *server.Socket, reason server.Reason) { gone <- reason })
		c, _ := r.connect()
		start := time.Now()
		for range 10 {
			c.send(`42["e"]`)
		}
		guard := time.AfterFunc(time.Hour, func() { close(goOn); t.Error("not found out in an hour") })
		for {
			if _, err := c.ReadFrameWithin(2 * time.Hour); err != nil { // it never answers a ping
				break
			}
		}
		took := time.Since(start)
		if guard.Stop() {
			close(goOn)
		}
		if got := <-gone; got != server.PingTimeout {
			t.Errorf("reason %q", got)
		}
		if took < 45*time.Second || took > 45*time.Second+2*25*time.Second+5*time.Second {
			t.Errorf("found out after %v", took)
		}
	})
}

// Detach lets the next event start while the handler goes on.
func TestDetach(t *testing.T) {
	r := serve(t)
	goOn := make(chan struct{})
	ns := r.Of("/")
	ended := make(chan error, 1)
	ns.On("long", func(ctx context.Context, _ *server.Socket, args server.Args) error {
		server.Detach(ctx)
		server.Detach(ctx)
		<-goOn
		ended <- ctx.Err()
		return args.Ack("long")
	})
	ns.On("short", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack("short") })
	c, _ := r.connect()
	c.send(`421["long"]`, `422["short"]`)
	c.expect(`432["short"]`)
	close(goOn)
	c.expect(`431["long"]`)
	if err := receive(t, "the end", ended); err != nil {
		t.Errorf("the context of a detached handler: %v", err)
	}
}

// Detach of a handler that has returned, and of a context that is no
// handler's, does nothing: in particular no second event starts.
func TestDetachTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		server.Detach(context.Background())
		var stale context.Context
		var handled, inside atomic.Int64
		goOn := make(chan struct{})
		r.Of("/").On("first", func(ctx context.Context, _ *server.Socket, _ server.Args) error { stale = ctx; return nil }) //nolint:fatcontext // to outlive its handler
		r.Of("/").On("next", func(context.Context, *server.Socket, server.Args) error {
			if inside.Add(1) > 1 {
				t.Error("two events at once")
			}
			<-goOn
			inside.Add(-1)
			handled.Add(1)
			return nil
		})
		c, _ := r.connect()
		c.send(`42["first"]`, `42["next"]`, `42["next"]`)
		synctest.Wait()
		server.Detach(stale)
		synctest.Wait()
		close(goOn)
		synctest.Wait()
		if n := handled.Load(); n != 2 {
			t.Errorf("%d events are handled", n)
		}
	})
}

// A handler in OnConnect that is detached lets events in.
func TestDetachInOnConnect(t *testing.T) {
	r := serve(t)
	goOn := make(chan struct{})
	ended := make(chan struct{})
	r.Of("/").OnConnect(func(ctx context.Context, _ *server.Socket) error {
		defer close(ended)
		server.Detach(ctx)
		<-goOn
		return nil
	})
	r.Of("/").On("e", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack() })
	c, _ := r.connect()
	c.send(`421["e"]`)
	c.expect(`431[]`)
	close(goOn)
	receive(t, "the handler", ended)
}
