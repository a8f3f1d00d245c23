package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/server"
)

// Middleware runs before the client is answered. The socket is in its own room when OnConnect runs, and what
// is emitted there follows the CONNECT.
func TestBehaviour02_middleware_before_connect(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		type key struct{}
		entered, release := make(chan struct{}), make(chan struct{})
		var fromMiddleware atomic.Value
		s := serve(t, func(io *server.Server) {
			ns := io.Of("/")
			ns.Use(func(next server.ConnectHandler) server.ConnectHandler {
				return func(ctx context.Context, s *server.Socket) error {
					close(entered)
					<-release
					return next(context.WithValue(ctx, key{}, "first"), s)
				}
			}, func(next server.ConnectHandler) server.ConnectHandler {
				return func(ctx context.Context, s *server.Socket) error {
					fromMiddleware.Store(ctx.Value(key{})) // in the order of registration
					return next(ctx, s)
				}
			})
			ns.OnConnect(func(_ context.Context, s *server.Socket) error {
				return errors.Join(
					s.Emit("hello", 1, s.InRoom(s.ID())),
					ns.To(s.ID()).Emit("hello", 2),
				)
			})
			fence(ns)
		})
		c := d.Connect(s.URL, jstest.Options{Transports: use, Frames: true})
		receive(t, "the middleware's start", entered)
		if st := c.State(); st.Connected {
			t.Error("the client is connected while the middleware runs")
		}
		close(release)
		id := c.WaitConnect().ID
		c.Call("fence")
		if got := fromMiddleware.Load(); got != "first" {
			t.Errorf("the second middleware saw %v of the first", got)
		}
		var got []string
		for _, packet := range c.In() {
			if strings.HasPrefix(packet, "4") && !strings.HasPrefix(packet, "43") {
				got = append(got, packet)
			}
		}
		want(t, "packets", strings.Join(got, " "), fmt.Sprintf(`40{"sid":"%s"} 42["hello",1,true] 42["hello",2]`, id))
	})
}

// A refusal is connect_error with a message, and with data only where there are some. The connection stays
// open, its other sockets are not touched, and the client may try again on it.
func TestBehaviour03_connect_error(t *testing.T) {
	d := jstest.Start(t)
	s := serve(t, func(io *server.Server) {
		fence(io.Of("/"))
		io.Of("/admin").Use(func(next server.ConnectHandler) server.ConnectHandler {
			return func(ctx context.Context, s *server.Socket) error {
				var auth struct{ Token string }
				if err := s.Handshake().Auth.Decode(&auth); err != nil {
					return err
				}
				switch auth.Token {
				case "good":
					return next(ctx, s)
				case "expired":
					return &server.ConnectError{Message: "Authentication error", Data: map[string]string{"code": "token_expired"}}
				default:
					return errors.New("not so")
				}
			}
		})
	})
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			root := d.Connected(s.URL, jstest.Options{Transports: tr.use, Frames: true})
			admin := d.Connect(s.URL, jstest.Options{Share: root, Namespace: "/admin", Auth: map[string]any{"token": "bad"}})
			if e := admin.WaitConnectError(); e.Message != "not so" || e.HasData {
				t.Errorf("without data: got %+v", e)
			}
			want(t, "the packet", root.WaitIn("44"), `44/admin,{"message":"not so"}`)

			admin.SetAuth(map[string]any{"token": "expired"})
			admin.Reconnect()
			e := admin.WaitConnectError()
			want(t, "message", e.Message, "Authentication error")
			want(t, "data", e.Data, `{"code":"token_expired"}`)
			want(t, "the packet", root.WaitIn("44"), `44/admin,{"message":"Authentication error","data":{"code":"token_expired"}}`)

			admin.SetAuth(map[string]any{"token": "good"})
			admin.Reconnect()
			if got, want := admin.WaitConnect().Engine, root.State().Engine; got != want {
				t.Errorf("the socket that was let in is on connection %q, the other on %q", got, want)
			}
			root.Call("fence")
		})
	}
	t.Run("ours: the eleventh closes", func(t *testing.T) {
		root := d.Connected(s.URL, jstest.Options{Transports: jstest.WebSocket, NoReconnect: true})
		admin := d.Connect(s.URL, jstest.Options{Share: root, Namespace: "/admin"})
		admin.WaitConnectError()
		for range 9 {
			admin.Reconnect()
			admin.WaitConnectError()
		}
		root.Call("fence")
		admin.Reconnect()
		admin.WaitConnectError()
		want(t, "the connection's end", root.WaitDisconnect(), "transport close")
	})
}

