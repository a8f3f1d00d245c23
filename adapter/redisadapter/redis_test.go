package redisadapter

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/adaptertest"
	"github.com/seed3686fee0/parlor/internal/redistest"
)

var prefixes atomic.Int64

// clusters are made at the Redis of an address.
type clusters func(t testing.TB, addr string, opts ...Option) func() *Cluster

// inForms runs a test in each form.
func inForms(t *testing.T, f func(t *testing.T, on clusters)) {
	for name, on := range map[string]clusters{"classic": onRedis, "sharded": onShards} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, on)
		})
	}
}

// onRedis makes clusters at a server that others use too, under a name of their own.
// They are patient where the options do not say otherwise.
func onRedis(t testing.TB, addr string, opts ...Option) func() *Cluster {
	rdb := redistest.Client(addr)
	t.Cleanup(func() { rdb.Close() })
	prefix := WithPrefix(fmt.Sprint("t", prefixes.Add(1)))
	return func() *Cluster { return NewPubSub(rdb, append([]Option{prefix, Patient}, opts...)...) }
}

// TestRedisSharded runs it in the sharded form.
func TestRedisSharded(t *testing.T) {
	t.Parallel()
	server := sync.OnceValue(func() *redistest.Server { return redistest.Start(t) })
	for mode, sizes := range map[Mode][]int{Dynamic: {1, 2, 3}, DynamicPrivate: {2}} { // the third sends all one way
		t.Run(string(mode), func(t *testing.T) {
			adaptertest.Run(t, sizes, func(t testing.TB, hosts []adapter.Host) adaptertest.Cluster {
				return join(t, hosts, onShards(t, server().Addr, WithMode(mode)))
			})
		})
	}
}

func onShards(t testing.TB, addr string, opts ...Option) func() *Cluster {
	rdb := redistest.Client(addr)
	t.Cleanup(func() { rdb.Close() })
	prefix := WithPrefix(fmt.Sprint("s", prefixes.Add(1)))
	return func() *Cluster { return NewSharded(rdb, append([]Option{prefix, Patient}, opts...)...) }
}

// TestRedis runs the kit over a real Redis.
func TestRedis(t *testing.T) {
	t.Parallel()
	server := sync.OnceValue(func() *redistest.Server { return redistest.Start(t) })
	adaptertest.Run(t, []int{1, 2, 3}, func(t testing.TB, hosts []adapter.Host) adaptertest.Cluster {
		return join(t, hosts, onRedis(t, server().Addr))
	})
}
