package redisadapter

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/linktest"
	"github.com/seed3686fee0/parlor/server/packet"
)

// TestLeaveAfterAnswer: an instance that answers and then leaves does not have those
// given up who have not answered yet. In fake time.
func TestLeaveAfterAnswer(t *testing.T) {
	for name, on := range map[string]func(*linktest.Bus) func() *Cluster{
		"classic": func(b *linktest.Bus) func() *Cluster { return onBus(b) }, "sharded": shardedOnBus,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var bus linktest.Bus
				instance := func(after time.Duration) *node {
					h := &host{event: func(_ packet.Args, reply func(packet.Args)) {
						time.Sleep(after)
						reply(event(after.String()).Packet().Args)
					}}
					return on(&bus)().Adapter(h).(*node)
				}
				asks, quick, late := instance(0), instance(0), instance(3*time.Second)
				time.Sleep(time.Second)
				time.AfterFunc(100*time.Millisecond, func() { quick.Close() })
				answers, err := asks.ServerSideAsk(t.Context(), event("who").Packet().Args)
				if err != nil || len(answers) != 2 {
					t.Errorf("%d answers, %v", len(answers), err)
				}
				time.Sleep(5 * time.Second) // the handler ends
				asks.Close()
				late.Close()
			})
		})
	}
}
