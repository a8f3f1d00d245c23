package redisadapter

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/linktest"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A stuck member waits for something when it is disconnected.
type stuck struct {
	member

	until chan struct{}
}

func (m *stuck) Disconnect(bool) { <-m.until }

// TestCloseStuck: Close waits for a second in all, however much of what others have
// sent is still being done. In fake time.
func TestCloseStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus linktest.Bus
		release := make(chan struct{})
		a := onBus(&bus)().Adapter(&host{}).(*node)
		b := onBus(&bus)().Adapter(&host{event: func(packet.Args, func(packet.Args)) { <-release }}).(*node)
		b.Add(&stuck{member{id: "m"}, release})
		time.Sleep(time.Second)
		if err := a.ServerSideEmit(event("stop").Packet().Args); err != nil {
			t.Error(err)
		}
		a.DisconnectSockets(adapter.Target{}, false)
		time.Sleep(time.Second)

		closed := make(chan struct{})
		go func() {
			defer close(closed)
			b.Close()
		}()
		select {
		case <-closed:
		case <-time.After(3 * time.Second):
			t.Error("it still waits after three")
		}
		close(release)
		<-closed
		a.Close()
	})
}
