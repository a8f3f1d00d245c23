package redisadapter

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/linktest"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/server/packet"
)

func shardedOnBus(bus *linktest.Bus) func() *Cluster {
	return func() *Cluster {
		c := newConfig(nil)
		return newCluster(bus.Driver, sharded{prefix: c.prefix, mode: Dynamic}, c)
	}
}

func subscribers(t testing.TB, bus *linktest.Bus, s link.Sub) int {
	t.Helper()
	n, err := bus.Driver().NumSub(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

type named struct {
	host

	name string
}

func (h *named) Namespace() string { return h.name }

// TestNamespaces: namespaces come and go, in both forms, over one connection, and
// each that is there is heard by exactly one subscription.
func TestNamespaces(t *testing.T) {
	for name, on := range map[string]func(*linktest.Bus) func() *Cluster{
		"classic": func(b *linktest.Bus) func() *Cluster { return onBus(b) }, "sharded": shardedOnBus,
	} {
		t.Run(name, func(t *testing.T) {
			var bus linktest.Bus
			c := on(&bus)()
			stays := c.Adapter(&named{name: "/stays"}).(*node)
			var work sync.WaitGroup
			for i := range 8 {
				work.Go(func() {
					for range 20 {
						n := c.Adapter(&named{name: fmt.Sprint("/n", i)})
						n.Add(&member{id: "m"})
						n.Join("m", "r")
						if rand.N(2) == 0 {
							time.Sleep(rand.N(time.Millisecond))
						}
						if err := n.Close(); err != nil {
							t.Error(err)
						}
						n.Join("m", "late") // has no effect any more
					}
				})
			}
			work.Wait()
			last := c.Adapter(&named{name: "/n3"}).(*node)
			last.Add(&member{id: "m"})
			last.Join("m", "r")
			eventually(t, "all settles", stays.line.settled)
			if n := bus.Listeners(); n != 1 {
				t.Errorf("%d connections", n)
			}
			for i := range 8 {
				namespace := fmt.Sprint("/n", i)
				want := map[bool]int{true: 1}[i == 3]
				subs := c.form.subs(namespace, last.own.uid)
				if sub, ok := c.form.roomSub(namespace, "r", false); ok {
					subs = append(subs, sub)
				}
				for _, s := range subs {
					if got := subscribers(t, &bus, s); got != want {
						t.Errorf("%v has %d subscribers, want %d", s, got, want)
					}
				}
			}
			if s := c.Stats(); s.Connects != 1 {
				t.Errorf("%+v", s)
			}
			last.Close()
			stays.Close()
			if n := bus.Listeners(); n != 0 {
				t.Errorf("%d connections are left", n)
			}
		})
	}
}

// TestRooms: subscriptions to rooms follow who is in them, however fast that
// changes, and are made again after a connection is lost.
func TestRooms(t *testing.T) {
	var bus linktest.Bus
	c := shardedOnBus(&bus)()
	n := c.Adapter(&named{name: "/g"}).(*node)
	defer n.Close()
	rooms := []string{"a", "b", "c", "d"}
	var work sync.WaitGroup
	for i := range 4 {
		m := &member{id: fmt.Sprintf("member-of-20-letter%d", i)}
		work.Go(func() {
			n.Add(m)
			for range 500 {
				room := rooms[rand.N(len(rooms))]
				if rand.N(2) == 0 {
					n.Join(m.id, room)
				} else {
					n.Leave(m.id, room)
				}
				if rand.N(100) == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	work.Wait()
	check := func() {
		t.Helper()
		eventually(t, "all settles", n.line.settled)
		for _, room := range rooms {
			sub, _ := n.form.roomSub("/g", room, false)
			if got, want := subscribers(t, &bus, sub), min(1, n.Len(room)); got != want {
				t.Errorf("room %s with %d members has %d subscribers", room, n.Len(room), got)
			}
		}
		private := sharded{prefix: "socket.io"}.sub("/g", "member-of-20-letter0")
		if got := subscribers(t, &bus, private); got != 0 {
			t.Error("the room of one socket has a channel")
		}
	}
	check()
	if s := c.Stats(); s.Connects != 1 {
		t.Errorf("%+v", s)
	}
	connects := c.Stats().Connects
	bus.Drop()
	eventually(t, "it has connected again", func() bool { return c.Stats().Connects == connects+1 })
	check()
}

// TestRoomsAllTheTime: where rooms come so fast that one of them is always waiting for
// its subscription, the connection stays, and one that is made anew is up as soon as
// what there was before is heard again. A subscription that is never confirmed ends it.
func TestRoomsAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := linktest.Bus{Lag: 50 * time.Millisecond}
		c := shardedOnBus(&bus)()
		n := c.Adapter(&named{name: "/g"}).(*node)
		defer n.Close()
		n.Add(&member{id: "m"})
		n.Join("m", "stays")
		rooms := 0
		churn := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
				n.Leave("m", fmt.Sprint("r", rooms))
				rooms++
				n.Join("m", fmt.Sprint("r", rooms))
			}
		}
		churn(time.Minute)
		if s := c.Stats(); !s.Up || s.Connects != 1 {
			t.Errorf("after a minute: %+v", s)
		}
		bus.Drop()
		churn(2 * time.Second)
		if s := c.Stats(); !s.Up || s.Connects != 2 {
			t.Errorf("after the connection was lost: %+v", s)
		}
		stays, _ := n.form.roomSub("/g", "stays", false)
		if got := subscribers(t, &bus, stays); got != 1 {
			t.Errorf("the room that stays has %d subscribers", got)
		}
		mute, _ := n.form.roomSub("/g", "mute", false)
		bus.Mute = func(s link.Sub) bool { return s == mute }
		n.Join("m", "mute")
		churn(4 * time.Second)
		if s := c.Stats(); s.Connects != 2 {
			t.Errorf("a subscription is given up too early: %+v", s)
		}
		churn(5 * time.Second)
		if s := c.Stats(); s.Connects < 2 || s.Up {
			t.Errorf("a subscription is not confirmed, and the connection stays: %+v", s)
		}
	})
}

// TestHandshake: other instances are told of a handshake what they may know.
func TestHandshake(t *testing.T) {
	var bus linktest.Bus
	nodes, _ := startAll(t, 2, onBus(&bus, Patient, WithHandshake(func(h *adapter.Handshake) { delete(h.Headers, "cookie") })))
	infos, err := nodes[0].FetchSockets(t.Context(), adapter.Target{})
	if err != nil || len(infos) != 2 {
		t.Fatalf("%d sockets, %v", len(infos), err)
	}
	for _, info := range infos {
		want := map[bool]string{true: "secret"}[info.ID == "m0"] // its own
		if info.Handshake.Headers["cookie"] != want || info.Handshake.Headers["host"] != "h" {
			t.Errorf("%s: %v", info.ID, info.Handshake.Headers)
		}
	}
}

// TestClose: an adapter can be closed in any state of Redis, soon, also by what
// handles an event.
func TestClose(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	on := onRedis(t, proxy.Addr)
	timely := func(what string, n *node) {
		t.Helper()
		before := time.Now()
		if err := n.Close(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if d := time.Since(before); d > 15*time.Second { // it is a second or two
			t.Errorf("%s: closing took %v", what, d)
		}
	}
	nodes, members := startAll(t, 3, on)
	nodes[0].Broadcast(event("last words"), adapter.Target{})
	timely("connected", nodes[0])
	eventually(t, "what was sent before Close arrives", func() bool { return members[1].count() == 1 })

	h := nodes[2].host.(*host)
	closed := make(chan struct{})
	h.event = func(packet.Args, func(packet.Args)) {
		nodes[2].Close()
		close(closed)
	}
	if err := nodes[1].ServerSideEmit(event("e").Packet().Args); err != nil {
		t.Error(err)
	}
	select {
	case <-closed:
	case <-time.After(guard):
		t.Error("a handler that closes does not return")
	}

	proxy.Hole(true)
	nodes[1].Broadcast(event("lost"), adapter.Target{})
	timely("cut off", nodes[1])
	n, _ := start(t, 4, on())
	timely("not connected yet", n)
	proxy.Hole(false)
	server.Kill()
	n, _ = start(t, 5, on())
	timely("absent", n)
	if _, err := n.FetchSockets(context.Background(), adapter.Target{}); err == nil {
		t.Error("a closed adapter reaches others")
	}
}
