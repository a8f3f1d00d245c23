package engine

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// openPolling answers a handshake over polling.
func (s *Server) openPolling(w http.ResponseWriter, r *http.Request, x *Session) *refusal {
	p := &pollState{}
	x.poll = p
	x.open(r)
	if f := x.begin(); f != nil {
		return f
	}
	x.mu.Lock()
	body := x.takePayload()
	x.mu.Unlock()
	s.setCookie(w.Header(), x)
	s.writePayload(w, r, x, p, body)
	return nil
}

func (s *Server) servePoll(w http.ResponseWriter, r *http.Request, x *Session) *refusal {
	body, p, err := x.pollPayload(r.Context())
	switch {
	case errors.Is(err, ErrNotPolling):
		return refuseSession
	case errors.Is(err, ErrOverlap):
		return refuseRequest
	case err != nil: // the client is gone
		return nil
	}
	s.writePayload(w, r, x, p, body)
	return nil
}

// A body must make this much progress in this time.
const (
	bodyProgress = 16 << 10
	bodyTimeout  = 10 * time.Second
)

// steadyReader reads a request's body under a deadline that moves with what
// has arrived, so that a slow body ends and a large one does not. Deadlines
// are best effort: not every ResponseWriter has them.
type steadyReader struct {
	body  io.Reader
	ctl   *http.ResponseController
	since int
	whole bool // it has been read to its end
}

func (b *steadyReader) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if errors.Is(err, io.EOF) {
		// Handlers may take their time, and net/http watches the connection.
		b.whole = true
		_ = b.ctl.SetReadDeadline(time.Time{})
		return n, err
	}
	if b.since += n; b.since >= bodyProgress {
		b.since = 0
		b.extend()
	}
	return n, err
}

func (b *steadyReader) extend() { _ = b.ctl.SetReadDeadline(time.Now().Add(bodyTimeout)) }

// end is for when the request is answered: what is left of the body net/http
// must not wait for. It sets a deadline of its own for the next request.
func (b *steadyReader) end() {
	if !b.whole {
		_ = b.ctl.SetReadDeadline(past)
	}
}

// past is a deadline that has passed.
var past = time.Unix(1, 0)

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
	case err == nil:
	case errors.Is(err, ErrNotPolling):
		return refuseSession
	case errors.Is(err, ErrTooLarge):
		return refuseSize
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refuseSlowBody
	default:
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
func (s *Server) writePayload(w http.ResponseWriter, r *http.Request, x *Session, p *pollState, body []byte) {
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
	if err := s.writeSteadily(w, body); err != nil {
		x.failPoll(p, err)
	}
}

// writeSteadily writes a body under a deadline that moves with what the peer
// takes, so that one that does not read holds neither goroutine nor body.
func (s *Server) writeSteadily(w http.ResponseWriter, body []byte) error {
	ctl := http.NewResponseController(w)
	extend := func() { _ = ctl.SetWriteDeadline(time.Now().Add(s.opts.WriteTimeout)) } // best effort
	for chunk := range slices.Chunk(body, largeWrite) {
		extend()
		if _, err := w.Write(chunk); err != nil {
			return err
		}
	}
	if err := ctl.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	_ = ctl.SetWriteDeadline(time.Time{}) // it must not hit the connection's next response
	return nil
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
	must(err)
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
