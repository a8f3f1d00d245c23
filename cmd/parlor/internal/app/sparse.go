package app

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// sparseInterval is how often at most the same is logged.
const sparseInterval = 10 * time.Second

// sparse is a [slog.Handler] that passes errors on only every so often: while
// Redis is away, each event of each client fails, and one line says as much as a
// thousand. How many were left out the next one says. Loggers that are derived
// from one share the count; it may be used concurrently.
type sparse struct {
	slog.Handler
	seen *seen
}

// seen is by the text of the record.
type seen struct {
	mu      sync.Mutex
	last    map[string]time.Time
	leftOut map[string]int
}

func newSparse(log *slog.Logger) *slog.Logger {
	return slog.New(sparse{log.Handler(), newSeen()})
}

func newSeen() *seen { return &seen{last: map[string]time.Time{}, leftOut: map[string]int{}} }

// Handle implements [slog.Handler].
func (h sparse) Handle(ctx context.Context, r slog.Record) error {
	if r.Level < slog.LevelError {
		return h.Handler.Handle(ctx, r)
	}
	n, ok := h.seen.pass(r.Message)
	if !ok {
		return nil
	}
	if n > 0 {
		r = r.Clone()
		r.AddAttrs(slog.Int("left_out_before", n))
	}
	return h.Handler.Handle(ctx, r)
}

// pass reports whether it is time for a text again, and how often it was not.
func (s *seen) pass(text string) (leftOut int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if last, there := s.last[text]; there && now.Sub(last) < sparseInterval {
		s.leftOut[text]++
		return 0, false
	}
	leftOut, s.leftOut[text] = s.leftOut[text], 0
	s.last[text] = now
	return leftOut, true
}

// WithAttrs implements [slog.Handler].
func (h sparse) WithAttrs(attrs []slog.Attr) slog.Handler {
	return sparse{h.Handler.WithAttrs(attrs), h.seen}
}

// WithGroup implements [slog.Handler].
func (h sparse) WithGroup(name string) slog.Handler {
	return sparse{h.Handler.WithGroup(name), h.seen}
}
