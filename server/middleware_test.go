package server_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/seed3686fee0/parlor/server"
)

type key string

// with is connect middleware that adds a value to the context.
func with(k key, v any) func(server.ConnectHandler) server.ConnectHandler {
	return func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			return next(context.WithValue(ctx, k, v), s)
		}
	}
}

// refuse is connect middleware that lets nobody in.
func refuse(err error) func(server.ConnectHandler) server.ConnectHandler {
	return func(server.ConnectHandler) server.ConnectHandler {
		return func(context.Context, *server.Socket) error { return err }
	}
}

// Behaviour 2: middleware runs in order and before CONNECT, handlers after it.
func TestMiddlewareOrder(t *testing.T) {
	r := serve(t)
	var mu sync.Mutex
	var order []string
	note := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, s)
	}
	around := func(name string) func(server.ConnectHandler) server.ConnectHandler {
		return func(next server.ConnectHandler) server.ConnectHandler {
			return func(ctx context.Context, s *server.Socket) error {
				note(name + " in")
				defer note(name + " out")
				if s.Connected() || s.Emit("too early") != nil {
					t.Error("the socket is connected before its middleware has let it in")
				}
				return next(ctx, s)
			}
		}
	}
	ns := r.Of("/ns")
	ns.Use(around("a"), around("b"))
	ns.Use(around("c"))
	for i := range 2 {
		ns.OnConnect(func(_ context.Context, s *server.Socket) error {
			note(fmt.Sprint("connect ", i))
			return s.Emit("hello", i)
		})
	}
	c := r.dial()
	c.join("/ns", "")
	c.expect(`42/ns,["hello",0]`, `42/ns,["hello",1]`)
	mu.Lock()
	defer mu.Unlock()
	want := []string{"a in", "b in", "c in", "c out", "b out", "a out", "connect 0", "connect 1"}
	if !slices.Equal(order, want) {
		t.Errorf("%q, want %q", order, want)
	}
}

// What middleware puts into the context reaches every handler of the socket,
// and the end of what it derived does not.
func TestMiddlewareContext(t *testing.T) {
	r := serve(t)
	ns := r.Of("/")
	ns.Use(with("user", "ann"), func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			ctx, cancel := context.WithCancel(context.WithValue(ctx, key("role"), "admin"))
			defer cancel()
			return next(ctx, s)
		}
	})
	seen := make(chan string, 10)
	look := func(ctx context.Context, s *server.Socket, where string) {
		derived, cancel := context.WithCancel(ctx)
		defer cancel()
		seen <- fmt.Sprint(where, " ", ctx.Value(key("user")), " ", ctx.Value(key("role")), " ", derived.Err(), " ", s.Context().Value(key("user")))
	}
	ns.OnConnect(func(ctx context.Context, s *server.Socket) error { look(ctx, s, "connect"); return s.Emit("go on") })
	ns.On("e", func(ctx context.Context, s *server.Socket, _ server.Args) error { look(ctx, s, "event"); return nil })
	ns.OnDisconnect(func(ctx context.Context, s *server.Socket, _ server.Reason) { look(ctx, s, "disconnect") })
	c, _ := r.connect()
	c.expect(`42["go on"]`)
	c.send(`42["e"]`, `41`)
	for _, where := range []string{"connect", "event", "disconnect"} {
		want := where + " ann admin <nil> ann"
		if where == "event" { // it may still run when the client has left
			got := receive(t, where, seen)
			if got != want && got != "event ann admin context canceled ann" {
				t.Errorf("%q, want %q", got, want)
			}
			continue
		}
		if got := receive(t, where, seen); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Behaviour 3: data is there when the error has some, and absent otherwise.
func TestConnectError(t *testing.T) {
	for name, tt := range map[string]struct {
		use    func(server.ConnectHandler) server.ConnectHandler
		want   string
		logged []string
	}{
		"an error":           {refuse(errors.New("not you")), `{"message":"not you"}`, nil},
		"with data":          {refuse(&server.ConnectError{Message: "no", Data: map[string]int{"code": 7}}), `{"message":"no","data":{"code":7}}`, nil},
		"wrapped":            {refuse(fmt.Errorf("auth: %w", &server.ConnectError{Message: "no", Data: "d"})), `{"message":"no","data":"d"}`, nil},
		"without data":       {refuse(&server.ConnectError{Message: "no"}), `{"message":"no"}`, nil},
		"data without JSON":  {refuse(&server.ConnectError{Message: "no", Data: make(chan int)}), `{"message":"no"}`, []string{"cannot be encoded"}},
		"a text with quotes": {refuse(errors.New("a \"b\"\x1e</c>\n")), `{"message":"a \"b\"\u001e</c>\n"}`, nil}, //nolint:revive // a line break has to be escaped
		"a panic": {func(server.ConnectHandler) server.ConnectHandler {
			return func(context.Context, *server.Socket) error { panic("secret") }
		}, `{"message":"internal error"}`, []string{"middleware panicked", "panic: secret", "middleware_test.go"}},
		"neither": {refuse(nil), `{"message":"internal error"}`, []string{"without calling next"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t)
			ns := r.Of("/ns")
			ns.Use(tt.use)
			ns.OnConnect(func(context.Context, *server.Socket) error { t.Error("connected"); return nil })
			ns.OnDisconnect(func(context.Context, *server.Socket, server.Reason) { t.Error("disconnected") })
			c := r.dial()
			c.send(`40/ns,{"token":1}`)
			c.expect("44/ns," + tt.want)
			c.join("/", "") // the connection lives
			if tt.logged != nil {
				r.logged(tt.logged...)
			}
			if n := ns.Count(); n != 0 {
				t.Errorf("%d sockets", n)
			}
		})
	}
}

// The error of what comes after next is an error of the middleware too.
func TestMiddlewareAfterNext(t *testing.T) {
	r := serve(t)
	r.Of("/").Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			if err := next(ctx, s); err != nil {
				return fmt.Errorf("outer: %w", err)
			}
			return errors.New("second thoughts")
		}
	})
	c := r.dial()
	c.send("40")
	c.expect(`44{"message":"second thoughts"}`)
}

// Behaviour 5: a connection that ends while middleware runs makes no socket.
func TestClosedDuringMiddleware(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		entered, ended := make(chan struct{}), make(chan error, 1)
		ns := r.Of("/")
		ns.Use(func(next server.ConnectHandler) server.ConnectHandler {
			return func(ctx context.Context, s *server.Socket) error {
				close(entered)
				<-ctx.Done()
				err := next(ctx, s)
				ended <- context.Cause(ctx)
				return err
			}
		})
		ns.OnConnect(func(context.Context, *server.Socket) error { t.Error("connected"); return nil })
		ns.OnDisconnect(func(context.Context, *server.Socket, server.Reason) { t.Error("disconnected") })
		c := r.dial()
		c.send("40")
		receive(t, "middleware", entered)
		c.Close()
		var cause *server.DisconnectError
		if err := receive(t, "the end of middleware", ended); !errors.As(err, &cause) || cause.Reason != server.TransportClose {
			t.Errorf("cause %v", err)
		}
		synctest.Wait() // the socket is on its way in for a moment, and is taken back
		if n, m := ns.Count(), r.Stats().Connections; n != 0 || m != 0 {
			t.Errorf("%d sockets, %d connections", n, m)
		}
	})
}
