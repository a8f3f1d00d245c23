package engine

import (
	"encoding/binary"

	"github.com/gobwas/ws"
)

// parseHeader reads a frame's header from the start of b and reports how many
// bytes it takes; n is 0 when b does not hold all of it. RFC 6455, 5.2.
func parseHeader(b []byte) (h ws.Header, n int, err error) {
	if len(b) < 2 {
		return h, 0, nil
	}
	h.Fin = b[0]&0x80 != 0
	h.Rsv = b[0] & 0x70 >> 4
	h.OpCode = ws.OpCode(b[0] & 0x0f)
	h.Masked = b[1]&0x80 != 0
	h.Length = int64(b[1] & 0x7f)
	n = headerSize(b[1])
	if len(b) < n {
		return h, 0, nil
	}
	switch h.Length {
	case 126:
		h.Length = int64(binary.BigEndian.Uint16(b[2:]))
		if h.Length < 126 {
			return h, n, errLength
		}
	case 127:
		length := binary.BigEndian.Uint64(b[2:])
		if length < 1<<16 || length >= 1<<63 {
			return h, n, errLength
		}
		h.Length = int64(length)
	}
	if h.Masked {
		copy(h.Mask[:], b[n-4:n])
	}
	return h, n, nil
}

// headerSize is the size of a header whose second byte this is.
func headerSize(second byte) int {
	n := 2
	switch second & 0x7f {
	case 126:
		n += 2
	case 127:
		n += 8
	}
	if second&0x80 != 0 {
		n += 4
	}
	return n
}