// A namespace that does not exist is refused with Node's words, and the connection stays open.
func TestBehaviour04_unknown_namespace(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		s := serve(t, func(io *server.Server) { fence(io.Of("/")) })
		root := d.Connected(s.URL, jstest.Options{Transports: use, Frames: true})
		other := d.Connect(s.URL, jstest.Options{Share: root, Namespace: "/unknown"})
		if e := other.WaitConnectError(); e.Message != "Invalid namespace" || e.HasData {
			t.Errorf("got %+v", e)
		}
		want(t, "the packet", root.WaitIn("44"), `44/unknown,{"message":"Invalid namespace"}`)
		root.Call("fence")
		if !root.State().Connected {
			t.Error("the connection was closed")
		}
	})
}

// A connection that ends while middleware runs leaves no socket behind: no connect handler, no disconnect
// handler, no member of any room.
func TestBehaviour05_closed_during_middleware(t *testing.T) {
	for _, tr := range transports[:2] {
		t.Run(tr.name, func(t *testing.T) {
			entered, passed := make(chan struct{}), make(chan error, 1)
			var connects, disconnects, joins atomic.Int64
			d := jstest.Start(t)
			s := serve(t, func(io *server.Server) {
				ns := io.Of("/")
				ns.Use(func(next server.ConnectHandler) server.ConnectHandler {
					return func(ctx context.Context, s *server.Socket) error {
						close(entered)
						<-ctx.Done()
						err := next(ctx, s)
						passed <- context.Cause(ctx)
						return err
					}
				})
				ns.OnConnect(func(context.Context, *server.Socket) error { connects.Add(1); return nil })
				ns.OnDisconnecting(func(context.Context, *server.Socket, server.Reason) { disconnects.Add(1) })
				ns.OnDisconnect(func(context.Context, *server.Socket, server.Reason) { disconnects.Add(1) })
				ns.OnRoom(func(server.RoomEvent) { joins.Add(1) })
			})
			c := d.Connect(s.URL, jstest.Options{Transports: tr.use, NoReconnect: true})
			receive(t, "the middleware's start", entered)
			c.CloseEngine()
			cause := receive(t, "the middleware's end", passed)
			if gone, ok := errors.AsType[*server.DisconnectError](cause); !ok || gone.Reason != server.TransportClose {
				t.Errorf("the cause of its context's end: got %v", cause)
			}
			shutdown(t, s.Server) // all that runs has ended
			if n := connects.Load() + disconnects.Load(); n > 0 {
				t.Errorf("%d connect or disconnect handlers were called", n)
			}
			if n := joins.Load(); n%2 != 0 { // what was made, was taken back
				t.Errorf("%d room events", n)
			}
			if n := s.Of("/").Count(); n > 0 {
				t.Errorf("%d sockets are left", n)
			}
		})
	}
}

// The payload of a CONNECT is an object, or absent, which is an empty object to the handlers. Anything else
// closes the connection.
func TestBehaviour07_connect_payload(t *testing.T) {
	d := jstest.Start(t)
	s := serve(t, func(io *server.Server) {
		io.Of("/").OnConnect(func(_ context.Context, s *server.Socket) error { return s.Emit("auth", s.Handshake().Auth) })
	})
	for _, tr := range transports {
		for name, tc := range map[string]struct {
			auth any
			want string
		}{
			"absent": {nil, `[{}]`},
			"empty":  {map[string]any{}, `[{}]`},
			"object": {map[string]any{"token": "x", "n": []any{1, nil}}, `[{"n":[1,null],"token":"x"}]`},
		} {
			t.Run(tr.name+"/"+name, func(t *testing.T) {
				c := d.Connected(s.URL, jstest.Options{Transports: tr.use, Auth: tc.auth})
				want(t, "handshake.auth", c.Wait("auth"), tc.want)
			})
		}
		for name, auth := range map[string]any{"array": []any{"x"}, "string": "x", "number": 5, "bool": true} {
			t.Run(tr.name+"/"+name, func(t *testing.T) {
				c := d.Connect(s.URL, jstest.Options{Transports: tr.use, Auth: auth, NoReconnect: true, Frames: true})
				if reason := c.WaitDisconnect(); reason != "transport close" && reason != "transport error" {
					t.Errorf("got %q", reason)
				}
				for _, packet := range c.In() {
					if strings.HasPrefix(packet, "4") {
						t.Errorf("the server answered %s", packet)
					}
				}
			})
		}
	}
}

