//go:build !unix

package redistest

// Stop skips the test: here no signal keeps a process from doing anything.
func (s *Server) Stop() {
	s.t.Helper()
	s.t.Skip("processes cannot be stopped on this system")
}

// Continue ends Stop.
func (s *Server) Continue() {}
