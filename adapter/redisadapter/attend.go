package redisadapter

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
)

// attend asks for subscriptions, and sees to it that the connection is alive.
func (l *line) attend(ctx context.Context, x link.Listener) error {
	ping := time.NewTicker(l.config.pingEvery)
	defer ping.Stop()
	var unheard []request // those that may not be confirmed yet, the oldest first
	for tick, silent := 1, 0; ; {
		subs, err := l.ask(ctx, x, tick)
		if err != nil {
			return err
		}
		if len(subs) > 0 {
			unheard = append(unheard, request{tick, subs})
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.changed:
			continue
		case <-ping.C:
		}
		// Ticks are counted, not time: a process that was held up itself has
		// heard nothing either.
		tick++
		if silent++; l.heard.Swap(false) {
			silent = 0
		}
		if silent >= l.config.silences {
			return errSilent
		}
		for len(unheard) > 0 && tick-unheard[0].tick >= l.config.silences {
			if !l.confirmed(unheard[0]) {
				return errUnheard
			}
			unheard = unheard[1:]
		}
		if err := within(ctx, x.Ping); err != nil {
			return fmt.Errorf("redisadapter: ping: %w", err)
		}
	}
}

// changesAtOnce is how many subscriptions are asked for within writeLimit: of more,
// after a reconnection of an instance with a channel for each of its rooms, a slow
// link would never take all in that time, however often it was tried.
const changesAtOnce = 200

func within(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	return f(ctx)
}

// A request is subscriptions that were asked for together, at a tick of attend.
type request struct {
	tick int
	subs []link.Sub
}

// confirmed reports whether what was requested is in force, as far as it is still
// wanted and has not been asked for again.
func (l *line) confirmed(q request) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return !slices.ContainsFunc(q.subs, func(s link.Sub) bool {
		r := l.routes[s]
		return r != nil && !r.on && r.asked == q.tick
	})
}

// ask asks for what is wanted and has not been asked for, which it returns.
func (l *line) ask(ctx context.Context, x link.Listener, tick int) (more []link.Sub, err error) {
	l.mu.Lock()
	var less []link.Sub
	for _, s := range l.todo {
		if r := l.routes[s]; r != nil && r.asked == 0 {
			r.asked = tick
			more = append(more, s)
		} else if r := l.dropped[s]; r != nil && r.asked > 0 {
			r.asked, r.on = 0, false
			l.leaving[s]++
			less = append(less, s)
		}
	}
	l.todo = nil
	// Last what instances are counted by: others publish when all are counted again
	// (together), and who is counted hears all that it wants to.
	counted := func(s link.Sub) int {
		if l.routes[s].node.counted == s {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(more, func(a, b link.Sub) int { return counted(a) - counted(b) })
	l.check() // there may be nothing to ask for
	l.mu.Unlock()
	for some := range slices.Chunk(less, changesAtOnce) {
		if err := within(ctx, func(ctx context.Context) error { return x.Unsubscribe(ctx, some...) }); err != nil {
			return nil, fmt.Errorf("redisadapter: unsubscribe: %w", err)
		}
	}
	for some := range slices.Chunk(more, changesAtOnce) {
		if err := within(ctx, func(ctx context.Context) error { return x.Subscribe(ctx, some...) }); err != nil {
			return nil, fmt.Errorf("redisadapter: subscribe: %w", err)
		}
	}
	return more, nil
}
