package engine

import "sync"

// helpThreshold is how many unwritten bytes make an emitter help to write.
const helpThreshold = 64 << 10

// messageCost is what a queued message takes beside its bytes, so that a bound
// in bytes holds for tiny messages too.
const messageCost = 64

var batches = sync.Pool{New: func() any { b := make([]*Message, 0, 16); return &b }}

// Flags of [Session.Send].
type Flags uint8

// Volatile messages are not queued: they are dropped, and counted, unless they
// can be written at once.
const Volatile Flags = 1

// Droppable messages are dropped, and counted, where they find the peer's queue
// full, which otherwise ends the session.
const Droppable Flags = 2

// Send queues messages, to be written one after another with nothing between
// them. It never blocks. It reports whether so much is unwritten that the
// caller should call [Session.Flush] once it holds no locks. A peer that does
// not take what is sent to it is let go with SlowConsumer when what waits for
// it is over Options.MaxQueue, unless the messages are Droppable.
func (s *Session) Send(f Flags, messages ...*Message) (flush bool) {
	s.mu.Lock()
	if s.state.Load() != stateOpen || s.slowed {
		s.mu.Unlock()
		return false
	}
	if f&Volatile != 0 && !s.writable() {
		s.mu.Unlock()
		s.server.counts.dropped.Add(1)
		return false
	}
	if s.full(messages) {
		if f&Droppable != 0 {
			s.mu.Unlock()
			s.server.counts.overflowed.Add(1)
			return false
		}
		s.slow()
		s.mu.Unlock()
		return false
	}
	for _, m := range messages {
		s.push(m)
	}
	s.wake()
	flush = s.ws != nil && s.queued > helpThreshold
	s.mu.Unlock()
	return flush
}

// writable reports whether a message would be written at once: nothing is
// queued, no write is under way, and, when polling, a poll is waiting. The
// caller holds mu.
func (s *Session) writable() bool {
	if s.first != nil {
		return false
	}
	if s.ws != nil {
		return !s.ws.writing
	}
	return s.poll.wake != nil
}

// push appends to the queue. The caller holds mu.
func (s *Session) push(m *Message) {
	s.queued += m.cost()
	if s.first == nil {
		s.first = m
		return
	}
	if s.queue == nil {
		s.queue = *batches.Get().(*[]*Message)
	}
	s.queue = append(s.queue, m)
}

// full reports whether messages, which belong together, are too much for the
// queue. What counts is what waits behind a write that the kernel has refused,
// or for a poll, and not what a writer has not got to yet: a peer that reads
// is never let go in a burst. Messages larger than the bound may enter an
// empty queue. The caller holds mu.
func (s *Session) full(messages []*Message) bool {
	waiting := s.queued
	switch {
	case s.ws == nil && s.poll.wake != nil:
		return false
	case s.ws != nil && !s.ws.refused():
		return false
	case s.ws != nil:
		waiting += int(s.ws.unsent.Load())
	}
	if waiting == 0 {
		return false
	}
	for _, m := range messages {
		waiting += m.cost()
	}
	return waiting > s.server.opts.MaxQueue
}

// slow ends the session of a peer that does not read. The end itself runs on a
// goroutine of its own, since the caller may be in the middle of a broadcast.
// The caller holds mu.
func (s *Session) slow() {
	s.slowed = true
	s.drop()
	if !s.server.start() {
		return // Shutdown is closing it
	}
	go func() {
		defer s.server.running.Done()
		s.endSlow()
	}()
}

func (s *Session) endSlow() {
	s.end(SlowConsumer, nil, closing{fault: true, code: 1008})
	s.mu.Lock()
	w := s.ws
	s.mu.Unlock()
	if w != nil {
		w.cut()
	}
}

// drop discards the queue. The caller holds mu.
func (s *Session) drop() {
	s.first = nil
	recycle(s.queue)
	s.queue, s.queued = nil, 0
}

func recycle(b []*Message) {
	if cap(b) == 0 || cap(b) > 4096 {
		return
	}
	clear(b)
	b = b[:0]
	batches.Put(&b)
}

// wake gets what is queued, or the end, to the peer: it starts the writer or
// lets the waiting poll go. The caller holds mu.
func (s *Session) wake() {
	if s.ws == nil {
		if s.poll.wake != nil {
			close(s.poll.wake)
			s.poll.wake = nil
		}
		return
	}
	w := s.ws
	if !w.writing && !w.closeWritten && (s.first != nil || w.pong != nil || w.closeFrame != nil) {
		w.writing = true
		if w.raw != nil {
			s.server.flushers.add(s)
		} else {
			startWriter(s, w)
		}
	}
}
