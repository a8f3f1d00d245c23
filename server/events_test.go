package server_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// Behaviour 1: the events of a socket are handled in the order in which they
// were sent, one after another.
func TestEventOrder(t *testing.T) {
	r := serve(t)
	const n = 2000
	var inside sync.Mutex
	next := 0
	done := make(chan struct{})
	r.Of("/").On("n", func(_ context.Context, s *server.Socket, args server.Args) error {
		if !inside.TryLock() {
			t.Error("two events at once")
		}
		defer inside.Unlock()
		var i int
		if err := args.Scan(&i); err != nil || i != next {
			t.Errorf("event %d where %d is due, %v", i, next, err)
		}
		if next++; next == n {
			close(done)
		}
		return s.Emit("n", i)
	})
	c, _ := r.connect()
	go func() {
		for i := range n {
			_ = c.Send(fmt.Sprintf(`42["n",%d]`, i)) // a failure shows as a missing event
		}
	}()
	for i := range n {
		c.expect(fmt.Sprintf(`42["n",%d]`, i))
	}
	receive(t, "all events", done)
}

// A handler that blocks holds up its own socket alone, not even another one of
// the same connection.
func TestSlowHandlerIsolation(t *testing.T) {
	r := serve(t)
	goOn := make(chan struct{})
	t.Cleanup(func() { close(goOn) })
	blocked := make(chan struct{})
	r.Of("/").On("block", func(context.Context, *server.Socket, server.Args) error {
		close(blocked)
		<-goOn
		return nil
	})
	echo := func(_ context.Context, s *server.Socket, args server.Args) error { return args.Ack(args.Event()) }
	r.Of("/").On("echo", echo)
	r.Of("/ns").On("echo", echo)
	slow, _ := r.connect()
	slow.join("/ns", "")
	slow.send(`42["block"]`, `421["echo"]`)
	receive(t, "the handler that blocks", blocked)
	slow.send(`42/ns,1["echo"]`)
	slow.expect(`43/ns,1["echo"]`)
	other, _ := r.connect()
	other.send(`421["echo"]`)
	other.expect(`431["echo"]`)
}

// Several handlers of an event run in the order of registration, after those
// for every event, and the error of one does not keep the next from running.
func TestHandlers(t *testing.T) {
	r := serve(t)
	ns := r.Of("/")
	var order []string // guarded by the inbox: one handler at a time
	handler := func(name string, err error) server.Handler {
		return func(_ context.Context, _ *server.Socket, args server.Args) error {
			order = append(order, name+":"+args.Event())
			return err
		}
	}
	wrap := func(name string) func(server.Handler) server.Handler {
		return func(next server.Handler) server.Handler {
			return func(ctx context.Context, s *server.Socket, args server.Args) error {
				order = append(order, name+":in")
				defer func() { order = append(order, name+":out") }()
				return next(ctx, s, args)
			}
		}
	}
	ns.On("e", handler("1", errors.New("first fault")))
	ns.OnAny(handler("any", nil))
	ns.UseEvent(wrap("a"), wrap("b"))
	ns.On("e", handler("2", errors.New("second fault")))
	ns.On("other", handler("other", nil))
	ns.On("7", handler("number", nil))
	done := make(chan string, 1)
	ns.On("done", func(context.Context, *server.Socket, server.Args) error {
		done <- strings.Join(order, " ")
		return nil
	})
	c, _ := r.connect()
	c.send(`42["e"]`, `42["unknown"]`, `42[7]`, `42["done"]`)
	want := "any:e a:in b:in 1:e 2:e b:out a:out any:unknown a:in b:in b:out a:out any:7 a:in b:in number:7 b:out a:out any:done a:in b:in"
	if got := receive(t, "the last event", done); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r.logged("handler failed", "event=e", "first fault", "second fault")
}

// Event middleware may answer an event itself.
func TestEventMiddlewareRefuses(t *testing.T) {
	r := serve(t)
	ns := r.Of("/")
	ns.UseEvent(func(next server.Handler) server.Handler {
		return func(ctx context.Context, s *server.Socket, args server.Args) error {
			if args.Event() == "secret" {
				return &server.ClientError{Code: "forbidden", Message: "no"}
			}
			return next(ctx, s, args)
		}
	})
	ns.On("secret", func(context.Context, *server.Socket, server.Args) error { t.Error("handled"); return nil })
	c, _ := r.connect()
	c.send(`425["secret"]`)
	c.expect(`435[{"ok":false,"error":{"code":"forbidden","message":"no"}}]`)
}

