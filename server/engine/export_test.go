package engine

import "time"

// GateTotal is how many places at the gate are taken.
func GateTotal(s *Server) int {
	s.gate.mu.Lock()
	defer s.gate.mu.Unlock()
	return s.gate.total
}

// Conns is how many WebSocket connections the server knows.
func Conns(s *Server) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// NewID makes a session id.
func NewID() string { return newID() }

// PollWaits reports whether a poll waits.
func PollWaits(s *Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.poll != nil && s.poll.wake != nil
}

// Refused reports whether the kernel has refused to take more for the peer.
func Refused(s *Session) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ws.refused()
}

// Unsent is what waits for a WebSocket peer.
func Unsent(s *Session) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queued + int(s.ws.unsent.Load())
}

// Frame is a message's frame.
func Frame(m *Message, deflate bool) []byte { return m.frame(deflate) }

// Polled is a message as a packet of a polling payload.
func Polled(m *Message) []byte { return m.polled() }

// DelayTimer makes the heartbeat's timer look as if it would fire late by d.
func DelayTimer(s *Session, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due -= int64(d)
}
