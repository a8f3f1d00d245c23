package engine

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
)

const (
	readBufferSize = 16 << 10
	// plainBufferSize is for connections that hold their buffer while they wait.
	plainBufferSize = 4 << 10
	// maxFragments bounds the frames of one message, empty ones included.
	maxFragments = 16_384
)

var (
	readBuffers  = sync.Pool{New: func() any { b := make([]byte, readBufferSize); return &b }}
	plainBuffers = sync.Pool{New: func() any { b := make([]byte, plainBufferSize); return &b }}
)

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
	errLength      = &frameError{ws.StatusProtocolError, "bad frame length"}
	errCloseCode   = &frameError{ws.StatusProtocolError, "unknown close code"}
	errCloseLength = &frameError{ws.StatusProtocolError, "close frame of one byte"}
)

// A reader takes messages from a connection. It holds a buffer only while
// there are bytes in it. It belongs to one goroutine.
type reader struct {
	ws      *wsConn
	session *Session // nil during a probe, whose own deadline is on the connection

	buf  *[]byte
	r, w int

	// The message that has been begun: its frames so far.
	message    []byte
	op         ws.OpCode // 0: none
	compressed bool
	owned      bool // the message that next has returned is in no shared buffer
	fragments  int

	armed bool // a read deadline is set
	since int  // bytes since it was

	handled uint8 // messages, up to settled, that were the receiver's
	grown   bool  // the goroutine has handled one, and so its stack has grown

	pings     int
	pingsFrom int64

	sys sysReader
}

func newReader(w *wsConn, early *bufio.Reader) *reader {
	r := &reader{ws: w}
	r.sys.init(r)
	if early != nil { // sent by the peer before it saw the 101
		sent, _ := early.Peek(early.Buffered()) // what is buffered can be peeked
		r.acquire()
		if len(sent) > len(*r.buf) {
			r.release()
			b := make([]byte, len(sent))
			r.buf = &b
		}
		r.w = copy(*r.buf, sent)
	}
	return r
}

func (r *reader) acquire() {
	if r.buf != nil {
		return
	}
	pool := &readBuffers
	if r.ws.raw == nil {
		pool = &plainBuffers
	}
	r.buf = pool.Get().(*[]byte)
	r.r, r.w = 0, 0
}

func (r *reader) release() {
	if r.buf == nil {
		return
	}
	switch len(*r.buf) {
	case readBufferSize:
		readBuffers.Put(r.buf)
	case plainBufferSize:
		plainBuffers.Put(r.buf)
	}
	r.buf, r.r, r.w = nil, 0, 0
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
	if r.session == nil {
		return
	}
	if !r.armed || r.since >= bodyProgress {
		r.armed, r.since = true, 0
		r.deadline(time.Now().Add(bodyTimeout))
	}
}

func (r *reader) disarm() {
	if r.armed {
		r.armed = false
		r.deadline(time.Time{})
	}
}

// deadline sets the read deadline, except that the one of the closing
// handshake stands. It fails on a closed connection, as the read will.
func (r *reader) deadline(t time.Time) {
	if r.ws.lingering.Load() {
		return
	}
	_ = r.ws.conn.SetReadDeadline(t)
	if r.ws.lingering.Load() { // it has begun meanwhile
		r.ws.linger()
	}
}

// waiting is told that all the peer has sent has been dealt with.
func (r *reader) waiting() {
	if r.session != nil && r.session.busy.Load() {
		r.session.busy.Store(false)
	}
}

// settled is how many messages a connection begins with: CONNECT, a join or two.
const settled = 4

// moves reports whether another goroutine should go on with the reader. The
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

// own returns data, which next has returned, as a slice that belongs to the
// caller alone.
func (r *reader) own(data []byte) []byte {
	if r.owned {
		return data
	}
	return bytes.Clone(data)
}

// next returns the next message; control frames are dealt with on the way.
// data is valid until the next call.
func (r *reader) next() (op ws.OpCode, data []byte, err error) {
	for {
		if r.r == r.w {
			if err := r.fill(r.op != 0); err != nil {
				return 0, nil, err
			}
		}
		h, err := r.header()
		if err != nil {
			return 0, nil, err
		}
		if err := r.check(h); err != nil {
			return 0, nil, err
		}
		if h.OpCode.IsControl() {
			if err := r.control(h); err != nil {
				return 0, nil, err
			}
			if r.op == 0 {
				r.disarm()
			}
			continue
		}
		done, data, err := r.data(h, r.limit())
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

// header reads a frame's header: from the buffer, or, when it ends there,
// byte by byte.
func (r *reader) header() (ws.Header, error) {
	h, n, err := parseHeader((*r.buf)[r.r:r.w])
	if n > 0 || err != nil {
		r.r += n
		return h, err
	}
	return r.splitHeader()
}

func (r *reader) splitHeader() (ws.Header, error) {
	var b [ws.MaxHeaderSize]byte
	for n, size := 0, 2; n < size; n++ {
		if r.r == r.w {
			if err := r.fill(true); err != nil {
				return ws.Header{}, err
			}
		}
		b[n] = (*r.buf)[r.r]
		r.r++
		if n == 1 {
			size = headerSize(b[1])
		}
	}
	h, _, err := parseHeader(b[:])
	return h, err
}

// probeLimit is the size of what may be sent before an upgrade is complete.
const probeLimit = 1024

func (r *reader) limit() int64 {
	if r.session == nil {
		return probeLimit
	}
	return r.session.limit()
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
		r.owned = false
		ws.Cipher(data, h.Mask, 0)
	} else {
		from := len(r.message)
		if err := r.collect(n); err != nil {
			return false, nil, err
		}
		r.owned = true
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
		r.owned = true
	}
	if r.op == ws.OpText && !utf8.Valid(data) {
		return false, nil, errUTF8
	}
	return true, data, nil
}

// firstPiece is how much memory a frame gets for having been declared.
const firstPiece = 64 << 10

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
		if cap(r.message)-len(r.message) < k {
			r.message = slices.Grow(r.message, min(n, max(firstPiece, len(r.message))))
		}
		r.message = append(r.message, (*r.buf)[r.r:r.r+k]...)
		r.r += k
		n -= k
	}
	return nil
}

// plainRead reads where a connection cannot be asked whether there is
// something to read: it holds its buffer while it waits.
func (r *reader) plainRead() (int, error) {
	r.waiting()
	r.acquire()
	n, err := r.ws.conn.Read(*r.buf)
	r.r, r.w = 0, n
	if n > 0 {
		return n, nil
	}
	return 0, err
}
