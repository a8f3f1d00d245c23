package engine

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
)

// closeTimeout is how long the peer may take to answer a close frame.
const closeTimeout = 5 * time.Second

// A wsConn is the WebSocket transport of a session.
//
// Its conn is closed while no lock is held and never inside a callback of raw:
// Close waits for those to return.
type wsConn struct {
	// Static.
	conn    net.Conn
	raw     syscall.RawConn // nil: conn has none, or the system has no non-blocking writes
	deflate bool

	// Guarded by Session.mu.
	writing      bool   // a flusher or a writer has it, or it waits for its turn
	pong         []byte // a pong frame to be written; the latest wins
	closeFrame   []byte // to be written when the queue is empty
	closeTaken   bool   // the writer has it
	closeWritten bool   // nothing can be written any more
	readDone     bool   // the reader has ended

	// Guarded by wmu, which is held by whoever hands bytes to the kernel.
	wmu      sync.Mutex
	batch    []*Message // taken from the queue, from next on not yet in out
	next     int
	rest     int           // what batch[next:] costs
	out      []byte        // to be written
	buf      *[]byte       // the pooled buffer of out, if it has one
	progress chan struct{} // closed when out gets shorter; nil: nobody waits for that

	unsent    atomic.Int64 // what was taken from the queue and the kernel does not have
	since     atomic.Int64 // when the kernel refused, or the plain write under way began; 0: neither
	behind    atomic.Int64 // when the peer stopped keeping up; 0: it does
	lingering atomic.Bool  // the close frame is out; the reader waits for the peer's
}

func newWSConn(conn net.Conn, deflate bool) *wsConn {
	return &wsConn{conn: conn, raw: rawConn(conn), deflate: deflate}
}

// linger gives the peer time to answer the close frame and to see it: closing
// at once could reset the connection under it.
func (w *wsConn) linger() {
	w.lingering.Store(true)
	_ = w.conn.SetReadDeadline(time.Now().Add(closeTimeout)) // fails on a closed connection
}

// closeFrame is the close frame with a code, or without any.
func closeFrame(code uint16) []byte {
	if code == 0 {
		return []byte{0x88, 0}
	}
	return []byte{0x88, 2, byte(code >> 8), byte(code)}
}

// checkWebSocket checks what RFC 6455, 4.2.1 asks of a handshake, while it can
// still be refused in HTTP.
func checkWebSocket(r *http.Request) *refusal {
	if r.Method != http.MethodGet || r.ProtoMajor != 1 || r.ProtoMinor < 1 {
		return refuseRequest
	}
	if !hasToken(r.Header, "Connection", "upgrade") {
		return refuseRequest
	}
	if v := r.Header.Values("Sec-Websocket-Version"); len(v) != 1 || v[0] != "13" {
		return refuseWebSocket
	}
	key := r.Header.Values("Sec-Websocket-Key")
	if len(key) != 1 {
		return refuseRequest
	}
	if b, err := base64.StdEncoding.DecodeString(key[0]); err != nil || len(b) != 16 {
		return refuseRequest
	}
	return nil
}

// oneLine returns a request whose Connection header is one line, which is all
// that the upgrader reads: some proxies send two, and checkWebSocket has read
// both.
func oneLine(r *http.Request) *http.Request {
	if len(r.Header["Connection"]) < 2 {
		return r
	}
	c := *r
	c.Header = r.Header.Clone()
	c.Header["Connection"] = []string{"Upgrade"}
	return &c
}

