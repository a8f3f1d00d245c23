package engine

import (
	"net/http"
	"sync"
	"sync/atomic"
)

// A Server holds sessions and serves the requests that make and carry them. It
// does not look at a request's path. All methods are safe for concurrent use.
type Server struct {
	// Static after New.
	opts Options
	gate *gate
	open string // the part of an open packet that follows the session id

	origins atomic.Pointer[origins]

	mu       sync.Mutex
	sessions map[string]*Session
	conns    map[*wsConn]struct{} // all that are open, probes and closing ones too
	draining bool                 // no new sessions
	closing  bool                 // and those that are there are being closed
	cutting  bool                 // Shutdown has lost its patience
	empty    chan struct{}        // closed, once, when there are no new sessions and no session is left

	// Counts the WebSocket connections, and the closers and flushers that run. It
	// is only added to under mu while not closing, or by one that it counts.
	running  sync.WaitGroup
	flushers flushers
	counts   counts

	hidden sync.Once // said that connections cannot be taken over
}

// New makes a server. It panics when Options.Open is missing.
func New(opts Options) *Server {
	if opts.Open == nil {
		panic("engine: Options.Open is required") //nolint:forbidigo // a program's mistake
	}
	opts = opts.withDefaults()
	s := &Server{
		opts:     opts,
		gate:     newGate(opts.Limits),
		sessions: make(map[string]*Session),
		conns:    make(map[*wsConn]struct{}),
		empty:    make(chan struct{}),
		open:     openSuffix(opts),
	}
	s.flushers.init(s)
	s.SetAllowedOrigins(opts.AllowedOrigins...)
	return s
}

// SetLimits puts other limits in the place of Options.Limits, for those that are
// connected too. Nobody is let go for it: where there are more than a limit allows
// now, new ones are refused until there are fewer.
func (s *Server) SetLimits(l Limits) { s.gate.set(l.withDefaults()) }

// Session returns the session with an id, for requests that did not come
// through ServeHTTP.
func (s *Server) Session(id string) (*Session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.sessions[id]
	return x, ok
}

// add puts a new session in, unless the server is closing, the id is taken or
// the session has ended already.
func (s *Server) add(x *Session) *refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return refuseClosing
	}
	if _, taken := s.sessions[x.id]; taken {
		return refuseRequest
	}
	if !x.removed {
		s.sessions[x.id] = x
	}
	return nil
}

// remove gives the place of a session that has ended back to the gate, and
// forgets it. Both under one lock: where Stats shows room, a client finds it.
func (s *Server) remove(x *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !x.removed {
		x.removed = true
		s.gate.leave(x.addr)
	}
	if s.sessions[x.id] == x {
		delete(s.sessions, x.id)
		s.checkEmpty()
	}
}

// checkEmpty notes the end of the last session. The caller holds mu.
func (s *Server) checkEmpty() {
	if !s.draining || len(s.sessions) > 0 {
		return
	}
	select {
	case <-s.empty: // by another call
	default:
		close(s.empty)
	}
}

// refuse answers a request that is not served.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, f *refusal) {
	s.counts.refused[f.cause].Add(1)
	s.opts.Logger.DebugContext(r.Context(), "request refused", "status", f.status, "code", f.code, "reason", f.message)
	f.write(w)
}
