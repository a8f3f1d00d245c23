package server

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"sync/atomic"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/packet"
)

// An Observer is told what happens on a server, as it happens: what tools that
// show a server to its operators need. Its methods are called on the path of
// what they tell about, concurrently for different sockets. They return at once:
// they note or queue what they are told. What they may ask is what a socket is
// (ID, Namespace, Handshake, ClientID, Transport, Data); they do not emit, join,
// leave or disconnect. RoomEvents and Sent are called with the adapter's lock held,
// which is why they tell exactly who was in a room when something was sent to it;
// others may also ask which rooms a socket is in. A panic is recovered and logged.
//
// For one socket Connected comes first, and nothing that begins after
// Disconnected is told but the room events of its leaving.
//
// Arguments are valid during the call; what keeps them clones them.
type Observer interface {
	// Connected: the client has been let into a namespace. It is told so next,
	// and then connect handlers run. Where its connection ends just then,
	// Disconnected follows and no handler runs.
	Connected(s *Socket)
	// Disconnected: the socket has ended and is still in its rooms.
	// Disconnecting handlers have not run yet.
	Disconnected(s *Socket, reason Reason)
	// Upgraded: the connection under the socket has moved to another transport.
	// It is called once for each socket of the connection.
	Upgraded(s *Socket)
	// DataChanged: SetData has been called on a socket that is connected. What it
	// has got while it was let in, about the time of Connected, is told when it is.
	DataChanged(s *Socket)
	// RoomEvents: what has just happened to the rooms of a namespace on this
	// instance. The rooms that a socket begins with come before its Connected,
	// its own first, and those that it leaves with its end after Disconnected.
	// The slice may be kept.
	RoomEvents(ns *Namespace, events []adapter.RoomEvent)
	// Received: an event has come from the client: its name, then its arguments.
	// Middleware has not seen it yet. Acknowledgements are not told: see
	// [PacketObserver].
	Received(s *Socket, args packet.Args)
	// Sent: an event goes to the client: its name, then its arguments. It is
	// called for each socket of a broadcast on this instance, whichever instance
	// the broadcast began on. A volatile event may be dropped afterwards.
	// Acknowledgements are not told: see [PacketObserver].
	Sent(s *Socket, args packet.Args)
}

// A PacketObserver is an [Observer] that is told of the packets too: all that come
// and go, of whichever type, what one wants to read who develops a client. client is
// what [Socket.ClientID] says; it has packets before a namespace lets it in, and also
// if none does. A packet is valid during the call.
//
// Both methods are called with locks of the server held: besides what is asked of an
// Observer they ask nothing of a socket. SentPacket is called in the order in which a
// client gets the packets. What a client sends that is no packet is not told.
type PacketObserver interface {
	Observer
	// ReceivedPacket: a packet has come, and nothing has been made of it yet.
	ReceivedPacket(client string, p *packet.Packet)
	// SentPacket: a packet goes to the client. A volatile event may be dropped
	// afterwards.
	SentPacket(client string, p *packet.Packet)
}

// observers are those of a server; nil while there are none, which is all that
// an event costs then.
type observers struct {
	list atomic.Pointer[[]*observation] // replaced under Server.mu
}

// An observation is what one call of Observe began. Observers need not be
// comparable; observations are.
type observation struct{ Observer }

func (o *observers) load() []*observation {
	if list := o.list.Load(); list != nil {
		return *list
	}
	return nil
}

// Observe tells o what happens from now on, until stop is called; a call that is
// under way then may still end after that. While nobody observes, events cost
// nothing more than a look whether somebody does. An observer that observes twice
// is told everything twice. To stop again does nothing.
func (s *Server) Observe(o Observer) (stop func()) {
	one := &observation{o}
	s.mu.Lock()
	defer s.mu.Unlock()
	list := with(s.observers.load(), one)
	s.observers.list.Store(&list)
	return func() { s.unobserve(one) }
}

func (s *Server) unobserve(one *observation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Clone(s.observers.load())
	if i := slices.Index(list, one); i >= 0 {
		list = slices.Delete(list, i, i+1)
	}
	if len(list) == 0 {
		s.observers.list.Store(nil)
		return
	}
	s.observers.list.Store(&list)
}

// tell calls f with observers, one after another. What is passed to f does not
// outlive the call, so that its closure costs no allocation.
func (ns *Namespace) tell(list []*observation, f func(o Observer)) {
	for _, one := range list {
		ns.server.guard(ns.name, "observer", func() { f(one.Observer) })
	}
}

// received tells observers of a packet that has come.
func (c *conn) received(p *packet.Packet) { c.tell(p, PacketObserver.ReceivedPacket) }

// sent tells observers of a packet that is about to be queued.
func (c *conn) sent(p *packet.Packet) { c.tell(p, PacketObserver.SentPacket) }

// tell gives those who want packets a copy of one. Where nobody does it need not be on
// the heap.
func (c *conn) tell(p *packet.Packet, f func(PacketObserver, string, *packet.Packet)) {
	for _, one := range c.server.observers.load() {
		if o, ok := one.Observer.(PacketObserver); ok {
			told := *p
			c.server.guard(p.Namespace, "observer", func() { f(o, c.clientID(), &told) })
		}
	}
}

// OnDescribe has f complete the description of a socket that another instance,
// or FetchSockets, is given: what else there is to know, in Data say. It is called
// for each socket that is asked for, in the order of registration, and must be
// safe for concurrent use.
func (s *Server) OnDescribe(f func(s *Socket, info *adapter.SocketInfo)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := with(s.describers(), f)
	s.describe.Store(&list)
}

func (s *Server) describers() []func(*Socket, *adapter.SocketInfo) {
	if list := s.describe.Load(); list != nil {
		return *list
	}
	return nil
}

// ClientID identifies the client among those of this instance: it is the same
// for all the sockets of one connection. It is no secret, being a digest of the
// session's id, which is one.
func (s *Socket) ClientID() string { return s.conn.clientID() }

func (c *conn) clientID() string {
	sum := sha256.Sum256([]byte(c.session.ID()))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}
