package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/server"
)

// When a socket is closed, disconnecting sees its rooms, disconnect sees none, and to join after that is
// nothing.
func TestBehaviour19_rooms_on_close(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		type seen struct {
			handler string
			rooms   int
			inRoom  bool
			live    error // of the handler's context
		}
		saw := make(chan seen, 4)
		s := serve(t, func(io *server.Server) {
			ns := io.Of("/")
			ns.OnConnect(func(_ context.Context, s *server.Socket) error { return s.Join("one", "two") })
			ns.OnDisconnecting(func(ctx context.Context, s *server.Socket, _ server.Reason) {
				saw <- seen{"disconnecting", len(s.Rooms()), s.InRoom("one"), ctx.Err()}
			})
			ns.OnDisconnect(func(ctx context.Context, s *server.Socket, _ server.Reason) {
				saw <- seen{"disconnect", len(s.Rooms()), s.InRoom("one"), ctx.Err()}
				err := s.Join("three")
				saw <- seen{"after a join", len(s.Rooms()), s.InRoom("three"), err}
			})
		})
		c := d.Connected(s.URL, jstest.Options{Transports: use})
		c.Disconnect()
		for _, want := range []seen{
			{"disconnecting", 3, true, nil},
			{"disconnect", 0, false, nil},
			{"after a join", 0, false, nil},
		} {
			if got := receive(t, want.handler, saw); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
		if got, err := s.Of("/").In("three").FetchSockets(t.Context()); err != nil || len(got) > 0 {
			t.Errorf("the room that was joined after the end: %d members, %v", len(got), err)
		}
	})
}

