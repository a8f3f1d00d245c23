package server

import "context"

// A Tracer is told of handlers while they run, around them: what makes spans of
// them is one, see package otelparlor. Its methods are called where the handlers run,
// concurrently for different sockets, and return at once. A panic is recovered and
// logged.
type Tracer interface {
	// Begin is called before the handlers of an event run, middleware included. It
	// returns the context that they get, derived from ctx, and what is told of the
	// rest; a nil Trace is told nothing, and its context is not used.
	//
	// event and args are the event's; event is empty for one that no handler of its own
	// is registered for: clients make names up. For those that run when a socket
	// connects, all together, event is "connect", and for those of its end
	// "disconnect"; args are empty then, and no Begin is called where there are none.
	Begin(ctx context.Context, s *Socket, event string, args Args) (context.Context, Trace)
}

// A Trace is one run of the handlers of an event.
type Trace interface {
	// Acked: the acknowledgement has been queued for the client. It is called at most
	// once, from any goroutine, before End or after it.
	Acked()
	// End: the handlers have returned. err is theirs, a [*PanicError] where one
	// panicked.
	End(err error)
}

// WithTracer sets what is told of handlers while they run. Default: none, which
// costs nothing.
func WithTracer(t Tracer) Option { return func(c *config) { c.tracer = t } }

// A traced is the context of handlers that somebody traces.
type traced struct {
	context.Context
	trace Trace
}

// traced returns the context of handlers that are about to run.
func (s *Socket) traced(ctx context.Context, event string, args Args) context.Context {
	tracer := s.conn.server.config.tracer
	if tracer == nil {
		return ctx
	}
	t := &traced{}
	s.conn.server.guard(s.ns.name, "tracer", func() { t.Context, t.trace = tracer.Begin(ctx, s, event, args) })
	if t.trace == nil {
		return ctx
	}
	return t
}

// ended tells of the end of the handlers whose context it is.
func (s *Socket) ended(ctx context.Context, err error) {
	if t, ok := ctx.(*traced); ok {
		s.conn.server.guard(s.ns.name, "tracer", func() { t.trace.End(err) })
	}
}

// acked tells of an acknowledgement that a handler has sent, or somebody later.
func (s *Socket) acked(ctx context.Context) {
	if t, ok := ctx.(*traced); ok {
		s.conn.server.guard(s.ns.name, "tracer", t.trace.Acked)
	}
}
