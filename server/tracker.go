package server

import (
	"context"
	"sync/atomic"
)

// A tracker counts goroutines, and lets one wait until there are none. Unlike
// a sync.WaitGroup it may be added to while somebody waits: a handler that
// Shutdown waits for may still give rise to another.
type tracker struct {
	n     atomic.Int64
	empty atomic.Pointer[chan struct{}] // has a token when n was 0 a moment ago
}

func (t *tracker) add() { t.n.Add(1) }

func (t *tracker) done() {
	if t.n.Add(-1) == 0 {
		if ch := t.empty.Load(); ch != nil {
			wake(*ch)
		}
	}
}

func wake(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// wait returns when none is left, or with ctx's error.
func (t *tracker) wait(ctx context.Context) error {
	ch := make(chan struct{}, 1)
	if !t.empty.CompareAndSwap(nil, &ch) {
		ch = *t.empty.Load()
	}
	for t.n.Load() > 0 {
		select {
		case <-ch:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	wake(ch) // somebody else may be waiting
	return nil
}
