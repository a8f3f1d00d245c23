package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

var (
	errTrailing = errors.New("bytes after the message")
	errCode     = errors.New("bad MessagePack")
	errShort    = errors.New("message ends early")
	errKey      = errors.New("a key that is neither text nor an integer")
	errExt      = errors.New("unknown extension")
)

// A decoder turns MessagePack into JSON text, with placeholders for bytes.
type decoder struct {
	src string
	r   strings.Reader
	dec *msgpack.Decoder
	out []byte
	att [][]byte
}

var decoders = sync.Pool{New: func() any {
	d := &decoder{}
	d.dec = msgpack.NewDecoder(&d.r)
	return d
}}

func (d *decoder) free() {
	if cap(d.out) > keepAtMost {
		return
	}
	d.src, d.att, d.out = "", nil, d.out[:0]
	d.r.Reset("")
	decoders.Put(d)
}

// read appends the one value that payload is to out.
func (d *decoder) read(payload string) error {
	d.src = payload
	d.r.Reset(payload)
	d.dec.ResetReader(&d.r)
	if err := d.value(0); err != nil {
		return err
	}
	if d.r.Len() > 0 {
		return errTrailing
	}
	return nil
}

func (d *decoder) value(depth int) error {
	c, err := d.dec.PeekCode()
	if err != nil {
		return errShort
	}
	switch {
	case msgpcode.IsFixedString(c) || c == msgpcode.Str8 || c == msgpcode.Str16 || c == msgpcode.Str32:
		return d.string()
	case msgpcode.IsFixedNum(c) || c >= msgpcode.Uint8 && c <= msgpcode.Int64:
		return d.integer(c)
	case msgpcode.IsFixedArray(c) || c == msgpcode.Array16 || c == msgpcode.Array32:
		return d.array(depth)
	case msgpcode.IsFixedMap(c) || c == msgpcode.Map16 || c == msgpcode.Map32:
		return d.object(depth)
	case msgpcode.IsBin(c):
		return d.bytes()
	case msgpcode.IsExt(c):
		return d.ext(c)
	}
	switch c {
	case msgpcode.Nil:
		d.out = append(d.out, "null"...)
		return d.dec.DecodeNil()
	case msgpcode.True, msgpcode.False:
		v, err := d.dec.DecodeBool()
		d.out = strconv.AppendBool(d.out, v)
		return err
	case msgpcode.Float, msgpcode.Double:
		f, err := d.dec.DecodeFloat64()
		if err != nil {
			return errShort
		}
		d.float(f, c == msgpcode.Float)
		return nil
	}
	return errCode
}

// take returns the next n bytes.
func (d *decoder) take(n int) (string, error) {
	if n < 0 || n > d.r.Len() {
		return "", errShort
	}
	at := len(d.src) - d.r.Len()
	if _, err := d.r.Seek(int64(n), io.SeekCurrent); err != nil {
		return "", errShort
	}
	return d.src[at : at+n], nil
}

func (d *decoder) blob() (string, error) {
	n, err := d.dec.DecodeBytesLen()
	if err != nil {
		return "", errShort
	}
	return d.take(n)
}

func (d *decoder) string() error {
	s, err := d.blob()
	if err != nil {
		return err
	}
	// An error is about bytes that are not UTF-8; they are U+FFFD then.
	d.out, _ = jsontext.AppendQuote(d.out, s)
	return nil
}

func (d *decoder) bytes() error {
	s, err := d.blob()
	if err != nil {
		return err
	}
	d.attach(s)
	return nil
}

func (d *decoder) attach(s string) {
	d.out = append(d.out, `{"_placeholder":true,"num":`...)
	d.out = append(strconv.AppendInt(d.out, int64(len(d.att)), 10), '}')
	d.att = append(d.att, []byte(s))
}

func (d *decoder) integer(c byte) error {
	if c == msgpcode.Uint64 {
		n, err := d.dec.DecodeUint64()
		if err != nil {
			return errShort
		}
		d.out = strconv.AppendUint(d.out, n, 10)
		return nil
	}
	n, err := d.dec.DecodeInt64()
	if err != nil {
		return errShort
	}
	d.out = strconv.AppendInt(d.out, n, 10)
	return nil
}

