package server

import (
	"sync/atomic"
	"time"
)

// Stats are counts of a server at a moment. Each is exact; together they are not
// of one instant. What is cumulative counts from the server's making.
type Stats struct {
	Connections     int   // Engine.IO sessions
	Sockets         int   // over all namespaces
	Namespaces      int   // dynamic ones included
	VolatileDropped int64 // volatile messages that were not sent
	QueueDropped    int64 // events that found a full queue; see WithDropWhenFull
	Upgrades        int64 // connections that moved to WebSocket
	Refused         int64 // requests that were refused
	Panics          int64 // of handlers, recovered
	RateLimited     int64 // packets of clients that came faster than the limits allow

	EventsIn      int64 // events of clients that were let into an inbox
	EventsWaiting int   // those that are still there
	EventsOut     int64 // events emitted here, a broadcast once; the engine's PacketsOut are what clients got

	// Acknowledgements that clients were asked for. Those that are neither
	// answered, timed out nor lost are awaited.
	AcksAsked    int64
	AcksAnswered int64
	AcksTimedOut int64 // given up: the time was up, or who asked did not want to know any more
	AcksLost     int64 // the client went without an answer
	StrayAcks    int64 // that came and nobody waited for
}

// Stats returns the server's counts. Those of the engine alone, of traffic and of
// how connections end say, are [Server.Engine]'s.
func (s *Server) Stats() Stats {
	e := s.engine.Stats()
	stats := Stats{
		Connections:     e.Sessions,
		VolatileDropped: e.VolatileDropped,
		QueueDropped:    e.QueueDropped,
		Upgrades:        e.Upgrades,
		Refused:         e.Refused,
		Panics:          s.counts.panics.Load(),
		RateLimited:     s.counts.limited.Load(),
		StrayAcks:       s.counts.strayAcks.Load(),
	}
	for _, ns := range s.list() {
		stats.Namespaces++
		stats.Sockets += ns.Count()
	}
	for i := range s.counts.flows {
		f := &s.counts.flows[i]
		taken := f.taken.Load() // before in: it is never ahead
		in := f.in.Load()
		stats.EventsIn += in
		stats.EventsWaiting += int(in - taken)
		stats.EventsOut += f.out.Load()
		stats.AcksAsked += f.asked.Load()
		stats.AcksAnswered += f.answered.Load()
		stats.AcksTimedOut += f.timedOut.Load()
		stats.AcksLost += f.lost.Load()
	}
	return stats
}

type counts struct {
	panics    atomic.Int64
	strayAcks atomic.Int64
	limited   atomic.Int64

	conns atomic.Uint32 // that there have been
	flows [flows]flow
}

// flows is among how many counters connections are spread: one that all cores
// write costs more than the counting.
const flows = 16

// A flow counts the events of some of the connections, on a cache line of its own.
type flow struct {
	in, taken, out                  atomic.Int64 // events
	asked, answered, timedOut, lost atomic.Int64 // acknowledgements
	_                               [8]byte
}

func (c *conn) flow() *flow { return &c.server.counts.flows[c.share%flows] }

// clock is when a handler begins, if somebody wants to know how long it takes.
func (s *Socket) clock() (began time.Time) {
	if s.conn.server.config.handlerTime != nil {
		began = time.Now()
	}
	return began
}

// took tells how long a handler took.
func (s *Socket) took(event string, began time.Time, err error) {
	if f := s.conn.server.config.handlerTime; f != nil {
		d := time.Since(began)
		s.conn.server.guard(s.ns.name, "handler time", func() { f(s.ns.name, event, d, err) })
	}
}

// acked tells how long an acknowledgement took.
func (ns *Namespace) acked(event string, began time.Time, err error) {
	if f := ns.server.config.ackTime; f != nil {
		d := time.Since(began)
		ns.server.guard(ns.name, "acknowledgement time", func() { f(ns.name, event, d, err) })
	}
}
