package engine

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"
	"sync"
)

// deflateThreshold is the size from which a message is compressed, Node's
// default for permessage-deflate.
const deflateThreshold = 1024

// Both directions are negotiated without context takeover (RFC 7692, 7.1.1):
// no connection keeps a window of its own, and a broadcast is compressed once
// for all that receive it.
var (
	deflaters = sync.Pool{New: func() any {
		w, err := flate.NewWriter(io.Discard, flate.BestSpeed)
		must(err) // only for a level out of range
		return w
	}}
	inflaters = sync.Pool{New: func() any { return flate.NewReader(bytes.NewReader(nil)) }}
)

// deflateTail is what a sender leaves off a message and a receiver puts back
// (RFC 7692, 7.2.1 and 7.2.2), with an empty final block so that the reader
// sees the end.
const deflateTail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"

// deflatedFrame is the message as a compressed frame, or as it is when that is
// not smaller.
func (m *Message) deflatedFrame() []byte {
	f := m.more()
	f.deflate.Do(func() { f.deflated = m.compressed() })
	return f.deflated
}

func (m *Message) compressed() []byte {
	var out bytes.Buffer
	out.Grow(headroom + len(m.buf)/2)
	out.Write(m.buf[:headroom])
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	w.Reset(&out)
	_, err := w.Write(m.payload())
	if err == nil {
		err = w.Flush()
	}
	must(err)
	b := bytes.TrimSuffix(out.Bytes(), []byte(deflateTail[:4]))
	if len(b) >= len(m.buf) {
		return m.buf[m.start:]
	}
	first := byte(0xc1)
	if m.binary {
		first = 0xc2
	}
	return b[putFrameHeader(b, first):]
}

var errInflatedTooLarge = errors.New("inflated message is over the limit")

// inflate undoes permessage-deflate. What comes out is limited, not only what
// goes in: it reads at most one byte more than limit.
func inflate(data []byte, limit int64) ([]byte, error) {
	r := inflaters.Get().(io.ReadCloser)
	defer inflaters.Put(r)
	in := io.MultiReader(bytes.NewReader(data), bytes.NewReader([]byte(deflateTail)))
	if err := r.(flate.Resetter).Reset(in, nil); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	n, err := out.ReadFrom(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, errInflatedTooLarge
	}
	return out.Bytes(), nil
}
