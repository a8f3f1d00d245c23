package engine

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/seed3686fee0/parlor/internal/corpus"
)

func TestParseHeader(t *testing.T) {
	mask := [4]byte{1, 2, 3, 4}
	for _, length := range []int64{0, 1, 125, 126, 127, 65535, 65536, 1 << 31, 1<<63 - 1} {
		for _, masked := range []bool{false, true} {
			want := ws.Header{Fin: masked, OpCode: ws.OpBinary, Rsv: ws.Rsv(true, false, true), Masked: masked, Length: length}
			if masked {
				want.Mask = mask
			}
			var b bytes.Buffer
			if err := ws.WriteHeader(&b, want); err != nil {
				t.Fatal(err)
			}
			for n := range b.Len() {
				if h, size, err := parseHeader(b.Bytes()[:n]); size != 0 || err != nil {
					t.Errorf("length %d, %d bytes of %d: %v, %d, %v", length, n, b.Len(), h, size, err)
				}
			}
			b.WriteString("body")
			h, size, err := parseHeader(b.Bytes())
			if err != nil || h != want || size != b.Len()-4 {
				t.Errorf("length %d: %+v, %d, %v", length, h, size, err)
			}
		}
	}
	for _, b := range []string{"\x82\x7e\x00\x7d", "\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"} {
		if h, _, err := parseHeader([]byte(b)); !errors.Is(err, errLength) {
			t.Errorf("%x: %+v, %v", b, h, err)
		}
	}
}

func TestPutFrameHeader(t *testing.T) {
	for _, n := range []int{0, 1, 124, 125, 126, 65534, 65535, 65536, 100_000} {
		m := NewBinary(make([]byte, n))
		h, err := ws.ReadHeader(bytes.NewReader(m.frame(false)))
		if err != nil || h.Length != int64(n) || !h.Fin || h.Masked || h.OpCode != ws.OpBinary || len(m.payload()) != n {
			t.Errorf("%d bytes: %+v, %v", n, h, err)
		}
		var inside Message
		inside.InitBinary(append(BinaryBuffer(n), m.payload()...))
		if !bytes.Equal(inside.frame(false), m.frame(false)) || !bytes.Equal(inside.polled(), m.polled()) {
			t.Errorf("%d bytes: InitBinary makes another message", n)
		}
	}
}

// A cannedConn is a peer that sends given bytes, in pieces, and reads all.
type cannedConn struct {
	in    []byte
	piece int
}

func (c *cannedConn) Read(b []byte) (int, error) {
	if len(c.in) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.in[:min(c.piece, len(c.in))])
	c.in = c.in[n:]
	return n, nil
}

func (c *cannedConn) Write(b []byte) (int, error)      { return len(b), nil }
func (c *cannedConn) Close() error                     { return nil }
func (c *cannedConn) LocalAddr() net.Addr              { return nil }
func (c *cannedConn) RemoteAddr() net.Addr             { return nil }
func (c *cannedConn) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (c *cannedConn) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (c *cannedConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

// A meter is a receiver that counts.
type meter struct {
	t       testing.TB
	limit   int
	bytes   int
	closed  int
	largest int
}

func (m *meter) Text(b []byte)        { m.message(b) }
func (m *meter) Binary(b []byte)      { m.message(b) }
func (m *meter) Closed(Reason, error) { m.closed++ }

func (m *meter) message(b []byte) {
	m.bytes += len(b)
	m.largest = max(m.largest, len(b))
	if cap(b) > 4*m.limit+readBufferSize {
		m.t.Errorf("a message of %d bytes takes %d", len(b), cap(b))
	}
}

// runCanned lets a session read bytes to its end.
func runCanned(t testing.TB, in []byte, piece int, deflate bool) *meter {
	m := &meter{t: t, limit: 10_000}
	s := New(Options{
		MaxPayload: int64(m.limit), PerMessageDeflate: deflate,
		Open: func(*Session, *http.Request) Receiver { return m },
	})
	x := &Session{server: s, id: "canned"}
	x.ws = newWSConn(&cannedConn{in: in, piece: piece}, deflate)
	s.running.Add(1)
	s.track(x.ws)
	x.open(nil)
	if f := x.begin(); f != nil {
		t.Fatal(f)
	}
	x.read(newReader(x.ws, nil))
	s.running.Wait()
	return m
}

// FuzzWSFrame: whatever a peer sends, in whatever pieces, its session ends
// with its bytes, once, and holds no more than a message may be.
func FuzzWSFrame(f *testing.F) {
	corpus.Add(f)
	frame := func(op ws.OpCode, fin bool, payload string) []byte {
		return ws.MustCompileFrame(ws.MaskFrameInPlaceWith(ws.NewFrame(op, fin, []byte(payload)), [4]byte{1, 2, 3, 4}))
	}
	join := func(frames ...[]byte) []byte { return bytes.Join(frames, nil) }
	huge := binary.BigEndian.AppendUint64([]byte{0x81, 0xff}, 1<<40)
	for _, b := range [][]byte{
		nil, frame(ws.OpText, true, "4hello"), frame(ws.OpBinary, true, "\x00"), frame(ws.OpPing, true, "x"), frame(ws.OpClose, true, "\x03\xe8bye"),
		join(frame(ws.OpText, false, "4a"), frame(ws.OpPing, true, ""), frame(ws.OpContinuation, true, "b")),
		join(frame(ws.OpText, true, "3"), frame(ws.OpText, true, "2"), frame(ws.OpText, true, "1")),
		frame(ws.OpText, true, "4"+string(make([]byte, 300))), huge, {0x81, 0xfe, 0, 1}, {0xc1, 0x80, 0, 0, 0, 0},
		join([]byte{0xc1, 0x87}, make([]byte, 4), []byte{0x32, 0x49, 0x04, 0x02, 0, 0, 0}),
	} {
		f.Add(b, uint16(1), false)
		f.Add(b, uint16(1000), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, piece uint16, deflate bool) {
		m := runCanned(t, b, int(piece)+1, deflate)
		if m.closed != 1 {
			t.Errorf("told %d times of the end", m.closed)
		}
		if m.largest > m.limit {
			t.Errorf("a message of %d bytes", m.largest)
		}
		if !deflate && m.bytes > len(b) {
			t.Errorf("%d bytes of %d", m.bytes, len(b))
		}
	})
}

// maskedFrame is a whole frame as a client sends it.
func maskedFrame(first byte, payload string) []byte {
	f := ws.NewFrame(ws.OpCode(first&0x0f), first&0x80 != 0, []byte(payload))
	f.Header.Rsv = first & 0x70 >> 4
	return ws.MustCompileFrame(ws.MaskFrameInPlaceWith(f, [4]byte{1, 2, 3, 4}))
}
