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
// what they tell about: they return at once, take no lock that is held while
// something is sent, and call nothing of the server's that sends. They may be
// called concurrently; for one socket Connected comes first, and nothing of it
// comes after Disconnected but the room events of its leaving.
//
// Arguments are valid during the call; what keeps them clones them.
type Observer interface {
	// Connected: the client has been let into a namespace and told so; connect
	// handlers have not run yet.
	Connected(s *Socket)
	// Disconnected: the socket has ended and is still in its rooms.
	Disconnected(s *Socket, reason Reason)
	// Upgraded: the connection under the socket has moved to another transport.
	// It is called once for each socket of the connection.
	Upgraded(s *Socket)
	// DataChanged: SetData has been called.
	DataChanged(s *Socket)
	// RoomEvents: what has happened to the rooms of a namespace on this
	// instance, in order.
	RoomEvents(ns *Namespace, events []adapter.RoomEvent)
	// Received: an event has come from the client: its name, then its arguments.
	// Middleware has not seen it yet.
	Received(s *Socket, args packet.Args)
	// Sent: an event goes to sockets of this instance: its name, then its
	// arguments. A volatile event may be dropped afterwards.
	Sent(ns *Namespace, to []*Socket, args packet.Args)
}

// observers are those of a server; nil while there are none, which is all that
// an event costs then.
type observers struct {
	list atomic.Pointer[[]Observer]
}

func (o *observers) load() []Observer {
	if list := o.list.Load(); list != nil {
		return *list
	}
	return nil
}

// Observe tells o what happens from now on, until stop is called; a call that is
// under way then may still end after that. While nobody observes, events cost nothing more
// than a look whether somebody does.
func (s *Server) Observe(o Observer) (stop func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := append(slices.Clone(s.observers.load()), o)
	s.observers.list.Store(&list)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		list := slices.Clone(s.observers.load())
		if i := slices.Index(list, o); i >= 0 {
			list = slices.Delete(list, i, i+1)
		}
		if len(list) == 0 {
			s.observers.list.Store(nil)
			return
		}
		s.observers.list.Store(&list)
	}
}

// OnDescribe has f complete the description of a socket that another instance,
// or FetchSockets, is given: what else there is to know, in Data say. It is called
// for each socket that is asked for, and must be safe for concurrent use.
func (s *Server) OnDescribe(f func(s *Socket, info *adapter.SocketInfo)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := append(slices.Clone(s.describers()), f)
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
func (s *Socket) ClientID() string {
	sum := sha256.Sum256([]byte(s.conn.session.ID()))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}
