package engine

import (
	"slices"
	"sync/atomic"
)

// Stats are counts of a [Server] at a moment. Each is exact; together they are
// not of one instant. What is cumulative counts from the server's making.
type Stats struct {
	Sessions int // sessions that are there, those on polling that are being closed included
	Polling  int // sessions that are open, on polling

	Opened int64 // sessions that were opened
	// Closed are the sessions that have ended, by reason. All the reasons of
	// this package are there; any other counts as ForcedClose.
	Closed map[Reason]int64

	// Packets that carry data, and the bytes of it: messages, text or binary,
	// without Engine.IO's type and the transport's framing, before compression.
	// What is sent counts when it is taken to be written.
	PacketsIn, BytesIn   int64
	PacketsOut, BytesOut int64

	VolatileDropped int64 // volatile messages that were not sent
	QueueDropped    int64 // droppable ones that found a full queue

	UpgradesBegun  int64 // WebSocket connections that were let in for an upgrade
	Upgrades       int64 // sessions that moved to WebSocket
	UpgradesFailed int64 // upgrades that came to nothing

	Refused int64 // requests that were refused
	// Refusals are those requests by cause: a few words in a fixed set, for the
	// labels of metrics.
	Refusals map[string]int64
}

// Stats returns the server's counts.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	n := len(s.sessions)
	s.mu.Unlock()
	stats := Stats{
		Sessions:        n,
		Polling:         int(s.counts.polling.Load()),
		Opened:          s.counts.opened.Load(),
		Closed:          make(map[Reason]int64, len(reasons)),
		VolatileDropped: s.counts.dropped.Load(),
		QueueDropped:    s.counts.overflowed.Load(),
		UpgradesBegun:   s.counts.upgradesBegun.Load(),
		Upgrades:        s.counts.upgrades.Load(),
		UpgradesFailed:  s.counts.upgradesFailed.Load(),
		Refusals:        make(map[string]int64, len(causes)),
	}
	for i, reason := range reasons {
		stats.Closed[reason] = s.counts.closed[i].Load()
	}
	for i, name := range causes {
		n := s.counts.refused[i].Load()
		stats.Refusals[name] = n
		stats.Refused += n
	}
	for i := range s.counts.flows {
		f := &s.counts.flows[i]
		stats.PacketsIn += f.packetsIn.Load()
		stats.BytesIn += f.bytesIn.Load()
		stats.PacketsOut += f.packetsOut.Load()
		stats.BytesOut += f.bytesOut.Load()
	}
	return stats
}

// Queues are what waits for peers at a moment.
type Queues struct {
	Sessions int   // that something waits for
	Bytes    int64 // of all of them
	Longest  int   // bytes of the one with the most
}

// Queues returns what waits to be written, in the sessions' queues and behind
// writes that the kernel has refused. It asks session after session: for every few
// seconds, not for every event.
func (s *Server) Queues() Queues {
	var q Queues
	for _, x := range s.list() {
		n := x.waiting()
		if n > 0 {
			q.Sessions++
			q.Bytes += int64(n)
			q.Longest = max(q.Longest, n)
		}
	}
	return q
}

func (s *Session) waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.queued
	if s.ws != nil {
		n += int(s.ws.unsent.Load())
	}
	return n
}

type counts struct {
	polling atomic.Int64
	opened  atomic.Int64
	closed  [len(reasons)]atomic.Int64

	dropped        atomic.Int64
	overflowed     atomic.Int64
	upgradesBegun  atomic.Int64
	upgrades       atomic.Int64
	upgradesFailed atomic.Int64
	refused        [len(causes)]atomic.Int64

	flows [flows]flow
}

// closes counts the end of a session.
func (c *counts) closes(reason Reason) {
	i := slices.Index(reasons[:], reason)
	if i < 0 {
		i = slices.Index(reasons[:], ForcedClose)
	}
	c.closed[i].Add(1)
}

// flows is among how many counters the sessions are spread: to count on one that
// all cores write costs more than anything else about a small message.
const flows = 16

// A flow counts what goes over some of the sessions, on a cache line of its own.
type flow struct {
	packetsIn, bytesIn   atomic.Int64
	packetsOut, bytesOut atomic.Int64
	_                    [32]byte
}

func (s *Session) flow() *flow { return &s.server.counts.flows[s.share%flows] }

// in counts a message that has come.
func (f *flow) in(size int) {
	f.packetsIn.Add(1)
	f.bytesIn.Add(int64(size))
}

// out counts what is about to be written: all of a write at once.
func (f *flow) out(l load) {
	if l.packets > 0 {
		f.packetsOut.Add(l.packets)
		f.bytesOut.Add(l.bytes)
	}
}

// A load is what the messages of a write carry. Packets of the engine's own carry
// nothing.
type load struct{ packets, bytes int64 }

func (l *load) add(m *Message) {
	if m.own {
		return
	}
	l.packets++
	l.bytes += int64(len(m.payload()))
	if !m.binary { // the packet's type is of the engine's
		l.bytes--
	}
}
