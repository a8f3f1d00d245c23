package server_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server"
)

func names(io *server.Server) []string {
	var list []string
	for _, ns := range io.Namespaces() {
		list = append(list, ns.Name())
	}
	slices.Sort(list)
	return list
}

// Behaviour 40: patterns in the order of registration, handlers of the parent,
// what is registered later included, and namespaces that go with their last
// socket.
func TestDynamicNamespaces(t *testing.T) {
	r := serve(t)
	first := r.OfPattern(regexp.MustCompile(`^/dyn-\d+$`))
	second := r.OfFunc(func(_ context.Context, name string, auth server.Arg) bool {
		var a struct{ OK bool }
		return strings.HasPrefix(name, "/dyn-") && auth.Decode(&a) == nil && a.OK
	})
	which := func(name string) server.Handler {
		return func(_ context.Context, s *server.Socket, args server.Args) error {
			return args.Ack(name, s.Namespace().Name())
		}
	}
	first.On("which", which("first"))
	second.On("which", which("second"))
	c := r.dial()
	for _, name := range []string{"/dyn-x", "/other"} {
		c.send("40" + name + ",")
		c.expect("44" + name + `,{"message":"Invalid namespace"}`)
	}
	c.join("/dyn-1", "")
	c.join("/dyn-x", `{"ok":true}`)
	c.send(`42/dyn-1,0["which"]`, `42/dyn-x,0["which"]`)
	got := []string{c.next(), c.next()}
	slices.Sort(got)
	if want := []string{`43/dyn-1,0["first","/dyn-1"]`, `43/dyn-x,0["second","/dyn-x"]`}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	first.On("later", which("later"))
	c.send(`42/dyn-1,1["later"]`)
	c.expect(`43/dyn-1,1["later","/dyn-1"]`)
	other := r.dial()
	other.join("/dyn-2", "")
	if err := first.Emit("all", 1); err != nil {
		t.Error(err)
	}
	c.expect(`42/dyn-1,["all",1]`)
	other.expect(`42/dyn-2,["all",1]`)
	first.SocketsJoin("r")
	if n := r.Of("/dyn-2").RoomSize("r"); n != 1 { // which pins it
		t.Errorf("%d in r", n)
	}
	if got, want := names(r.Server), []string{"/", "/dyn-1", "/dyn-2", "/dyn-x"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	c.send("41/dyn-1,")
	other.Close()
	c.Close()
	eventually(t, "only what was asked for by name is left", func() bool {
		return slices.Equal(names(r.Server), []string{"/", "/dyn-2"})
	})
}

// What has no sockets of its own says so.
func TestDynamicParent(t *testing.T) {
	r := serve(t)
	p := r.OfPattern(regexp.MustCompile("^/d"))
	_, fetched := p.FetchSockets(waited(t))
	_, asked := p.ServerSideAsk(waited(t), "e")
	for i, err := range []error{fetched, asked, p.ServerSideEmit("e")} {
		if !errors.Is(err, server.ErrDynamicNamespace) {
			t.Errorf("%d: %v", i, err)
		}
	}
	for _, err := range p.AskEach(waited(t), "e") {
		if !errors.Is(err, server.ErrDynamicNamespace) {
			t.Errorf("AskEach: %v", err)
		}
	}
	if _, ok := p.Socket("x"); ok || p.Count() != 0 || p.Rooms() != nil || p.RoomSize("r") != 0 || p.Adapter() != nil {
		t.Error("a parent has sockets")
	}
	for range p.Sockets() {
		t.Error("a parent has sockets")
	}
	p.SocketsLeave("r")
	p.DisconnectSockets(true)
	if err := errors.Join(p.Emit("e"), p.To("r").Emit("e")); err != nil {
		t.Error(err)
	}
}

func TestOfName(t *testing.T) {
	r := serve(t)
	if r.Of("x") != r.Of("/x") {
		t.Error("the slash is not implied")
	}
	parent := r.OfPattern(regexp.MustCompile("^/p-"))
	parent.On("e", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack("parent") })
	r.Of("/p-1")
	c := r.dial()
	c.join("/p-1", "")
	c.send(`42/p-1,0["e"]`)
	c.expect(`43/p-1,0["parent"]`)
	defer func() {
		if recover() == nil {
			t.Error("a name that no client can use is taken")
		}
	}()
	r.Of("/a,b")
}

// C06: namespaces that patterns make are bounded, and a place that is free
// again may be taken.
func TestDynamicNamespacesLimit(t *testing.T) {
	r := serve(t, server.WithLimits(server.Limits{DynamicNamespaces: 3, RefusedConnects: -1}))
	r.OfPattern(regexp.MustCompile("^/d"))
	c := r.dial()
	for i := range 3 {
		c.join(fmt.Sprint("/d", i), "")
	}
	c.send("40/d3,")
	c.expect(`44/d3,{"message":"Invalid namespace"}`)
	other := r.dial()
	other.join("/d0", "") // there is such a one
	c.send("41/d1,")
	eventually(t, "one has gone", func() bool { return r.Stats().Namespaces == 3 })
	c.join("/d3", "")
	c.Close()
	other.Close()
	eventually(t, "all have gone", func() bool { return r.Stats().Namespaces == 1 })
}

