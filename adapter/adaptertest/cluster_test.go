package adaptertest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A node is an adapter of several instances in one process: the smallest that
// the kit's cases for clusters can be tried with. What it sends to another
// takes its time, as on a network, and keeps its order.
type node struct {
	*adapter.Memory

	host   adapter.Host
	peers  []*node // all but itself
	inbox  chan func()
	closed chan struct{}
	once   sync.Once
}

func newNodes(t testing.TB, hosts []adapter.Host) Cluster {
	nodes := make([]*node, len(hosts))
	var running sync.WaitGroup
	for i, h := range hosts {
		n := &node{Memory: adapter.NewMemory(h), host: h, inbox: make(chan func(), 64), closed: make(chan struct{})}
		nodes[i] = n
		running.Go(func() {
			for {
				select {
				case f := <-n.inbox:
					f()
				case <-n.closed:
					return
				}
			}
		})
	}
	t.Cleanup(running.Wait)
	c := Cluster{Settle: func() {
		for range 2 { // what is delivered may send something in turn
			for _, n := range nodes {
				done := make(chan struct{})
				n.post(func() { close(done) })
				select {
				case <-done:
				case <-n.closed:
				}
			}
		}
	}}
	for _, n := range nodes {
		n.peers = slices.DeleteFunc(slices.Clone(nodes), func(x *node) bool { return x == n })
		c.Adapters = append(c.Adapters, n)
	}
	return c
}

// post has a node do something in its turn.
func (n *node) post(f func()) {
	select {
	case n.inbox <- f:
	case <-n.closed:
	}
}

// others has all others do something with their share of a target.
func (n *node) others(t adapter.Target, f func(x *node, t adapter.Target)) {
	if t.Local {
		return
	}
	t.Rooms, t.Except = slices.Clone(t.Rooms), slices.Clone(t.Except)
	for _, x := range n.peers {
		x.post(func() { f(x, t) })
	}
}

func (n *node) Broadcast(p *packet.Shared, t adapter.Target) {
	n.Memory.Broadcast(p, t)
	n.others(t, func(x *node, t adapter.Target) { x.Memory.Broadcast(p, t) })
}

func (n *node) BroadcastWithAck(ctx context.Context, p *packet.Shared, t adapter.Target, clients func(int), reply func(packet.Args, bool)) {
	var mu sync.Mutex
	count := func(k int) { mu.Lock(); defer mu.Unlock(); clients(k) }
	one := func(args packet.Args, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() == nil {
			reply(args, ok)
		}
	}
	n.Memory.BroadcastWithAck(ctx, p, t, count, one)
	n.others(t, func(x *node, t adapter.Target) {
		q := *p.Packet()
		q.ID = x.host.NextAckID()
		x.Memory.BroadcastWithAck(ctx, packet.NewShared(q), t, count, one)
	})
}

func (n *node) FetchSockets(ctx context.Context, t adapter.Target) ([]adapter.SocketInfo, error) {
	infos, err := n.Memory.FetchSockets(ctx, t)
	if t.Local {
		return infos, err
	}
	if ctx.Err() != nil {
		return infos, context.Cause(ctx)
	}
	for _, x := range n.peers {
		more, _ := x.Memory.FetchSockets(ctx, t)
		infos = append(infos, more...)
	}
	return infos, err
}

func (n *node) SocketsJoin(t adapter.Target, rooms ...string) {
	n.Memory.SocketsJoin(t, rooms...)
	n.others(t, func(x *node, t adapter.Target) { x.Memory.SocketsJoin(t, rooms...) })
}

func (n *node) SocketsLeave(t adapter.Target, rooms ...string) {
	n.Memory.SocketsLeave(t, rooms...)
	n.others(t, func(x *node, t adapter.Target) { x.Memory.SocketsLeave(t, rooms...) })
}

func (n *node) DisconnectSockets(t adapter.Target, closeConn bool) {
	n.Memory.DisconnectSockets(t, closeConn)
	n.others(t, func(x *node, t adapter.Target) { x.Memory.DisconnectSockets(t, closeConn) })
}

func (n *node) ServerSideEmit(args packet.Args) error {
	n.others(adapter.Target{}, func(x *node, _ adapter.Target) { x.host.ServerSideEvent(args, nil) })
	return nil
}

func (n *node) ServerSideAsk(ctx context.Context, args packet.Args) ([]packet.Args, error) {
	got := make(chan packet.Args, len(n.peers))
	n.others(adapter.Target{}, func(x *node, _ adapter.Target) {
		x.host.ServerSideEvent(args, func(a packet.Args) { got <- a })
	})
	var answers []packet.Args
	for range n.peers {
		select {
		case a := <-got:
			answers = append(answers, a)
		case <-ctx.Done():
			return answers, errors.New("some servers did not answer")
		}
	}
	return answers, nil
}

func (n *node) ServerCount(context.Context) (int, error) { return len(n.peers) + 1, nil }

func (n *node) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

// TestCluster shows that several instances can pass.
func TestCluster(t *testing.T) { Run(t, []int{1, 2, 3}, newNodes) }
