package redisadapter

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/linktest"
)

// A slow driver is on a link that takes a millisecond for a subscription.
type slow struct{ link.Driver }

func (d slow) Listen(ctx context.Context) (link.Listener, error) {
	l, err := d.Driver.Listen(ctx)
	return slowListener{l}, err
}

type slowListener struct{ link.Listener }

func (l slowListener) Subscribe(ctx context.Context, subs ...link.Sub) error {
	for i := range subs {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := l.Listener.Subscribe(ctx, subs[i]); err != nil {
			return err
		}
	}
	return nil
}

// TestManyRooms: an instance with members in more rooms than a write's time is enough
// for is up again after a connection is lost. In fake time.
func TestManyRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus linktest.Bus
		c := shardedOnBus(&bus)()
		c.open = func() link.Driver { return slow{bus.Driver()} }
		n, m := start(t, 0, c)
		for i := range 2000 {
			n.Join(m.id, fmt.Sprint("room ", i))
			if i%100 == 0 {
				time.Sleep(time.Second)
			}
		}
		bus.Drop()
		time.Sleep(10 * time.Second)
		if s := c.Stats(); !s.Up || s.Connects != 2 || !n.line.settled() {
			up, err := c.Up()
			t.Errorf("%+v, %v %v", s, up, err)
		}
		n.Close()
	})
}

// TestBackInManyRooms: what waited to be published while the connections were lost
// reaches each of many rooms of an instance whose subscriptions take a while. In fake time.
func TestBackInManyRooms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rooms = 300
		var bus linktest.Bus
		nodes, _ := startAll(t, 1, shardedOnBus(&bus))
		c := shardedOnBus(&bus)()
		c.open = func() link.Driver { return slow{bus.Driver()} }
		n, m := start(t, 1, c)
		for i := range rooms {
			n.Join(m.id, fmt.Sprint("room ", i))
		}
		nodes = append(nodes, n)
		complete(t, nodes)
		time.Sleep(time.Second)
		bus.Drop()
		synctest.Wait() // it is known
		for i := range rooms {
			nodes[0].Broadcast(event(i), adapter.Target{Rooms: []string{fmt.Sprint("room ", i)}})
		}
		time.Sleep(10 * time.Second)
		if got := inOrder(t, m.id, m.take()); got != rooms {
			t.Errorf("it got %d of %d: %+v", got, rooms, nodes[0].cluster.Stats())
		}
		for _, n := range nodes {
			n.Close()
		}
	})
}
