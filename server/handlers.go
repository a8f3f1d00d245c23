package server

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A Handler handles an event. args.Event is its name.
type Handler func(ctx context.Context, s *Socket, args Args) error

// A ConnectHandler is called for a socket that connects.
type ConnectHandler func(ctx context.Context, s *Socket) error

// A DisconnectHandler is called for a socket that is closed.
type DisconnectHandler func(ctx context.Context, s *Socket, reason Reason)

// An OutgoingHandler is called for an event that is sent to a socket.
type OutgoingHandler func(s *Socket, event string, args Args)

// A RoomEvent is something that happened to a room on this instance.
type RoomEvent = adapter.RoomEvent

// The kinds of room events.
const (
	RoomCreated = adapter.RoomCreated
	RoomJoined  = adapter.RoomJoined
	RoomLeft    = adapter.RoomLeft
	RoomDeleted = adapter.RoomDeleted
)

// handlers are what is registered on a namespace. They are immutable: a
// registration makes new ones, so that an event takes no lock.
type handlers struct {
	middleware    []*connectLayer
	connect       []ConnectHandler
	disconnecting []DisconnectHandler
	disconnect    []DisconnectHandler
	use           []*eventLayer
	events        map[string][]Handler
	any           []Handler
	outgoing      []OutgoingHandler
	room          []func(RoomEvent)
	serverSide    map[string][]ServerSideHandler
}

// A connectLayer is one connect middleware, made once: what follows it is looked
// up when it is called, since other layers may be registered later, and a
// dynamic namespace may have others than its parent.
type connectLayer struct{ run ConnectHandler }

// nextConnect is what follows a layer, or what is first.
func nextConnect(after *connectLayer) ConnectHandler {
	return func(ctx context.Context, s *Socket) error {
		list := s.ns.handlers.Load().middleware
		if i := slices.Index(list, after) + 1; i < len(list) {
			return list[i].run(ctx, s)
		}
		return admitted(ctx)
	}
}

// An eventLayer is one event middleware, as a connectLayer is.
type eventLayer struct{ run Handler }

func nextEvent(after *eventLayer) Handler {
	return func(ctx context.Context, s *Socket, args Args) error {
		h := s.ns.handlers.Load()
		if i := slices.Index(h.use, after) + 1; i < len(h.use) {
			return h.use[i].run(ctx, s, args)
		}
		return h.handle(ctx, s, args)
	}
}

// update registers something, on the namespace and on those made of it. It
// holds Server.mu throughout, so that one that is being made misses nothing;
// change runs no code of the application.
func (ns *Namespace) update(change func(h *handlers)) {
	ns.server.mu.Lock()
	defer ns.server.mu.Unlock()
	children := slices.Collect(maps.Values(ns.children))
	for _, x := range append(children, ns) {
		h := *x.handlers.Load()
		change(&h)
		x.handlers.Store(&h)
	}
}

// with appends to a list that others may be reading.
func with[T any](list []T, more ...T) []T { return append(slices.Clip(list), more...) }

// withNamed appends to one of the lists of a map that others may be reading.
func withNamed[T any](m map[string][]T, name string, v T) map[string][]T {
	c := maps.Clone(m)
	if c == nil {
		c = make(map[string][]T)
	}
	c[name] = with(c[name], v)
	return c
}

// Use adds connect middleware, run in the order of registration before a socket
// is admitted: it goes on by calling next, or returns an error, which refuses
// the socket with connect_error. The values of the context that it passes on
// are in the context of all of the socket's handlers. Each middleware is called
// once, here; the handler that it returns is called for each socket.
func (ns *Namespace) Use(middleware ...func(next ConnectHandler) ConnectHandler) {
	layers := make([]*connectLayer, len(middleware))
	for i, m := range middleware {
		layer := &connectLayer{}
		layer.run = m(nextConnect(layer))
		layers[i] = layer
	}
	ns.update(func(h *handlers) { h.middleware = with(h.middleware, layers...) })
}

// OnConnect adds a handler for sockets that have been admitted. The socket's
// events wait until it has returned; its error disconnects the socket.
func (ns *Namespace) OnConnect(f ConnectHandler) {
	ns.update(func(h *handlers) { h.connect = with(h.connect, f) })
}

// OnDisconnecting adds a handler for sockets that are closed and still in
// their rooms.
func (ns *Namespace) OnDisconnecting(f DisconnectHandler) {
	ns.update(func(h *handlers) { h.disconnecting = with(h.disconnecting, f) })
}

// OnDisconnect adds a handler for sockets that are closed and in no room any
// more.
func (ns *Namespace) OnDisconnect(f DisconnectHandler) {
	ns.update(func(h *handlers) { h.disconnect = with(h.disconnect, f) })
}

// On adds a handler for an event. Several are called in the order of
// registration.
func (ns *Namespace) On(event string, f Handler) {
	ns.update(func(h *handlers) { h.events = withNamed(h.events, event, f) })
}

// OnAny adds a handler for every event, called before those of On, also for
// events that have none.
func (ns *Namespace) OnAny(f Handler) {
	ns.update(func(h *handlers) { h.any = with(h.any, f) })
}

// OnAnyOutgoing adds a handler that is told of every event that this instance
// emits to its sockets, once for each of them that it is about to reach: of one
// that joins the room as the event is sent it may not be told. It runs on the
// emitter's goroutine.
func (ns *Namespace) OnAnyOutgoing(f OutgoingHandler) {
	ns.update(func(h *handlers) { h.outgoing = with(h.outgoing, f) })
}

// UseEvent adds middleware around the handlers of every event. Each is called
// once, here; the handler that it returns is called for each event.
func (ns *Namespace) UseEvent(middleware ...func(next Handler) Handler) {
	layers := make([]*eventLayer, len(middleware))
	for i, m := range middleware {
		layer := &eventLayer{}
		layer.run = m(nextEvent(layer))
		layers[i] = layer
	}
	ns.update(func(h *handlers) { h.use = with(h.use, layers...) })
}

// OnRoom adds a handler that is told when rooms of this instance come and go,
// and who joins and leaves them.
func (ns *Namespace) OnRoom(f func(RoomEvent)) {
	ns.update(func(h *handlers) { h.room = with(h.room, f) })
}

// dispatch runs the handlers of an event: the catch-all ones, then the
// middleware and those of its name.
func (h *handlers) dispatch(ctx context.Context, s *Socket, args Args) error {
	var errs []error
	for _, f := range h.any {
		if err := f(ctx, s, args); err != nil {
			errs = append(errs, err)
		}
	}
	inner := h.handle
	if len(h.use) > 0 {
		inner = h.use[0].run
	}
	if err := inner(ctx, s, args); err != nil {
		errs = append(errs, err)
	}
	return join(errs)
}

// known is the name of an event that has a handler of its own, else empty.
func (h *handlers) known(event string) string {
	if _, ok := h.events[event]; ok {
		return event
	}
	return ""
}

// handle runs the handlers of an event's name.
func (h *handlers) handle(ctx context.Context, s *Socket, args Args) error {
	list := h.events[args.Event()]
	if len(list) == 1 {
		return list[0](ctx, s, args)
	}
	var errs []error
	for _, f := range list {
		if err := f(ctx, s, args); err != nil {
			errs = append(errs, err)
		}
	}
	return join(errs)
}

func join(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// notify tells the outgoing handlers of an event to a socket.
func (h *handlers) notify(s *Socket, p *packet.Packet) {
	for _, f := range h.outgoing {
		s.conn.server.guard(s.ns.name, "any outgoing", func() { f(s, p.Name(), Args{Args: p.Args.Slice(1)}) })
	}
}
