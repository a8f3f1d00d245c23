package server

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	"github.com/seed3686fee0/parlor/server/packet"
)

// An inbound is one event of a client on its way through its handlers. It is
// the handlers' context too: that of the socket, and a way back to the event.
type inbound struct {
	context.Context // the socket's; set when the event's turn comes
	socket          *Socket
	packet          *packet.Packet
	size            int
	acked           atomic.Bool
	run             run
}

// A run is one handler at work. Guarded by conn.mu.
type run struct {
	detached bool // the socket's inbox goes on without it
	excused  bool // Shutdown does not wait for it
	over     bool // it has returned: its context no longer stands for it
}

type runKey struct{}

// current is what a handler's context has of its run.
type current struct {
	socket *Socket
	run    *run
}

// Value implements context.Context.
func (in *inbound) Value(key any) any {
	if _, ok := key.(runKey); ok {
		return current{in.socket, &in.run}
	}
	return in.Context.Value(key)
}

func (in *inbound) name() string { return in.packet.Name() }

func (in *inbound) wantsAck() (wanted, sent bool) { return in.packet.HasID, in.acked.Load() }

// ack sends the acknowledgement of the event, if it is the first.
func (in *inbound) ack(args packet.Args) error {
	if in.acked.Swap(true) || !in.socket.live() {
		return nil
	}
	s := in.socket
	p := &packet.Packet{Type: packet.Ack, Namespace: s.ns.name, HasID: true, ID: in.packet.ID, Args: args}
	s.conn.send(p, 0)
	s.acked(in.Context)
	return nil
}

// enqueue puts an event into its socket's inbox. When the connection's inboxes
// are full it waits, and with it the session's reader.
func (c *conn) enqueue(in *inbound) {
	o := &c.server.config
	c.mu.Lock()
	for c.pending > 0 && (c.pending >= o.inboxEvents || c.bytes+in.size > o.inboxBytes) {
		if c.closed {
			c.mu.Unlock()
			return
		}
		space := make(chan struct{})
		c.space = space
		c.mu.Unlock()
		<-space
		c.mu.Lock()
	}
	s := in.socket
	if !s.live() || c.leaving {
		c.mu.Unlock()
		return
	}
	c.flow().in.Add(1)
	c.pending++
	c.bytes += in.size
	s.inbox = append(s.inbox, in)
	s.start()
	c.mu.Unlock()
}

// start gets the inbox going. The caller holds conn.mu.
func (s *Socket) start() {
	if !s.running {
		s.running = true
		s.conn.server.running.add()
		s.conn.server.workers.run(job{socket: s})
	}
}

// work handles what is in the inbox, and ends when it is empty.
func (s *Socket) work() {
	c := s.conn
	for {
		c.mu.Lock()
		in, end := s.next()
		if in == nil && end == nil {
			s.running = false
			leaving := c.leaving
			c.mu.Unlock()
			if leaving {
				c.rested()
			}
			c.server.running.done()
			return
		}
		c.mu.Unlock()
		if end != nil {
			in = s.finish(end)
		} else {
			s.handle(in)
		}
		if !s.mine(in) {
			return
		}
	}
}

// mine settles the count of goroutines after a handler that may have detached
// itself, or have called Shutdown. It reports whether the inbox is still this
// goroutine's.
func (s *Socket) mine(in *inbound) bool {
	c := s.conn
	c.mu.Lock()
	detached, excused := in.run.detached, in.run.excused
	in.run.over = true
	if detached {
		c.detached--
	}
	leaving := c.leaving
	c.mu.Unlock()
	if leaving && detached {
		c.rested()
	}
	switch {
	case detached && !excused:
		c.server.running.done()
	case excused && !detached:
		c.server.running.add() // the place that Shutdown was not to wait for
	}
	return !detached
}

