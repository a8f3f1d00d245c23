package redisadapter

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/linktest"
)

// An absent member cannot be reached, though it is in its rooms.
type absent struct{ *member }

func (absent) Reachable() bool { return false }

// TestAskedOfWhoIsNotThere: an instance of Node, which is not told of clients that
// are gone, is not told to wait for one either. In fake time.
func TestAskedOfWhoIsNotThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus linktest.Bus
		n, m := start(t, 0, onBus(&bus)())
		n.Add(absent{&member{id: "absent"}})
		f := n.form.(classic)
		node, err := bus.Driver().Listen(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer node.Close()
		answers := link.Sub{Kind: link.Channel, Name: f.responses("/g") + "node#"}
		if err := node.Subscribe(t.Context(), answers); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		bus.Inject(f.requests("/g"), `{"uid":"node","requestId":"1","type":7,"packet":{"type":2,"data":["q"],"nsp":"/g"},"opts":{"rooms":[],"except":[]}}`, false)
		for range 2 { // the first is that it listens
			e, err := node.Receive(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if e.Type == link.Message && !strings.Contains(e.Payload, `"clientCount":1`) {
				t.Errorf("it is told %s", e.Payload)
			}
		}
		synctest.Wait() // it is told before clients are asked
		if got := m.take(); len(got) != 1 {
			t.Errorf("the client that is there got %q", got)
		}
		n.Close()
	})
}
