package engine

import (
	"encoding/base64"
	"encoding/binary"
	"sync"
	"sync/atomic"
)

// Engine.IO 4 packet types, as the first character of a text packet.
const (
	packetOpen    = '0'
	packetClose   = '1'
	packetPing    = '2'
	packetPong    = '3'
	packetMessage = '4'
	packetUpgrade = '5'
	packetNoop    = '6'
)

// headroom is the room kept in front of a payload for the longest header of an
// unmasked WebSocket frame, so that a frame and a polling packet are two views
// of one buffer.
const headroom = 10

// A Message is one outgoing message, immutable once made and safe to send to
// any number of sessions at the same time. Each of its wire forms is made once
// at most.
type Message struct {
	buf      []byte // headroom, then the payload
	start    uint8  // where the WebSocket frame starts in buf
	binary   bool
	compress bool
	own      bool // a packet of the engine's, which carries no data

	forms atomic.Pointer[forms]
}

// forms are the wire forms that few messages need.
type forms struct {
	deflate  sync.Once
	deflated []byte // the permessage-deflate frame
	encode   sync.Once
	base64   []byte // a binary message's polling form
}

func (m *Message) more() *forms {
	if f := m.forms.Load(); f != nil {
		return f
	}
	m.forms.CompareAndSwap(nil, &forms{})
	return m.forms.Load()
}

// TextBuffer returns a buffer to which the text of a message of about size
// bytes is appended before it is handed to [TextMessage].
func TextBuffer(size int) []byte {
	b := make([]byte, headroom+1, headroom+1+size)
	b[headroom] = packetMessage
	return b
}

// TextMessage makes a message of a buffer from [TextBuffer] with the text, in
// UTF-8, appended. It takes ownership of buf.
func TextMessage(buf []byte) *Message { return seal(buf, false) }

// InitText makes m, which must be zero, what [TextMessage] returns: for those
// who keep messages within values of their own.
func (m *Message) InitText(buf []byte) {
	m.buf, m.start, m.compress = buf, uint8(putFrameHeader(buf, 0x81)), true
}

// BinaryBuffer is [TextBuffer] for a binary message.
func BinaryBuffer(size int) []byte { return make([]byte, headroom, headroom+size) }

// InitBinary is InitText for a binary message, in a buffer from [BinaryBuffer].
func (m *Message) InitBinary(buf []byte) {
	m.buf, m.start, m.binary, m.compress = buf, uint8(putFrameHeader(buf, 0x82)), true, true
}

// NewText makes a text message of a copy of text, which must be UTF-8.
func NewText(text string) *Message { return TextMessage(append(TextBuffer(len(text)), text...)) }

// NewBinary makes a binary message of a copy of data.
func NewBinary(data []byte) *Message {
	return seal(append(BinaryBuffer(len(data)), data...), true)
}

// NoCompress marks m, before its first use, as not worth compressing.
func (m *Message) NoCompress() *Message {
	m.compress = false
	return m
}

// packet makes a message of an Engine.IO packet other than a message.
func packet(kind byte, data string) *Message {
	b := make([]byte, headroom, headroom+1+len(data))
	m := seal(append(append(b, kind), data...), false).NoCompress()
	m.own = true
	return m
}

var (
	pingPacket = packet(packetPing, "")
	noopPacket = packet(packetNoop, "")
)

// seal writes the header of the WebSocket frame in front of the payload.
func seal(buf []byte, isBinary bool) *Message {
	first := byte(0x81)
	if isBinary {
		first = 0x82
	}
	return &Message{buf: buf, start: uint8(putFrameHeader(buf, first)), binary: isBinary, compress: true}
}

// putFrameHeader writes the header of an unmasked frame into the headroom of
// buf, ending where the payload starts, and returns where it starts.
func putFrameHeader(buf []byte, first byte) int {
	n := len(buf) - headroom
	switch {
	case n < 126:
		buf[headroom-2], buf[headroom-1] = first, byte(n)
		return headroom - 2
	case n < 1<<16:
		buf[headroom-4], buf[headroom-3] = first, 126
		binary.BigEndian.PutUint16(buf[headroom-2:], uint16(n))
		return headroom - 4
	default:
		buf[0], buf[1] = first, 127
		binary.BigEndian.PutUint64(buf[2:], uint64(n))
		return 0
	}
}

// payload is the message as an Engine.IO packet on WebSocket, without a frame.
func (m *Message) payload() []byte { return m.buf[headroom:] }

// frame is the message as a whole WebSocket frame.
func (m *Message) frame(deflate bool) []byte {
	if deflate && m.compress && len(m.buf)-headroom >= deflateThreshold {
		return m.deflatedFrame()
	}
	return m.buf[m.start:]
}

// cost is what the message counts for in a queue.
func (m *Message) cost() int { return len(m.buf) - int(m.start) + messageCost }

// polled is the message as a packet of a polling payload: a binary message as
// "b" and its base64, Engine.IO protocol 4, "Payload encoding".
func (m *Message) polled() []byte {
	if !m.binary {
		return m.payload()
	}
	f := m.more()
	f.encode.Do(func() {
		b := make([]byte, 1, 1+base64.StdEncoding.EncodedLen(len(m.payload())))
		b[0] = 'b'
		f.base64 = base64.StdEncoding.AppendEncode(b, m.payload())
	})
	return f.base64
}
