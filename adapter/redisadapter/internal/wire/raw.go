package wire

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/seed3686fee0/parlor/internal/msgjson"
	"github.com/seed3686fee0/parlor/server/packet"
)

// MaxAttachments is how many binary parts an event may have: the reference
// client closes its connection on more.
const MaxAttachments = 10

// maxParts is how many binary parts a message may have, which describes many
// sockets perhaps.
const maxParts = 1 << 16

// maxDepth is how deep arrays and maps may be nested, the envelope included.
const maxDepth = 512

// keepAtMost is the size up to which a buffer is kept for the next use.
const keepAtMost = 64 << 10

var (
	errSize  = errors.New("message too large")
	errValue = errors.New("not one value")
)

// A Reader reads messages of at most Max bytes. It is not safe for concurrent use.
type Reader struct {
	max     int
	decoder *packet.Decoder
	buf     []byte // of what is read
}

// NewReader returns a reader of messages of up to so many bytes.
func NewReader(bytes int) *Reader {
	return &Reader{max: bytes, decoder: packet.NewDecoder(packet.Limits{
		MaxAttachments: maxParts,
		MaxDepth:       maxDepth + 2,
		MaxBytes:       int64(bytes),
	})}
}

// value reads a payload, JSON if it begins with a brace.
func (r *Reader) value(payload string) (packet.Arg, error) {
	if len(payload) > 0 && payload[0] == '{' {
		return r.json(payload)
	}
	return r.msgpack(payload)
}

func (r *Reader) json(payload string) (packet.Arg, error) {
	if len(payload) > r.max {
		return packet.Arg{}, errSize
	}
	if !utf8.ValidString(payload) {
		payload = strings.ToValidUTF8(payload, "\uFFFD")
	}
	return r.parse(r.copy("[", payload, "]"), nil)
}

func (r *Reader) msgpack(payload string) (packet.Arg, error) {
	if len(payload) > r.max {
		return packet.Arg{}, errSize
	}
	d := msgjson.NewReader(r.copy(payload))
	defer d.Free()
	d.MaxDepth, d.MaxAttachments, d.IntegerKeys = maxDepth, maxParts, true
	d.Text = append(d.Text, '[')
	if err := d.ReadValue(); err != nil {
		return packet.Arg{}, err
	}
	if err := d.End(); err != nil {
		return packet.Arg{}, err
	}
	d.Text = append(d.Text, ']')
	for i, b := range d.Attachments {
		d.Attachments[i] = bytes.Clone(b)
	}
	return r.parse(d.Text, d.Attachments)
}

// copy returns texts as bytes that are good until the next call.
func (r *Reader) copy(texts ...string) []byte {
	b := r.buf[:0]
	for _, s := range texts {
		b = append(b, s...)
	}
	if r.buf = b; cap(b) > keepAtMost {
		r.buf = nil
	}
	return b
}

// parse has the codec of packets check the text and resolve its placeholders,
// so that nothing enters that has not been through it: the payload is made the
// argument of an acknowledgement.
func (r *Reader) parse(text []byte, att [][]byte) (packet.Arg, error) {
	p, err := r.decoder.Packet(&packet.Parts{Type: packet.Ack, Payload: text, Attachments: att})
	if err != nil {
		return packet.Arg{}, err
	}
	if p.Args.Len() != 1 {
		return packet.Arg{}, errValue
	}
	return p.Args.At(0), nil
}

// split returns the text of arguments, as a JSON array, with what its
// placeholders stand for.
func split(dst []byte, args packet.Args) (text []byte, att [][]byte, err error) {
	p := packet.Packet{Type: packet.Ack, HasID: true, Args: args}
	payload, att, err := p.Payload()
	if err != nil {
		return dst, nil, err
	}
	return append(append(append(dst, '['), payload...), ']'), att, nil
}
