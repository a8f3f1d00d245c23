package bench

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// separator is between the packets of a payload.
const separator = 0x1e

// pollLink is long polling: a connection for the polls, which next makes, and one for
// what is sent. net/http's client would take two goroutines and two buffers more for
// each of them.
type pollLink struct {
	// Owned by who calls next.
	polls   *requester
	payload []byte // what is left of the last answer

	posts *requester // owned by who has set posting

	mu         sync.Mutex
	posting    bool
	pending    []byte // packets that wait, with separators
	maxPayload int
}

// dialPolling opens a session and returns what the server says of it.
func (d *dialer) dialPolling(ctx context.Context, target *url.URL) (*pollLink, *handshake, error) {
	polls := d.requester(endpoint(target, "polling", ""))
	if deadline, ok := ctx.Deadline(); ok {
		polls.expect(deadline)
	}
	stop := context.AfterFunc(ctx, polls.close)
	defer stop()
	body, err := polls.do(ctx, http.MethodGet, nil)
	if err != nil {
		polls.close()
		if ctx.Err() != nil {
			err = endedError(ctx)
		}
		return nil, nil, err
	}
	first, rest, _ := bytes.Cut(body, []byte{separator})
	h, err := parseOpen(first)
	if err != nil {
		polls.close()
		return nil, nil, err
	}
	u := endpoint(target, "polling", h.SID)
	polls.to(u)
	return &pollLink{polls: polls, payload: rest, posts: d.requester(u), maxPayload: h.MaxPayload}, h, nil
}

// next implements link.
func (l *pollLink) next() ([]byte, error) {
	for len(l.payload) == 0 {
		body, err := l.polls.do(context.Background(), http.MethodGet, nil)
		if err != nil {
			return nil, err
		}
		l.payload = body
	}
	packet, rest, _ := bytes.Cut(l.payload, []byte{separator})
	l.payload = rest
	return packet, nil
}

// drained reports whether the last answer has been read to its end.
func (l *pollLink) drained() bool { return len(l.payload) == 0 }

// send implements link: it posts, unless another goroutine does, which then takes
// the packet along.
func (l *pollLink) send(packet []byte) error {
	l.mu.Lock()
	if len(l.pending) > 0 {
		l.pending = append(l.pending, separator)
	}
	l.pending = append(l.pending, packet...)
	if l.posting {
		l.mu.Unlock()
		return nil
	}
	l.posting = true
	for len(l.pending) > 0 {
		body := l.take()
		l.mu.Unlock()
		_, err := l.posts.do(context.Background(), http.MethodPost, body)
		l.mu.Lock()
		if err != nil { // the session is of no use any more: posting stays
			l.mu.Unlock()
			return err
		}
	}
	l.posting = false
	l.mu.Unlock()
	return nil
}

// take returns as many packets as the server takes at once. The caller holds mu.
func (l *pollLink) take() []byte {
	body := l.pending
	if len(body) <= l.maxPayload {
		l.pending = nil
		return body
	}
	cut := bytes.LastIndexByte(body[:l.maxPayload+1], separator)
	if cut < 0 { // one that is too large: the server is to say so
		cut = bytes.IndexByte(body, separator)
	}
	if cut < 0 {
		l.pending = nil
		return body
	}
	l.pending = bytes.Clone(body[cut+1:])
	return body[:cut]
}

func (l *pollLink) expect(deadline time.Time) {
	l.polls.expect(deadline)
	l.posts.expect(deadline)
}

func (l *pollLink) interrupt() {
	l.polls.close()
	l.posts.expect(time.Now().Add(short))
}

func (l *pollLink) close() {
	l.polls.close()
	l.posts.close()
}

// A requester makes requests one after another over a connection that is kept.
type requester struct {
	d *dialer

	// Owned by who calls do.
	host     string
	get      []byte // a whole request
	postHead []byte // what is before the length
	in       *bufio.Reader
	body     []byte
	used     time.Time     // when the last answer came
	keep     time.Duration // how long the server keeps a connection then; 0: it does not say

	mu       sync.Mutex
	conn     net.Conn
	deadline time.Time
	closed   bool
}

