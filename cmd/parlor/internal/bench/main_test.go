package bench

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/server"
)

// limit ends whatever takes far too long.
const limit = time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve serves what setup mounts until the test ends, and returns its endpoint.
func serve(t *testing.T, setup func(io *server.Server), options ...server.Option) *url.URL {
	t.Helper()
	io := server.New(append(options, server.WithLogger(slog.New(slog.DiscardHandler)))...)
	setup(io)
	web := httptest.NewServer(io)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := io.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		web.Close()
	})
	return endpointOf(t, web.URL)
}

func endpointOf(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address + "/socket.io/")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// theChat mounts the chat without its limits.
func theChat(io *server.Server) {
	chat.Mount(io.Of("/chat"), chat.Options{MessageRate: -1, History: -1})
}

// guard has the namespace's sockets looked at before they are accepted.
func guard(io *server.Server, look func(*server.Socket) error) {
	io.Of("/chat").Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			if err := look(s); err != nil {
				return err
			}
			return next(ctx, s)
		}
	})
}

// plan is a load on the chat, which is to be over in a moment.
func plan(target *url.URL, load Load) Options {
	return Options{
		Targets: []*url.URL{target}, Namespace: "/chat", Transport: WebSocket,
		Load: load, Connections: 10, Senders: 1, Rooms: 1, Dialing: 4,
		Duration: limit, Timeout: limit,
		Join: "join", JoinPayload: `"{{room}}"`, JoinAck: true,
		Event: "message", Payload: `{"room":"{{room}}","content":"{{data}}"}`, Expect: "message", Size: 64,
		Every: 10 * time.Millisecond, Version: "parlor test",
	}
}

// do runs a load that is to have a report.
func do(t *testing.T, opts Options) *Report {
	t.Helper()
	r, err := Run(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
