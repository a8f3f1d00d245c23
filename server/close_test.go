package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Behaviours 20 and 19: each way to end has its reason; disconnecting handlers
// see the rooms, disconnect handlers do not, and the context has ended with the
// reason as its cause.
func TestDisconnectReasons(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(r *rig, c *client, s *server.Socket)
		want server.Reason
	}{
		"client leaves":       {func(_ *rig, c *client, _ *server.Socket) { c.send("41/ns,") }, server.ClientNamespaceDisconnect},
		"client is gone":      {func(_ *rig, c *client, _ *server.Socket) { c.Close() }, server.TransportClose},
		"client's mistake":    {func(_ *rig, c *client, _ *server.Socket) { c.send("42/ns,[]") }, server.ForcedClose},
		"server ends it":      {func(_ *rig, _ *client, s *server.Socket) { s.Disconnect(false) }, server.ServerNamespaceDisconnect},
		"server ends all":     {func(_ *rig, _ *client, s *server.Socket) { s.Disconnect(true) }, server.ServerNamespaceDisconnect},
		"server shuts down":   {func(r *rig, c *client, _ *server.Socket) { go func() { _ = r.Shutdown(waited(r.t)) }(); c.closed() }, server.ServerShuttingDown},
		"namespace ends them": {func(_ *rig, _ *client, s *server.Socket) { s.Namespace().DisconnectSockets(false) }, server.ServerNamespaceDisconnect},
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t)
			ns := r.Of("/ns")
			seen := make(chan string, 4)
			look := func(where string) server.DisconnectHandler {
				return func(ctx context.Context, s *server.Socket, reason server.Reason) {
					cause, _ := errors.AsType[*server.DisconnectError](context.Cause(s.Context()))
					if cause == nil {
						cause = &server.DisconnectError{Reason: "no cause"}
					}
					_, known := ns.Socket(s.ID())
					seen <- fmt.Sprint(where, " ", reason, ", cause ", cause.Reason, ", ctx ", ctx.Err(), ", rooms ", len(s.Rooms()),
						", known ", known, ", connected ", s.Connected(), ", joins ", s.Join("late"), s.InRoom("late"))
				}
			}
			ns.OnDisconnecting(look("disconnecting"))
			ns.OnDisconnect(look("disconnect"))
			c := r.dial()
			s := r.socket("/ns", c.join("/ns", ""))
			if err := s.Join("r"); err != nil {
				t.Fatal(err)
			}
			tt.end(r, c, s)
			w := string(tt.want)
			for _, want := range []string{
				"disconnecting " + w + ", cause " + w + ", ctx <nil>, rooms 2, known true, connected false, joins <nil> true",
				"disconnect " + w + ", cause " + w + ", ctx <nil>, rooms 0, known false, connected false, joins <nil> false",
			} {
				if got := receive(t, want, seen); got != want {
					t.Errorf("got  %s\nwant %s", got, want)
				}
			}
			s.Disconnect(true) // does nothing more
			if err := s.Emit("late"); err != nil {
				t.Error(err)
			}
			eventually(t, "the socket is gone", func() bool { return ns.Count() == 0 })
			if len(seen) > 0 {
				t.Errorf("once more: %s", <-seen)
			}
		})
	}
}

// Behaviour 23: Disconnect tells the client and leaves the connection;
// Disconnect(true) tells every socket of it and closes after what was sent.
func TestDisconnectOnTheWire(t *testing.T) {
	r := serve(t)
	r.Of("/a")
	c, id := r.connect()
	idA := c.join("/a", "")
	r.socket("/a", idA).Disconnect(false)
	c.expect("41/a,")
	c.join("/a", "") // it may come back
	s := r.socket("/", id)
	for i := range 100 {
		if err := s.Emit("e", i); err != nil {
			t.Fatal(err)
		}
	}
	s.Disconnect(true)
	before := c.closed()
	if len(before) != 102 || before[99] != `42["e",99]` {
		t.Fatalf("before the end: %q", before)
	}
	last := before[100:]
	if slices.Sort(last); !slices.Equal(last, []string{"41", "41/a,"}) {
		t.Errorf("the last packets: %q", last)
	}
}

// However many disconnect it at once, the client is told.
func TestDisconnectAtOnce(t *testing.T) {
	r := serve(t)
	for range 50 {
		c, id := r.connect()
		s := r.socket("/", id)
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() { s.Disconnect(i%2 == 0) })
		}
		if before := c.closed(); !slices.Equal(before, []string{"41"}) {
			t.Fatalf("before the end: %q", before)
		}
		all.Wait()
	}
}

