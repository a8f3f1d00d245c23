package server_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A notebook is an observer that writes down what it is told.
type notebook struct {
	began time.Time // of what is noted with its time

	mu    sync.Mutex
	lines []string
}

func (n *notebook) notef(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, fmt.Sprintf(format, args...))
}

// took checks what has been told since it was asked last.
func (n *notebook) took(t *testing.T, what string, want ...string) {
	t.Helper()
	if got := n.taken(); !slices.Equal(got, want) {
		t.Errorf("%s: told\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (n *notebook) taken() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	lines := n.lines
	n.lines = nil
	return lines
}

// text is arguments as they stand in a packet.
func text(args packet.Args) string {
	var list []string
	for _, a := range args.All() {
		list = append(list, string(a.AppendJSON(nil)))
	}
	return "[" + strings.Join(list, ",") + "]"
}

func (n *notebook) Connected(s *server.Socket) {
	n.notef("connected %s, %s, %d rooms", s.Namespace().Name(), s.Transport(), len(s.Rooms()))
}

func (n *notebook) Disconnected(s *server.Socket, reason server.Reason) {
	n.notef("disconnected %s, %s, %d rooms", s.Namespace().Name(), reason, len(s.Rooms()))
}

func (n *notebook) Upgraded(s *server.Socket) {
	n.notef("upgraded %s, %s", s.Namespace().Name(), s.Transport())
}

func (n *notebook) DataChanged(s *server.Socket) {
	n.notef("data %s, %v", s.Namespace().Name(), s.Data())
}

func (n *notebook) RoomEvents(ns *server.Namespace, events []adapter.RoomEvent) {
	for _, e := range events {
		if e.Room == e.ID {
			e.Room = "own"
		}
		if e.ID != "" {
			n.notef("%s %s, %s", e.Kind, ns.Name(), e.Room)
		}
	}
}

func (n *notebook) Received(s *server.Socket, args packet.Args) {
	n.notef("received %s, %s", s.Namespace().Name(), text(args))
}

func (n *notebook) Sent(s *server.Socket, args packet.Args) {
	n.notef("sent %s, %s", s.Namespace().Name(), text(args))
}

// What an observer is told of one client's life, in the order in which it happens.
func TestObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		var n notebook
		handle := func(name string, f server.Handler) { r.Of("/").On(name, f) }
		r.Of("/").Use(func(next server.ConnectHandler) server.ConnectHandler {
			return func(ctx context.Context, s *server.Socket) error {
				s.SetData("early") // not told: the socket is not connected
				if err := s.Join("early"); err != nil {
					return err
				}
				return next(ctx, s)
			}
		})
		r.Of("/").OnConnect(func(_ context.Context, s *server.Socket) error {
			n.notef("connect handler")
			return s.Emit("hello")
		})
		r.Of("/").UseEvent(func(next server.Handler) server.Handler {
			return func(ctx context.Context, s *server.Socket, args server.Args) error {
				n.notef("middleware")
				return next(ctx, s, args)
			}
		})
		handle("leave", func(_ context.Context, s *server.Socket, _ server.Args) error { return s.Leave("early") })
		handle("data", func(_ context.Context, s *server.Socket, _ server.Args) error {
			s.SetData("late")
			return nil
		})
		handle("call", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack(1) })
		handle("ask", func(ctx context.Context, s *server.Socket, _ server.Args) error {
			_, err := s.Ask(ctx, "question", 7)
			return err
		})
		r.Of("/").OnDisconnecting(func(context.Context, *server.Socket, server.Reason) { n.notef("disconnecting handler") })
		stop := r.Observe(&n)

		c, id := r.connect()
		c.expect(`42["hello"]`)
		synctest.Wait()
		n.took(t, "connect", "join-room /, own", "join-room /, early", "connected /, websocket, 2 rooms", "connect handler", `sent /, ["hello"]`)

		c.send(`42["leave"]`)
		synctest.Wait()
		n.took(t, "leave", `received /, ["leave"]`, "middleware", "leave-room /, early")
		c.send(`42["data"]`)
		synctest.Wait()
		n.took(t, "data", `received /, ["data"]`, "middleware", "data /, late")
		c.send(`42["nobody handles it",{"a":1}]`)
		synctest.Wait()
		n.took(t, "no handler", `received /, ["nobody handles it",{"a":1}]`, "middleware")
		c.send(`425["call"]`)
		c.expect(`435[1]`)
		synctest.Wait()
		n.took(t, "call", `received /, ["call"]`, "middleware")
		c.send(`42["ask"]`)
		c.expect(`420["question",7]`)
		c.send(`430["answer"]`)
		synctest.Wait()
		n.took(t, "ask", `received /, ["ask"]`, "middleware", `sent /, ["question",7]`)

		other, otherID := r.connect()
		other.expect(`42["hello"]`)
		synctest.Wait()
		n.took(t, "another", "join-room /, own", "join-room /, early", "connected /, websocket, 2 rooms", "connect handler", `sent /, ["hello"]`)
		over, cancel := context.WithCancel(context.Background())
		cancel()
		r.must(r.Of("/").Emit("all", []byte("x")))
		r.must(r.Of("/").To("early").Except(otherID).Emit("nobody"))
		r.must(r.socket("/", id).Broadcast().Volatile().Emit("one"))
		answered := false
		for args, err := range r.Of("/").To(id).AskEach(over, "asked") {
			answered = args.Len() > 0 || err == nil
		}
		if answered {
			t.Error("there is an answer to what is over")
		}
		n.took(t, "broadcasts", `sent /, ["all",{"_placeholder":true,"num":0}]`, `sent /, ["all",{"_placeholder":true,"num":0}]`, `sent /, ["one"]`, `sent /, ["asked"]`)

		r.socket("/", id).Disconnect(false)
		synctest.Wait()
		n.took(t, "disconnect", "disconnected /, server namespace disconnect, 1 rooms", "disconnecting handler", "leave-room /, own")
		_ = other.Close()
		synctest.Wait()
		n.took(t, "gone", "disconnected /, transport close, 2 rooms", "disconnecting handler", "leave-room /, own", "leave-room /, early")

		stop()
		_, _ = r.connect()
		synctest.Wait()
		n.took(t, "stopped", "connect handler")
	})
}