// The handshake holds what the client was opened with.
func TestBehaviour37_handshake(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		handshakes := make(chan server.Handshake, 1)
		s := serve(t, func(io *server.Server) {
			io.Of("/").OnConnect(func(_ context.Context, s *server.Socket) error {
				handshakes <- s.Handshake()
				return nil
			})
		})
		before := time.Now().Add(-time.Second)
		d.Connected(s.URL, jstest.Options{
			Transports: use,
			Auth:       map[string]any{"token": "secret"},
			Query:      map[string]string{"room": "a b", "x": "1"},
			Headers:    map[string]string{"X-Custom": "yes", "Origin": "http://example.org"},
		})
		h := receive(t, "the handshake", handshakes)
		want(t, "header", h.Header().Get("x-custom"), "yes")
		want(t, "host", h.Header().Get("Host"), s.Addr)
		want(t, "address", h.Address(), "127.0.0.1")
		want(t, "auth", string(h.Auth.AppendJSON(nil)), `{"token":"secret"}`)
		want(t, "query", h.Query().Get("room")+"/"+h.Query().Get("x")+"/"+h.Query().Get("EIO")+"/"+h.Query().Get("transport"),
			"a b/1/4/"+use[0])
		if !strings.HasPrefix(h.URL(), "/socket.io/?") || !strings.Contains(h.URL(), "room=a%20b") {
			t.Errorf("url: got %s", h.URL())
		}
		if h.Secure() || !h.XDomain() {
			t.Errorf("secure %v, xdomain %v", h.Secure(), h.XDomain())
		}
		if h.Issued.Before(before) || time.Since(h.Issued) < 0 {
			t.Errorf("issued %v", h.Issued)
		}
		if !regexp.MustCompile(`^[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d{4} \d\d:\d\d:\d\d GMT[+-]\d{4} \(.+\)$`).MatchString(h.Time()) {
			t.Errorf("time: got %q, want a date as JavaScript writes it", h.Time())
		}
		h.Header().Set("X-Custom", "no")
		want(t, "header, after somebody has changed his copy", h.Header().Get("X-Custom"), "yes")
	})
}

// Dynamic namespaces: patterns and functions are tried in the order in which they were made, a namespace with a
// name that matches has the parent's handlers, and the parent has no sockets to fetch.
func TestBehaviour40_dynamic_namespaces(t *testing.T) {
	eachTransport(t, testBehaviour40)
}

func testBehaviour40(t *testing.T, d *jstest.Driver, use []string) {
	var parent *server.Namespace
	s := serve(t, func(io *server.Server) {
		greet := func(who string) server.ConnectHandler {
			return func(_ context.Context, s *server.Socket) error { return s.Emit("hello", who, s.Namespace().Name()) }
		}
		io.OfFunc(func(_ context.Context, name string, auth server.Arg) bool {
			var a struct{ Tenant string }
			return auth.Decode(&a) == nil && name == "/tenant-"+a.Tenant
		}).OnConnect(greet("function"))
		parent = io.OfPattern(regexp.MustCompile(`^/tenant-\w+$`))
		parent.OnConnect(greet("pattern"))
		parent.Use(func(next server.ConnectHandler) server.ConnectHandler {
			return func(ctx context.Context, s *server.Socket) error {
				if s.Namespace().Name() == "/tenant-closed" {
					return errors.New("closed")
				}
				return next(ctx, s)
			}
		})
		parent.On("room", func(_ context.Context, s *server.Socket, args server.Args) error {
			if err := s.Namespace().Emit("all", s.Namespace().Name()); err != nil {
				return err
			}
			return args.Ack(s.Namespace().Count())
		})
		io.OfPattern(regexp.MustCompile(`tenant`)).OnConnect(greet("later pattern"))
		io.Of("/tenant-static").OnConnect(greet("itself"))
	})
	connect := func(name string, auth any) *jstest.Client {
		return d.Connect(s.URL, jstest.Options{Transports: use, Namespace: name, Auth: auth})
	}
	want(t, "the first that matches", connect("/tenant-a", map[string]any{"tenant": "a"}).Wait("hello"), `["function","/tenant-a"]`)
	one, two := connect("/tenant-b", nil), connect("/tenant-b", nil)
	want(t, "the second", one.Wait("hello"), `["pattern","/tenant-b"]`)
	two.WaitConnect()
	other := connect("/tenant-c", nil)
	other.WaitConnect()
	want(t, "its count", one.Call("room"), `[2]`)
	want(t, "its broadcast", two.Wait("all"), `["/tenant-b"]`)
	want(t, "the third", connect("/a-tenant", nil).Wait("hello"), `["later pattern","/a-tenant"]`)
	want(t, "middleware", connect("/tenant-closed", nil).WaitConnectError().Message, "closed")
	want(t, "no match", connect("/nobody", nil).WaitConnectError().Message, "Invalid namespace")

	static := connect("/tenant-static", nil)
	static.WaitConnect()
	want(t, "a namespace by name under a pattern has both handlers", static.Call("room"), `[1]`)
	if got := static.Events("hello"); len(got) != 2 {
		t.Errorf("greetings: %v", got)
	}
	static.Disconnect()
	if got := other.Events("all"); len(got) > 0 {
		t.Errorf("a namespace beside it got %v", got)
	}
	if _, err := parent.FetchSockets(t.Context()); !errors.Is(err, server.ErrDynamicNamespace) {
		t.Errorf("FetchSockets of the parent: got %v", err)
	}
}