func TestClientError(t *testing.T) {
	r := serve(t)
	refusal := fmt.Errorf("join: %w", &server.ClientError{Code: "room_full", Message: "the room is \"full\""})
	r.Of("/ns").On("join", func(context.Context, *server.Socket, server.Args) error { return refusal })
	r.Of("/ns").On("answered", func(_ context.Context, _ *server.Socket, args server.Args) error {
		if err := args.Ack("fine"); err != nil {
			return err
		}
		return refusal
	})
	c := r.dial()
	c.join("/ns", "")
	c.send(`42/ns,3["join"]`)
	c.expect(`43/ns,3[{"ok":false,"error":{"code":"room_full","message":"the room is \"full\""}}]`)
	c.send(`42/ns,["join"]`)
	c.expect(`42/ns,["error",{"code":"room_full","message":"the room is \"full\"","event":"join"}]`)
	c.send(`42/ns,4["answered"]`, `42/ns,5["join"]`)
	c.expect(`43/ns,4["fine"]`, `43/ns,5[*`)
	if logged := r.logs.String(); logged != "" {
		t.Errorf("logged: %s", logged)
	}
}

// Any other error is logged once, and the client hears nothing of it.
func TestHandlerError(t *testing.T) {
	r := serve(t)
	r.Of("/ns").On("e", func(context.Context, *server.Socket, server.Args) error { return errors.New("database password") })
	c := r.dial()
	id := c.join("/ns", "")
	c.send(`42/ns,1["e"]`)
	r.logged("handler failed", "database password", "namespace=/ns", "event=e", id)
	c.only(r.socket("/ns", id))
}

func TestAck(t *testing.T) {
	r := serve(t)
	kept := make(chan server.Args, 1)
	r.Of("/").On("twice", func(_ context.Context, _ *server.Socket, args server.Args) error {
		if !args.WantsAck() {
			return args.Ack() // ErrNoAck
		}
		err := errors.Join(args.Ack(1, "two", nil), args.Ack("again"))
		if args.WantsAck() {
			t.Error("wants another acknowledgement")
		}
		return err
	})
	r.Of("/").On("later", func(_ context.Context, _ *server.Socket, args server.Args) error { kept <- args; return nil })
	r.Of("/").On("bad", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack(make(chan int)) })
	c, id := r.connect()
	c.send(`420["twice"]`, `42["twice"]`, `429007199254740991["twice"]`)
	c.expect(`430[1,"two",null]`, `439007199254740991[1,"two",null]`)
	c.send(`421["later"]`)
	args := receive(t, "the event", kept)
	if err := args.Ack(); err != nil {
		t.Error(err)
	}
	c.expect(`431[]`)
	c.send(`422["bad"]`)
	r.logged("handler failed", "event=bad")
	if n := r.logs.Count("event=twice"); n != 0 { // that a client waits for no ack is no fault of the handler
		t.Errorf("%d lines of a client that waits for no acknowledgement:\n%s", n, r.logs)
	}
	c.only(r.socket("/", id))
	if err := (server.Args{}).Ack(); !errors.Is(err, server.ErrNoAck) {
		t.Errorf("Ack of an acknowledgement: %v", err)
	}
}

// Behaviour 10: the text is Node's.
func TestReservedEmit(t *testing.T) {
	r := serve(t)
	c, id := r.connect()
	s := r.socket("/", id)
	for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		want := fmt.Sprintf(`"%s" is a reserved event name`, name)
		_, asked := s.Ask(waited(t), name)
		for i, err := range []error{s.Emit(name), r.Of("/").Emit(name), s.To("r").Emit(name), s.Volatile().Emit(name), asked} {
			if !errors.Is(err, server.ErrReserved) || err.Error() != want {
				t.Errorf("%d: %v, want %s", i, err, want)
			}
		}
		for _, err := range r.Of("/").AskEach(waited(t), name) {
			if !errors.Is(err, server.ErrReserved) {
				t.Errorf("AskEach: %v", err)
			}
		}
	}
	c.only(s)
}

// An emit's error is about encoding, of whatever kind the emit is.
func TestEmitEncodingError(t *testing.T) {
	r := serve(t)
	c, id := r.connect()
	s := r.socket("/", id)
	bad := make(chan int)
	_, asked := s.Ask(waited(t), "e", bad)
	for i, err := range []error{s.Emit("e", bad), r.Of("/").Emit("e", bad), s.Broadcast().Emit("e", bad), asked} {
		if err == nil || !strings.Contains(err.Error(), `"e"`) {
			t.Errorf("%d: %v", i, err)
		}
	}
	c.only(s)
}

