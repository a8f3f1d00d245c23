package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/engine"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A Server is a Socket.IO server. It is an [http.Handler] for its path; all its
// methods are safe for concurrent use.
type Server struct {
	// Static.
	config  config
	since   time.Time // it was made
	engine  *engine.Server
	wire    *wire
	decoder func() packet.MessageDecoder

	workers *workers
	running tracker // inboxes at work
	counts  counts

	limits    atomic.Pointer[Limits]
	observers observers
	describe  atomic.Pointer[[]func(*Socket, *adapter.SocketInfo)] // replaced under mu

	mu         sync.Mutex
	namespaces map[string]*Namespace
	patterns   []*pattern
	dynamic    int // namespaces that patterns have made
	made       int // namespaces that there have been
}

// New makes a server. It panics when an option makes no sense.
func New(options ...Option) *Server {
	c := defaults()
	for _, o := range options {
		o(&c)
	}
	if c.logger == nil {
		c.logger = slog.Default()
	}
	s := &Server{config: c, since: time.Now(), workers: newWorkers(), namespaces: make(map[string]*Namespace)}
	limits := c.limits.withDefaults()
	s.limits.Store(&limits)
	e := c.engine
	e.Open = s.open
	e.UnadmittedPayload = maxConnect
	e.Limits = limits.Engine
	e.Logger = c.logger
	s.engine = engine.New(e)
	s.wire = newWire(c.parser)
	s.decoder = c.parser.Decoders(packet.Limits{MaxBytes: e.MaxPayload})
	s.Of("/") // clients may always connect to it
	return s
}

// ServeHTTP serves the server's path, matched exactly, and the client's files
// below it where they are configured. Anything else is not found.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.Path, s.config.path)
	switch {
	case !ok || r.URL.RawPath != "":
		http.NotFound(w, r)
	case rest == "":
		s.engine.ServeHTTP(w, r)
	case !s.serveBundle(w, r, rest):
		http.NotFound(w, r)
	}
}

// Path is the path of the endpoint, with its trailing slash.
func (s *Server) Path() string { return s.config.path }

// Engine is the Engine.IO server under this one.
func (s *Server) Engine() *engine.Server { return s.engine }

// SetLimits puts other limits in the place of those of [WithLimits], for what is
// connected too: from the next packet, room or handshake on. Nobody is let go for it,
// and no room is left: where there is more than a limit allows now, no more is added
// until there is less. A packet that waits for the old rate waits for it to the end.
func (s *Server) SetLimits(l Limits) {
	l = l.withDefaults()
	s.limits.Store(&l)
	s.engine.SetLimits(l.Engine)
}

// SetAllowedOrigins puts others in the place of those of [WithAllowedOrigins], for
// requests that come from now on: an open WebSocket stays open, a poll of a page that
// may not come any more is refused.
func (s *Server) SetAllowedOrigins(origins ...string) { s.engine.SetAllowedOrigins(origins...) }

// Namespaces returns the namespaces that there are, those of patterns included,
// in the order in which they were made.
func (s *Server) Namespaces() []*Namespace {
	list := s.list()
	slices.SortFunc(list, func(a, b *Namespace) int { return a.serial - b.serial })
	return list
}

func (s *Server) list() []*Namespace {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Namespace, 0, len(s.namespaces))
	for _, ns := range s.namespaces {
		list = append(list, ns)
	}
	return list
}

// Shutdown ends the server: new clients are refused, those that are there see
// their connection closed after what has been sent, and disconnect handlers
// run with ServerShuttingDown. It returns when all that the server has started
// has ended, but for a handler that calls it with its own context, or with
// ctx's error when that ends first; of a handler's context only the deadline
// counts. It does not close listeners.
func (s *Server) Shutdown(ctx context.Context) error {
	ctx, cancel := s.excuse(ctx)
	defer cancel()
	errs := []error{s.engine.Shutdown(ctx), s.running.wait(ctx)}
	s.workers.end()
	for _, ns := range s.list() {
		errs = append(errs, ns.adapter.Close())
	}
	return errors.Join(errs...)
}

// guard runs a hook of the application that has no error to return.
func (s *Server) guard(namespace, event string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			s.counts.panics.Add(1)
			s.config.logger.Error("handler panicked", "namespace", namespace, "event", event,
				"error", &PanicError{Value: v}, "stack", string(debug.Stack()))
		}
	}()
	f()
}
