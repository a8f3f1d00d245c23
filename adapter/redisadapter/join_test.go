package redisadapter

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/linktest"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A tardy driver does something before it publishes for the first time.
type tardy struct {
	link.Driver

	first func()
}

func (d tardy) Publish(ctx context.Context, batch []link.Outgoing) ([]link.Outcome, error) {
	d.first()
	return d.Driver.Publish(ctx, batch)
}

// TestJoinBeforeRequest: an instance that joins after the others were counted and
// before the request is published answers as well, and not in the place of one that
// takes longer. In fake time.
func TestJoinBeforeRequest(t *testing.T) {
	for name, on := range map[string]func(*linktest.Bus) func() *Cluster{
		"classic": func(b *linktest.Bus) func() *Cluster { return onBus(b) }, "sharded": shardedOnBus,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var bus linktest.Bus
				instance := func(c *Cluster, after time.Duration) *node {
					h := &host{event: func(_ packet.Args, reply func(packet.Args)) {
						time.Sleep(after)
						reply(event(after.String()).Packet().Args)
					}}
					return c.Adapter(h).(*node)
				}
				var joined *node
				join := sync.OnceFunc(func() {
					joined = instance(on(&bus)(), 0)
					time.Sleep(100 * time.Millisecond) // until it is counted
				})
				c := on(&bus)()
				c.open = func() link.Driver { return tardy{bus.Driver(), join} }
				asks, late := instance(c, 0), instance(on(&bus)(), 3*time.Second)
				time.Sleep(time.Second)
				answers, err := asks.ServerSideAsk(t.Context(), event("who").Packet().Args)
				if err != nil || len(answers) != 2 {
					t.Errorf("%d answers, %v", len(answers), err)
				}
				time.Sleep(5 * time.Second) // the handler ends
				for _, n := range []*node{asks, late, joined} {
					n.Close()
				}
			})
		})
	}
}

// TestListenerIsNoInstance: a connection that gets requests by a pattern, as tools do
// that watch a Redis, is not waited for. In fake time.
func TestListenerIsNoInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus linktest.Bus
		a, _ := start(t, 0, onBus(&bus)())
		b, _ := start(t, 1, onBus(&bus)())
		x, err := bus.Driver().Listen(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		if err := x.Subscribe(t.Context(), link.Sub{Kind: link.Pattern, Name: "*"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		before := time.Now()
		infos, err := a.FetchSockets(t.Context(), adapter.Target{})
		if err != nil || len(infos) != 2 || time.Since(before) != 0 {
			t.Errorf("%d sockets, %v after %v", len(infos), err, time.Since(before))
		}
		a.Close()
		b.Close()
	})
}
