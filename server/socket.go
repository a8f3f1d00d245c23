package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A Socket is one client in one namespace. All methods are safe for concurrent
// use; on a socket that is closed they do nothing.
type Socket struct {
	// Static, but for ns and ctx, which its admission may set.
	id     string
	conn   *conn
	ns     *Namespace
	auth   Arg
	issued int64 // milliseconds since 1970
	ctx    context.Context
	cancel context.CancelCauseFunc

	state atomic.Int32 // socketState; changed under conn.mu
	data  atomic.Pointer[any]

	// Guarded by conn.mu.
	early   *earlyRooms // nil: there are none, or the adapter has them
	settled bool        // rooms are the adapter's alone
	running bool        // the inbox has a goroutine
	inbox   []*inbound  // events that wait
	end     *ending     // how the socket is to end, when the inbox is done
	acks    map[uint64]func(packet.Args, bool)
}

type socketState = int32

const (
	socketConnecting socketState = iota
	socketLive
	socketClosed
)

// An ending is why a socket ends.
type ending struct {
	reason  Reason
	err     error
	discard bool // events that wait are not handled any more
}

// noAuth is the payload of a client that has sent none.
var noAuth = func() Arg {
	args, err := packet.NewArgs(struct{}{})
	must(err)
	return args.At(0)
}()

func newSocket(c *conn, auth Arg) *Socket {
	if auth.Kind() == packet.Null {
		auth = noAuth
	}
	s := &Socket{id: newSocketID(), conn: c, auth: auth.Clone(), issued: time.Now().UnixMilli()}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	return s
}

// ID is the socket's id: 20 characters, different in each namespace, not a
// secret. It is the name of a room that the socket is in.
func (s *Socket) ID() string { return s.id }

// Namespace is the namespace that the socket is in.
func (s *Socket) Namespace() *Namespace { return s.ns }

// Server is the server of the namespace.
func (s *Socket) Server() *Server { return s.conn.server }

// Context is the socket's: with the values that connect middleware has put into
// it, cancelled when the socket is closed, with a [*DisconnectError] as cause.
func (s *Socket) Context() context.Context { return s.ctx }

// Connected reports whether the socket is open.
func (s *Socket) Connected() bool { return s.reachable() }

// live reports whether the socket has been admitted and is not closed.
func (s *Socket) live() bool { return s.state.Load() == socketLive }

// reachable is live for what is to be sent: the client may have read its
// CONNECT, and others may know of it, while [Socket.enter] is about to say so.
// The caller does not hold conn.mu.
func (s *Socket) reachable() bool {
	state := s.state.Load()
	if state == socketConnecting {
		s.conn.mu.Lock()
		state = s.state.Load()
		s.conn.mu.Unlock()
	}
	return state == socketLive
}

// Transport is the name of the transport that carries the socket now,
// "polling" or "websocket".
func (s *Socket) Transport() string { return s.conn.session.Transport() }

// Handshake is what the socket was opened with.
func (s *Socket) Handshake() Handshake {
	return Handshake{Auth: s.auth, Issued: time.UnixMilli(s.issued), origin: s.conn.origin}
}

// SetData attaches a value to the socket: the application's, and, encoded, what
// FetchSockets on another instance sees as the socket's data.
func (s *Socket) SetData(v any) {
	live := s.attach(&v)
	if list := s.conn.server.observers.load(); list != nil && live {
		s.ns.tell(list, func(o Observer) { o.DataChanged(s) })
	}
}

// attach reports whether observers are to be told: until the socket is live, which
// [Socket.enter] makes it under the lock, enter looks whether there is something new.
func (s *Socket) attach(v *any) (live bool) {
	if s.state.Load() == socketConnecting {
		s.conn.mu.Lock()
		defer s.conn.mu.Unlock()
	}
	s.data.Store(v)
	return s.live()
}

// Data returns the value that SetData has attached, or nil.
func (s *Socket) Data() any {
	if v := s.data.Load(); v != nil {
		return *v
	}
	return nil
}

