package redisadapter

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/adaptertest"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
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
	var kit adaptertest.Cluster
	for _, h := range hosts {
		n := newCluster().Adapter(h).(*node)
		nodes = append(nodes, n)
		kit.Adapters = append(kit.Adapters, n)
	}
	complete(t, nodes)
	kit.Settle = func() { settle(t, nodes) }
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
				if _, err := n.FetchSockets(ctx, adapter.Target{Rooms: []string{"nobody at all"}}); err != nil {
					t.Errorf("settling: %v", err)
				}
			})
		}
		asking.Wait()
	}
}

func onBus(bus *linktest.Bus, opts ...Option) func() *Cluster {
	return func() *Cluster {
		c := newConfig(opts)
		return newCluster(func() link.Driver { return bus.Driver() }, classic{prefix: c.prefix}, c)
	}
}

// TestMemory runs the kit over Redis in memory.
func TestMemory(t *testing.T) {
	adaptertest.Run(t, []int{1, 2, 3}, func(t testing.TB, hosts []adapter.Host) adaptertest.Cluster {
		return join(t, hosts, onBus(&linktest.Bus{}))
	})
}

// TestMemoryDelayed runs it where each channel takes its own time, so that what
// comes on different channels comes in any order.
func TestMemoryDelayed(t *testing.T) {
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
		kit := join(t, hosts, onBus(bus))
		settle := kit.Settle
		kit.Settle = func() {
			settle()
			time.Sleep(2 * longest) // other channels are not waited for by that
		}
		return kit
	})
}
