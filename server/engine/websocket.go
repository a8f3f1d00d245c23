package engine

import (
	"bufio"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
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

// noopInterval is how often a poll that is in the way of an upgrade is let go,
// as in Node.
const noopInterval = 100 * time.Millisecond

// A wsConn is the WebSocket transport of a session.
type wsConn struct {
	// Static.
	conn    net.Conn
	raw     syscall.RawConn // nil: conn has none, or the system has no non-blocking writes
	deflate bool

	// Guarded by Session.mu.
	writing      bool   // the writer goroutine is there
	pong         []byte // a pong frame to be written; the latest wins
	closeFrame   []byte // to be written when the queue is empty
	closeTaken   bool   // the writer has it
	closeWritten bool   // nothing can be written any more
	readDone     bool   // the reader has ended

	// Guarded by wmu, which is held by whoever hands bytes to the kernel.
	wmu   sync.Mutex
	batch []*Message // taken from the queue, from next on not yet in out
	next  int
	off   int    // how much of batch[next] is in out already
	out   []byte // to be written
	buf   *[]byte
	err   error

	unsent    atomic.Int64  // bytes taken from the queue that the kernel does not have
	blocked   atomic.Bool   // the kernel has refused the last write
	since     atomic.Int64  // plain path: when the write under way began, 0: none
	lingering atomic.Bool   // the close frame is out; the reader waits for the peer's
	progress  chan struct{} // plain path: a write has ended
}

func newWSConn(conn net.Conn, deflate bool) *wsConn {
	w := &wsConn{conn: conn, raw: rawConn(conn), deflate: deflate}
	if w.raw == nil {
		w.progress = make(chan struct{}, 1)
	}
	return w
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

// hijack answers 101 and takes the connection over, with what of it net/http
// has read already. The error has been answered as well as it could be.
func (s *Server) hijack(w http.ResponseWriter, r *http.Request) (*wsConn, *bufio.Reader, error) {
	u := ws.HTTPUpgrader{Timeout: s.opts.WriteTimeout, Header: w.Header()}
	var deflate wsflate.Extension
	if s.opts.PerMessageDeflate {
		deflate.Parameters = wsflate.Parameters{ServerNoContextTakeover: true, ClientNoContextTakeover: true}
		u.Negotiate = func(o httphead.Option) (httphead.Option, error) {
			accept, err := deflate.Negotiate(o)
			if err != nil { // an offer that cannot be read is declined
				return httphead.Option{}, nil
			}
			return accept, nil
		}
	}
	conn, rw, _, err := u.Upgrade(r, w)
	if err != nil {
		if conn != nil {
			_ = conn.Close() // the handshake has failed already
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
		s.gate.leave(x.addr)
		return refuseClosing
	}
	s.setCookie(w.Header(), x)
	conn, early, err := s.hijack(w, r)
	if err != nil {
		s.gate.leave(x.addr)
		s.running.Done()
		s.opts.Logger.DebugContext(r.Context(), "websocket handshake failed", "error", err)
		return nil
	}
	x.ws = conn
	x.open(r)
	// A refusal has ended the session; the reader sees the close handshake through.
	_ = x.begin()
	x.mu.Lock()
	x.wake()
	x.mu.Unlock()
	in := newReader(conn, early)
	go x.read(in)
	return nil
}

// read is the reader goroutine: it ends when the connection does.
func (s *Session) read(in *reader) {
	w := in.ws
	for {
		op, data, err := in.next(s)
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
	if !w.writing && w.closeWritten {
		_ = w.conn.Close() // it may be closed already
	}
	last := !w.writing
	s.mu.Unlock()
	if last {
		s.server.running.Done()
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
		reason := TransportError
		s.fail(reason, err, uint16(f.code))
		s.linger()
	case errors.Is(err, errPeerClosed):
		s.end(TransportClose, nil, closing{fault: true, code: in1000(err)})
	default: // the connection is gone: nothing can be written
		s.end(TransportClose, hideEOF(err), closing{fault: true})
		s.mu.Lock()
		s.ws.closeWritten = true
		s.mu.Unlock()
		_ = s.ws.conn.Close()
	}
}

// linger reads what a peer at fault still sends until it has seen the close
// frame: closing at once would reset the connection under it.
func (s *Session) linger() {
	_ = s.ws.conn.SetReadDeadline(time.Now().Add(closeTimeout))
	_, _ = io.CopyN(io.Discard, s.ws.conn, 4<<20)
}

func hideEOF(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// upgrade carries a polling session over to WebSocket: probe, pong, upgrade.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, x *Session) *refusal {
	if f := checkWebSocket(r); f != nil {
		return f
	}
	if x.Transport() != Polling || x.state.Load() != stateOpen || s.opts.DisableUpgrades {
		return refuseRequest
	}
	if f := s.allowRequest(r); f != nil {
		return f
	}
	if !s.start() {
		return refuseClosing
	}
	conn, early, err := s.hijack(w, r)
	if err != nil {
		s.running.Done()
		s.opts.Logger.DebugContext(r.Context(), "websocket handshake failed", "error", err)
		return nil
	}
	go x.probe(conn, newReader(conn, early))
	return nil
}

// probing makes a probe known, so that the session's end, or another probe's
// success, ends it. It reports false when there is nothing to upgrade any more.
func (s *Session) probing(w *wsConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == nil || s.state.Load() != stateOpen {
		return false
	}
	s.poll.probes = append(s.poll.probes, w)
	return true
}

// endProbes ends all probes but one. The caller holds mu.
func (p *pollState) endProbes(but *wsConn) {
	for _, w := range p.probes {
		if w != but {
			w.interrupt()
		}
	}
	p.probes = nil
}

// unprobe forgets a probe that has failed.
func (s *Session) unprobe(w *wsConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll != nil {
		s.poll.probes = slices.DeleteFunc(s.poll.probes, func(x *wsConn) bool { return x == w })
	}
}

// interrupt makes the reader's wait return. It fails on a closed connection,
// whose reader has returned.
func (w *wsConn) interrupt() { _ = w.conn.SetReadDeadline(past) }

// probe waits for the peer's probe and its decision on a new connection. Until
// then, and if it fails, polling goes on as if nothing had been.
func (s *Session) probe(w *wsConn, in *reader) {
	// One timer ends the attempt, whatever it waits for.
	cut := time.AfterFunc(s.server.opts.UpgradeTimeout, w.interrupt)
	in.patient = true
	if err := s.probed(w, in); err != nil {
		cut.Stop()
		s.unprobe(w)
		s.server.opts.Logger.Debug("upgrade failed", "error", err)
		_ = w.conn.SetDeadline(time.Now().Add(closeTimeout))
		var f *frameError
		code := uint16(0)
		if errors.As(err, &f) {
			code = uint16(f.code)
		}
		_, err := w.conn.Write(closeFrame(code))
		if f != nil {
			w.hangUp()
			_, err = io.CopyN(io.Discard, w.conn, 64<<10)
		}
		for err == nil { // until the peer has answered
			_, _, err = in.next(nil)
		}
		in.release()
		_ = w.conn.Close()
		s.server.running.Done()
		return
	}
	if !cut.Stop() {
		_ = w.conn.SetReadDeadline(time.Time{})
	}
	in.patient = false
	s.server.counts.upgrades.Add(1)
	s.read(in)
}

var (
	errNoProbe      = errors.New("no probe")
	errNoUpgrade    = errors.New("no upgrade after the probe")
	errNotUpgraded  = errors.New("session was upgraded otherwise, or has ended")
	pongPacketFrame = packet(packetPong, "probe")
)

func (s *Session) probed(w *wsConn, in *reader) error {
	if !s.probing(w) {
		return errNotUpgraded
	}
	op, data, err := in.next(nil)
	if err != nil {
		return err
	}
	if op != ws.OpText || string(data) != "2probe" {
		return errNoProbe
	}
	_ = w.conn.SetWriteDeadline(time.Now().Add(s.server.opts.WriteTimeout))
	if _, err := w.conn.Write(pongPacketFrame.frame(false)); err != nil {
		return err
	}
	_ = w.conn.SetWriteDeadline(time.Time{})
	release := make(chan struct{})
	defer close(release)
	s.server.running.Add(1)
	go s.releasePolls(release)
	op, data, err = in.next(nil)
	if err != nil {
		return err
	}
	if op != ws.OpText || string(data) != "5" {
		return errNoUpgrade
	}
	return s.carry(w)
}

// releasePolls lets waiting polls go while an upgrade is under way, so that
// the peer can stop polling.
func (s *Session) releasePolls(done <-chan struct{}) {
	defer s.server.running.Done()
	t := time.NewTicker(noopInterval)
	defer t.Stop()
	for {
		s.mu.Lock()
		if s.poll != nil {
			s.wake()
		}
		s.mu.Unlock()
		select {
		case <-t.C:
		case <-done:
			return
		}
	}
}

// carry makes w the transport. What is queued leaves over it, after what
// polling has taken.
func (s *Session) carry(w *wsConn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == nil || s.state.Load() != stateOpen {
		return errNotUpgraded
	}
	s.wake()
	s.poll.endProbes(w)
	s.poll, s.ws = nil, w
	s.wake()
	return nil
}
