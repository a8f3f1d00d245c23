package engine

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
)

const (
	readBufferSize = 16 << 10
	// maxFragments bounds the frames of one message, empty ones included.
	maxFragments = 16_384
	// A peer may send this many WebSocket pings in this time; Engine.IO's own
	// heartbeat needs none.
	maxPings   = 600
	pingWindow = 10 * time.Second
)

var readBuffers = sync.Pool{New: func() any { b := make([]byte, readBufferSize); return &b }}

// A frameError is a peer's breach of RFC 6455, with the code of the close
// frame that answers it.
type frameError struct {
	code ws.StatusCode
	text string
}

func (e *frameError) Error() string {
	return fmt.Sprintf("websocket: %s (close code %d)", e.text, e.code)
}

var (
	errPeerClosed  = errors.New("websocket: closed by the peer")
	errTooLarge    = &frameError{ws.StatusMessageTooBig, "message too large"}
	errFragments   = &frameError{ws.StatusPolicyViolation, "too many fragments"}
	errPings       = &frameError{ws.StatusPolicyViolation, "too many pings"}
	errUTF8        = &frameError{ws.StatusInvalidFramePayloadData, "text is not valid UTF-8"}
	errInflate     = &frameError{ws.StatusInvalidFramePayloadData, "bad compressed data"}
	errCloseLength = &frameError{ws.StatusProtocolError, "close frame of one byte"}
)

// A reader takes messages from a connection. It holds a buffer only while
// there are bytes in it. It belongs to one goroutine.
type reader struct {
	ws      *wsConn
	patient bool // an upgrade's own deadline is on the connection: set none

	buf  *[]byte
	r, w int
	hdr  [ws.MaxHeaderSize]byte

	// The message that has been begun: its frames so far.
	message    []byte
	op         ws.OpCode // 0: none
	compressed bool
	fragments  int

	armed bool // a read deadline is set
	since int  // bytes since it was

	handled uint8 // messages, up to settled, that were the receiver's
	grown   bool  // the goroutine has handled one, and so its stack has grown

	pings     int
	pingsFrom time.Time

	sys sysReader
}

func newReader(w *wsConn, early *bufio.Reader) *reader {
	r := &reader{ws: w}
	r.sys.init(r)
	if early != nil { // sent by the peer before it saw the 101
		r.acquire()
		b, _ := early.Peek(early.Buffered()) // what is buffered can be peeked
		r.w = copy(*r.buf, b)
	}
	return r
}

func (r *reader) acquire() {
	if r.buf == nil {
		r.buf = readBuffers.Get().(*[]byte)
		r.r, r.w = 0, 0
	}
}

func (r *reader) release() {
	if r.buf != nil {
		readBuffers.Put(r.buf)
		r.buf, r.r, r.w = nil, 0, 0
	}
}

// fill waits for bytes. Where a frame or message has been begun they have to
// keep coming.
func (r *reader) fill(begun bool) error {
	if begun {
		r.arm()
	}
	n, err := r.sys.read()
	if err != nil {
		return err
	}
	r.since += n
	return nil
}

func (r *reader) arm() {
	if r.patient || r.ws.lingering.Load() {
		return
	}
	if !r.armed || r.since >= bodyProgress {
		r.armed, r.since = true, 0
		_ = r.ws.conn.SetReadDeadline(time.Now().Add(bodyTimeout)) // fails on a closed connection, as the read will
	}
}

func (r *reader) disarm() {
	if r.armed && !r.ws.lingering.Load() {
		r.armed = false
		_ = r.ws.conn.SetReadDeadline(time.Time{})
	}
}

// Read takes bytes of a frame that has been begun.
func (r *reader) Read(p []byte) (int, error) {
	if r.r == r.w {
		if err := r.fill(true); err != nil {
			return 0, err
		}
	}
	n := copy(p, (*r.buf)[r.r:r.w])
	r.r += n
	return n, nil
}

// settled is how many messages a connection begins with: CONNECT, a join or two.
const settled = 4

// moves reports whether the reader should go on on another goroutine. The
// stack of one that has handled a message has doubled, and under a parked
// reader it does not shrink again: for connections that mostly wait that is
// their largest cost. So it moves after the messages that every connection
// begins with, and when a heartbeat finds that others have come since. op and
// data are the message that was handled last.
func (r *reader) moves(op ws.OpCode, data []byte) bool {
	heartbeat := op == ws.OpText && len(data) > 0 && data[0] == packetPong
	if !heartbeat {
		r.grown = true
		if r.handled < settled {
			r.handled++
		}
	}
	if !r.grown || r.r != r.w || (!heartbeat && r.handled >= settled) {
		return false
	}
	r.grown = false
	return true
}

// own returns data as a slice that belongs to the caller alone. It is called
// before the next call of next.
func (r *reader) own(data []byte) []byte { return bytes.Clone(data) }

// next returns the next message; control frames are dealt with on the way, for
// the session s, which is nil during a probe. data is valid until the next
// call.
func (r *reader) next(s *Session) (op ws.OpCode, data []byte, err error) {
	for {
		if r.r == r.w {
			if err := r.fill(r.op != 0); err != nil {
				return 0, nil, err
			}
		}
		h, err := ws.ReadHeaderBuffer(r, r.hdr[:])
		if err != nil {
			return 0, nil, headerError(err)
		}
		if err := r.check(h); err != nil {
			return 0, nil, err
		}
		if h.OpCode.IsControl() {
			if err := r.control(h, s); err != nil {
				return 0, nil, err
			}
			if r.op == 0 {
				r.disarm()
			}
			continue
		}
		done, data, err := r.data(h, limitOf(s))
		if err != nil {
			return 0, nil, err
		}
		if done {
			op := r.op
			r.op, r.message, r.fragments = 0, nil, 0
			r.disarm()
			return op, data, nil
		}
	}
}

