package engine

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
