package server

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A Namespace is a channel of its own over a client's connection, with its own
// handlers, rooms and middleware. All methods are safe for concurrent use.
type Namespace struct {
	// Static.
	server  *Server
	name    string
	serial  int             // how many the server had made before it
	adapter adapter.Adapter // nil for the parent of dynamic namespaces
	parent  *Namespace      // of a dynamic namespace

	acks     atomic.Uint64
	handlers atomic.Pointer[handlers] // replaced under Server.mu

	// Guarded by Server.mu.
	users    int  // sockets that are in, or about to be
	pinned   bool // asked for by name: it stays when it is empty
	children map[string]*Namespace
}

// newNamespace makes a namespace. The caller holds Server.mu.
func newNamespace(s *Server, name string) *Namespace {
	ns := &Namespace{server: s, name: name, serial: s.made}
	s.made++
	ns.handlers.Store(&handlers{})
	ns.adapter = s.config.adapter((*host)(ns))
	return ns
}

// Name is the namespace's name, with its leading slash.
func (ns *Namespace) Name() string { return ns.name }

// Parent is what OfFunc or OfPattern has returned for a dynamic namespace; its name
// is the expression, or "func". It is nil for other namespaces.
func (ns *Namespace) Parent() *Namespace { return ns.parent }

// Server is the server of the namespace.
func (ns *Namespace) Server() *Server { return ns.server }

// Adapter is the namespace's adapter; nil for what OfFunc and OfPattern return.
func (ns *Namespace) Adapter() adapter.Adapter { return ns.adapter }

// Socket returns a socket of this instance by its id.
func (ns *Namespace) Socket(id string) (*Socket, bool) {
	if ns.adapter == nil {
		return nil, false
	}
	x, _ := ns.adapter.Member(id)
	m, ok := x.(*member)
	return m.socket(), ok
}

// Sockets returns the sockets of this instance, as they are at the time of the
// call.
func (ns *Namespace) Sockets() iter.Seq[*Socket] {
	var list []adapter.Member
	if ns.adapter != nil {
		list = ns.adapter.Members(adapter.Target{})
	}
	return func(yield func(*Socket) bool) {
		for _, x := range list {
			if m, ok := x.(*member); ok && !yield(m.socket()) {
				return
			}
		}
	}
}

// Count is the number of sockets of this instance.
func (ns *Namespace) Count() int {
	if ns.adapter == nil {
		return 0
	}
	return ns.adapter.Count()
}

// Rooms returns the names of the rooms that have sockets on this instance,
// those of single sockets among them.
func (ns *Namespace) Rooms() []string {
	if ns.adapter == nil {
		return nil
	}
	return ns.adapter.RoomNames()
}

// RoomSize is the number of sockets of this instance in a room.
func (ns *Namespace) RoomSize(room string) int {
	if ns.adapter == nil {
		return 0
	}
	return ns.adapter.Len(room)
}

// remove forgets a socket, and a dynamic namespace with its last one.
func (ns *Namespace) remove(s *Socket) {
	ns.adapter.Remove(s.id)
	ns.release()
}

// event makes the packet of an event.
func (ns *Namespace) event(name string, values []any) (packet.Packet, error) {
	if packet.Reserved(name) {
		return packet.Packet{}, fmt.Errorf("%q %w", name, ErrReserved)
	}
	args, err := packet.EventArgs(name, values...)
	if err != nil {
		return packet.Packet{}, fmt.Errorf("emit %q: %w", name, err)
	}
	return packet.Packet{Type: packet.Event, Namespace: ns.name, Args: args}, nil
}

// nextAck is the id of the next acknowledgement: one counter a namespace, as
// in Node, so that a broadcast has one id for all.
func (ns *Namespace) nextAck() uint64 { return ns.acks.Add(1) - 1 }

// all is a broadcast to everyone.
func (ns *Namespace) all() Broadcast { return Broadcast{ns: ns} }

// Emit sends an event to every socket of the namespace.
func (ns *Namespace) Emit(event string, args ...any) error { return ns.all().Emit(event, args...) }

// To addresses the sockets in any of the rooms.
func (ns *Namespace) To(rooms ...string) Broadcast { return ns.all().To(rooms...) }

// In is another name for To.
func (ns *Namespace) In(rooms ...string) Broadcast { return ns.all().To(rooms...) }

// Except leaves out the sockets in any of the rooms.
func (ns *Namespace) Except(rooms ...string) Broadcast { return ns.all().Except(rooms...) }

// Local addresses the sockets of this instance only.
func (ns *Namespace) Local() Broadcast { return ns.all().Local() }

// Volatile allows an event to be dropped for a client that is not ready.
func (ns *Namespace) Volatile() Broadcast { return ns.all().Volatile() }

// Compress says whether compressing is worth while. Default true.
func (ns *Namespace) Compress(on bool) Broadcast { return ns.all().Compress(on) }

// Timeout sets how long acknowledgements are waited for.
func (ns *Namespace) Timeout(d time.Duration) Broadcast { return ns.all().Timeout(d) }

// AskEach is [Broadcast.AskEach] to every socket of the namespace.
func (ns *Namespace) AskEach(ctx context.Context, event string, args ...any) iter.Seq2[Args, error] {
	return ns.all().AskEach(ctx, event, args...)
}

// FetchSockets is [Broadcast.FetchSockets] of every socket of the namespace.
func (ns *Namespace) FetchSockets(ctx context.Context) ([]RemoteSocket, error) {
	return ns.all().FetchSockets(ctx)
}

// SocketsJoin puts every socket of the namespace into rooms.
func (ns *Namespace) SocketsJoin(rooms ...string) { ns.all().SocketsJoin(rooms...) }

// SocketsLeave takes every socket of the namespace out of rooms.
func (ns *Namespace) SocketsLeave(rooms ...string) { ns.all().SocketsLeave(rooms...) }

// DisconnectSockets disconnects every socket of the namespace.
func (ns *Namespace) DisconnectSockets(closeConn bool) { ns.all().DisconnectSockets(closeConn) }

// host is a namespace as its adapter sees it.
type host Namespace

var _ adapter.Recorder = (*host)(nil)

func (h *host) ns() *Namespace { return (*Namespace)(h) }

// Namespace implements [adapter.Host].
func (h *host) Namespace() string { return h.name }

// Logger implements [adapter.Host].
func (h *host) Logger() *slog.Logger { return h.server.config.logger }

// WantsRoomEvents implements [adapter.Host].
func (h *host) WantsRoomEvents() bool {
	return len(h.ns().handlers.Load().room) > 0 || h.server.observers.load() != nil
}

// RoomEvents implements [adapter.Host].
func (h *host) RoomEvents(events []adapter.RoomEvent) {
	for _, f := range h.ns().handlers.Load().room {
		for _, e := range events {
			h.server.guard(h.name, string(e.Kind), func() { f(e) })
		}
	}
}

// RecordRooms implements [adapter.Recorder].
func (h *host) RecordRooms(events []adapter.RoomEvent) {
	if list := h.server.observers.load(); list != nil {
		h.ns().tell(list, func(o Observer) { o.RoomEvents(h.ns(), events) })
	}
}

// NextAckID implements [adapter.Host].
func (h *host) NextAckID() uint64 { return h.ns().nextAck() }

// ServerSideEvent implements [adapter.Host].
func (h *host) ServerSideEvent(args packet.Args, reply func(packet.Args)) {
	h.ns().serverSide(args, reply)
}
