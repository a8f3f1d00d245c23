package msgjson

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/seed3686fee0/parlor/server/packet"
	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// What errors.Is finds in the errors of a [Reader].
var (
	ErrTrailing = errors.New("bytes after the message")
	ErrCode     = errors.New("bad MessagePack")
	ErrShort    = errors.New("message ends early")
	ErrKey      = errors.New("a key that is not text")
	ErrExt      = errors.New("unknown extension")
	ErrDepth    = errors.New("nested too deeply")
	ErrBytes    = errors.New("too many binary parts")
)

// A Reader turns the values of one message into JSON text. It is not safe for
// concurrent use.
type Reader struct {
	// Text is what has been read, and Attachments are what the placeholders in
	// it stand for: parts of the message. Whoever reads may shorten both.
	Text        []byte
	Attachments [][]byte
	// MaxDepth is how deep arrays and maps may be nested, and MaxAttachments how
	// many there may be.
	MaxDepth, MaxAttachments int
	// IntegerKeys says that the keys of maps may be integers.
	IntegerKeys bool

	src []byte
	r   bytes.Reader
	dec *msgpack.Decoder
}

var readers = sync.Pool{New: func() any {
	d := &Reader{}
	d.dec = msgpack.NewDecoder(&d.r)
	return d
}}

// NewReader returns a reader of a message, which is its own from now on, and
// its attachments'. Call Free when it has been read.
func NewReader(message []byte) *Reader {
	d := readers.Get().(*Reader)
	d.src = message
	d.r.Reset(message)
	d.dec.ResetReader(&d.r)
	return d
}

// Free ends the use of the reader and of its Text, not that of the attachments.
func (d *Reader) Free() {
	if cap(d.Text) > keepAtMost {
		return
	}
	d.r.Reset(nil)
	*d = Reader{Text: d.Text[:0], r: d.r, dec: d.dec}
	readers.Put(d)
}

// Offset is how much of the message has been read.
func (d *Reader) Offset() int { return len(d.src) - d.r.Len() }

// End is an error unless all of the message has been read.
func (d *Reader) End() error {
	if d.r.Len() > 0 {
		return ErrTrailing
	}
	return nil
}

// ReadMap reads the head of a map, and returns how many keys with their values follow.
func (d *Reader) ReadMap() (int, error) {
	if c, err := d.peek(); err != nil {
		return 0, err
	} else if !isMap(c) {
		return 0, ErrCode
	}
	return d.mapLen()
}

// ReadString reads a string, which may be none in UTF-8. It is a part of the message.
func (d *Reader) ReadString() ([]byte, error) {
	if c, err := d.peek(); err != nil {
		return nil, err
	} else if !isString(c) {
		return nil, ErrKey
	}
	return d.blob()
}

// ReadValue appends the next value to Text.
func (d *Reader) ReadValue() error { return d.value(0) }

func isString(c byte) bool {
	return msgpcode.IsFixedString(c) || c == msgpcode.Str8 || c == msgpcode.Str16 || c == msgpcode.Str32
}

func isInteger(c byte) bool {
	return msgpcode.IsFixedNum(c) || c >= msgpcode.Uint8 && c <= msgpcode.Int64
}

func isMap(c byte) bool {
	return msgpcode.IsFixedMap(c) || c == msgpcode.Map16 || c == msgpcode.Map32
}

func (d *Reader) value(depth int) error {
	c, err := d.peek()
	if err != nil {
		return err
	}
	switch {
	case isString(c):
		return d.string()
	case isInteger(c):
		return d.integer(c)
	case msgpcode.IsFixedArray(c) || c == msgpcode.Array16 || c == msgpcode.Array32:
		return d.array(depth)
	case isMap(c):
		return d.object(depth)
	case msgpcode.IsBin(c):
		b, err := d.blob()
		if err != nil {
			return err
		}
		return d.attach(b)
	case msgpcode.IsExt(c):
		return d.ext(c)
	}
	switch c {
	case msgpcode.Nil:
		d.Text = append(d.Text, "null"...)
		return d.dec.DecodeNil()
	case msgpcode.True, msgpcode.False:
		v, err := d.dec.DecodeBool()
		d.Text = strconv.AppendBool(d.Text, v)
		return err
	case msgpcode.Float, msgpcode.Double:
		f, err := d.dec.DecodeFloat64()
		if err != nil {
			return ErrShort
		}
		d.float(f)
		return nil
	}
	return ErrCode
}

