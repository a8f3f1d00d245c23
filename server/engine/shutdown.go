package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// cutTimeout is how long goroutines may take to end once their connections
// are cut: they do so at once, unless a receiver does not return.
const cutTimeout = time.Second

var errReceivers = errors.New("engine: receivers have not returned")

// Draining reports whether new sessions are refused, after Drain or Shutdown.
func (s *Server) Draining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// start counts a goroutine in; it reports false when the server is closing.
func (s *Server) start() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.running.Add(1)
	return true
}

// track makes a connection that start has counted known to Shutdown.
func (s *Server) track(w *wsConn) {
	s.mu.Lock()
	s.conns[w] = struct{}{}
	cut := s.cutting
	s.mu.Unlock()
	if cut {
		w.cut()
	}
}

// done ends what start has begun for a connection.
func (s *Server) done(w *wsConn) {
	s.mu.Lock()
	delete(s.conns, w)
	s.mu.Unlock()
	s.running.Done()
}

// Drain refuses new sessions from now on, 503 with Retry-After, and returns those
// that are there: they go on until they are closed, with ServerShuttingDown. drained
// is closed when none is left. A session that polls is left for 3 seconds after its
// close at most, or after Drain if it was closed before, whether or not it has
// fetched what it was sent.
func (s *Server) Drain() (sessions []*Session, drained <-chan struct{}) {
	s.mu.Lock()
	s.draining = true
	s.checkEmpty()
	s.mu.Unlock()
	sessions = s.list()
	for _, x := range sessions {
		x.hasten()
	}
	return sessions, s.empty
}

// Shutdown refuses new sessions, closes those that are open with
// ServerShuttingDown, and waits until all receivers have been told and every
// goroutine of the engine has ended: what is queued is written, WebSocket peers
// have answered the close frame and polling peers, for 3 seconds at most, have
// fetched their close packet, so connections that are kept alive have to be
// served until Shutdown has returned. When ctx ends first, what is left is cut and
// ctx's error is returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining, s.closing = true, true
	s.checkEmpty()
	s.mu.Unlock()
	for _, x := range s.list() {
		x.Close(ServerShuttingDown)
		x.hasten()
	}
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	grace := time.NewTimer(closeTimeout)
	defer grace.Stop()
	select {
	case <-s.empty:
	case <-grace.C:
		s.abandon()
		select {
		case <-s.empty: // all receivers have been told
		case <-ctx.Done():
		}
	case <-ctx.Done():
	}
	select {
	case <-ended:
		if s.Stats().Sessions == 0 {
			return nil
		}
	case <-ctx.Done():
	}
	s.abandon()
	s.cut()
	grace.Reset(cutTimeout)
	select {
	case <-ended:
		if s.Stats().Sessions == 0 {
			return context.Cause(ctx)
		}
	case <-grace.C:
	}
	return errors.Join(context.Cause(ctx), errReceivers)
}

// list returns the sessions that there are.
func (s *Server) list() []*Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.sessions))
}

// abandon ends the sessions that nobody polls.
func (s *Server) abandon() {
	for _, x := range s.list() {
		x.abort()
	}
}

// cut ends all connections, those to come included.
func (s *Server) cut() {
	s.mu.Lock()
	s.cutting = true
	left := make([]*wsConn, 0, len(s.conns))
	for w := range s.conns {
		left = append(left, w)
	}
	s.mu.Unlock()
	for _, w := range left {
		w.cut()
	}
}
