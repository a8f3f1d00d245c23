package redisadapter

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/linktest"
)

// A broadcaster is a log that is shown to clients.
type broadcaster struct {
	slog.Handler

	emit func(line string)
}

func (b broadcaster) Enabled(context.Context, slog.Level) bool { return true }

func (b broadcaster) Handle(_ context.Context, r slog.Record) error {
	b.emit(r.Message)
	return nil
}

// TestLogBroadcasts: the log may use the cluster that writes to it.
func TestLogBroadcasts(t *testing.T) {
	var bus linktest.Bus
	var c *Cluster
	var n *node
	ready, lines := make(chan struct{}), make(chan string, 100)
	c = onBus(&bus, WithLogger(slog.New(broadcaster{slog.DiscardHandler, func(line string) {
		<-ready
		n.Broadcast(event(line), adapter.Target{})
		c.Stats()
		lines <- line
	}})))()
	n = c.Adapter(&host{}).(*node)
	close(ready)
	for _, want := range []string{
		"connected to the other instances",
		"not connected to the other instances; own clients are served",
		"connected to the other instances",
	} {
		select {
		case got := <-lines:
			if got != want {
				t.Errorf("%q, want %q", got, want)
			}
		case <-time.After(guard):
			t.Fatalf("in vain: %q", want) // and Close would wait too
		}
		bus.Drop()
	}
	n.Close()
}
