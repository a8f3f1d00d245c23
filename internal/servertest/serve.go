// Package servertest is what tests of a server share, whatever the server does: one that listens until the test
// ends, what it logs, and waits for what it is to do.
package servertest

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// Patience is how long a test waits for what must come: far above what it takes, and passed only by a test that
// fails.
const Patience = 30 * time.Second

// A Server is what [Serve] serves, such as a *server.Server.
type Server interface {
	http.Handler

	// Shutdown ends what the server does, for which [Serve] leaves it [Patience].
	Shutdown(ctx context.Context) error
}

// Listen listens on a free port of the loopback interface.
func Listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Serve serves s on a listener until the test ends, and returns its address. Clients that poll can fetch their end:
// s is shut down, and then the listener is closed. No goroutine of it is left when cleanups that were registered
// before run.
func Serve(t testing.TB, l net.Listener, s Server) (addr string) {
	t.Helper()
	h := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	var serving sync.WaitGroup
	serving.Go(func() { _ = h.Serve(l) }) // ends by Close
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		_ = h.Close()
		serving.Wait()
	})
	return l.Addr().String()
}