// Join puts the socket into rooms; called by connect middleware, when the socket
// is admitted. The error is about the limits of rooms; the socket is then in none
// of them that it was not in before.
func (s *Socket) Join(rooms ...string) error {
	limits := s.conn.server.limits.Load()
	for _, name := range rooms {
		if over(len(name), limits.RoomName) {
			return fmt.Errorf("join: %w: %d bytes, the limit is %d", ErrRoomName, len(name), limits.RoomName)
		}
	}
	if early, err := s.joinEarly(rooms); early {
		return err
	}
	switch {
	case limits.RoomsPerSocket < 0:
		s.ns.adapter.Join(s.id, rooms...)
	case !s.ns.adapter.JoinWithin(limits.RoomsPerSocket, s.id, rooms...):
		return fmt.Errorf("join: %w: the limit is %d", ErrTooManyRooms, limits.RoomsPerSocket)
	}
	return nil
}

// Leave takes the socket out of rooms; called by connect middleware, those that it
// was to join when it is admitted. It returns nil; it has an error for symmetry
// with Join.
func (s *Socket) Leave(rooms ...string) error {
	s.leaveEarly(rooms)
	s.ns.adapter.Leave(s.id, rooms...)
	return nil
}

// Rooms returns the rooms that the socket is in, its own first.
func (s *Socket) Rooms() []string {
	rooms, _ := s.ns.adapter.RoomsOf(s.id)
	return rooms
}

// InRoom reports whether the socket is in a room.
func (s *Socket) InRoom(room string) bool { return s.ns.adapter.In(s.id, room) }

// Emit sends an event to the client.
func (s *Socket) Emit(event string, args ...any) error {
	return s.emit(adapter.Flags{}, event, args)
}

func (s *Socket) emit(f adapter.Flags, event string, args []any) error {
	p, err := s.ns.event(event, args)
	if err != nil {
		return err
	}
	if !s.reachable() {
		return nil
	}
	enc, err := s.conn.server.wire.format(f).Encode(&p)
	if err != nil {
		return fmt.Errorf("emit %q: %w", event, err)
	}
	if h := s.ns.handlers.Load(); len(h.outgoing) > 0 {
		h.notify(s, &p)
	}
	s.conn.flow().out.Add(1)
	s.sent(&p)
	if s.conn.session.Send(s.conn.server.eventFlags(f), enc.messages...) {
		s.conn.session.Flush()
	}
	return nil
}

// sent tells observers of an event that is about to be queued.
func (s *Socket) sent(p *packet.Packet) {
	if list := s.conn.server.observers.load(); list != nil {
		args := p.Args
		s.ns.tell(list, func(o Observer) { o.Sent(s, args) })
		s.conn.sent(p)
	}
}

// Ask emits an event and waits for the client's acknowledgement, until the
// deadline of ctx, or for the server's ack timeout when it has none. The error
// is ErrAckTimeout, ErrDisconnected, ErrTooManyAcks, ErrReserved, ctx's, or about
// encoding.
// It may be called in a handler of the same socket.
func (s *Socket) Ask(ctx context.Context, event string, args ...any) (Args, error) {
	return s.ask(ctx, adapter.Flags{}, 0, event, args)
}

func (s *Socket) ask(ctx context.Context, f adapter.Flags, timeout time.Duration, event string, args []any) (Args, error) {
	p, err := s.ns.event(event, args)
	if err != nil {
		return Args{}, err
	}
	p.HasID, p.ID = true, s.ns.nextAck()
	enc, err := s.conn.server.wire.format(f).Encode(&p)
	if err != nil {
		return Args{}, fmt.Errorf("ask %q: %w", event, err)
	}
	ctx, cancel := s.conn.server.ackDeadline(ctx, timeout)
	defer cancel()
	began := time.Now()
	answers := make(chan answer, 1)
	if err := s.await(p.ID, func(args packet.Args, ok bool) { answers <- answer{args, ok} }); err != nil {
		return Args{}, fmt.Errorf("ask %q: %w", event, err)
	}
	defer s.forget(p.ID)
	if h := s.ns.handlers.Load(); len(h.outgoing) > 0 {
		h.notify(s, &p)
	}
	s.conn.flow().out.Add(1)
	s.sent(&p)
	if s.conn.session.Send(s.conn.server.eventFlags(f), enc.messages...) {
		s.conn.session.Flush()
	}
	got, err := wait(ctx, answers)
	s.ns.acked(event, began, err)
	if err != nil {
		return Args{}, fmt.Errorf("ask %q: %w", event, err)
	}
	return Args{Args: got}, nil
}

