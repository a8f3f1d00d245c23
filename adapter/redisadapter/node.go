package redisadapter

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/wire"
	"github.com/seed3686fee0/parlor/server/packet"
)

var errTooLarge = errors.New("redisadapter: over the limit of a message, WithMaxMessage")

// How much of what has come may wait for a namespace. What comes from Redis is
// always read at once: a reader that waits is cut off by Redis, and loses more.
const (
	maxInbox      = 64 << 10
	maxInboxBytes = 32 << 20
	maxEvents     = 4096 // of servers
	closeLimit    = time.Second
)

// A node is the adapter of a namespace: its own members in an [adapter.Memory],
// and the others by way of a line.
type node struct {
	*adapter.Memory

	// Static.
	cluster   *Cluster
	line      *line
	form      form
	host      adapter.Host
	namespace string
	own       *own
	counted   link.Sub
	ctx       context.Context // until Close
	cancel    context.CancelFunc

	requests requests
	known    atomic.Int64 // instances, at the last count

	// What has come, by what is done about it: broadcasts and requests in their
	// order; answers, which whoever handles a request may be waiting for; events
	// for the server, whose handlers are the application's.
	inbox, answers serial[link.Event]
	events         serial[func()]
	reader, second *wire.Reader // of the first two

	foreign   atomic.Int64 // questions of other instances that are not answered yet
	closing   sync.Once
	malformed rare
}

var _ adapter.Adapter = (*node)(nil)

func newNode(c *Cluster, l *line, h adapter.Host) *node {
	n := &node{
		Memory: adapter.NewMemory(h), cluster: c, line: l, form: c.form, host: h, namespace: h.Namespace(),
		own: newOwn(h.Namespace(), newID()), counted: c.form.counted(h.Namespace()),
		reader: wire.NewReader(c.config.maxMessage), second: wire.NewReader(c.config.maxMessage),
	}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	n.known.Store(1)
	overflow := func() { c.counts.overflowed.Add(1) }
	n.inbox = serial[link.Event]{do: n.receive, max: maxInbox, maxBytes: maxInboxBytes, overflow: overflow}
	n.answers = serial[link.Event]{do: n.receiveAnswer, max: maxInbox, maxBytes: maxInboxBytes, overflow: overflow}
	n.events = serial[func()]{do: func(f func()) { f() }, max: maxEvents, maxBytes: maxInboxBytes, overflow: overflow}
	n.Watch(n.occupied)
	l.add(n, c.form.subs(n.namespace, n.own.uid)...)
	return n
}

// occupied listens to a room while it has members here. It is called under the
// lock of the Memory.
func (n *node) occupied(room string, private, occupied bool) {
	sub, ok := n.form.roomSub(n.namespace, room, private)
	switch {
	case !ok:
	case occupied:
		n.line.add(n, sub)
	default:
		n.line.remove(sub)
	}
}

// Close implements [adapter.Adapter].
func (n *node) Close() error {
	n.closing.Do(func() {
		n.cancel()
		n.line.leave(n)
		n.requests.close()
		limit, cancel := context.WithTimeout(context.Background(), closeLimit) // a handler may be what closes
		defer cancel()
		for _, idle := range []<-chan struct{}{n.inbox.close(), n.answers.close(), n.events.close()} {
			select {
			case <-idle:
			case <-limit.Done():
			}
		}
		n.cluster.leave()
	})
	return nil
}

// send publishes a message. What becomes of it is counted, and its faults are logged.
func (n *node) send(m *wire.Message, to string) { _ = n.publish(m, to, nil) }

// publish is send; told is called with what became of the message. An error says that
// nothing will.
func (n *node) publish(m *wire.Message, to string, told func(link.Outcome)) error {
	m.UID = n.own.uid
	out, err := n.form.encode(m, n.namespace, to)
	most := n.cluster.config.maxMessage
	switch {
	case err != nil:
		n.host.Logger().Error("cannot send to the other instances", "namespace", n.namespace, "error", err)
	case len(out.Payload) > most:
		err = errTooLarge
		what := "too large to be sent to the other instances; WithMaxMessage of all of them sets the limit"
		if m.Op >= wire.Sockets {
			what = "an answer is too large for the instance that waits for it; let it ask for less, or raise WithMaxMessage of all instances"
		}
		n.host.Logger().Error(what, "namespace", n.namespace, "bytes", len(out.Payload), "limit", most)
	case m.Target.Flags.Volatile && m.Op == wire.Broadcast && !n.line.isUp():
	default:
		n.line.queue.push(out, told)
		return nil
	}
	n.cluster.counts.dropped.Add(1)
	return err
}

// Broadcast implements [adapter.Adapter].
func (n *node) Broadcast(p *packet.Shared, t adapter.Target) {
	n.Memory.Broadcast(p, t)
	if !t.Local {
		t.Timeout = 0
		n.send(&wire.Message{Op: wire.Broadcast, Args: p.Packet().Args, Target: t}, "")
	}
}

// SocketsJoin implements [adapter.Adapter].
func (n *node) SocketsJoin(t adapter.Target, rooms ...string) {
	n.Memory.SocketsJoin(t, rooms...)
	if !t.Local {
		n.send(&wire.Message{Op: wire.Join, Target: t, Rooms: rooms}, "")
	}
}

// SocketsLeave implements [adapter.Adapter].
func (n *node) SocketsLeave(t adapter.Target, rooms ...string) {
	n.Memory.SocketsLeave(t, rooms...)
	if !t.Local {
		n.send(&wire.Message{Op: wire.Leave, Target: t, Rooms: rooms}, "")
	}
}

// DisconnectSockets implements [adapter.Adapter].
func (n *node) DisconnectSockets(t adapter.Target, closeConn bool) {
	n.Memory.DisconnectSockets(t, closeConn)
	if !t.Local {
		n.send(&wire.Message{Op: wire.Disconnect, Target: t, Close: closeConn}, "")
	}
}

// ServerSideEmit implements [adapter.Adapter].
func (n *node) ServerSideEmit(args packet.Args) error {
	n.send(&wire.Message{Op: wire.ServerSide, Args: args}, "")
	return nil
}

// ServerCount implements [adapter.Adapter]. With an error it returns what the
// number was when it was last known.
func (n *node) ServerCount(ctx context.Context) (int, error) {
	count, err := n.count(ctx)
	if err != nil {
		return int(n.known.Load()), err
	}
	return count, nil
}

// settleTime is how long after a reconnection other instances may still be on
// their way back: whoever was there before counts that long.
const settleTime = 2 * time.Second

// count asks Redis how many instances there are.
func (n *node) count(ctx context.Context) (int, error) {
	since, again, err := n.line.listening()
	if err == nil && !n.line.on(n.counted) {
		err = errNotYet
	}
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, n.cluster.config.publishTimeout)
	defer cancel()
	count, err := n.line.driver.NumSub(ctx, n.counted)
	if err != nil {
		return 0, err
	}
	known := int(n.known.Load())
	if count = max(count, 1); count < known && again && time.Since(since) < settleTime {
		return known, nil
	}
	n.known.Store(int64(count))
	return count, nil
}
