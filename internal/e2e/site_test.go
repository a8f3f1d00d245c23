package e2e_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/server"
)

// site is a Parlor server on a loopback port of its own.
type site struct {
	*server.Server
	URL  string
	Addr string

	handler atomic.Value // of handlerBox
}

type handlerBox struct{ http.Handler }

// serve starts a server that setup has given its handlers, and shuts it down when the test ends. A driver that is
// started before it outlives it: the server need not wait then for polls of clients that are gone.
func serve(t *testing.T, setup func(io *server.Server), opts ...server.Option) *site {
	t.Helper()
	s := &site{Server: newServer(t, opts...)}
	setup(s.Server)
	s.Handle(s.Server)

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Addr = ln.Addr().String()
	s.URL = "http://" + s.Addr
	hs := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.handler.Load().(handlerBox).ServeHTTP(w, r)
	})}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(ln) }()
	t.Cleanup(func() {
		shutdown(t, s.Server) // polling clients fetch their end while the listener is open
		hs.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	return s
}

// Handle puts h in front of the port, in the place of the server itself.
func (s *site) Handle(h http.Handler) { s.handler.Store(handlerBox{h}) }

// newServer makes a server that logs to the test and is shut down when the test ends.
func newServer(t *testing.T, opts ...server.Option) *server.Server {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
	io := server.New(append([]server.Option{server.WithLogger(log)}, opts...)...)
	t.Cleanup(func() { shutdown(t, io) })
	return io
}

// shutdown shuts a server down and, with that, waits for all that it still does.
func shutdown(t *testing.T, io *server.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), jstest.Deadline)
	defer cancel()
	if err := io.Shutdown(ctx); err != nil {
		t.Errorf("shut down: %v", err)
	}
}

// transports are the three ways in which a client can hold its connection.
var transports = []struct {
	name string
	use  []string
}{
	{"websocket", jstest.WebSocket},
	{"polling", jstest.Polling},
	{"upgrade", jstest.Upgrade},
}

// eachTransport runs a test once a transport, all at the same time, each with a driver of its own.
func eachTransport(t *testing.T, test func(t *testing.T, d *jstest.Driver, use []string)) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			t.Parallel()
			test(t, jstest.Start(t), tr.use)
		})
	}
}

// upgrades reports whether clients of these transports upgrade.
func upgrades(use []string) bool { return len(use) == 2 }

// inOrder fails the test unless values are exactly 0 … n-1.
func inOrder(t *testing.T, what string, values jstest.Values, n int) {
	t.Helper()
	if len(values) != n {
		t.Errorf("%s: got %d, want %d", what, len(values), n)
	}
	for i, v := range values {
		if v != float64(i) {
			t.Fatalf("%s: number %d is %v", what, i, v)
		}
	}
}

// want fails the test unless a value's text is the wanted one.
func want(t *testing.T, what string, got any, wanted string) {
	t.Helper()
	s, ok := got.(string)
	if !ok {
		s = jstest.JSON(got)
		if v, ok := got.(interface{ String() string }); ok {
			s = v.String()
		}
	}
	if s != wanted {
		t.Errorf("%s: got %s, want %s", what, s, wanted)
	}
}

// receive takes the next value from a channel, with a deadline.
func receive[T any](t *testing.T, what string, ch <-chan T) T {
	t.Helper()
	timer := time.NewTimer(jstest.Deadline)
	defer timer.Stop()
	select {
	case v := <-ch:
		return v
	case <-timer.C:
		t.Fatalf("%s did not come within %v", what, jstest.Deadline)
	}
	panic("unreachable")
}

// echo answers an event with its arguments.
func echo(_ context.Context, _ *server.Socket, args server.Args) error {
	values := make([]any, 0, args.Len())
	for i := range args.Len() {
		values = append(values, args.At(i))
	}
	return args.Ack(values...)
}

// fence registers an event by which a client proves that all before it has been handled, and that all that was
// sent to it has come: events keep their order in both directions.
func fence(ns *server.Namespace) { ns.On("fence", echo) }