// An answer is an acknowledgement, or that there is none.
type answer struct {
	args packet.Args
	ok   bool
}

func wait(ctx context.Context, answers <-chan answer) (packet.Args, error) {
	select {
	case a := <-answers:
		if !a.ok {
			return packet.Args{}, ErrDisconnected
		}
		return a.args, nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return packet.Args{}, ErrAckTimeout
		}
		return packet.Args{}, context.Cause(ctx)
	}
}

// Disconnect ends the socket: the client is told, and does not reconnect by
// itself. With closeConn the connection under it is closed as well, with all
// its sockets, after what has been sent. It does not wait for handlers.
func (s *Socket) Disconnect(closeConn bool) {
	if closeConn {
		s.conn.disconnect()
		return
	}
	s.close(ServerNamespaceDisconnect, nil, true)
}

// close ends the socket, the first time it is called: the state at once, the
// handlers when their turn in the inbox comes. discard says that the server
// itself ends it: events that wait are not handled, and the client is told.
func (s *Socket) close(reason Reason, err error, discard bool) {
	c := s.conn
	c.mu.Lock()
	was := s.state.Load()
	if was == socketClosed {
		c.mu.Unlock()
		return
	}
	s.state.Store(socketClosed)
	acks := s.acks
	s.acks = nil
	// Under the lock: disconnect handlers may rely on the context being over,
	// and who closes the session next on the client being told before.
	s.cancel(&DisconnectError{reason, err})
	flush := false
	if was == socketLive { // else its admission sees the state
		if discard {
			flush = c.queue(&packet.Packet{Type: packet.Disconnect, Namespace: s.ns.name}, 0)
		}
		s.end = &ending{reason, err, discard}
		s.start()
	}
	c.mu.Unlock()
	if flush {
		c.session.Flush()
	}
	c.flow().lost.Add(int64(len(acks)))
	for _, reply := range acks {
		reply(packet.Args{}, false)
	}
}

// finish is the last work of the inbox: observers, then disconnecting handlers,
// which still see the rooms, then disconnect handlers, which do not.
func (s *Socket) finish(end *ending) *inbound {
	in := &inbound{Context: context.WithoutCancel(s.ctx), socket: s}
	if list := s.conn.server.observers.load(); list != nil {
		s.ns.tell(list, func(o Observer) { o.Disconnected(s, end.reason) })
	}
	h := s.ns.handlers.Load()
	if len(h.disconnecting)+len(h.disconnect) > 0 {
		in.Context = s.traced(in.Context, "disconnect", Args{})
	}
	var err error // the first: they can only panic
	for _, f := range h.disconnecting {
		err = cmp.Or(err, s.leaving(in, "disconnecting", f, end.reason))
	}
	s.ns.remove(s)
	for _, f := range h.disconnect {
		err = cmp.Or(err, s.leaving(in, "disconnect", f, end.reason))
	}
	s.ended(in.Context, err)
	s.conn.release(s)
	return in
}

func (s *Socket) leaving(ctx context.Context, event string, f DisconnectHandler, reason Reason) error {
	began := s.clock()
	err := s.protect(func() error {
		f(ctx, s, reason)
		return nil
	})
	s.took(event, began, err)
	if err != nil {
		var panicked *PanicError
		errors.As(err, &panicked)
		s.log().Error("handler panicked", "socket", s.id, "event", event, "error", err, "stack", string(panicked.Stack))
	}
	return err
}

func (s *Socket) log() *slog.Logger {
	return s.conn.server.config.logger.With("namespace", s.ns.name)
}