func (d *dialer) requester(u *url.URL) *requester {
	r := &requester{d: d}
	r.to(u)
	return r
}

// to changes what is asked for, at the same host.
func (r *requester) to(u *url.URL) {
	r.host = u.Scheme + "://" + u.Host
	var head strings.Builder
	fmt.Fprintf(&head, "%s HTTP/1.1\r\nHost: %s\r\n", u.RequestURI(), u.Host)
	_ = r.d.opts.Header.Write(&head) // to a builder it cannot fail
	r.get = []byte("GET " + head.String() + "\r\n")
	r.postHead = []byte("POST " + head.String() + "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: ")
}

// do makes a request and returns the answer's body, which is good until the next.
// A connection that the server has closed meanwhile is opened again, once.
func (r *requester) do(ctx context.Context, method string, body []byte) ([]byte, error) {
	for first := true; ; first = false {
		if r.keep > 0 && time.Since(r.used) > r.keep-time.Second {
			r.drop() // rather than have a request meet its end, and not know whether it was read
		}
		kept := r.connected()
		if !kept {
			if err := r.dial(ctx); err != nil {
				return nil, networkCause(err)
			}
		}
		answer, err := r.try(method, body)
		if _, refusal := errors.AsType[cause](err); err == nil || refusal {
			return answer, err
		}
		r.drop()
		if !first || !kept || !errors.Is(err, io.EOF) {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
				return nil, errClosed
			}
			return nil, networkCause(err)
		}
	}
}

func (r *requester) try(method string, body []byte) ([]byte, error) {
	request := r.get
	if method == http.MethodPost {
		request = strconv.AppendInt(append([]byte(nil), r.postHead...), int64(len(body)), 10)
		request = append(append(request, "\r\n\r\n"...), body...)
	}
	if _, err := r.conn.Write(request); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(r.in, nil)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	buffer := bytes.NewBuffer(r.body[:0])
	if _, err := buffer.ReadFrom(io.LimitReader(response.Body, maxMessage)); err != nil {
		return nil, err
	}
	r.body, r.used, r.keep = buffer.Bytes(), time.Now(), 0
	if _, seconds, ok := strings.Cut(response.Header.Get("Keep-Alive"), "timeout="); ok {
		n, _ := strconv.Atoi(strings.TrimSpace(strings.Split(seconds, ",")[0])) // 0 for nonsense, which is none
		r.keep = time.Duration(n) * time.Second
	}
	if response.Close {
		r.drop()
	}
	if response.StatusCode != http.StatusOK {
		return nil, refused(response.StatusCode, r.body)
	}
	return r.body, nil
}

func (r *requester) connected() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.conn != nil
}

func (r *requester) dial(ctx context.Context) error {
	r.mu.Lock()
	deadline := r.deadline
	r.mu.Unlock()
	if !deadline.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	conn, err := r.d.dial(ctx, r.host)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		conn.Close()
		return net.ErrClosed
	}
	r.conn = conn
	_ = conn.SetDeadline(r.deadline)
	if r.in == nil {
		r.in = bufio.NewReaderSize(conn, readBuffer)
	} else {
		r.in.Reset(conn)
	}
	return nil
}

// dial opens a connection to scheme://host.
func (d *dialer) dial(ctx context.Context, host string) (net.Conn, error) {
	u, err := url.Parse(host)
	if err != nil {
		return nil, err
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	if u.Scheme == "https" {
		secure := tls.Dialer{NetDialer: &d.net, Config: d.opts.TLS}
		return secure.DialContext(ctx, "tcp", address)
	}
	return d.net.DialContext(ctx, "tcp", address)
}

// drop ends the connection; the next request opens another.
func (r *requester) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conn != nil {
		r.conn.Close()
		r.conn = nil
	}
}

func (r *requester) expect(deadline time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deadline = deadline
	if r.conn != nil {
		_ = r.conn.SetDeadline(deadline) // that it is closed, the next request finds out
	}
}

func (r *requester) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.conn != nil {
		r.conn.Close() // conn stays: who reads from it is to find it closed
	}
}