// float writes a number as JSON.stringify does.
func (d *decoder) float(f float64, single bool) {
	bits := 64
	if single {
		bits = 32
	}
	switch abs := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		d.out = append(d.out, "null"...)
	case f == 0:
		d.out = append(d.out, '0')
	case abs < 1e-6 || abs >= 1e21:
		d.out = strconv.AppendFloat(d.out, f, 'e', -1, bits)
	default:
		d.out = strconv.AppendFloat(d.out, f, 'f', -1, bits)
	}
}

func (d *decoder) array(depth int) error {
	if depth >= maxDepth {
		return errDepth
	}
	n, err := d.dec.DecodeArrayLen()
	if err != nil || n < 0 || n > d.r.Len() {
		return errShort
	}
	d.out = append(d.out, '[')
	for i := range n {
		if i > 0 {
			d.out = append(d.out, ',')
		}
		if err := d.value(depth + 1); err != nil {
			return err
		}
	}
	d.out = append(d.out, ']')
	return nil
}

func (d *decoder) object(depth int) error {
	if depth >= maxDepth {
		return errDepth
	}
	n, err := d.dec.DecodeMapLen()
	if err != nil || n < 0 || n > d.r.Len()/2 {
		return errShort
	}
	d.out = append(d.out, '{')
	for i := range n {
		if i > 0 {
			d.out = append(d.out, ',')
		}
		if err := d.key(); err != nil {
			return err
		}
		d.out = append(d.out, ':')
		if err := d.value(depth + 1); err != nil {
			return err
		}
	}
	d.out = append(d.out, '}')
	return nil
}

func (d *decoder) key() error {
	c, err := d.dec.PeekCode()
	switch {
	case err != nil:
		return errShort
	case msgpcode.IsFixedNum(c) || c >= msgpcode.Uint8 && c <= msgpcode.Int64:
		d.out = append(d.out, '"')
		if err := d.integer(c); err != nil {
			return err
		}
		d.out = append(d.out, '"')
		return nil
	case msgpcode.IsFixedString(c) || c == msgpcode.Str8 || c == msgpcode.Str16 || c == msgpcode.Str32:
		return d.string()
	}
	return errKey
}

// ext reads a timestamp, or one of the extensions of type 0 that older versions
// of notepack wrote: undefined, a date in milliseconds, bytes.
func (d *decoder) ext(c byte) error {
	id, n, err := d.dec.DecodeExtHeader()
	if err != nil {
		return errShort
	}
	s, err := d.take(n)
	if err != nil {
		return err
	}
	b := []byte(s)
	switch {
	case id == -1 && n == 4:
		d.time(int64(binary.BigEndian.Uint32(b)), 0)
	case id == -1 && n == 8:
		x := binary.BigEndian.Uint64(b)
		d.time(int64(x&(1<<34-1)), int64(x>>34))
	case id == -1 && n == 12:
		d.time(int64(binary.BigEndian.Uint64(b[4:])), int64(binary.BigEndian.Uint32(b)))
	case id == 0 && c == msgpcode.FixExt1:
		d.out = append(d.out, "null"...)
	case id == 0 && c == msgpcode.FixExt8:
		ms := int64(binary.BigEndian.Uint64(b))
		d.time(ms/1000, ms%1000*int64(time.Millisecond))
	case id == 0 && (c == msgpcode.Ext8 || c == msgpcode.Ext16 || c == msgpcode.Ext32):
		d.attach(s)
	default:
		return fmt.Errorf("%w: type %d", errExt, id)
	}
	return nil
}

// time writes a date as JSON.stringify does; one that has no such text is null.
func (d *decoder) time(seconds, nanoseconds int64) {
	t := time.Unix(seconds, nanoseconds).UTC()
	if y := t.Year(); y < 0 || y > 9999 || seconds > 1<<38 || seconds < -1<<38 {
		d.out = append(d.out, "null"...)
		return
	}
	d.out = t.AppendFormat(d.out, `"2006-01-02T15:04:05.000Z"`)
}