// peek returns the next byte, which says what follows, and leaves it there.
func (d *Reader) peek() (byte, error) {
	if d.r.Len() == 0 {
		return 0, ErrShort
	}
	return d.src[d.Offset()], nil
}

// take returns the next n bytes.
func (d *Reader) take(n int) ([]byte, error) {
	if n < 0 || n > d.r.Len() {
		return nil, ErrShort
	}
	at := d.Offset()
	if _, err := d.r.Seek(int64(n), io.SeekCurrent); err != nil {
		return nil, ErrShort
	}
	return d.src[at : at+n : at+n], nil
}

func (d *Reader) blob() ([]byte, error) {
	n, err := d.dec.DecodeBytesLen()
	if err != nil {
		return nil, ErrShort
	}
	return d.take(n)
}

func (d *Reader) string() error {
	s, err := d.blob()
	if err != nil {
		return err
	}
	if plain(s) { // most keys are, and it is twice as fast
		d.Text = append(append(append(d.Text, '"'), s...), '"')
		return nil
	}
	// An error is about bytes that are not UTF-8; they are U+FFFD then.
	d.Text, _ = jsontext.AppendQuote(d.Text, s)
	return nil
}

// plain reports whether a text is ASCII that JSON has no escapes for.
func plain(s []byte) bool {
	for _, c := range s {
		if c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func (d *Reader) attach(b []byte) error {
	if len(d.Attachments) >= d.MaxAttachments {
		return ErrBytes
	}
	d.Text = packet.AppendPlaceholder(d.Text, len(d.Attachments))
	d.Attachments = append(d.Attachments, b)
	return nil
}

func (d *Reader) integer(c byte) error {
	if c == msgpcode.Uint64 {
		n, err := d.dec.DecodeUint64()
		if err != nil {
			return ErrShort
		}
		d.Text = strconv.AppendUint(d.Text, n, 10)
		return nil
	}
	n, err := d.dec.DecodeInt64()
	if err != nil {
		return ErrShort
	}
	d.Text = strconv.AppendInt(d.Text, n, 10)
	return nil
}

// float writes a number as JSON.stringify does.
func (d *Reader) float(f float64) {
	switch abs := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		d.Text = append(d.Text, "null"...)
	case f == 0:
		d.Text = append(d.Text, '0')
	case abs < 1e-6 || abs >= 1e21:
		d.Text = strconv.AppendFloat(d.Text, f, 'e', -1, 64)
	default:
		d.Text = strconv.AppendFloat(d.Text, f, 'f', -1, 64)
	}
}

func (d *Reader) array(depth int) error {
	if depth >= d.MaxDepth {
		return ErrDepth
	}
	n, err := d.dec.DecodeArrayLen()
	if err != nil || n < 0 || n > d.r.Len() {
		return ErrShort
	}
	d.Text = append(d.Text, '[')
	for i := range n {
		if i > 0 {
			d.Text = append(d.Text, ',')
		}
		if err := d.value(depth + 1); err != nil {
			return err
		}
	}
	d.Text = append(d.Text, ']')
	return nil
}

func (d *Reader) object(depth int) error {
	if depth >= d.MaxDepth {
		return ErrDepth
	}
	n, err := d.mapLen()
	if err != nil {
		return err
	}
	d.Text = append(d.Text, '{')
	for i := range n {
		if i > 0 {
			d.Text = append(d.Text, ',')
		}
		if err := d.key(); err != nil {
			return err
		}
		d.Text = append(d.Text, ':')
		if err := d.value(depth + 1); err != nil {
			return err
		}
	}
	d.Text = append(d.Text, '}')
	return nil
}

func (d *Reader) mapLen() (int, error) {
	n, err := d.dec.DecodeMapLen()
	if err != nil || n < 0 || n > d.r.Len()/2 {
		return 0, ErrShort
	}
	return n, nil
}

func (d *Reader) key() error {
	c, err := d.peek()
	switch {
	case err != nil:
		return err
	case isString(c):
		return d.string()
	case isInteger(c) && d.IntegerKeys:
		d.Text = append(d.Text, '"')
		if err := d.integer(c); err != nil {
			return err
		}
		d.Text = append(d.Text, '"')
		return nil
	}
	return ErrKey
}
