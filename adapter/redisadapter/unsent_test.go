package redisadapter

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/linktest"
)

// A deaf driver takes nothing to be published while it is closed: what a Redis does
// whose slot has just moved, or that is loading, to connections that go on.
type deaf struct {
	link.Driver

	closed *atomic.Bool
}

func (d deaf) Publish(ctx context.Context, batch []link.Outgoing) ([]link.Outcome, error) {
	if !d.closed.Load() {
		return d.Driver.Publish(ctx, batch)
	}
	outcomes := make([]link.Outcome, len(batch))
	for i := range outcomes {
		outcomes[i] = link.Unsent
	}
	return outcomes, errors.New("MOVED")
}

// TestUnsent: what Redis would not take is sent again by itself, and not when it has
// become too old. In fake time.
func TestUnsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus linktest.Bus
		var closed atomic.Bool
		newCluster := onBus(&bus)
		c := newCluster()
		c.open = func() link.Driver { return deaf{bus.Driver(), &closed} }
		a, _ := start(t, 0, c)
		b, far := start(t, 1, newCluster())
		time.Sleep(time.Second)

		closed.Store(true)
		a.Broadcast(event("soon"), adapter.Target{})
		time.Sleep(100 * time.Millisecond)
		if n := c.Stats().Queued; n != 1 {
			t.Errorf("%d wait", n)
		}
		closed.Store(false)
		time.Sleep(time.Second)
		if got := far.take(); len(got) != 1 {
			t.Errorf("after a second: %q", got)
		}

		closed.Store(true)
		a.Broadcast(event("stale"), adapter.Target{})
		time.Sleep(3 * time.Second)
		closed.Store(false)
		a.Broadcast(event("new"), adapter.Target{})
		time.Sleep(time.Second)
		if got := far.take(); len(got) != 1 || got[0] != `"new"` {
			t.Errorf("later: %q", got)
		}
		if s := c.Stats(); s.Dropped != 1 || s.Queued != 0 {
			t.Errorf("%+v", s)
		}
		a.Close()
		b.Close()
	})
}

// TestUpAgain: an instance with nothing to publish is up again after Redis has not
// answered the last that it had, whether the connection that listens has outlived
// that or not. Of both connections it is told as of one. In fake time.
func TestUpAgain(t *testing.T) {
	for _, pause := range []time.Duration{1500 * time.Millisecond, 30 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var bus linktest.Bus
			var mu sync.Mutex
			var states []bool
			c := onBus(&bus, WithOnState(func(up bool, _ error) {
				mu.Lock()
				defer mu.Unlock()
				states = append(states, up)
			}))()
			n, _ := start(t, 0, c)
			time.Sleep(time.Second)
			bus.Freeze()
			n.Broadcast(event("last"), adapter.Target{})
			time.Sleep(pause)
			if c.Stats().Up {
				t.Error("up while Redis does not answer")
			}
			bus.Thaw()
			time.Sleep(2 * time.Second)
			if up, err := c.Up(); !up {
				t.Errorf("after %v without an answer it is not up again: %v", pause, err)
			}
			n.Close()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(states, []bool{true, false, true}) {
				t.Errorf("after %v without an answer it was told %v", pause, states)
			}
		})
	}
}
