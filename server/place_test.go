package server_test

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/engine"
)

// A client that leaves and comes back has no more handlers at work than one
// that stays: its next CONNECT waits for the handlers of its last socket.
func TestOneSocketANamespaceAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		release := make(chan struct{})
		r.Of("/").OnDisconnect(func(context.Context, *server.Socket, server.Reason) { <-release })
		var connected atomic.Int32
		r.Of("/").OnConnect(func(context.Context, *server.Socket) error {
			connected.Add(1)
			return nil
		})
		c, _ := r.connect()
		c.send("41", "40")
		synctest.Wait()
		if n := connected.Load(); n != 1 {
			t.Errorf("%d sockets were let in while the first was still leaving", n-1)
		}
		close(release)
		c.expect(`40{"sid":"*"}`)
	})
}

// A hook that may refuse a handshake is not asked more often than the rate of
// handshakes allows.
func TestRateProtectsTheHook(t *testing.T) {
	var asked atomic.Int32
	r := serve(t,
		server.WithLimits(server.Limits{Engine: engine.Limits{HandshakesPerSecond: 0.001, HandshakeBurst: 3}}),
		server.WithAllowRequest(func(*http.Request) error {
			asked.Add(1)
			return errors.New("no")
		}))
	statuses := map[int]int{}
	for range 20 {
		_, err := wire.OpenWS(r.addr, wire.Handshake{})
		res := wire.Refusal(err)
		if res == nil {
			t.Fatalf("got %v, want a refusal", err)
		}
		statuses[res.Status]++
	}
	if asked.Load() != 3 || statuses[403] != 3 || statuses[429] != 17 {
		t.Errorf("the hook was asked %d times; statuses %v", asked.Load(), statuses)
	}
}

// Middleware is made once, whatever is registered later and however many come.
func TestMiddlewareIsMadeOnce(t *testing.T) {
	r := serve(t)
	ns := r.Of("/")
	made := 0
	ns.Use(func(next server.ConnectHandler) server.ConnectHandler {
		made++
		r.Stats() // may call the server
		return next
	})
	ns.UseEvent(func(next server.Handler) server.Handler {
		made++
		r.Stats()
		return next
	})
	for _, event := range []string{"a", "b", "c"} {
		ns.On(event, func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack(args.Event()) })
	}
	for range 3 {
		c, _ := r.connect()
		c.send(`421["b"]`)
		c.expect(`431["b"]`)
	}
	if made != 2 {
		t.Errorf("two middlewares were made %d times", made)
	}
}

// Layers of a parent that come later find their place among those of a child.
func TestMiddlewareOfParentAndChild(t *testing.T) {
	r := serve(t)
	parent := r.OfFunc(func(context.Context, string, server.Arg) bool { return true })
	var order string
	layer := func(name string) func(next server.ConnectHandler) server.ConnectHandler {
		return func(next server.ConnectHandler) server.ConnectHandler {
			return func(ctx context.Context, s *server.Socket) error {
				order += name
				return next(ctx, s)
			}
		}
	}
	parent.Use(layer("a"))
	first := r.dial()
	first.join("/x", "")
	r.Of("/x").Use(layer("b"))
	parent.Use(layer("c"))
	order = ""
	second := r.dial()
	second.join("/x", "")
	if order != "abc" {
		t.Errorf("the layers ran as %q", order)
	}
	order = ""
	third := r.dial()
	third.join("/y", "")
	if order != "ac" {
		t.Errorf("the layers of another child ran as %q", order)
	}
}

// Rooms joined by connect middleware are joined when the socket is admitted.
func TestJoinInMiddleware(t *testing.T) {
	r := serve(t)
	r.Of("/").Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			if err := s.Join("user:1", "user:1"); err != nil {
				return err
			}
			return next(ctx, s)
		}
	})
	inside := make(chan bool, 1)
	r.Of("/").OnConnect(func(_ context.Context, s *server.Socket) error {
		inside <- s.InRoom("user:1")
		return nil
	})
	c, _ := r.connect()
	if !<-inside {
		t.Error("the socket is not in the room")
	}
	if err := r.Of("/").To("user:1").Emit("for you"); err != nil {
		t.Fatal(err)
	}
	c.expect(`42["for you"]`)
}

// A socket that middleware has disconnected is refused, not left without a word.
func TestDisconnectInMiddleware(t *testing.T) {
	r := serve(t)
	r.Of("/ns").Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			s.Disconnect(false)
			return next(ctx, s)
		}
	})
	c, _ := r.connect()
	c.send("40/ns,")
	c.expect(`44/ns,{"message":"socket has been disconnected"}`)
}

// Before a connection is admitted, its CONNECTs together may carry 16 KiB.
func TestPayloadsBeforeAdmission(t *testing.T) {
	r := serve(t)
	hold := make(chan struct{})
	defer close(hold)
	for _, name := range []string{"/a", "/b"} {
		r.Of(name).Use(func(next server.ConnectHandler) server.ConnectHandler {
			return func(ctx context.Context, s *server.Socket) error {
				<-hold
				return next(ctx, s)
			}
		})
	}
	c := r.dial()
	pad := make([]byte, 10<<10)
	for i := range pad {
		pad[i] = 'x'
	}
	c.send(`40/a,{"pad":"`+string(pad)+`"}`, `40/b,{"pad":"`+string(pad)+`"}`)
	c.closed()
}
