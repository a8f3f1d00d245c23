package server

import (
	"context"
	"errors"

	"github.com/seed3686fee0/parlor/server/packet"
)

// admit lets the client into a namespace, or refuses it. It is the first work
// of the socket's inbox.
func (s *Socket) admit(name string) {
	c := s.conn
	if s.ns == nil {
		s.ns = c.server.match(name, s.auth)
	}
	if s.ns == nil {
		s.reject(name, invalidNamespace, nil)
		return
	}
	passed, err := s.pass()
	if err != nil {
		message, data := err.Error(), any(nil)
		var refused *ConnectError
		var panicked *PanicError
		switch {
		case errors.As(err, &refused):
			message, data = refused.Message, refused.Data
		case errors.As(err, &panicked):
			s.log().Error("middleware panicked", "error", err, "stack", string(panicked.Stack))
			message = "internal error"
		case errors.Is(err, errNoNext):
			s.log().Error("socket refused", "error", err)
			message = "internal error"
		}
		s.ns.release()
		s.reject(name, message, data)
		return
	}
	if passed != s.ctx {
		s.ctx = &identity{Context: s.ctx, values: passed}
	}
	if !s.enter() { // its connection has ended, or middleware has disconnected it
		s.reject(name, ErrDisconnected.Error(), nil)
		return
	}
	in := &inbound{Context: s.ctx, socket: s}
	s.welcome(in)
	if s.mine(in) {
		s.work()
	}
}

// pass runs the connect middleware, and returns the context that came through.
func (s *Socket) pass() (passed context.Context, err error) {
	a := &admission{Context: s.ctx}
	err = s.protect(func() error { return nextConnect(nil)(a, s) })
	switch {
	case err == nil && a.passed == nil:
		err = errNoNext
	case a.passed == context.Context(a): // nothing was put into it
		return s.ctx, err
	}
	return a.passed, err
}

// An admission is the context that connect middleware begins with, and what
// has come out of it.
type admission struct {
	context.Context
	passed context.Context
}

type admissionKey struct{}

// Value implements context.Context.
func (a *admission) Value(key any) any {
	if _, ok := key.(admissionKey); ok {
		return a
	}
	return a.Context.Value(key)
}

// admitted is what the last middleware calls.
func admitted(ctx context.Context) error {
	if a, ok := ctx.Value(admissionKey{}).(*admission); ok {
		a.passed = ctx
	}
	return nil
}

// enter makes the socket live, unless its connection has ended meanwhile:
// known to the adapter, in its own room, and then, before anything else is sent,
// told so.
func (s *Socket) enter() bool {
	c := s.conn
	data := s.data.Load() // as all know it who come to observe from here on
	observed := c.server.observers.load()
	s.ns.adapter.Add((*member)(s))
	s.settle()
	told, moved := false, false
	for {
		c.mu.Lock()
		switch {
		case s.state.Load() != socketConnecting:
			c.mu.Unlock()
			s.vanish(told)
			return false
		case observed != nil && !told:
			// While nothing reaches the socket yet and nothing comes from it.
			moved = c.moved
			c.mu.Unlock()
			s.ns.tell(observed, func(o Observer) { o.Connected(s) })
			told = true
			continue
		}
		break
	}
	args, err := packet.NewArgs(connected(s.id))
	must(err)
	c.admit()
	// Under the lock, so that nothing that makes a socket live known gets its
	// packets in front of this one.
	flush := c.queue(&packet.Packet{Type: packet.Connect, Namespace: s.ns.name, Args: args}, 0)
	changed := s.data.Load() != data // while SetData told nobody
	s.state.Store(socketLive)
	moved = told && !moved && c.moved // after Connected, and before the socket counted as live
	c.mu.Unlock()
	if flush {
		c.session.Flush()
	}
	if moved {
		s.ns.tell(observed, func(o Observer) { o.Upgraded(s) })
	}
	if changed {
		s.ns.tell(c.server.observers.load(), func(o Observer) { o.DataChanged(s) })
	}
	return true
}

// vanish takes a socket back whose connection has ended before it was live; told
// says that observers know of it.
func (s *Socket) vanish(told bool) {
	if list := s.conn.server.observers.load(); told && list != nil {
		var reason Reason
		if cause, ok := errors.AsType[*DisconnectError](context.Cause(s.ctx)); ok { // as whatever ends a socket leaves it
			reason = cause.Reason
		}
		s.ns.tell(list, func(o Observer) { o.Disconnected(s, reason) })
	}
	s.ns.remove(s)
}

// welcome runs the connect handlers; an error disconnects the socket.
func (s *Socket) welcome(in *inbound) {
	list := s.ns.handlers.Load().connect
	if len(list) == 0 {
		return
	}
	in.Context = s.traced(s.ctx, "connect", Args{})
	s.ended(in.Context, s.greet(in, list))
}

// greet runs connect handlers until one fails.
func (s *Socket) greet(in *inbound, list []ConnectHandler) error {
	for _, f := range list {
		began := s.clock()
		err := s.protect(func() error { return f(in, s) })
		s.took("connect", began, err)
		if err == nil {
			continue
		}
		if panicked, ok := errors.AsType[*PanicError](err); ok {
			s.log().Error("handler panicked", "socket", s.id, "event", "connect", "error", err, "stack", string(panicked.Stack))
		} else {
			s.log().Error("handler failed", "socket", s.id, "event", "connect", "error", err)
		}
		s.Disconnect(false)
		return err
	}
	return nil
}

// reject ends the admission with CONNECT_ERROR.
func (s *Socket) reject(name, message string, data any) {
	c := s.conn
	c.mu.Lock()
	s.state.Store(socketClosed)
	c.mu.Unlock()
	s.cancel(&DisconnectError{Reason: ServerNamespaceDisconnect})
	c.refuse(name, message, data) // before there is a place for the next try
	c.release(s)
	c.rested()
	c.server.running.done()
}

// connected is the payload of the CONNECT that answers the client's.
type connected string

func (c connected) AppendJSON(dst []byte) ([]byte, error) {
	dst = append(dst, `{"sid":"`...)
	dst = append(dst, c...) // base64url
	return append(dst, `"}`...), nil
}

// An identity is a socket's context with the values that its middleware has
// put into another, which may be over already.
type identity struct {
	context.Context
	values context.Context
}

// Value implements context.Context. The socket's own context comes first: the
// context package finds the way to its cancellation by a value.
func (c *identity) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.values.Value(key)
}
