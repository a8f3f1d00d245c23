//go:build unix

package redisadapter

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/linktest"
	"github.com/seed3686fee0/parlor/internal/redistest"
)

// More than every run can wait for: go test -run G14 -messages 100000
var messages = flag.Int("messages", 20_000, "how many messages TestG14 sends")

// hasty finds dead connections soon, so that tests need not wait.
func hasty(c *config) {
	c.pingEvery = 100 * time.Millisecond
	c.refusedPause = 200 * time.Millisecond
}

// TestG01: Redis is not there at boot. Own clients are served, the state says so,
// and once Redis is there so are the others.
func TestG01(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Kill()
	states := make(chan bool, 100)
	c := onRedis(t, server.Addr, WithOnState(func(up bool, _ error) { states <- up }))
	a, m := start(t, 0, c())
	b, m2 := start(t, 1, c())
	if up := <-states; up {
		t.Error("up without Redis")
	}
	if up, err := a.cluster.Up(); up || err == nil {
		t.Errorf("Up: %v, %v", up, err)
	}
	a.Broadcast(event("x"), adapter.Target{})
	if got := m.take(); len(got) != 1 {
		t.Errorf("its own client got %q", got)
	}
	_, err := a.FetchSockets(context.Background(), adapter.Target{})
	if missing, ok := errors.AsType[*adapter.MissingError](err); !ok || missing.Instances < 1 {
		t.Errorf("FetchSockets: %v", err)
	}
	server.Restart()
	since := time.Now()
	complete(t, []*node{a, b})
	t.Logf("connected %v after Redis", time.Since(since).Round(time.Millisecond))
	reaches(t, b, []*member{m, m2})
	if up, err := a.cluster.Up(); !up || err != nil {
		t.Errorf("Up: %v, %v", up, err)
	}
}

// TestG03Soon: whenever Redis comes back, subscriptions are in force within two
// seconds. In fake time.
func TestG03Soon(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			var bus linktest.Bus
			c := onBus(&bus)()
			n, m := start(t, 0, c)
			time.Sleep(time.Second)
			bus.Down()
			time.Sleep(rand.N(time.Minute))
			if c.Stats().Up {
				t.Error("up while the bus is down")
			}
			bus.Up()
			before := time.Now()
			for !c.Stats().Up {
				time.Sleep(10 * time.Millisecond)
			}
			if d := time.Since(before); d > 2*time.Second {
				t.Errorf("it took %v", d)
			}
			if bus.Listeners() != 1 {
				t.Errorf("%d connections", bus.Listeners())
			}
			_ = m
			n.Close()
		})
	}
}

// TestG04Dead: a connection that is dead without a word is found within ten
// seconds, and meanwhile no call waits and the queue is bounded. In fake time.
func TestG04Dead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus linktest.Bus
		var lost time.Time
		c := onBus(&bus, WithQueue(100, 1<<20), WithOnState(func(up bool, _ error) {
			if !up && lost.IsZero() {
				lost = time.Now()
			}
		}))()
		n, m := start(t, 0, c)
		time.Sleep(time.Second)
		bus.Freeze()
		frozen := time.Now()
		for i := range 1000 {
			n.Broadcast(event(i), adapter.Target{})
			time.Sleep(20 * time.Millisecond)
			if q := c.Stats().Queued; q > 100 {
				t.Fatalf("%d in the queue", q)
			}
		}
		if d := time.Since(frozen); d > 21*time.Second {
			t.Errorf("1000 calls took %v", d)
		}
		if lost.IsZero() || lost.Sub(frozen) > 10*time.Second {
			t.Errorf("told after %v", lost.Sub(frozen))
		}
		if len(m.take()) != 1000 {
			t.Error("its own client lost something")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		before := time.Now()
		if _, err := n.FetchSockets(ctx, adapter.Target{}); err == nil || time.Since(before) > 5*time.Second {
			t.Errorf("FetchSockets: %v after %v", err, time.Since(before))
		}
		bus.Thaw()
		time.Sleep(2 * time.Second)
		s := c.Stats()
		if !s.Up || s.Published+s.Dropped+s.Unanswered != 1000 {
			t.Errorf("%+v", s)
		}
		n.Close()
	})
}

// TestG04Stop: Redis is stopped for a while, with connections open.
func TestG04Stop(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	nodes, members := startAll(t, 2, onRedis(t, server.Addr, hasty))
	server.Stop()
	stop := make(chan struct{})
	time.AfterFunc(2*time.Second, func() { close(stop) })
	sent, slowest := numbered(nodes[0], 500, stop)
	server.Continue()
	if slowest > 5*time.Second {
		t.Errorf("a broadcast took %v", slowest)
	}
	if n := inOrder(t, "own client", members[0].take()); n != sent {
		t.Errorf("an own client got %d of %d", n, sent)
	}
	members[1].take()
	complete(t, nodes)
	reaches(t, nodes[0], members[1:])
	reaches(t, nodes[1], members[:1])
}

