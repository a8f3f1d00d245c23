package server_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server"
)

// A joiningAdapter calls functions as it begins to join rooms and when it has, in
// the n-th round.
type joiningAdapter struct {
	adapter.Adapter

	round         int
	before, after func(round int)
}

func (a *joiningAdapter) Join(id string, rooms ...string) bool {
	a.round++
	a.before(a.round)
	defer a.after(a.round)
	return a.Adapter.Join(id, rooms...)
}

// Rooms are joined and left while the adapter is given those of connect
// middleware, too: what was done last holds, and the limit does.
func TestRoomsDuringAdmission(t *testing.T) {
	type act func(t *testing.T, ns *server.Namespace, s *server.Socket)
	var (
		join = func(rooms ...string) act {
			return func(t *testing.T, _ *server.Namespace, s *server.Socket) { do(t, s.Join(rooms...)) }
		}
		tooMany = func(rooms ...string) act {
			return func(t *testing.T, _ *server.Namespace, s *server.Socket) {
				if err := s.Join(rooms...); !errors.Is(err, server.ErrTooManyRooms) {
					t.Errorf("Join of %q beside %q: %v", rooms, s.Rooms(), err)
				}
			}
		}
		leave = func(rooms ...string) act {
			return func(t *testing.T, _ *server.Namespace, s *server.Socket) {
				do(t, s.Leave(rooms...))
				for _, name := range rooms {
					if s.InRoom(name) {
						t.Errorf("in %q still", name)
					}
				}
			}
		}
		takeOut = func(rooms ...string) act {
			return func(_ *testing.T, ns *server.Namespace, s *server.Socket) { ns.In(s.ID()).SocketsLeave(rooms...) }
		}
	)
	for name, test := range map[string]struct {
		before, after, again []act    // round 1, that of a, b and its own room; and before round 2
		want                 []string // beside its own; 3 are the limit
	}{
		"joined":                {before: []act{join("c")}, want: []string{"a", "b", "c"}},
		"one too many":          {before: []act{tooMany("c", "d"), join("a", "b", "c")}, want: []string{"a", "b", "c"}},
		"more and more":         {after: []act{join("c")}, again: []act{tooMany("d")}, want: []string{"a", "b", "c"}},
		"left before":           {before: []act{leave("a")}, want: []string{"b"}},
		"left after":            {after: []act{leave("a")}, want: []string{"b"}},
		"one for another":       {before: []act{leave("a"), join("c", "d")}, want: []string{"b", "c", "d"}},
		"left and joined":       {before: []act{leave("a"), join("a")}, want: []string{"b", "a"}},
		"joined and left":       {before: []act{join("a", "c"), leave("a", "c")}, want: []string{"b"}},
		"joined again and left": {after: []act{join("a")}, again: []act{leave("a")}, want: []string{"b"}},
		"taken out":             {after: []act{takeOut("a")}, want: []string{"b"}},
		"taken out, and joined": {after: []act{takeOut("a"), join("a")}, want: []string{"b", "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			var (
				ns      *server.Namespace
				joining *server.Socket
			)
			play := func(acts []act) {
				for _, f := range acts {
					f(t, ns, joining)
				}
			}
			r := serve(t, server.WithLimits(server.Limits{RoomsPerSocket: 3}), server.WithAdapter(func(h adapter.Host) adapter.Adapter {
				return &joiningAdapter{
					Adapter: adapter.NewMemory(h),
					before:  func(round int) { play(map[int][]act{1: test.before, 2: test.again}[round]) },
					after:   func(round int) { play(map[int][]act{1: test.after}[round]) },
				}
			}))
			ns = r.Of("/")
			ns.Use(func(next server.ConnectHandler) server.ConnectHandler {
				return func(ctx context.Context, s *server.Socket) error {
					joining = s
					return errors.Join(s.Join("a", "b", s.ID()), next(ctx, s))
				}
			})
			_, id := r.connect()
			if rooms := r.socket("/", id).Rooms(); !slices.Equal(rooms, append([]string{id}, test.want...)) {
				t.Errorf("in %q, want %q beside its own", rooms, test.want)
			}
		})
	}
}

// A doorman acts as a socket is about to be told that it is let in.
type doorman struct {
	server.Observer

	connected func(s *server.Socket)
}

func (d *doorman) Connected(s *server.Socket) { d.connected(s) }

func (d *doorman) RoomEvents(*server.Namespace, []adapter.RoomEvent) {}

// When the rooms of connect middleware are joined, and the client is not told
// yet, they count.
func TestRoomsAfterAdmission(t *testing.T) {
	r := serve(t, server.WithLimits(server.Limits{RoomsPerSocket: 2}))
	r.Observe(&doorman{connected: func(s *server.Socket) {
		do(t, s.Join("b"))
		if err := s.Join("c"); !errors.Is(err, server.ErrTooManyRooms) {
			t.Errorf("Join of a third: %v", err)
		}
	}})
	r.Of("/").Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error { return errors.Join(s.Join("a"), next(ctx, s)) }
	})
	_, id := r.connect()
	if rooms := r.socket("/", id).Rooms(); !slices.Equal(rooms, []string{id, "a", "b"}) {
		t.Errorf("in %q", rooms)
	}
}

// do is for what cannot fail, on any goroutine.
func do(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}
