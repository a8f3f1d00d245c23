package redisadapter

import (
	"context"
	"sync"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/wire"
	"github.com/seed3686fee0/parlor/server/packet"
)

// maxAsked bounds how long a client's acknowledgement for another instance is
// waited for, whatever that one says.
const maxAsked = 5 * time.Minute

// maxForeign bounds how many questions of other instances are waited for at once.
const maxForeign = 16 << 10

// push takes what has come. It is called by the goroutine that reads from Redis,
// and only sorts.
func (n *node) push(e link.Event) {
	size := len(e.Payload) + len(e.Channel) + 64
	if n.form.answers(n.namespace, n.own.uid, &e) {
		n.answers.push(e, size)
		return
	}
	if n.form.echo(n.own, &e) {
		return
	}
	n.inbox.push(e, size)
}

// bad counts a message that is ignored.
func (n *node) bad(e *link.Event, err error) {
	n.cluster.counts.malformed.Add(1)
	if missed, ok := n.malformed.now(); ok {
		n.host.Logger().Warn("a message on a channel of the adapter is ignored",
			"namespace", n.namespace, "bytes", len(e.Payload), "error", err, "more", missed)
	}
}

func (n *node) receiveAnswer(e link.Event) {
	m, err := n.form.decode(n.second, n.namespace, &e)
	switch {
	case err != nil:
		n.bad(&e, err)
	case m.UID != n.own.uid:
		n.cluster.counts.received.Add(1)
		n.requests.answer(m)
	}
}

// receive does what a message says.
func (n *node) receive(e link.Event) {
	room, ok := n.form.room(n.namespace, &e)
	if !ok || room != "" && n.Len(room) == 0 {
		return // most broadcasts to rooms, in a large cluster
	}
	m, err := n.form.decode(n.reader, n.namespace, &e)
	if err != nil {
		n.bad(&e, err)
		return
	}
	if m.UID == n.own.uid || m.Namespace != "" && m.Namespace != n.namespace {
		return
	}
	n.cluster.counts.received.Add(1)
	n.act(m)
}

func (n *node) act(m *wire.Message) {
	switch m.Op {
	case wire.Broadcast:
		n.Memory.Broadcast(n.packet(m), m.Target)
	case wire.Ask:
		n.asked(m)
	case wire.Join, wire.Leave, wire.Disconnect:
		n.move(m)
	case wire.Fetch:
		infos, _ := n.Memory.FetchSockets(n.ctx, m.Target) // has no error
		if f := n.cluster.config.handshake; f != nil {
			for i := range infos {
				f(&infos[i].Handshake)
			}
		}
		n.send(&wire.Message{Op: wire.Sockets, RequestID: m.RequestID, Sockets: infos}, m.UID)
	case wire.ServerSide:
		n.events.push(func() { n.serverSide(m) }, 0)
	case wire.ListIDs:
		names := []string{}
		for _, x := range n.Members(m.Target) {
			names = append(names, x.ID())
		}
		n.send(&wire.Message{Op: wire.Names, RequestID: m.RequestID, Names: names}, m.UID)
	case wire.ListRooms:
		n.send(&wire.Message{Op: wire.Names, RequestID: m.RequestID, Names: n.RoomNames(), IsRooms: true}, m.UID)
	case wire.Sockets, wire.Names, wire.Answer, wire.Clients, wire.Acked:
		n.requests.answer(m) // where answers need not have a channel of their own
	}
}

func (n *node) packet(m *wire.Message) *packet.Shared {
	return packet.NewShared(packet.Packet{Type: packet.Event, Namespace: n.namespace, Args: m.Args})
}

func (n *node) move(m *wire.Message) {
	if m.SocketID != "" { // of a version before 8, which wants to know who has the socket
		if _, ok := n.Member(m.SocketID); !ok {
			return
		}
	}
	switch m.Op {
	case wire.Join:
		n.Memory.SocketsJoin(m.Target, m.Rooms...)
	case wire.Leave:
		n.Memory.SocketsLeave(m.Target, m.Rooms...)
	default:
		n.Memory.DisconnectSockets(m.Target, m.Close)
	}
	if m.SocketID != "" && m.RequestID != "" {
		n.send(&wire.Message{Op: wire.Names, RequestID: m.RequestID}, m.UID)
	}
}

// serverSide hands an event to the server, in its turn.
func (n *node) serverSide(m *wire.Message) {
	var reply func(packet.Args)
	if m.RequestID != "" {
		var once sync.Once
		reply = func(args packet.Args) {
			once.Do(func() {
				n.send(&wire.Message{Op: wire.Answer, RequestID: m.RequestID, Args: args}, m.UID)
			})
		}
	}
	n.host.ServerSideEvent(m.Args, reply)
}

// asked asks own members for another instance, which counts them.
func (n *node) asked(m *wire.Message) {
	timeout := m.Target.Timeout
	if timeout <= 0 {
		timeout = n.cluster.config.requestTimeout
	}
	if n.foreign.Add(1) > maxForeign {
		n.foreign.Add(-1)
		n.cluster.counts.overflowed.Add(1)
		return
	}
	ctx, cancel := context.WithTimeout(n.ctx, min(timeout, maxAsked))
	context.AfterFunc(ctx, func() { n.foreign.Add(-1) })
	id := n.host.NextAckID()
	p := packet.NewShared(packet.Packet{Type: packet.Event, Namespace: n.namespace, HasID: true, ID: id, Args: m.Args})
	left := 0
	target := adapter.Target{Rooms: m.Target.Rooms, Except: m.Target.Except, Flags: m.Target.Flags}
	answer := func(a wire.Message) {
		a.RequestID = m.RequestID
		n.send(&a, m.UID)
	}
	// One that answers at once does so before the others are asked, and after
	// the number is known; the calls do not overlap.
	n.Memory.BroadcastWithAck(ctx, p, target, func(count int) {
		left = count
		answer(wire.Message{Op: wire.Clients, Clients: count})
		if count == 0 {
			cancel()
		}
	}, func(args packet.Args, ok bool) {
		switch {
		case ok:
			answer(wire.Message{Op: wire.Acked, Args: args})
		case m.WantsGone:
			answer(wire.Message{Op: wire.Acked, Gone: true})
		}
		if left--; left == 0 {
			cancel()
		}
	})
}