// TestG04Slow: a network with delay, then one with little bandwidth. Nothing is
// lost, and nothing waits for it.
func TestG04Slow(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	nodes, members := startAll(t, 2, onRedis(t, proxy.Addr))
	for name, set := range map[string]func(){
		"latency": func() { proxy.Rate(0); proxy.Latency(100 * time.Millisecond) },
		"rate":    func() { proxy.Latency(0); proxy.Rate(50_000) },
	} {
		set()
		const count = 300
		before := time.Now()
		for i := range count {
			nodes[0].Broadcast(event(i), adapter.Target{Rooms: []string{"r"}})
		}
		if d := time.Since(before); d > 5*time.Second { // it is a few milliseconds
			t.Errorf("%s: sending took %v", name, d)
		}
		eventually(t, name+": all arrive", func() bool { return members[1].count() == count })
		inOrder(t, name, members[1].take())
		members[0].take()
	}
}

// TestG08: one that is counted and does not answer. What the others say is
// there at the latest when the time is up, and how many are missing.
func TestG08(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	newCluster := onRedis(t, server.Addr)
	hurried := newCluster()
	hurried.config.requestTimeout = 5 * time.Second // which the other needs far less of
	first, _ := start(t, 0, hurried)
	second, _ := start(t, 1, newCluster())
	complete(t, []*node{first, second})
	rdb := server.Client()
	defer rdb.Close()
	stray := func() (end func()) {
		sub := rdb.Subscribe(t.Context(), first.counted.Name)
		eventually(t, "it is counted", func() bool {
			n, err := first.ServerCount(t.Context())
			return err == nil && n == 3
		})
		return func() { sub.Close() }
	}
	fetch := func(n *node) (took time.Duration, err error) {
		t.Helper()
		before := time.Now()
		infos, err := n.FetchSockets(t.Context(), adapter.Target{})
		took = time.Since(before)
		if missing, ok := errors.AsType[*adapter.MissingError](err); !ok || missing.Instances != 1 || len(infos) != 2 {
			t.Errorf("%d sockets, %v", len(infos), err)
		}
		return took, err
	}
	end := stray()
	if took, err := fetch(first); !errors.Is(err, context.DeadlineExceeded) || took < 4900*time.Millisecond {
		t.Errorf("%v after %v", err, took)
	}
	if _, err := first.ServerSideAsk(t.Context(), event("e").Packet().Args); err == nil {
		t.Error("ServerSideAsk: all have answered")
	}
	// It ends while it is waited for: nobody waits on.
	Asked(t, second.cluster.Stats, end)
	if _, err := fetch(second); errors.Is(err, context.DeadlineExceeded) {
		t.Error("it is waited for after its end")
	}
	missing := []uint64{1 + 2, 1} // no host answers ServerSideAsk
	for i, n := range []*node{first, second} {
		if n := n.requests.pending(); n != 0 {
			t.Errorf("%d requests are left", n)
		}
		if s := n.cluster.Stats(); s.Missing != missing[i] {
			t.Errorf("instance %d: %+v", i, s)
		}
	}
	// And an acknowledged broadcast leaves nothing behind either.
	ctx, cancel := context.WithCancel(t.Context())
	first.BroadcastWithAck(ctx, event("q"), adapter.Target{}, func(int) {}, nil)
	cancel()
	eventually(t, "it is forgotten", func() bool { return first.requests.pending() == 0 })
}

// TestG09: one instance is cut off, and comes back. Both serve their own, the
// other is not missed while it is not counted, and nothing comes twice.
func TestG09(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	prefix := WithPrefix("g09")
	cluster := func(addr string, opts ...Option) *Cluster {
		rdb := redistest.Client(addr)
		t.Cleanup(func() { rdb.Close() })
		return NewPubSub(rdb, append([]Option{prefix, Patient}, opts...)...)
	}
	a, ma := start(t, 0, cluster(server.Addr))
	b, mb := start(t, 1, cluster(proxy.Addr, func(c *config) { // the one that is to find silence
		c.pingEvery, c.silences = 100*time.Millisecond, 20
		c.publishTimeout = 3 * time.Second
	}))
	complete(t, []*node{a, b})
	stop := time.After(2 * time.Second)
	proxy.Hole(true)
	eventually(t, "the one that is cut off knows", func() bool { return !b.cluster.Stats().Up })
	proxy.Cut() // Redis knows too
	eventually(t, "it is not counted", func() bool {
		n, err := a.ServerCount(t.Context())
		return err == nil && n == 1
	})
	a.Broadcast(event("a"), adapter.Target{})
	b.Broadcast(event("b"), adapter.Target{})
	if infos, err := a.FetchSockets(t.Context(), adapter.Target{}); err != nil || len(infos) != 1 {
		t.Errorf("%d sockets, %v", len(infos), err)
	}
	<-stop
	proxy.Hole(false)
	complete(t, []*node{a, b})
	for i := range 100 {
		a.Broadcast(event(i), adapter.Target{})
		b.Broadcast(event(1000+i), adapter.Target{})
	}
	settle(t, []*node{a, b})
	for _, m := range []*member{ma, mb} {
		seen := map[string]bool{}
		for _, got := range m.take() {
			if seen[got] {
				t.Errorf("%s got %s twice", m.id, got)
			}
			seen[got] = true
		}
		if len(seen) < 201 {
			t.Errorf("%s got %d", m.id, len(seen))
		}
	}
}

