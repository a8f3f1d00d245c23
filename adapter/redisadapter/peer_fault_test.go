//go:build unix

package redisadapter_test

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter"
)

// TestG08Node: a Node server is stopped, and then killed, while it is asked. The
// others' answers are there when the time is up, or once it is not counted.
func TestG08Node(t *testing.T) {
	t.Parallel()
	m := newMixed(t, "classic")
	victim := m.node[1]
	if err := victim.process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	fetch := func(ctx context.Context) error {
		t.Helper()
		sockets, err := m.parlor[0].Of("/").To("all").FetchSockets(ctx)
		missing, ok := errors.AsType[*adapter.MissingError](err)
		if !ok || missing.Instances != 1 || len(sockets) != 3 {
			t.Errorf("%d sockets, %v", len(sockets), err)
		}
		return err
	}
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := fetch(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stopped: %v", err)
	}
	redisadapter.Asked(t, m.clusters[0].Stats, func() { victim.process.Kill() })
	if err := fetch(t.Context()); errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it was waited for after its end: %v", err)
	}
	m.eventually("it is not counted any more", func() string {
		n, err := m.parlor[1].Of("/").Adapter().ServerCount(t.Context())
		return fmt.Sprint(n, err)
	}, "3 <nil>")
	// Those that are left go on, in both directions.
	if got := m.node[0].run(`return (await io.in("all").fetchSockets()).length`); got != "3" {
		t.Errorf("Node fetches %s", got)
	}
}