// Who is refused was never there.
func TestObserverIsNotToldOfTheRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		var n notebook
		r.Observe(&n)
		r.Of("/").Use(func(server.ConnectHandler) server.ConnectHandler {
			return func(context.Context, *server.Socket) error { return context.Canceled }
		})
		c := r.dial()
		c.send("40/nope,")
		c.expect(`44/nope,{"message":"Invalid namespace"}`)
		c.send("40")
		c.expect(`44{"message":"context canceled"}`)
		_ = c.Close()
		synctest.Wait()
		n.took(t, "refused")
	})
}

// The end of a connection while its socket is let in is told after its beginning.
func TestObserverSeesAnEndDuringAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		var n notebook
		var c *client
		done := make(chan struct{})
		r.Observe(&hooked{notebook: &n, connected: func() {
			defer close(done)
			_ = c.Close()
			synctest.Wait() // the connection's end is there, the socket not live
		}})
		r.Of("/").OnConnect(func(context.Context, *server.Socket) error {
			n.notef("connect handler")
			return nil
		})
		c = r.dial()
		c.send("40")
		<-done
		synctest.Wait()
		n.took(t, "end", "join-room /, own", "connected /, websocket, 1 rooms", "disconnected /, transport close, 1 rooms", "leave-room /, own")
	})
}

// An observer that has not been told of a socket's beginning is not told of an end
// before it.
func TestObserverThatComesDuringAdmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		var n notebook
		var c *client
		done := make(chan struct{})
		r.Of("/").OnRoom(func(e server.RoomEvent) {
			if e.Kind == server.RoomJoined {
				defer close(done)
				r.Observe(&n)
				_ = c.Close()
				synctest.Wait() // the connection's end is there, the socket not live
			}
		})
		c = r.dial()
		c.send("40")
		<-done
		synctest.Wait()
		n.took(t, "end", "leave-room /, own")
	})
}

// A hooked notebook does something while it is told that a socket is connected.
type hooked struct {
	*notebook
	connected func()
}

func (h *hooked) Connected(s *server.Socket) {
	h.notebook.Connected(s)
	h.connected()
}

// Each socket of a connection that moves is told once, also one that is let in
// just then.
func TestObserverSeesUpgrades(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		for _, ns := range []string{"/a", "/b", "/c"} {
			r.Of(ns)
		}
		var n notebook
		p, err := wire.OpenPoll(r.addr, "")
		r.must(err)
		defer p.Close()
		for _, ns := range []string{"/", "/a"} {
			_, err := wire.Join(p, ns)
			r.must(err)
		}
		done := make(chan *wire.WS, 1)
		stop := r.Observe(&hooked{notebook: &n, connected: func() {
			w, err := p.Upgrade()
			if err != nil {
				t.Error(err)
			}
			synctest.Wait() // the session has moved, the third socket is not live
			done <- w
		}})
		r.must(p.Send("40/b,"))
		w := <-done
		defer w.Close()
		synctest.Wait()
		n.took(t, "upgrade", "join-room /b, own", "connected /b, polling, 1 rooms", "upgraded /, websocket", "upgraded /a, websocket", "upgraded /b, websocket")

		stop()
		r.Observe(&n)
		r.must(w.Send("40/c,"))
		synctest.Wait()
		n.took(t, "after the upgrade", "join-room /c, own", "connected /c, websocket, 1 rooms")
	})
}

