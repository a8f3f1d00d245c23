package redisadapter

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/adaptertest"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/linktest"
)

// guard bounds what must come: far more than it takes, since tests share the machine.
const guard = 30 * time.Second

func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(guard); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// join makes adapters of the hosts, one cluster each, and waits until each sees
// all others.
func join(t testing.TB, hosts []adapter.Host, newCluster func() *Cluster) adaptertest.Cluster {
	t.Helper()
	var nodes []*node
	settled := func() bool { // subscriptions to rooms, that is
		return !slices.ContainsFunc(nodes, func(n *node) bool { return n.ctx.Err() == nil && !n.line.settled() })
	}
	var kit adaptertest.Cluster
	for _, h := range hosts {
		n := newCluster().Adapter(h).(*node)
		nodes = append(nodes, n)
		kit.Adapters = append(kit.Adapters, n)
	}
	complete(t, nodes)
	kit.Settle = func() {
		eventually(t, "subscriptions are in force", settled)
		settle(t, nodes)
		eventually(t, "subscriptions are in force", settled)
	}
	return kit
}

func complete(t testing.TB, nodes []*node) {
	t.Helper()
	for _, n := range nodes {
		eventually(t, "each sees all others", func() bool {
			ctx, cancel := context.WithTimeout(context.Background(), guard)
			defer cancel()
			count, err := n.ServerCount(ctx)
			return err == nil && count == len(nodes) && n.line.settled()
		})
	}
}

// settle returns when what was done before has had its effect everywhere. A
// request is answered after all that came from the same instance before it.
func settle(t testing.TB, nodes []*node) {
	t.Helper()
	for range 2 { // what is done may send something in turn
		var asking sync.WaitGroup
		for _, n := range nodes {
			if n.ctx.Err() != nil {
				continue
			}
			asking.Go(func() {
				ctx, cancel := context.WithTimeout(context.Background(), guard)
				defer cancel()
				for { // one that has just been closed may still be counted
					_, err := n.FetchSockets(ctx, adapter.Target{Rooms: []string{"nobody at all"}})
					if err == nil {
						return
					}
					if !errors.Is(err, errGone) {
						t.Errorf("settling: %v", err)
						return
					}
				}
			})
		}
		asking.Wait()
	}
}

func onBus(bus *linktest.Bus, opts ...Option) func() *Cluster {
	return func() *Cluster {
		c := newConfig(opts)
		return newCluster(bus.Driver, classic{prefix: c.prefix}, c)
	}
}

// TestMemory runs the kit over Redis in memory.
func TestMemory(t *testing.T) {
	t.Parallel()
	adaptertest.Run(t, []int{1, 2, 3}, func(t testing.TB, hosts []adapter.Host) adaptertest.Cluster {
		return join(t, hosts, onBus(&linktest.Bus{}, Patient))
	})
}

// TestMemorySharded runs it in the sharded form, in each mode.
func TestMemorySharded(t *testing.T) {
	t.Parallel()
	for _, mode := range []Mode{Static, Dynamic, DynamicPrivate} {
		t.Run(string(mode), func(t *testing.T) {
			adaptertest.Run(t, []int{3}, func(t testing.TB, hosts []adapter.Host) adaptertest.Cluster {
				var bus linktest.Bus
				return join(t, hosts, func() *Cluster {
					c := newConfig([]Option{Patient, WithMode(mode)})
					return newCluster(bus.Driver, sharded{prefix: "p", mode: mode}, c)
				})
			})
		})
	}
}

// TestMemoryDelayed runs it where each channel takes its own time, so that what
// comes on different channels comes in any order.
func TestMemoryDelayed(t *testing.T) {
	t.Parallel()
	const longest = 3 * time.Millisecond
	adaptertest.Run(t, []int{3}, func(t testing.TB, hosts []adapter.Host) adaptertest.Cluster {
		var mu sync.Mutex
		delays := make(map[string]time.Duration)
		bus := &linktest.Bus{Delay: func(channel string) time.Duration {
			mu.Lock()
			defer mu.Unlock()
			if _, ok := delays[channel]; !ok {
				delays[channel] = rand.N(longest)
			}
			return delays[channel]
		}}
		kit := join(t, hosts, onBus(bus, Patient))
		settle := kit.Settle
		kit.Settle = func() {
			settle()
			time.Sleep(2 * longest) // other channels are not waited for by that
		}
		return kit
	})
}
