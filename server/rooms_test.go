package server_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed3686fee0/parlor/server"
)

func TestRooms(t *testing.T) {
	r := serve(t)
	ns := r.Of("/ns")
	c := r.dial()
	s := r.socket("/ns", c.join("/ns", ""))
	if err := errors.Join(s.Join("r", "s"), s.Join("r"), s.Join(), s.Leave("s", "x")); err != nil {
		t.Fatal(err)
	}
	if got := s.Rooms(); !slices.Equal(got, []string{s.ID(), "r"}) {
		t.Errorf("Rooms: %q", got)
	}
	if !s.InRoom("r") || s.InRoom("s") || ns.RoomSize("r") != 1 || ns.RoomSize("s") != 0 || len(ns.Rooms()) != 2 {
		t.Errorf("InRoom %v %v, RoomSize %d %d, Rooms %q", s.InRoom("r"), s.InRoom("s"), ns.RoomSize("r"), ns.RoomSize("s"), ns.Rooms())
	}
	if got := slices.Collect(ns.Sockets()); !slices.Equal(got, []*server.Socket{s}) || ns.Count() != 1 {
		t.Errorf("Sockets: %v", got)
	}
	if r.Of("/").Count() != 0 || r.Stats().Sockets != 1 || r.Stats().Namespaces != 2 {
		t.Errorf("another namespace has it too: %+v", r.Stats())
	}
	c.Close()
	eventually(t, "its rooms are gone", func() bool { return len(ns.Rooms()) == 0 && ns.Count() == 0 })
	if _, ok := ns.Socket(s.ID()); ok {
		t.Error("it is known still")
	}
}

// TestE04_RoomLimits: rooms and their names are bounded, and what is refused changes nothing.
func TestE04_RoomLimits(t *testing.T) {
	r := serve(t, server.WithLimits(server.Limits{RoomsPerSocket: 3, RoomName: 5}))
	_, id := r.connect()
	s := r.socket("/", id)
	for _, step := range []struct {
		rooms []string
		err   error
		size  int // beside its own
	}{
		{[]string{"a", "123456"}, server.ErrRoomName, 0},
		{[]string{"a", "12345", "a"}, nil, 2},
		{[]string{"b", "c"}, server.ErrTooManyRooms, 2},
		{[]string{"b", "b", "a"}, nil, 3},
		{[]string{"a", "b"}, nil, 3},
		{[]string{"c"}, server.ErrTooManyRooms, 3},
	} {
		if err := s.Join(step.rooms...); !errors.Is(err, step.err) {
			t.Errorf("Join(%q): %v, want %v", step.rooms, err, step.err)
		}
		if n := len(s.Rooms()) - 1; n != step.size {
			t.Errorf("after Join(%q): in %d rooms, want %d", step.rooms, n, step.size)
		}
	}
	if err := errors.Join(s.Leave("a"), s.Join("c")); err != nil {
		t.Errorf("after Leave: %v", err)
	}
}

// Those who join at the same time join as many rooms together as one may.
func TestE04_RoomLimitAtOnce(t *testing.T) {
	const limit, joiners, each = 100, 8, 25
	r := serve(t, server.WithLimits(server.Limits{RoomsPerSocket: limit}))
	_, id := r.connect()
	s := r.socket("/", id)
	var joined atomic.Int64
	var all sync.WaitGroup
	for joiner := range joiners {
		all.Go(func() {
			for i := range each {
				if s.Join(fmt.Sprint(joiner, " ", i), fmt.Sprint(joiner, " ", i, " and another")) == nil {
					joined.Add(2)
				}
			}
		})
	}
	all.Wait()
	if n := len(s.Rooms()) - 1; n != limit || joined.Load() != limit {
		t.Errorf("in %d rooms, after having joined %d; the limit is %d", n, joined.Load(), limit)
	}
}

// Before a socket is admitted, too, what is too much changes nothing.
func TestE04_RoomLimitBeforeConnect(t *testing.T) {
	r := serve(t, server.WithLimits(server.Limits{RoomsPerSocket: 2}))
	r.Of("/").Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			if err := s.Join("a", "b", "c"); !errors.Is(err, server.ErrTooManyRooms) {
				t.Errorf("Join of three: %v", err)
			}
			return errors.Join(s.Join("d"), next(ctx, s))
		}
	})
	_, id := r.connect()
	if rooms := r.socket("/", id).Rooms(); !slices.Equal(rooms, []string{id, "d"}) {
		t.Errorf("in %q", rooms)
	}
}

// A room that middleware has joined and left again is not one that the socket begins in.
func TestLeaveInMiddleware(t *testing.T) {
	r := serve(t, server.WithLimits(server.Limits{RoomsPerSocket: 2}))
	r.Of("/").Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			return errors.Join(s.Join("a", "b"), s.Leave("a", "x"), s.Join("c"), next(ctx, s))
		}
	})
	_, id := r.connect()
	if rooms := r.socket("/", id).Rooms(); !slices.Equal(rooms, []string{id, "b", "c"}) {
		t.Errorf("in %q", rooms)
	}
}