// A namespace that is left and entered at once is the one or the other, whole:
// nobody is in one that is gone, and its adapter is closed once.
func TestDynamicNamespaceChurn(t *testing.T) {
	var made, closed atomic.Int64
	r := serve(t, server.WithAdapter(func(h adapter.Host) adapter.Adapter {
		made.Add(1)
		return &countedAdapter{adapter.NewMemory(h), &closed}
	}))
	p := r.OfPattern(regexp.MustCompile("^/d$"))
	p.Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			if s.ID()[0]&1 == 0 {
				return errors.New("no")
			}
			return next(ctx, s)
		}
	})
	p.On("here", func(_ context.Context, s *server.Socket, args server.Args) error {
		x, known := s.Namespace().Socket(s.ID())
		return args.Ack(known && x == s, slices.Contains(r.Namespaces(), s.Namespace()))
	})
	var work sync.WaitGroup
	for range 8 {
		c := r.dial()
		work.Go(func() {
			for range 50 {
				c.send("40/d,")
				if strings.HasPrefix(c.next(), "44") {
					c.Close()
					c = r.dial() // ten refusals are the limit
					continue
				}
				c.send(`42/d,0["here"]`)
				if got := c.next(); got != "43/d,0[true,true]" {
					t.Errorf("got %s", got)
				}
				c.send("41/d,")
			}
			c.Close()
		})
	}
	work.Wait()
	eventually(t, "it has gone", func() bool { return slices.Equal(names(r.Server), []string{"/"}) })
	eventually(t, "its adapters are closed", func() bool { return closed.Load() == made.Load()-1 })
	// A handler that is registered while namespaces are made reaches them all.
	for range 50 {
		c := r.dial()
		var n atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range 20 {
				p.OnAny(func(context.Context, *server.Socket, server.Args) error { n.Add(1); return nil })
			}
		}()
		c.send("40/d,")
		refused := strings.HasPrefix(c.next(), "44")
		<-done
		if !refused {
			c.send(`42/d,0["here"]`)
			c.next()
			if n.Load() != 20 {
				t.Fatalf("of 20 handlers %d are called", n.Load())
			}
		}
		c.Close()
	}
}

type countedAdapter struct {
	adapter.Adapter

	closed *atomic.Int64
}

func (a *countedAdapter) Close() error {
	a.closed.Add(1)
	return a.Adapter.Close()
}

// C08: a function that takes too long is a no after a second, and holds up
// nobody else meanwhile.
func TestDynamicNamespaceSlowFunc(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		r.OfFunc(func(ctx context.Context, name string, _ server.Arg) bool {
			if name == "/slow" {
				<-ctx.Done()
				time.Sleep(time.Minute)
			}
			return true
		})
		r.Of("/").On("echo", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack() })
		start := time.Now()
		c, _ := r.connect()
		c.send("40/slow,", `420["echo"]`)
		c.expect(`430[]`)
		if took := time.Since(start); took != 0 {
			t.Errorf("another namespace waits for %v", took)
		}
		c.expect(`44/slow,{"message":"Invalid namespace"}`)
		if took := time.Since(start); took != time.Second {
			t.Errorf("refused after %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		go c.closed()
		if err := r.Shutdown(ctx); err != nil || time.Since(start) < time.Minute {
			t.Errorf("Shutdown after %v, %v: the function is not waited for", time.Since(start), err)
		}
	})
}

// A function that panics, or takes too long, answers for itself: the next pattern
// is tried.
func TestDynamicNamespaceNextPattern(t *testing.T) {
	for name, first := range map[string]func(context.Context) bool{
		"no":    func(context.Context) bool { return false },
		"panic": func(context.Context) bool { panic("no answer") },
		"late":  func(ctx context.Context) bool { <-ctx.Done(); time.Sleep(time.Second); return true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := serveInMemory(t)
				r.OfFunc(func(ctx context.Context, _ string, _ server.Arg) bool { return first(ctx) })
				r.OfPattern(regexp.MustCompile("^/a$"))
				r.OfFunc(func(ctx context.Context, name string, _ server.Arg) bool { return ctx.Err() == nil && name == "/b" })
				for _, name := range []string{"/a", "/b"} {
					c := r.dial()
					c.join(name, "")
				}
				c := r.dial()
				c.send("40/c,")
				c.expect(`44/c,{"message":"Invalid namespace"}`)
				r.must(r.Shutdown(t.Context()))
			})
		})
	}
}