// hijack answers 101 and takes the connection over, with what of it net/http
// has read already. The error has been answered as well as it could be, and is in the log.
func (s *Server) hijack(w http.ResponseWriter, r *http.Request) (*wsConn, *bufio.Reader, error) {
	u := ws.HTTPUpgrader{Timeout: s.opts.WriteTimeout, Header: w.Header()}
	var deflate wsflate.Extension
	if s.opts.PerMessageDeflate {
		deflate.Parameters = wsflate.Parameters{ServerNoContextTakeover: true, ClientNoContextTakeover: true}
		u.Negotiate = func(o httphead.Option) (httphead.Option, error) {
			accept, err := deflate.Negotiate(o)
			if err != nil { // an offer that cannot be read is declined
				return httphead.Option{}, nil //nolint:nilerr // an error would refuse the connection
			}
			return accept, nil
		}
	}
	conn, rw, _, err := u.Upgrade(oneLine(r), w)
	if err != nil {
		if conn != nil {
			_ = conn.Close() // the handshake has failed already
		}
		s.opts.Logger.DebugContext(r.Context(), "websocket handshake failed", "error", err)
		if errors.Is(err, ws.ErrNotHijacker) && r.ProtoMajor == 1 {
			s.hidden.Do(func() {
				s.opts.Logger.WarnContext(r.Context(), "no WebSocket can be served, and clients stay on polling: what is around the handler hides http.Hijacker; "+
					"give its http.ResponseWriter a method Unwrap, or mount the handler outside of it", "writer", fmt.Sprintf("%T", w))
			})
		}
		return nil, nil, err
	}
	_, deflated := deflate.Accepted()
	var early *bufio.Reader
	if rw.Reader.Buffered() > 0 {
		early = rw.Reader
	}
	return newWSConn(conn, deflated), early, nil
}

// openWebSocket makes a session of a WebSocket connection.
func (s *Server) openWebSocket(w http.ResponseWriter, r *http.Request, x *Session) *refusal {
	if !s.start() {
		s.remove(x)
		return refuseClosing
	}
	s.setCookie(w.Header(), x)
	conn, early, err := s.hijack(w, r)
	if err != nil {
		s.remove(x)
		s.running.Done()
		return nil
	}
	s.track(conn)
	x.ws = conn
	in := newReader(conn, early)
	defer func() { go x.read(in) }() // also when Open panics: it sees the connection to its end
	x.open(r)
	_ = x.begin() // a refusal has ended the session, and is told by the close frame
	x.mu.Lock()
	x.wake()
	x.mu.Unlock()
	return nil
}

// read is the reader goroutine: it ends when the connection does.
func (s *Session) read(in *reader) {
	w := in.ws
	in.session = s
	for {
		op, data, err := in.next()
		if err != nil {
			s.readFailed(err)
			break
		}
		s.received(op, data, in)
		if in.moves(op, data) {
			go s.read(in) // on a stack as small as it began with
			return
		}
	}
	in.release()
	s.mu.Lock()
	w.readDone = true
	last := !w.writing // and so all is written
	s.mu.Unlock()
	if last {
		_ = w.conn.Close() // it may be closed already
		s.server.done(w)
	}
}

// received acts on one message from the peer.
func (s *Session) received(op ws.OpCode, data []byte, in *reader) {
	if s.state.Load() != stateOpen {
		return // the close frame is on its way
	}
	if op == ws.OpBinary {
		s.deliver(in.own(data), true)
		return
	}
	if len(data) == 0 || data[0] < packetOpen || data[0] > packetNoop {
		s.fail(ParseError, errPayload, 0)
		return
	}
	if data[0] == packetMessage {
		s.deliver(data[1:], false)
		return
	}
	s.take(inPacket{kind: data[0]})
}

// readFailed ends the session after the reader's error.
func (s *Session) readFailed(err error) {
	var f *frameError
	switch {
	case errors.As(err, &f):
		s.fail(TransportError, err, uint16(f.code))
		s.drain()
	case errors.Is(err, errPeerClosed):
		s.end(TransportClose, nil, closing{fault: true, code: closeCode(err)})
	case errors.Is(err, os.ErrDeadlineExceeded) && s.state.Load() == stateOpen: // a frame has been begun and not gone on
		s.fail(TransportError, err, uint16(ws.StatusPolicyViolation))
		s.drain()
	default: // the connection is gone: nothing can be written
		s.end(TransportClose, hideEOF(err), closing{fault: true})
		s.mu.Lock()
		s.ws.closeWritten = true
		s.mu.Unlock()
		_ = s.ws.conn.Close() // it may be closed already
	}
}

// drain reads what a peer at fault still sends until it has seen the close
// frame.
func (s *Session) drain() {
	s.ws.linger()
	_, _ = io.CopyN(io.Discard, s.ws.conn, 4<<20) // however it ends, the connection does
}

func hideEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