// A handler may end its own socket and goes on; what waits behind it is not
// handled, and the disconnect handlers wait for it.
func TestDisconnectInHandler(t *testing.T) {
	for _, closeConn := range []bool{false, true} {
		t.Run(fmt.Sprint(closeConn), func(t *testing.T) {
			r := serve(t)
			order := make(chan string, 10)
			read := make(chan struct{})
			r.Of("/").On("bye", func(ctx context.Context, s *server.Socket, args server.Args) error {
				<-read
				s.Disconnect(closeConn)
				<-ctx.Done()
				order <- fmt.Sprint(context.Cause(ctx), s.Connected())
				return errors.Join(args.Ack("too late"), s.Emit("too late"))
			})
			r.Of("/").On("e", func(context.Context, *server.Socket, server.Args) error { order <- "event"; return nil })
			r.Of("/").OnDisconnect(func(context.Context, *server.Socket, server.Reason) { order <- "disconnect" })
			c, _ := r.connect()
			c.send(`421["bye"]`, `42["e"]`, `430[]`)
			eventually(t, "all is read", func() bool { return r.Stats().StrayAcks == 1 })
			close(read)
			c.expect("41")
			want := []string{fmt.Sprint(&server.DisconnectError{Reason: server.ServerNamespaceDisconnect}, false), "disconnect"}
			for _, want := range want {
				if got := receive(t, want, order); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			}
			if closeConn {
				if before := c.closed(); before != nil {
					t.Errorf("after 41: %q", before)
				}
				return
			}
			id := c.join("/", "")
			c.only(r.socket("/", id))
		})
	}
}

// What the client sent before it left is handled.
func TestEventsBeforeDisconnect(t *testing.T) {
	r := serve(t)
	order := make(chan string, 10)
	r.Of("/").On("e", func(_ context.Context, _ *server.Socket, args server.Args) error {
		text, _ := args.At(0).Text()
		order <- text
		return nil
	})
	r.Of("/").OnDisconnect(func(context.Context, *server.Socket, server.Reason) { order <- "disconnect" })
	c, _ := r.connect()
	c.send(`42["e","1"]`, `42["e","2"]`, `41`)
	for _, want := range []string{"1", "2", "disconnect"} {
		if got := receive(t, want, order); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// Behaviour 26: no DISCONNECT is sent, clients are to come back; what was sent
// before arrives, new clients are refused, and handlers are waited for.
func TestShutdown(t *testing.T) {
	r := serve(t)
	goOn := make(chan struct{})
	started := make(chan struct{})
	var mu sync.Mutex
	var order []string
	note := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, s)
	}
	r.Of("/").On("slow", func(context.Context, *server.Socket, server.Args) error {
		close(started)
		<-goOn
		note("handler")
		return nil
	})
	r.Of("/").OnDisconnect(func(_ context.Context, _ *server.Socket, reason server.Reason) { note(string(reason)) })
	c, id := r.connect()
	c.send(`42["slow"]`)
	receive(t, "the handler", started)
	for i := range 10 {
		if err := r.socket("/", id).Emit("e", i); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan error, 3)
	for range 3 { // any number may wait
		go func() { ended <- r.Shutdown(waited(t)) }()
	}
	if before := c.closed(); len(before) != 10 {
		t.Errorf("before the end: %q", before)
	}
	res, body := r.get("GET", "/socket.io/?EIO=4&transport=polling")
	if res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a new client gets %d %s", res.StatusCode, body)
	}
	if len(ended) > 0 {
		t.Error("Shutdown did not wait for a handler")
	}
	close(goOn)
	for range 3 {
		if err := receive(t, "Shutdown", ended); err != nil {
			t.Error(err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(order, []string{"handler", "server shutting down"}) {
		t.Errorf("%q", order)
	}
}

// stuckIn waits until a goroutine is in a function of the server, where it stays.
func stuckIn(t *testing.T, function string) {
	t.Helper()
	eventually(t, "a goroutine is in "+function, func() bool {
		all := make([]byte, 1<<20)
		return strings.Contains(string(all[:runtime.Stack(all, true)]), function)
	})
}

// A CONNECT that a request has just brought is waited for as its middleware is.
func TestShutdownInConnect(t *testing.T) {
	slow, goOn := make(chan struct{}), make(chan struct{})
	r := serve(t, server.WithAdapter(func(h adapter.Host) adapter.Adapter {
		if h.Namespace() == "/slow" { // all wait for it who look for a namespace
			close(slow)
			<-goOn
		}
		return adapter.InMemory(h)
	}))
	over, through := make(chan struct{}), make(chan struct{})
	r.Of("/").Use(func(server.ConnectHandler) server.ConnectHandler {
		return func(context.Context, *server.Socket) error {
			defer close(through)
			select {
			case <-over:
				t.Error("Shutdown has not waited for middleware")
			case <-time.After(100 * time.Millisecond): // enough to find out
			}
			return errors.New("no")
		}
	})
	p, err := wire.OpenPoll(r.addr, "")
	r.must(err)
	defer p.Close()
	go r.Of("/slow")
	<-slow
	posted := make(chan error, 1)
	go func() {
		_, err := p.Post("40")
		posted <- err
	}()
	stuckIn(t, "server.(*Server).find(")
	go func() {
		defer close(over)
		if err := r.Shutdown(waited(t)); err != nil {
			t.Error(err)
		}
	}()
	if res, err := p.Get(); err != nil || res.Body != "1" {
		t.Errorf("the close packet: %v, %v", res, err)
	}
	eventually(t, "the session is gone", func() bool { return r.Engine().Stats().Sessions == 0 })
	close(goOn)
	receive(t, "the answer to the POST", posted)
	receive(t, "the end of Shutdown", over)
	receive(t, "the end of middleware", through)
}

// Shutdown gives up when its context ends; it says so.
func TestShutdownDeadline(t *testing.T) {
	r := serve(t)
	goOn, started := make(chan struct{}), make(chan struct{})
	r.Of("/").On("slow", func(context.Context, *server.Socket, server.Args) error {
		close(started)
		<-goOn
		return nil
	})
	c, _ := r.connect()
	c.send(`42["slow"]`)
	receive(t, "the handler", started)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := r.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	close(goOn)
}

// A handler may shut the server down with its own context: it is not waited
// for, the others are, and connections end as always, with what was sent.
func TestShutdownInHandler(t *testing.T) {
	for name, derive := range map[string]func(ctx context.Context) (context.Context, context.CancelFunc){
		"its context": func(ctx context.Context) (context.Context, context.CancelFunc) { return ctx, func() {} },
		"derived": func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, patience)
		},
		"detached": func(ctx context.Context) (context.Context, context.CancelFunc) {
			server.Detach(ctx)
			return ctx, func() {}
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t)
			ended := make(chan string, 2)
			started, goOn := make(chan struct{}), make(chan struct{})
			ns := r.Of("/")
			ns.On("stop", func(ctx context.Context, s *server.Socket, _ server.Args) error {
				ctx, cancel := derive(ctx)
				defer cancel()
				for i := range 10 {
					if err := s.Emit("e", i); err != nil {
						return err
					}
				}
				ended <- fmt.Sprint("Shutdown: ", r.Shutdown(ctx), r.Shutdown(ctx))
				return nil
			})
			ns.On("slow", func(context.Context, *server.Socket, server.Args) error {
				close(started)
				<-goOn
				ended <- "the other handler"
				return nil
			})
			other, _ := r.connect()
			other.send(`42["slow"]`)
			receive(t, "the other handler", started)
			c, _ := r.connect()
			c.send(`42["stop"]`)
			if before := c.closed(); len(before) != 10 {
				t.Errorf("before the end: %q", before)
			}
			other.closed()
			close(goOn)
			for _, want := range []string{"the other handler", "Shutdown: <nil> <nil>"} {
				if got := receive(t, want, ended); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			}
		})
	}
}