// TestG11: what comes back of an instance's own is not delivered again, nor is
// what claims to be.
func TestG11(t *testing.T) { inForms(t, faultsG11) }

func faultsG11(t *testing.T, on clusters) {
	server := redistest.Start(t)
	nodes, members := startAll(t, 2, on(t, server.Addr))
	n := nodes[0]
	n.Broadcast(event("one"), adapter.Target{Rooms: []string{"r"}})
	n.Broadcast(event("two"), adapter.Target{})
	n.SocketsJoin(adapter.Target{}, "s")
	settle(t, nodes)
	for _, m := range members {
		if got := strings.Join(m.take(), " "); got != `"one" "two"` {
			t.Errorf("%s got %s", m.id, got)
		}
	}
	if nodes[0].own.uid == nodes[1].own.uid || len(nodes[0].own.uid) < 16 {
		t.Error("ids of instances")
	}
}

// TestG12: what happens to connections, users and data at Redis.
func TestG12(t *testing.T) { inForms(t, faultsG12) }

func faultsG12(t *testing.T, on clusters) {
	server := redistest.Start(t)
	nodes, members := startAll(t, 2, on(t, server.Addr, func(c *config) { c.refusedPause = 200 * time.Millisecond }))
	server.Do("FLUSHALL")
	before := []uint64{nodes[0].cluster.Stats().Connects, nodes[1].cluster.Stats().Connects}
	server.Do("CLIENT", "KILL", "TYPE", "pubsub")
	eventually(t, "all have connected again", func() bool {
		return nodes[0].cluster.Stats().Connects > before[0] && nodes[1].cluster.Stats().Connects > before[1]
	})
	complete(t, nodes)
	reaches(t, nodes[0], members)
	server.Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	reaches(t, nodes[1], members)
	// A user that may not listen.
	server.Do("ACL", "SETUSER", "default", "resetchannels", "&other")
	server.Do("CLIENT", "KILL", "TYPE", "pubsub")
	eventually(t, "it is refused", func() bool {
		up, err := nodes[0].cluster.Up()
		return !up && errors.Is(err, link.ErrRefused)
	})
	nodes[0].Broadcast(event("own"), adapter.Target{})
	own := 0
	for _, word := range members[0].take() { // reaches may have said its own twice
		if word == `"own"` {
			own++
		}
	}
	if own != 1 {
		t.Errorf("its own client got it %d times", own)
	}
	server.Do("ACL", "SETUSER", "default", "allchannels")
	complete(t, nodes)
	reaches(t, nodes[0], members)
}

// TestG13: whoever may publish at Redis is trusted, which the package says.
func TestG13(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	nodes, members := startAll(t, 1, onRedis(t, server.Addr))
	rdb := server.Client()
	defer rdb.Close()
	err := rdb.Publish(t.Context(), nodes[0].counted.Name, `{"type":4,"opts":{"rooms":["r"],"except":[]},"close":true}`).Err()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is done", func() bool {
		members[0].mu.Lock()
		defer members[0].mu.Unlock()
		return members[0].ended == 1
	})
}

// TestG14: what one instance sends arrives in its order everywhere, all of it.
func TestG14(t *testing.T) { inForms(t, faultsG14) }

func faultsG14(t *testing.T, on clusters) {
	server := redistest.Start(t)
	nodes, members := startAll(t, 3, on(t, server.Addr))
	count := *messages
	for i := range count {
		nodes[0].Broadcast(event(i), adapter.Target{Rooms: []string{"r"}})
	}
	for _, m := range members {
		eventually(t, fmt.Sprint(m.id, " gets all"), func() bool { return m.count() >= count })
		if n := inOrder(t, m.id, m.take()); n != count {
			t.Errorf("%s got %d", m.id, n)
		}
	}
}
