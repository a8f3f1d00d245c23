package wire

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed3686fee0/parlor/server/packet"
)

// MaxAttachments is how many binary parts an event may have: the reference
// client closes its connection on more.
const MaxAttachments = 10

// maxParts is how many binary parts a message may have, which describes many
// sockets perhaps.
const maxParts = 1 << 16

var (
	errSize  = errors.New("message too large")
	errValue = errors.New("not one value")
)

// A Reader reads messages of at most Max bytes. It is not safe for concurrent use.
type Reader struct {
	max     int
	decoder *packet.Decoder
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
	d := decoders.Get().(*decoder)
	defer d.free()
	d.out = append(append(append(d.out[:0], "30["...), payload...), ']')
	return r.parse(d.out, nil)
}

func (r *Reader) msgpack(payload string) (packet.Arg, error) {
	if len(payload) > r.max {
		return packet.Arg{}, errSize
	}
	d := decoders.Get().(*decoder)
	defer d.free()
	// The header of a packet goes before the text, and its length is not known yet.
	const room = len("665536-0[")
	d.out = append(d.out[:0], "         "[:room]...)
	if err := d.read(payload); err != nil {
		return packet.Arg{}, err
	}
	d.out = append(d.out, ']')
	header := "30["
	if n := len(d.att); n > maxParts {
		return packet.Arg{}, errSize
	} else if n > 0 {
		header = "6" + strconv.Itoa(n) + "-0["
	}
	start := room - len(header)
	copy(d.out[start:], header)
	return r.parse(d.out[start:], d.att)
}

// parse has the codec of packets check the text and resolve its placeholders,
// so that nothing enters that has not been through it: the payload is made the
// argument of an acknowledgement.
func (r *Reader) parse(text []byte, att [][]byte) (packet.Arg, error) {
	p, err := r.decoder.Text(text)
	for _, b := range att {
		if err != nil {
			break
		}
		p, err = r.decoder.Binary(b)
	}
	switch {
	case err != nil:
		return packet.Arg{}, err
	case p == nil || p.Args.Len() != 1:
		r.decoder.Reset()
		return packet.Arg{}, errValue
	}
	return p.Args.At(0), nil
}

// split returns the text of arguments, as a JSON array, with what its
// placeholders stand for.
func split(dst []byte, args packet.Args) (text []byte, att [][]byte, err error) {
	start := len(dst)
	dst, att, err = packet.Append(dst, &packet.Packet{Type: packet.Ack, HasID: true, Args: args})
	if err != nil {
		return dst, nil, err
	}
	at := start
	for at < len(dst) && dst[at] != '[' { // the header is digits and a dash
		at++
	}
	n := copy(dst[start:], dst[at:])
	return dst[:start+n], att, nil
}
