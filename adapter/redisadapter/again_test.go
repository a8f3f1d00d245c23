package redisadapter

import (
	"sync"
	"testing"

	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/linktest"
)

// TestRoomWantedAgain: a room is left and joined again while messages for it come.
// The race detector finds fault.
func TestRoomWantedAgain(t *testing.T) {
	var bus linktest.Bus
	n, m := start(t, 0, shardedOnBus(&bus)())
	room := n.form.(sharded).sub("/g", "r")
	eventually(t, "the room is listened to", func() bool { return n.line.on(room) })
	stop := make(chan struct{})
	var sender sync.WaitGroup
	sender.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				bus.Inject(room.Name, "{}", room.Kind == link.Shard)
			}
		}
	})
	for range 500 {
		n.Leave(m.id, "r")
		n.Join(m.id, "r")
	}
	close(stop)
	sender.Wait()
}
