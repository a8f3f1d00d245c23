package engine

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A pollState is the polling transport of a session. Guarded by Session.mu.
type pollState struct {
	wake    chan struct{} // closed to let the waiting poll go; nil: none waits
	polling bool          // a poll is under way
	posting bool          // a POST is under way
	abort   func()        // ends the reading of that POST
	probes  []*wsConn     // upgrades that have been begun
}

var (
	// ErrOverlap: a second poll, or a second POST, while one is under way. The
	// protocol allows one of each, and the session is closed.
	ErrOverlap = errors.New("engine: overlapping requests")
	// ErrNotPolling: the session has moved to WebSocket or has ended.
	ErrNotPolling = errors.New("engine: session is not polling")
	// ErrTooLarge: a payload is over the limit. The session goes on.
	ErrTooLarge = errors.New("engine: payload too large")
	// ErrMalformed: a payload is none. The session is closed.
	ErrMalformed = errors.New("engine: malformed payload")
)

// Poll waits until there is something to send and returns it as a polling
// payload. It is what a GET is served with, from wherever the GET came: when
// ctx ends first the client is taken to be gone and the session is closed.
func (s *Session) Poll(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	if s.poll == nil || s.state.Load() == stateClosed {
		s.mu.Unlock()
		return nil, ErrNotPolling
	}
	if s.poll.polling {
		s.mu.Unlock()
		s.fail(TransportError, ErrOverlap, 0)
		return nil, ErrOverlap
	}
	poll := s.poll
	if s.first == nil && s.state.Load() == stateOpen {
		wake := make(chan struct{})
		poll.polling, poll.wake = true, wake
		s.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			s.fail(TransportError, context.Cause(ctx), 0)
			return nil, context.Cause(ctx)
		}
		s.mu.Lock()
		poll.polling = false
	}
	var body []byte
	if s.poll == poll { // else the queue is WebSocket's now
		body = s.takePayload()
	}
	ended := s.state.Load() == stateClosed
	if len(body) == 0 { // let go by an upgrade
		body = noopPacket.payload()
	}
	s.mu.Unlock()
	if ended {
		s.server.remove(s)
	}
	return body, nil
}

// Post takes a polling payload: what a POST is served with. It returns when
// the receiver has taken all of it. interrupt is called, when it is not nil,
// to make a read of body return early.
func (s *Session) Post(body io.Reader, interrupt func()) error {
	s.mu.Lock()
	if s.poll == nil || s.state.Load() != stateOpen {
		s.mu.Unlock()
		return ErrNotPolling
	}
	if s.poll.posting {
		abort := s.poll.abort
		s.mu.Unlock()
		s.fail(TransportError, ErrOverlap, 0)
		if abort != nil {
			abort()
		}
		return ErrOverlap
	}
	poll := s.poll
	poll.posting, poll.abort = true, interrupt
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		poll.posting, poll.abort = false, nil
		s.mu.Unlock()
	}()
	data, err := readPayload(body, s.limit())
	if err != nil {
		return err
	}
	packets, err := parsePayload(data)
	if err != nil {
		s.fail(ParseError, err, 0)
		return errors.Join(ErrMalformed, err)
	}
	for _, p := range packets {
		s.take(p)
	}
	return nil
}

// take acts on one packet from the peer, on either transport.
func (s *Session) take(p inPacket) {
	switch p.kind {
	case packetMessage:
		s.deliver(p.data, p.binary)
	case packetPong:
		s.pong()
	case packetPing: // the server pings in Engine.IO 4
		s.fail(TransportError, errors.New("ping from a client"), 0)
	case packetClose:
		s.fail(TransportClose, nil, 0)
	default: // open, upgrade and noop mean nothing here
	}
}

// readPayload reads a body of at most limit bytes, without trusting its
// declared length.
func readPayload(body io.Reader, limit int64) ([]byte, error) {
	var b bytes.Buffer
	// One byte more, to see that there is none.
	n, err := b.ReadFrom(io.LimitReader(body, limit+1))
	if n > limit {
		return nil, ErrTooLarge
	}
	return b.Bytes(), err
}

// openPolling answers a handshake over polling.
func (s *Server) openPolling(w http.ResponseWriter, r *http.Request, x *Session) *refusal {
	x.poll = &pollState{}
	x.open(r)
	if f := x.begin(); f != nil {
		return f
	}
	x.mu.Lock()
	body := x.takePayload()
	x.mu.Unlock()
	s.setCookie(w.Header(), x)
	s.writePayload(w, r, x, body)
	return nil
}