// The server's reasons, with Node's words, and what ends a connection with each.
func TestBehaviour20_reasons(t *testing.T) {
	both, ws := transports[:2], transports[:1]
	for reason, tc := range map[server.Reason]struct {
		transports []struct {
			name string
			use  []string
		}
		end func(c *jstest.Client, s *site, socket *server.Socket)
	}{
		"transport close":             {both, func(c *jstest.Client, _ *site, _ *server.Socket) { c.CloseEngine() }},
		"transport error":             {ws, func(c *jstest.Client, _ *site, _ *server.Socket) { c.SendFrame("2") }},
		"parse error":                 {ws, func(c *jstest.Client, _ *site, _ *server.Socket) { c.SendFrame("x") }},
		"forced close":                {both, func(c *jstest.Client, _ *site, _ *server.Socket) { c.SendMessage("2[]") }},
		"client namespace disconnect": {both, func(c *jstest.Client, _ *site, _ *server.Socket) { c.Disconnect() }},
		"server namespace disconnect": {both, func(_ *jstest.Client, _ *site, socket *server.Socket) { socket.Disconnect(true) }},
		"server shutting down":        {both, func(_ *jstest.Client, s *site, _ *server.Socket) { shutdown(t, s.Server) }},
	} {
		for _, tr := range tc.transports {
			t.Run(string(reason)+"/"+tr.name, func(t *testing.T) {
				t.Parallel()
				expectReason(t, reason, tr.use, tc.end)
			})
		}
	}
	t.Run("ping timeout", func(t *testing.T) {
		for _, tr := range both {
			t.Run(tr.name, func(t *testing.T) {
				t.Parallel()
				d := jstest.Start(t)
				expectReasonOf(t, d, server.PingTimeout, tr.use, func(*jstest.Client, *site, *server.Socket) { d.Pause() },
					server.WithPingInterval(300*time.Millisecond), server.WithPingTimeout(3*time.Second))
			})
		}
	})
	t.Run("transport close by a crash", func(t *testing.T) {
		t.Parallel()
		d := jstest.Start(t)
		expectReasonOf(t, d, server.TransportClose, jstest.WebSocket, func(*jstest.Client, *site, *server.Socket) { d.Kill() })
	})
	for got, want := range map[server.Reason]string{
		server.TransportError: "transport error", server.TransportClose: "transport close",
		server.ForcedClose: "forced close", server.PingTimeout: "ping timeout", server.ParseError: "parse error",
		server.ServerShuttingDown: "server shutting down", server.ForcedServerClose: "forced server close",
		server.ClientNamespaceDisconnect: "client namespace disconnect", server.ServerNamespaceDisconnect: "server namespace disconnect",
	} {
		if string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func expectReason(t *testing.T, reason server.Reason, use []string, end func(*jstest.Client, *site, *server.Socket)) {
	t.Helper()
	expectReasonOf(t, jstest.Start(t), reason, use, end)
}

func expectReasonOf(t *testing.T, d *jstest.Driver, reason server.Reason, use []string,
	end func(*jstest.Client, *site, *server.Socket), opts ...server.Option,
) {
	t.Helper()
	sockets, reasons := make(chan *server.Socket, 1), make(chan string, 2)
	s := serve(t, func(io *server.Server) {
		ns := io.Of("/")
		ns.OnConnect(func(_ context.Context, s *server.Socket) error {
			sockets <- s
			return nil
		})
		ns.OnDisconnecting(func(_ context.Context, _ *server.Socket, r server.Reason) { reasons <- "disconnecting: " + string(r) })
		ns.OnDisconnect(func(_ context.Context, s *server.Socket, r server.Reason) {
			var cause string
			if gone, ok := errors.AsType[*server.DisconnectError](context.Cause(s.Context())); ok {
				cause = string(gone.Reason)
			}
			reasons <- fmt.Sprintf("disconnect: %s, cause %s", r, cause)
		})
	}, opts...)
	c := d.Connected(s.URL, jstest.Options{Transports: use, NoReconnect: true})
	end(c, s, receive(t, "the socket", sockets))
	want(t, "reason", receive(t, "disconnecting", reasons), "disconnecting: "+string(reason))
	want(t, "reason", receive(t, "disconnect", reasons), fmt.Sprintf("disconnect: %s, cause %s", reason, reason))
	d.Resume()
}

// A client that the server disconnects is told so and stays away; one whose connection is closed comes back.
func TestBehaviour22_reconnection(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		s := serve(t, func(io *server.Server) {
			ns := io.Of("/")
			ns.On("kick", func(_ context.Context, s *server.Socket, args server.Args) error {
				var closeConn bool
				if err := args.Scan(&closeConn); err != nil {
					return err
				}
				s.Disconnect(closeConn)
				return nil
			})
			fence(ns)
		})
		for _, closeConn := range []bool{false, true} {
			c := d.Connected(s.URL, jstest.Options{Transports: use})
			c.Emit("kick", closeConn)
			want(t, "the kicked one's reason", c.WaitDisconnect(), "io server disconnect")
			if st := c.State(); st.Active || st.Reconnecting {
				t.Errorf("the kicked one wants to come back: %+v", st)
			}
			c.Reconnect() // it may, when it is asked to
			c.WaitConnect()
			c.Call("fence")

			c.SendMessage("not a packet")
			want(t, "the other's reason", c.WaitDisconnect(), "transport close")
			c.WaitManager("reconnect")
			c.WaitConnect()
			c.Call("fence")
		}
	})
}