func TestRoomLimitsOff(t *testing.T) {
	r := serve(t, server.WithLimits(server.Limits{RoomsPerSocket: -1, RoomName: -1}))
	_, id := r.connect()
	s := r.socket("/", id)
	for i := range 1500 {
		if err := s.Join(strings.Repeat("x", 300) + fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRoomEvents(t *testing.T) {
	r := serve(t)
	got := make(chan server.RoomEvent, 20)
	ns := r.Of("/")
	ns.OnRoom(func(e server.RoomEvent) { got <- e })
	c, id := r.connect()
	s := r.socket("/", id)
	if err := errors.Join(s.Join("r"), s.Leave("r"), s.Join("s")); err != nil {
		t.Fatal(err)
	}
	c.Close()
	for _, want := range []server.RoomEvent{
		{Kind: "create-room", Room: id}, {Kind: "join-room", Room: id, ID: id},
		{Kind: "create-room", Room: "r"}, {Kind: "join-room", Room: "r", ID: id},
		{Kind: "leave-room", Room: "r", ID: id}, {Kind: "delete-room", Room: "r"},
		{Kind: "create-room", Room: "s"}, {Kind: "join-room", Room: "s", ID: id},
		{Kind: "leave-room", Room: id, ID: id}, {Kind: "delete-room", Room: id},
		{Kind: "leave-room", Room: "s", ID: id}, {Kind: "delete-room", Room: "s"},
	} {
		if e := receive(t, fmt.Sprint(want), got); e != want {
			t.Errorf("%+v, want %+v", e, want)
		}
	}
}

func TestManySockets(t *testing.T) {
	r := serve(t)
	ns := r.Of("/")
	a, idA := r.connect()
	b, idB := r.connect()
	sa, sb := r.socket("/", idA), r.socket("/", idB)
	if err := sa.Join("r"); err != nil {
		t.Fatal(err)
	}
	ns.SocketsJoin("all", "both")
	ns.To("r").SocketsJoin("from r")
	ns.Except(idA).SocketsLeave("both")
	sa.Broadcast().SocketsJoin("not a")
	ns.SocketsLeave("nothing")
	if got := sa.Rooms(); !slices.Equal(got, []string{idA, "r", "all", "both", "from r"}) {
		t.Errorf("a is in %q", got)
	}
	if got := sb.Rooms(); !slices.Equal(got, []string{idB, "all", "not a"}) {
		t.Errorf("b is in %q", got)
	}
	ns.To("r").DisconnectSockets(false)
	a.expect("41")
	b.only(sb)
	ns.DisconnectSockets(true)
	if before := b.closed(); !slices.Equal(before, []string{"41"}) {
		t.Errorf("b: %q", before)
	}
}

func TestFetchSockets(t *testing.T) {
	r := serve(t)
	ns := r.Of("/ns")
	var clients []*client
	for i := range 2 {
		c := r.dial()
		s := r.socket("/ns", c.join("/ns", fmt.Sprintf(`{"token":"t%d"}`, i)))
		if err := s.Join("r", fmt.Sprint("own ", i)); err != nil {
			t.Fatal(err)
		}
		if s.Data() != nil {
			t.Errorf("data before it is set: %v", s.Data())
		}
		s.SetData(map[string]int{"n": -1})
		s.SetData(map[string]int{"n": i})
		if got := fmt.Sprint(s.Data()); got != fmt.Sprint(map[string]int{"n": i}) {
			t.Errorf("Data: %s", got)
		}
		clients = append(clients, c)
	}
	sockets, err := ns.FetchSockets(waited(t))
	if err != nil || len(sockets) != 2 {
		t.Fatalf("%d sockets, %v", len(sockets), err)
	}
	slices.SortFunc(sockets, func(a, b server.RemoteSocket) int {
		return cmp.Compare(a.Handshake().Auth.AppendJSON(nil)[11], b.Handshake().Auth.AppendJSON(nil)[11])
	})
	for i, s := range sockets {
		if !slices.Equal(s.Rooms(), []string{s.ID(), "r", fmt.Sprint("own ", i)}) {
			t.Errorf("rooms of %d: %q", i, s.Rooms())
		}
		if data := string(s.Data().AppendJSON(nil)); data != fmt.Sprintf(`{"n":%d}`, i) {
			t.Errorf("data of %d: %s", i, data)
		}
	}
	remote := sockets[0]
	local := r.socket("/ns", remote.ID())
	if err := remote.Emit("e", 1); err != nil {
		t.Error(err)
	}
	remote.Join("j")
	remote.Leave("r")
	if !local.InRoom("j") || local.InRoom("r") {
		t.Errorf("rooms: %q", local.Rooms())
	}
	clients[0].expect(`42/ns,["e",1]`)
	if some, err := ns.To("r").FetchSockets(waited(t)); len(some) != 1 || some[0].ID() == remote.ID() || err != nil {
		t.Errorf("in r: %v, %v", some, err)
	}
	remote.Disconnect(false)
	clients[0].expect("41/ns,")
	clients[1].only(r.socket("/ns", sockets[1].ID()))
	eventually(t, "the other is gone", func() bool { return ns.Count() == 1 })
	s := r.socket("/ns", sockets[1].ID())
	s.SetData(make(chan int)) // cannot be described
	if some, err := ns.FetchSockets(waited(t)); len(some) != 1 || string(some[0].Data().AppendJSON(nil)) != "null" || err != nil {
		t.Errorf("with data that has no JSON: %v, %v", some, err)
	}
	r.logged("cannot be encoded", s.ID())
}

// Alone there are no other servers: nobody is told, nobody answers.
func TestServerSide(t *testing.T) {
	r := serve(t)
	ns := r.Of("/")
	ns.OnServerSide("e", func(context.Context, server.Args) error { t.Error("told itself"); return nil })
	if err := ns.ServerSideEmit("e", 1); err != nil {
		t.Error(err)
	}
	if answers, err := ns.ServerSideAsk(waited(t), "e"); len(answers) != 0 || err != nil {
		t.Errorf("%v, %v", answers, err)
	}
	for _, name := range []string{"connect", "connection", "new_namespace"} { // behaviour 41
		if err := ns.ServerSideEmit(name); !errors.Is(err, server.ErrReserved) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := ns.ServerSideEmit("e", make(chan int)); err == nil {
		t.Error("no error about what has no JSON")
	}
}