// An observer's panic harms neither the server nor other observers.
func TestObserverPanics(t *testing.T) {
	r := serve(t)
	var n notebook
	r.Observe(&hooked{notebook: &notebook{}, connected: func() { panic("observer's fault") }})
	r.Observe(&n)
	r.connect()
	r.logged("observer's fault", "observer")
	n.took(t, "beside a panic", "join-room /, own", "connected /, websocket, 1 rooms")
}

// An incomparable observer is one that == panics on.
type incomparable struct {
	*notebook
	_ []int
}

// An observer that observes twice is told twice; each stop ends one, once.
func TestObserveTwice(t *testing.T) {
	r := serve(t)
	var n notebook
	o := incomparable{notebook: &n}
	first, second := r.Observe(o), r.Observe(o)
	const told = "received /, [\"e\"]"
	c, _ := r.connect()
	n.taken()
	event := func(want ...string) {
		t.Helper()
		c.send(`421["e"]`)
		c.expect("431[]")
		n.took(t, "an event", want...)
	}
	r.Of("/").On("e", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack() })
	event(told, told)
	first()
	first()
	event(told)
	second()
	second()
	event()
}

// Observing, stopping and traffic get along.
func TestObserveUnderTraffic(t *testing.T) {
	r := serve(t)
	r.Of("/").On("e", func(_ context.Context, s *server.Socket, args server.Args) error {
		s.SetData(args.At(0))
		return s.Namespace().Emit("e", args.At(0))
	})
	ctx, cancel := context.WithCancel(context.Background())
	var watching, traffic sync.WaitGroup
	for range 2 {
		watching.Go(func() {
			for ctx.Err() == nil {
				r.Observe(&notebook{})()
			}
		})
	}
	for range 4 {
		traffic.Go(func() {
			for range 25 {
				c, _ := r.connect()
				c.send(`421["e",1]`)
				c.expect(`42["e",1]`)
				_ = c.Close()
			}
		})
	}
	traffic.Wait()
	cancel()
	watching.Wait()
}

// What a socket is described with beside its data is the last word.
func TestOnDescribe(t *testing.T) {
	r := serve(t)
	r.OnDescribe(func(*server.Socket, *adapter.SocketInfo) { panic("describer's fault") })
	r.OnDescribe(func(s *server.Socket, info *adapter.SocketInfo) {
		args, err := packet.NewArgs(map[string]any{"had": info.Data.Kind() == packet.Number, "client": s.ClientID()})
		if err != nil {
			t.Error(err)
			return
		}
		info.Data = args.At(0)
	})
	_, id := r.connect()
	s := r.socket("/", id)
	s.SetData(1)
	list, err := r.Of("/").FetchSockets(waited(t))
	r.must(err)
	r.logged("describer's fault")
	var got struct {
		Had    bool
		Client string
	}
	r.must(list[0].Data().Decode(&got))
	if !got.Had || got.Client != s.ClientID() {
		t.Errorf("described as %+v", got)
	}
}

// Namespaces come in the order in which they were made, whoever made them.
func TestNamespacesInOrder(t *testing.T) {
	r := serve(t)
	r.OfFunc(func(context.Context, string, server.Arg) bool { return true })
	r.Of("/z")
	c := r.dial()
	c.join("/m", "")
	leaving := r.dial()
	leaving.join("/gone", "")
	r.Of("/a")
	leaving.send("41/gone,")
	eventually(t, "/gone is gone", func() bool { return len(r.Namespaces()) == 4 })
	var names []string
	for _, ns := range r.Namespaces() {
		names = append(names, ns.Name())
	}
	if want := []string{"/", "/z", "/m", "/a"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

// A handler that is slow to hear of rooms does not keep observers from knowing a
// socket's rooms before the socket.
func TestObserverKnowsTheRoomsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		var n notebook
		r.Observe(&n)
		hold := make(chan struct{})
		r.Of("/").OnRoom(func(server.RoomEvent) { <-hold })
		r.Of("/").Use(func(next server.ConnectHandler) server.ConnectHandler {
			return func(ctx context.Context, s *server.Socket) error { return errors.Join(s.Join("early"), next(ctx, s)) }
		})
		first := r.dial() // its admission waits in the handler
		first.send("40")
		synctest.Wait()
		n.took(t, "the first", "join-room /, own")
		r.connect()
		n.took(t, "the second", "join-room /, own", "join-room /, early", "connected /, websocket, 2 rooms")
		close(hold)
	})
}