// Disconnect(true) tells each namespace of the connection, after all that was sent before, and then closes it;
// Disconnect(false) tells the one and leaves the connection to the others.
func TestBehaviour23_disconnect(t *testing.T) {
	const events = 300
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		s := serve(t, func(io *server.Server) {
			io.Of("/other")
			for _, ns := range []*server.Namespace{io.Of("/"), io.Of("/other")} {
				fence(ns)
				ns.On("go", func(_ context.Context, s *server.Socket, args server.Args) error {
					var closeConn bool
					if err := args.Scan(&closeConn); err != nil {
						return err
					}
					for i := range events {
						if err := s.Emit("n", i, "some text, so that it does not leave in one write "+strings.Repeat("x", 500)); err != nil {
							return err
						}
					}
					s.Disconnect(closeConn)
					return nil
				})
			}
		})
		collect := []string{"n"}
		root := d.Connected(s.URL, jstest.Options{Transports: use, Collect: collect, Frames: true})
		other := d.Connect(s.URL, jstest.Options{Share: root, Namespace: "/other", Collect: collect})
		other.WaitConnect()
		if upgrades(use) {
			root.WaitManager("upgrade")
		}
		other.Emit("go", false)
		want(t, "the one namespace", other.WaitDisconnect(), "io server disconnect")
		want(t, "its packet", root.WaitIn("41"), "41/other,")
		inOrder(t, "events before it", other.Collected("n", events), events)
		root.Call("fence")
		if n := s.Engine().Stats().Sessions; n != 1 {
			t.Errorf("%d connections, want the one", n)
		}

		other.Reconnect()
		other.WaitConnect()
		root.Emit("go", true)
		want(t, "the main namespace", root.WaitDisconnect(), "io server disconnect")
		inOrder(t, "events before it", root.Collected("n", events), events)
		want(t, "the other namespace", other.WaitDisconnect(), "io server disconnect")
		told := []string{root.WaitIn("41"), root.WaitIn("41")}
		slices.Sort(told)
		want(t, "packets", told, `["41","41/other,"]`)
	})
}

// A client that leaves a namespace leaves that one alone. Ours: what it sends there afterwards closes the
// connection.
func TestBehaviour24_client_leaves_a_namespace(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		left := make(chan string, 4)
		var handled atomic.Int64
		s := serve(t, func(io *server.Server) {
			for _, name := range []string{"/", "/other"} {
				ns := io.Of(name)
				fence(ns)
				ns.OnDisconnect(func(_ context.Context, _ *server.Socket, r server.Reason) { left <- name + " " + string(r) })
				ns.OnAny(func(_ context.Context, _ *server.Socket, args server.Args) error {
					if args.Event() == "behind" {
						handled.Add(1)
					}
					return nil
				})
			}
		})
		root := d.Connected(s.URL, jstest.Options{Transports: use, NoReconnect: true})
		other := d.Connect(s.URL, jstest.Options{Share: root, Namespace: "/other"})
		other.WaitConnect()
		other.Disconnect()
		want(t, "left", receive(t, "the end of one", left), "/other client namespace disconnect")
		root.Call("fence")
		other.Reconnect()
		other.WaitConnect()
		other.Call("fence")

		root.SendMessage("1/other,")
		root.SendMessage(`2/other,["behind"]`)
		want(t, "the connection's end", root.WaitDisconnect(), "transport close")
		ends := []string{receive(t, "an end", left), receive(t, "an end", left)}
		slices.Sort(ends)
		want(t, "ends", ends, `["/ forced close","/other client namespace disconnect"]`)
		if n := handled.Load(); n > 0 {
			t.Errorf("the event behind the DISCONNECT was handled")
		}
	})
}

// A server that shuts down closes connections without a DISCONNECT, so that its clients come back, to whoever
// answers then.
func TestBehaviour26_shutdown(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		s := serve(t, func(io *server.Server) { fence(io.Of("/")) })
		next := newServer(t)
		fence(next.Of("/"))

		c := d.Connected(s.URL, jstest.Options{Transports: use, Frames: true})
		if upgrades(use) {
			c.WaitManager("upgrade")
		}
		if err := s.Of("/").Emit("last", 1); err != nil {
			t.Fatal(err)
		}
		shutdown(t, s.Server)
		s.Handle(next)
		want(t, "what was sent before", c.Wait("last"), "[1]")
		want(t, "the client's reason", c.WaitDisconnect(), "transport close")
		for _, packet := range c.In() {
			if strings.HasPrefix(packet, "41") {
				t.Errorf("a DISCONNECT was sent: %s", packet)
			}
		}
		c.WaitManager("reconnect")
		c.WaitConnect()
		c.Call("fence")
		if n := next.Of("/").Count(); n != 1 {
			t.Errorf("the next server has %d sockets, want 1", n)
		}
	})
}
