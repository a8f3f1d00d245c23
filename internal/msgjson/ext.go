package msgjson

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/vmihailenco/msgpack/v5/msgpcode"
)

// ext reads a timestamp, or one of the extensions of type 0 that version 2
// of notepack writes: undefined, a date in milliseconds, bytes.
func (d *Reader) ext(c byte) error {
	id, n, err := d.dec.DecodeExtHeader()
	if err != nil {
		return ErrShort
	}
	b, err := d.take(n)
	if err != nil {
		return err
	}
	switch {
	case id == -1 && n == 4:
		d.time(int64(binary.BigEndian.Uint32(b)), 0)
	case id == -1 && n == 8:
		x := binary.BigEndian.Uint64(b)
		d.time(int64(x&(1<<34-1)), int64(x>>34))
	case id == -1 && n == 12:
		d.time(int64(binary.BigEndian.Uint64(b[4:])), int64(binary.BigEndian.Uint32(b)))
	case id == 0 && c == msgpcode.FixExt1:
		d.Text = append(d.Text, "null"...)
	case id == 0 && c == msgpcode.FixExt8:
		ms := int64(binary.BigEndian.Uint64(b))
		d.time(ms/1000, ms%1000*int64(time.Millisecond))
	case id == 0 && (c == msgpcode.Ext8 || c == msgpcode.Ext16 || c == msgpcode.Ext32):
		return d.attach(b)
	default:
		return fmt.Errorf("%w: type %d", ErrExt, id)
	}
	return nil
}

// time writes a date as JSON.stringify does; one that has no such text is null.
func (d *Reader) time(seconds, nanoseconds int64) {
	t := time.Unix(seconds, nanoseconds).UTC()
	if y := t.Year(); y < 0 || y > 9999 || seconds > 1<<38 || seconds < -1<<38 {
		d.Text = append(d.Text, "null"...)
		return
	}
	d.Text = t.AppendFormat(d.Text, `"2006-01-02T15:04:05.000Z"`)
}