func TestCatchAll(t *testing.T) {
	r := serve(t)
	ns := r.Of("/")
	out := make(chan string, 20)
	ns.OnAnyOutgoing(func(s *server.Socket, event string, args server.Args) {
		out <- fmt.Sprint(s.ID(), " ", event, " ", args.Len())
	})
	ns.OnAny(func(_ context.Context, _ *server.Socket, args server.Args) error {
		if args.Event() == "unhandled" {
			return args.Ack("any")
		}
		return nil
	})
	a, idA := r.connect()
	b, idB := r.connect()
	a.send(`421["unhandled",1]`)
	a.expect(`431["any"]`)
	s := r.socket("/", idA)
	if err := errors.Join(s.Emit("one", 1), s.To(idB).Emit("other", 1, 2), ns.To("nobody").Emit("none")); err != nil {
		t.Fatal(err)
	}
	asked, cancel := context.WithCancel(waited(t))
	go func() { _, _ = s.Ask(asked, "ask"); out <- "asked" }()
	a.expect(`42["one",1]`, `420["ask"]`)
	b.expect(`42["other",1,2]`)
	cancel()
	for _, want := range []string{idA + " one 1", idB + " other 2", idA + " ask 0", "asked"} {
		if got := receive(t, want, out); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if len(out) > 0 {
		t.Errorf("more: %q", <-out)
	}
}

// A leavingAdapter takes everybody out of a room that it has sent something to.
type leavingAdapter struct{ adapter.Adapter }

func (a leavingAdapter) Broadcast(p *packet.Shared, to adapter.Target) {
	a.Adapter.Broadcast(p, to)
	a.SocketsLeave(adapter.Target{}, to.Rooms...)
}

func (a leavingAdapter) BroadcastWithAck(ctx context.Context, p *packet.Shared, to adapter.Target, clients func(int), reply func(packet.Args, bool)) {
	a.Adapter.BroadcastWithAck(ctx, p, to, clients, reply)
	a.SocketsLeave(adapter.Target{}, to.Rooms...)
}

// Outgoing handlers are told of who was sent a broadcast and is gone by then.
func TestCatchAllOfLeaver(t *testing.T) {
	r := serve(t, server.WithAdapter(func(h adapter.Host) adapter.Adapter { return leavingAdapter{adapter.NewMemory(h)} }))
	out := make(chan string, 20)
	r.Of("/").OnAnyOutgoing(func(_ *server.Socket, event string, _ server.Args) { out <- event })
	c, id := r.connect()
	s := r.socket("/", id)
	do(t, s.Join("r"), r.Of("/").To("r").Emit("told"), s.Join("r"))
	asked, cancel := context.WithCancel(t.Context())
	cancel()
	for range r.Of("/").To("r").AskEach(asked, "asked") {
	}
	c.expect(`42["told"]`, `420["asked"]`)
	if s.InRoom("r") || len(out) != 2 {
		t.Errorf("in the room: %v, %d handlers told", s.InRoom("r"), len(out))
	}
}

// Outgoing handlers are not told of sockets that a broadcast does not reach.
func TestCatchAllOfUnreached(t *testing.T) {
	r := serve(t)
	ns := r.Of("/")
	out := make(chan string, 20)
	ns.OnAnyOutgoing(func(s *server.Socket, event string, _ server.Args) { out <- s.ID() + " " + event })
	a, idA := r.connect()
	ns.OnRoom(func(e server.RoomEvent) {
		if e.Kind != adapter.RoomJoined {
			return
		}
		if err := ns.Emit("joins"); err != nil { // while the socket is being let in
			t.Error(err)
		}
		asked, cancel := context.WithCancel(t.Context())
		cancel()
		for range ns.AskEach(asked, "asks") {
		}
	})
	_, idB := r.connect()
	a.expect(`42["joins"]`, `420["asks"]`)
	if err := ns.Emit("joined"); err != nil {
		t.Error(err)
	}
	var got []string
	for range 4 {
		got = append(got, receive(t, "an event", out))
	}
	slices.Sort(got[2:])
	want := []string{idA + " joined", idB + " joined"}
	slices.Sort(want)
	if want = append([]string{idA + " joins", idA + " asks"}, want...); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