// probeLimit is the size of what may be sent before an upgrade is complete.
const probeLimit = 1024

func limitOf(s *Session) int64 {
	if s == nil {
		return probeLimit
	}
	return s.limit()
}

func headerError(err error) error {
	if errors.Is(err, ws.ErrHeaderLengthMSB) || errors.Is(err, ws.ErrHeaderLengthUnexpected) {
		return &frameError{ws.StatusProtocolError, "bad frame length"}
	}
	return err
}

func (r *reader) check(h ws.Header) error {
	state := ws.StateServerSide
	if r.op != 0 {
		state = state.Set(ws.StateFragmented)
	}
	if r.ws.deflate && h.Rsv == ws.Rsv(true, false, false) && !h.OpCode.IsControl() && h.OpCode != ws.OpContinuation {
		state = state.Set(ws.StateExtended)
	}
	if err := ws.CheckHeader(h, state); err != nil {
		return &frameError{ws.StatusProtocolError, err.Error()}
	}
	return nil
}

// data reads a data frame; done says that the message is whole.
func (r *reader) data(h ws.Header, limit int64) (done bool, data []byte, err error) {
	if h.Length > limit-int64(len(r.message)) {
		return false, nil, errTooLarge
	}
	if h.OpCode != ws.OpContinuation {
		r.op = h.OpCode
		r.compressed, err = wsflate.IsCompressed(h)
		if err != nil {
			return false, nil, &frameError{ws.StatusProtocolError, err.Error()}
		}
	}
	if r.fragments++; r.fragments > maxFragments {
		return false, nil, errFragments
	}
	n := int(h.Length) // within limit, an int
	if h.Fin && r.fragments == 1 && n <= r.w-r.r {
		data = (*r.buf)[r.r : r.r+n]
		r.r += n
		ws.Cipher(data, h.Mask, 0)
	} else {
		from := len(r.message)
		if err := r.collect(n); err != nil {
			return false, nil, err
		}
		ws.Cipher(r.message[from:], h.Mask, 0)
		data = r.message
	}
	if !h.Fin {
		return false, nil, nil
	}
	if r.compressed {
		if data, err = inflate(data, limit); err != nil {
			if errors.Is(err, errInflatedTooLarge) {
				return false, nil, errTooLarge
			}
			return false, nil, errInflate
		}
	}
	if r.op == ws.OpText && !utf8.Valid(data) {
		return false, nil, errUTF8
	}
	return true, data, nil
}

// collect appends n bytes to the message. Its memory grows with what arrives,
// not with what was declared.
func (r *reader) collect(n int) error {
	for n > 0 {
		if r.r == r.w {
			if err := r.fill(true); err != nil {
				return err
			}
		}
		k := min(n, r.w-r.r)
		r.message = append(r.message, (*r.buf)[r.r:r.r+k]...)
		r.r += k
		n -= k
	}
	return nil
}

// control deals with a ping, a pong or a close.
func (r *reader) control(h ws.Header, s *Session) error {
	var body [ws.MaxControlFramePayloadSize]byte
	data := body[:h.Length]
	if _, err := io.ReadFull(r, data); err != nil {
		return err
	}
	ws.Cipher(data, h.Mask, 0)
	switch h.OpCode {
	case ws.OpPing:
		if now := time.Now(); now.Sub(r.pingsFrom) > pingWindow {
			r.pings, r.pingsFrom = 0, now
		}
		if r.pings++; r.pings > maxPings {
			return errPings
		}
		if s != nil {
			s.answer(data)
		}
	case ws.OpClose:
		return closeError(data)
	}
	return nil
}

// closeError is what a close frame means: the peer's goodbye, or a breach.
func closeError(data []byte) error {
	switch len(data) {
	case 0:
		return errPeerClosed
	case 1:
		return errCloseLength
	}
	code, reason := ws.ParseCloseFrameData(data)
	if err := ws.CheckCloseFrameData(code, reason); err != nil {
		if errors.Is(err, ws.ErrProtocolInvalidUTF8) {
			return &frameError{ws.StatusInvalidFramePayloadData, err.Error()}
		}
		return &frameError{ws.StatusProtocolError, err.Error()}
	}
	return &peerClose{code}
}

// peerClose is a peer's goodbye with a code, which is sent back.
type peerClose struct{ code ws.StatusCode }

func (e *peerClose) Error() string        { return fmt.Sprintf("%v, code %d", errPeerClosed, e.code) }
func (e *peerClose) Is(target error) bool { return target == errPeerClosed }

// in1000 is the code that answers a goodbye: the same, or none.
func in1000(err error) uint16 {
	var e *peerClose
	if errors.As(err, &e) {
		return uint16(e.code)
	}
	return 0
}

// answer queues a pong, in place of one that has not been written yet: RFC
// 6455, 5.5.3 asks for the latest only.
func (s *Session) answer(data []byte) {
	frame := append([]byte{0x8a, byte(len(data))}, data...)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ws != nil && s.state.Load() == stateOpen {
		s.ws.pong = frame
		s.wake()
	}
}

// plainRead reads where a connection cannot be asked whether there is
// something to read: it holds its buffer while it waits.
func (r *reader) plainRead() (int, error) {
	r.acquire()
	n, err := r.ws.conn.Read(*r.buf)
	r.r, r.w = 0, n
	if n > 0 {
		return n, nil
	}
	return 0, err
}