// next takes the next event, or the end of the socket. Where the server itself
// has ended the socket, no event follows. The caller holds conn.mu.
func (s *Socket) next() (*inbound, *ending) {
	c := s.conn
	for len(s.inbox) > 0 {
		in := s.inbox[0]
		s.inbox[0] = nil
		s.inbox = s.inbox[1:]
		if len(s.inbox) == 0 {
			s.inbox = nil
		}
		c.flow().taken.Add(1)
		c.pending--
		c.bytes -= in.size
		// Not at once: a reader that is woken for one event is soon to wait again.
		if c.space != nil && c.pending <= c.server.config.inboxEvents/2 && c.bytes <= c.server.config.inboxBytes/2 {
			close(c.space)
			c.space = nil
		}
		if s.end != nil && s.end.discard {
			continue
		}
		return in, nil
	}
	end := s.end
	s.end = nil
	return nil, end
}

// handle runs the handlers of an event.
func (s *Socket) handle(in *inbound) {
	h := s.ns.handlers.Load()
	args := Args{in.packet.Args.Slice(1), in}
	in.Context = s.ctx
	if s.conn.server.config.tracer != nil {
		in.Context = s.traced(s.ctx, h.known(in.name()), args)
	}
	began := s.clock()
	err := s.protect(func() error { return h.dispatch(in, s, args) })
	if !began.IsZero() {
		s.took(h.known(in.name()), began, err)
	}
	if err != nil {
		s.failed(in, err)
	}
	s.ended(in.Context, err)
}

// protect turns a panic into an error.
func (s *Socket) protect(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.conn.server.counts.panics.Add(1)
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return f()
}

// failed tells the log of a handler's error, and the client where it is meant
// for it.
func (s *Socket) failed(in *inbound, err error) {
	name := in.packet.Name()
	var told *ClientError
	var panicked *PanicError
	switch {
	case errors.As(err, &told):
		s.log().Debug("event refused", "socket", s.id, "event", name, "error", err)
	case errors.As(err, &panicked):
		s.log().Error("handler panicked", "socket", s.id, "event", name, "error", err, "stack", string(panicked.Stack))
		told = &ClientError{Code: "internal", Message: "internal error"}
		if !in.packet.HasID {
			return
		}
	case err == ErrNoAck && !in.packet.HasID: //nolint:errorlint // joined with another error it is none of the client's
		s.log().Debug("acknowledgement is not waited for", "socket", s.id, "event", name)
		return
	default:
		s.log().Error("handler failed", "socket", s.id, "event", name, "error", err)
		return
	}
	if in.packet.HasID {
		args, err := packet.NewArgs(clientError{told.Code, told.Message})
		if err == nil {
			err = in.ack(args)
		}
		if err != nil { // two strings
			s.log().Error("error cannot be sent", "socket", s.id, "event", name, "error", err)
		}
		return
	}
	if err := s.Emit("error", errorEvent{told.Code, told.Message, name}); err != nil { // three strings
		s.log().Error("error cannot be sent", "socket", s.id, "event", name, "error", err)
	}
}

// Detach lets the next event of the socket start while the handler that ctx
// belongs to goes on. Its context is still the socket's. It does nothing for
// another context, when it has been called before, and after the handler.
func Detach(ctx context.Context) {
	cur, ok := ctx.Value(runKey{}).(current)
	if !ok {
		return
	}
	s := cur.socket
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if cur.run.detached || cur.run.over {
		return
	}
	cur.run.detached = true
	s.conn.detached++
	s.conn.server.running.add()
	s.conn.server.workers.run(job{socket: s})
}

// excuse keeps Shutdown from waiting for the handler that calls it. It returns
// the context to wait with: the handler's own ends with its socket, which is
// what Shutdown begins with.
func (s *Server) excuse(ctx context.Context) (context.Context, context.CancelFunc) {
	cur, ok := ctx.Value(runKey{}).(current)
	if !ok || cur.socket.conn.server != s {
		return ctx, func() {}
	}
	cur.socket.conn.mu.Lock()
	first := !cur.run.excused && !cur.run.over
	cur.run.excused = true
	cur.socket.conn.mu.Unlock()
	if first {
		s.running.done()
	}
	own := context.WithoutCancel(ctx)
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(own, deadline)
	}
	return own, func() {}
}

// errNoNext: a connect middleware has neither called the next one nor refused.
var errNoNext = fmt.Errorf("middleware returned nil without calling next")
