package engine

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// request is what the engine reads from a request's query.
type request struct {
	transport string
	sid       string
	eio4      bool
	websocket bool // it asks for an upgrade of the connection to WebSocket
}

// ServeHTTP serves a handshake, a poll, a POST or an upgrade, or refuses it.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.opts.Headers != nil {
		s.opts.Headers(w.Header(), r)
	}
	from := s.origins.Load()
	if f := admissible(r, from); f != nil {
		s.refuse(w, r, f)
		return
	}
	if len(r.TransferEncoding) > 0 {
		// Clients of this protocol declare a length. One that does not may have
		// declared both, which is how a request is smuggled past a proxy: what
		// follows is not taken for another request.
		w.Header().Set("Connection", "close")
	}
	if r.Method == http.MethodOptions {
		preflight(w, r, from)
		return
	}
	if from.cors != nil {
		from.cors.HandlerFunc(w, r)
	}
	q, f := s.parse(r)
	if f == nil {
		f = s.route(w, r, q)
	}
	if f != nil {
		s.refuse(w, r, f)
	}
}

const (
	maxURL     = 16 << 10
	maxHeaders = 200
)

// admissible is what is asked of any request. Its size is net/http's to limit
// while it is read; what is served here needs far less.
func admissible(r *http.Request, from *origins) *refusal {
	fields := 0
	for _, values := range r.Header {
		fields += len(values)
	}
	switch {
	case len(r.RequestURI) > maxURL:
		return refuseURL
	case fields > maxHeaders:
		return refuseHeader
	case !from.allow(r):
		return refuseOrigin
	}
	return nil
}

// preflight answers OPTIONS: with CORS headers where they are configured.
func preflight(w http.ResponseWriter, r *http.Request, from *origins) {
	if from.cors != nil && r.Header.Get("Access-Control-Request-Method") != "" {
		from.cors.HandlerFunc(w, r)
		return
	}
	w.Header().Set("Allow", refuseVerb.value)
	w.WriteHeader(http.StatusNoContent)
}

// parse reads the query. A parameter that decides something must stand there
// once: whoever reads the first and whoever reads the last would not agree.
func (s *Server) parse(r *http.Request) (q request, f *refusal) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return q, refuseRequest
	}
	for _, name := range []string{"EIO", "transport", "sid"} {
		if len(query[name]) > 1 {
			return q, refuseRequest
		}
	}
	q.transport = query.Get("transport")
	q.sid = query.Get("sid")
	q.eio4 = query.Get("EIO") == "4"
	q.websocket = hasToken(r.Header, "Upgrade", "websocket")
	if !slices.Contains(s.opts.Transports, q.transport) {
		return q, refuseTransport
	}
	if query.Has("j") { // JSONP, of Engine.IO 3: a script with the session's data
		return q, refuseRequest
	}
	return q, nil
}

// route hands a request to what serves it; a refusal means that nothing has
// been written.
func (s *Server) route(w http.ResponseWriter, r *http.Request, q request) *refusal {
	if q.sid == "" {
		return s.handshake(w, r, q)
	}
	x, ok := s.Session(q.sid)
	if !ok {
		if s.opts.UnknownSession != nil && s.opts.UnknownSession(w, r, q.sid) {
			return nil
		}
		if !s.gate.guess(bucket(s.ClientAddr(r))) {
			return refuseGuess
		}
		return refuseSession
	}
	if q.websocket != (q.transport == WebSocket) || !q.eio4 {
		return refuseRequest
	}
	if q.transport == WebSocket {
		return s.upgrade(w, r, x)
	}
	if x.Transport() != Polling {
		return refuseRequest
	}
	switch r.Method {
	case http.MethodGet:
		return s.servePoll(w, r, x)
	case http.MethodPost:
		return s.servePost(w, r, x)
	default:
		return refuseVerb
	}
}

// handshake makes a session.
func (s *Server) handshake(w http.ResponseWriter, r *http.Request, q request) *refusal {
	if r.Method != http.MethodGet {
		return refuseMethod
	}
	if q.websocket != (q.transport == WebSocket) {
		return refuseRequest
	}
	if !q.eio4 {
		return refuseVersion
	}
	if q.transport == WebSocket {
		if f := checkWebSocket(r); f != nil {
			return f
		}
	}
	if s.Draining() {
		return refuseClosing
	}
	x := &Session{server: s, addr: bucket(s.ClientAddr(r))}
	if f := s.gate.enter(x.addr); f != nil { // before the hook, which may be worth an attack
		return f
	}
	if f := s.admit(r, x); f != nil {
		return f
	}
	if q.transport == WebSocket {
		return s.openWebSocket(w, r, x)
	}
	return s.openPolling(w, r, x)
}

// admit asks the application's hooks about a session that has its place, and
// gives the place back when they refuse it, or panic.
func (s *Server) admit(r *http.Request, x *Session) (f *refusal) {
	admitted := false
	defer func() {
		if !admitted {
			s.gate.leave(x.addr)
		}
	}()
	if f := s.allowRequest(r); f != nil {
		return f
	}
	x.id = s.opts.NewID(r)
	admitted = true
	return nil
}

func (s *Server) allowRequest(r *http.Request) *refusal {
	if s.opts.AllowRequest == nil {
		return nil
	}
	if err := s.opts.AllowRequest(r); err != nil {
		return forbidden(err)
	}
	return nil
}

// setCookie puts the session's id on the response to its handshake.
func (s *Server) setCookie(h http.Header, x *Session) {
	if s.opts.Cookie == nil {
		return
	}
	c := *s.opts.Cookie //nolint:gosec // its attributes are the application's to choose
	if c.Name == "" {
		c.Name = "io"
	}
	c.Value = x.id
	h.Add("Set-Cookie", c.String())
}

// hasToken reports whether a comma-separated header names a token.
func hasToken(h http.Header, name, token string) bool {
	for _, v := range h[http.CanonicalHeaderKey(name)] {
		for part := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}