// A context that has outlived its handler stands for nothing.
func TestShutdownAfterHandler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		var stale context.Context
		goOn := make(chan struct{})
		r.Of("/").On("first", func(ctx context.Context, _ *server.Socket, _ server.Args) error { stale = ctx; return nil }) //nolint:fatcontext // to outlive its handler
		r.Of("/").On("slow", func(context.Context, *server.Socket, server.Args) error { <-goOn; return nil })
		c, _ := r.connect()
		c.send(`42["first"]`, `42["slow"]`)
		synctest.Wait()
		ended := make(chan error, 1)
		go func() { ended <- r.Shutdown(context.WithoutCancel(stale)) }()
		c.closed()
		synctest.Wait()
		if len(ended) > 0 {
			t.Error("Shutdown did not wait for the second handler")
		}
		close(goOn)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Behaviour 21.
func TestReasonRecoverable(t *testing.T) {
	for reason, want := range map[server.Reason]bool{
		server.TransportError: true, server.TransportClose: true, server.ForcedClose: true, server.PingTimeout: true,
		server.ServerShuttingDown: true, server.ForcedServerClose: true,
		server.ParseError: false, server.SlowConsumer: false, server.ClientNamespaceDisconnect: false,
		server.ServerNamespaceDisconnect: false, "": false,
	} {
		if reason.Recoverable() != want {
			t.Errorf("%q: %v", reason, !want)
		}
	}
	for reason, want := range map[server.Reason]string{
		server.TransportError: "transport error", server.TransportClose: "transport close", server.ForcedClose: "forced close",
		server.PingTimeout: "ping timeout", server.ParseError: "parse error", server.ServerShuttingDown: "server shutting down",
		server.ForcedServerClose: "forced server close", server.ClientNamespaceDisconnect: "client namespace disconnect",
		server.ServerNamespaceDisconnect: "server namespace disconnect",
	} {
		if string(reason) != want {
			t.Errorf("%q, want Node's %q", reason, want)
		}
	}
}