func (s *Server) servePoll(w http.ResponseWriter, r *http.Request, x *Session) *refusal {
	body, err := x.Poll(r.Context())
	switch {
	case errors.Is(err, ErrNotPolling):
		return refuseSession
	case errors.Is(err, ErrOverlap):
		return refuseRequest
	case err != nil: // the client is gone
		return nil
	}
	s.writePayload(w, r, x, body)
	return nil
}

// A body must make this much progress in this time.
const (
	bodyProgress = 16 << 10
	bodyTimeout  = 10 * time.Second
)

// steadyReader reads a request's body under a deadline that moves with what
// has arrived, so that a slow body ends and a large one does not.
type steadyReader struct {
	body  io.Reader
	ctl   *http.ResponseController
	since int
	whole bool // it has been read to its end
}

func (b *steadyReader) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if b.since += n; b.since >= bodyProgress {
		b.since = 0
		b.extend()
	}
	if err == io.EOF {
		b.whole = true
	}
	return n, err
}

// end is for when the request is answered: a body that has been read leaves
// the connection to the next request, with its own time; what is left of
// another net/http must not wait for.
func (b *steadyReader) end() {
	if b.whole {
		_ = b.ctl.SetReadDeadline(time.Time{})
	} else {
		_ = b.ctl.SetReadDeadline(past)
	}
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

// extend is best effort: not every ResponseWriter has deadlines.
func (b *steadyReader) extend() { _ = b.ctl.SetReadDeadline(time.Now().Add(bodyTimeout)) }

func (s *Server) servePost(w http.ResponseWriter, r *http.Request, x *Session) *refusal {
	switch {
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/octet-stream"): // binary payloads were Engine.IO 3's
		x.fail(TransportError, errors.New("octet-stream payload"), 0)
		return refuseRequest
	case r.Header.Get("Content-Encoding") != "":
		return refuseEncoding
	case r.ContentLength > x.limit():
		return refuseSize
	}
	ctl := http.NewResponseController(w)
	body := &steadyReader{body: r.Body, ctl: ctl}
	body.extend()
	defer body.end()
	err := x.Post(body, func() { _ = ctl.SetReadDeadline(past) })
	switch {
	case errors.Is(err, ErrNotPolling):
		return refuseSession
	case errors.Is(err, ErrOverlap), errors.Is(err, ErrMalformed):
		return refuseRequest
	case errors.Is(err, ErrTooLarge):
		return refuseSize
	case errors.Is(err, os.ErrDeadlineExceeded):
		x.fail(TransportError, err, 0)
		return refuseSlowBody
	case err != nil:
		x.fail(TransportError, err, 0)
		return refuseRequest
	}
	h := w.Header()
	h.Set("Content-Type", "text/html")
	h.Set("Content-Length", "2")
	h.Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, "ok") // the client may be gone; its next request, or none, will tell
	return nil
}

var gzips = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// writePayload answers a poll. What cannot be written is lost with the
// session, which is closed.
func (s *Server) writePayload(w http.ResponseWriter, r *http.Request, x *Session, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=UTF-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	threshold := s.opts.CompressionThreshold
	if threshold > 0 && len(body) >= threshold {
		h.Add("Vary", "Accept-Encoding")
		if acceptsGzip(r.Header) {
			h.Set("Content-Encoding", "gzip")
			body = compress(body)
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if _, err := w.Write(body); err != nil {
		x.fail(TransportError, err, 0)
	}
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	z := gzips.Get().(*gzip.Writer)
	defer gzips.Put(z)
	z.Reset(&b)
	_, err := z.Write(body)
	if err == nil {
		err = z.Close()
	}
	if err != nil { // a bytes.Buffer does not fail
		panic(err)
	}
	return b.Bytes()
}

// acceptsGzip reports whether a client takes gzip: named, and not with q=0.
func acceptsGzip(h http.Header) bool {
	for _, v := range h.Values("Accept-Encoding") {
		for part := range strings.SplitSeq(v, ",") {
			name, q, _ := strings.Cut(part, ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") {
				q = strings.ReplaceAll(q, " ", "")
				return q != "q=0" && strings.Trim(q, "0.") != "q="
			}
		}
	}
	return false
}
