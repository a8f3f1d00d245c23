package server_test

import (
	"context"
	"regexp"
	"testing"

	"github.com/seed3686fee0/parlor/server"
)

// TestH04_Panics: a panic in any of the application's functions is logged once with its
// stack, and the socket, its neighbour and the server live on. Middleware and
// OnConnect have tests of their own.
func TestH04_Panics(t *testing.T) {
	boom := func() { panic("boom") }
	for name, tt := range map[string]struct {
		register func(io *server.Server, ns *server.Namespace)
		cause    func(c *client, s *server.Socket) // what makes it panic
		socket   bool                              // the socket ends by it
		logged   string
	}{
		"event": {
			register: func(_ *server.Server, ns *server.Namespace) {
				ns.On("e", func(context.Context, *server.Socket, server.Args) error { boom(); return nil })
			},
			cause:  func(c *client, _ *server.Socket) { c.send(`42/ns,["e"]`) },
			logged: "event=e",
		},
		"event with an acknowledgement": {
			register: func(_ *server.Server, ns *server.Namespace) {
				ns.On("e", func(context.Context, *server.Socket, server.Args) error { boom(); return nil })
			},
			cause: func(c *client, _ *server.Socket) {
				c.send(`42/ns,8["e"]`)
				c.expect(`43/ns,8[{"ok":false,"error":{"code":"internal","message":"internal error"}}]`)
			},
			logged: "event=e",
		},
		"event after it was acknowledged": {
			register: func(_ *server.Server, ns *server.Namespace) {
				ns.On("e", func(_ context.Context, _ *server.Socket, args server.Args) error {
					defer boom()
					return args.Ack()
				})
			},
			cause:  func(c *client, _ *server.Socket) { c.send(`42/ns,8["e"]`); c.expect(`43/ns,8[]`) },
			logged: "event=e",
		},
		"typed event": {
			register: func(_ *server.Server, ns *server.Namespace) {
				server.Event[int]("e").Handle(ns, func(context.Context, *server.Socket, int) error { boom(); return nil })
			},
			cause:  func(c *client, _ *server.Socket) { c.send(`42/ns,["e",1]`) },
			logged: "event=e",
		},
		"detached event": {
			register: func(_ *server.Server, ns *server.Namespace) {
				ns.On("e", func(ctx context.Context, _ *server.Socket, _ server.Args) error {
					server.Detach(ctx)
					boom()
					return nil
				})
			},
			cause:  func(c *client, _ *server.Socket) { c.send(`42/ns,["e"]`) },
			logged: "event=e",
		},
		"event middleware": {
			register: func(_ *server.Server, ns *server.Namespace) {
				ns.UseEvent(func(next server.Handler) server.Handler {
					return func(ctx context.Context, s *server.Socket, args server.Args) error {
						if args.Event() == "e" {
							boom()
						}
						return next(ctx, s, args)
					}
				})
			},
			cause:  func(c *client, _ *server.Socket) { c.send(`42/ns,["e"]`) },
			logged: "event=e",
		},
		"any": {
			register: func(_ *server.Server, ns *server.Namespace) {
				ns.OnAny(func(_ context.Context, _ *server.Socket, args server.Args) error {
					if args.Event() == "e" {
						boom()
					}
					return nil
				})
			},
			cause:  func(c *client, _ *server.Socket) { c.send(`42/ns,["e"]`) },
			logged: "event=e",
		},
		"any outgoing": {
			register: func(_ *server.Server, ns *server.Namespace) {
				ns.OnAnyOutgoing(func(_ *server.Socket, event string, _ server.Args) {
					if event == "out" {
						boom()
					}
				})
			},
			cause: func(c *client, s *server.Socket) {
				if err := s.Emit("out"); err != nil {
					c.t.Error(err)
				}
				c.expect(`42/ns,["out"]`)
			},
			logged: "any outgoing",
		},
		"room event": {
			register: func(_ *server.Server, ns *server.Namespace) {
				ns.OnRoom(func(e server.RoomEvent) {
					if e.Kind == "create-room" && e.Room == "r" {
						boom()
					}
				})
			},
			cause: func(c *client, s *server.Socket) {
				if err := s.Join("r"); err != nil || !s.InRoom("r") {
					c.t.Errorf("Join: %v, in the room: %v", err, s.InRoom("r"))
				}
			},
			logged: "event=create-room",
		},
		"disconnecting": {
			register: func(_ *server.Server, ns *server.Namespace) {
				ns.OnDisconnecting(func(context.Context, *server.Socket, server.Reason) { boom() })
			},
			cause:  func(c *client, _ *server.Socket) { c.send(`41/ns,`) },
			socket: true,
			logged: "event=disconnecting",
		},
		"disconnect": {
			register: func(_ *server.Server, ns *server.Namespace) {
				ns.OnDisconnect(func(context.Context, *server.Socket, server.Reason) { boom() })
			},
			cause:  func(c *client, _ *server.Socket) { c.send(`41/ns,`) },
			socket: true,
			logged: "event=disconnect",
		},
		"match of a pattern": {
			register: func(io *server.Server, _ *server.Namespace) {
				io.OfPattern(regexp.MustCompile("^/never$"))
				io.OfFunc(func(context.Context, string, server.Arg) bool { boom(); return true })
			},
			cause: func(c *client, _ *server.Socket) {
				c.send(`40/dyn,`)
				c.expect(`44/dyn,{"message":"Invalid namespace"}`)
			},
			logged: "match of a dynamic namespace",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t)
			ns := r.Of("/ns")
			tt.register(r.Server, ns)
			ns.On("echo", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack("lives") })
			left := make(chan bool, 2)
			ns.OnDisconnect(func(_ context.Context, s *server.Socket, _ server.Reason) { left <- s.Rooms() == nil })
			a, b := r.dial(), r.dial()
			s := r.socket("/ns", a.join("/ns", ""))
			b.join("/ns", "")
			tt.cause(a, s)
			r.logged("handler panicked", "boom", tt.logged, "panic_test.go", "namespace=/")
			if n := r.Stats().Panics; n != 1 {
				t.Errorf("%d panics are counted", n)
			}
			lives := []*client{a, b}
			if tt.socket {
				lives = lives[1:]
				if !receive(t, "the other disconnect handler", left) {
					t.Error("the socket is in rooms still")
				}
			}
			for _, c := range lives {
				c.send(`42/ns,99["echo"]`)
				c.expect(`43/ns,99["lives"]`)
			}
		})
	}
}
