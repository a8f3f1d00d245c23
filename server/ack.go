package server

import (
	"context"
	"time"

	"github.com/seed3686fee0/parlor/server/packet"
)

// await registers who is told of an acknowledgement.
func (s *Socket) await(id uint64, reply func(packet.Args, bool)) error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if !s.live() {
		return ErrDisconnected
	}
	if over(len(s.acks)+1, s.conn.server.limits.Load().PendingAcks) {
		return ErrTooManyAcks
	}
	if s.acks == nil {
		s.acks = make(map[uint64]func(packet.Args, bool))
	}
	s.acks[id] = reply
	s.conn.flow().asked.Add(1)
	return nil
}

// resolve takes a client's acknowledgement, on the session's reader. One that
// nobody waits for is ignored, and counts as an event.
func (s *Socket) resolve(id uint64, args packet.Args) {
	s.conn.mu.Lock()
	reply := s.acks[id]
	delete(s.acks, id)
	s.conn.mu.Unlock()
	if reply != nil {
		s.conn.flow().answered.Add(1)
		reply(args, true)
		return
	}
	s.conn.server.counts.strayAcks.Add(1)
	if l := s.conn.server.limits.Load(); rated(l) {
		s.conn.affords(l, 1, 0)
	}
}

func (s *Socket) forget(id uint64) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if _, waits := s.acks[id]; waits {
		delete(s.acks, id)
		s.conn.flow().timedOut.Add(1)
	}
	if len(s.acks) == 0 {
		s.acks = nil
	}
}

// ackDeadline gives a context the time that an acknowledgement may take, when
// it has no deadline of its own.
func (s *Server) ackDeadline(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout > 0 {
		return context.WithTimeout(ctx, timeout)
	}
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, s.config.ackTimeout)
}
