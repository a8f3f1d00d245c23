package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The opcodes of RFC 6455, section 11.8.
const (
	OpContinuation = 0x0
	OpText         = 0x1
	OpBinary       = 0x2
	OpClose        = 0x8
	OpPing         = 0x9
	OpPong         = 0xA
)

// The reserved bits, as [Frame.RSV] holds them.
const (
	RSV1 = 0x40
	RSV2 = 0x20
	RSV3 = 0x10
)

// maxServerFrame is the most that is read from a server in one frame: no test needs more.
const maxServerFrame = 64 << 20

// Frame is one WebSocket frame. The zero values of its switches give a frame as a decent client
// sends it, except that Fin must be said; the others break a rule each.
type Frame struct {
	Fin     bool
	RSV     byte // RSV1, RSV2, RSV3 in any combination
	Opcode  byte
	Payload []byte

	Unmasked bool    // leave the mask out, as only a server may
	Mask     [4]byte // the key; zero means a fixed one that is not zero

	Length      uint64 // the length to declare; 0 means the true one
	LengthBytes int    // 2 or 8 forces an extended length even where a shorter one would do
}

// fixedMask is used unless a frame brings its own key. It is not zero, so that a server that forgets
// to unmask is found out.
var fixedMask = [4]byte{0x37, 0xfa, 0x21, 0x3d}

// Text is a whole text frame.
func Text(s string) Frame { return Frame{Fin: true, Opcode: OpText, Payload: []byte(s)} }

// Binary is a whole binary frame.
func Binary(b []byte) Frame { return Frame{Fin: true, Opcode: OpBinary, Payload: b} }

// Ping is a ping frame.
func Ping(payload string) Frame { return Frame{Fin: true, Opcode: OpPing, Payload: []byte(payload)} }

// Close is a close frame with a code and a reason. Code 0 makes an empty one.
func Close(code int, reason string) Frame {
	f := Frame{Fin: true, Opcode: OpClose}
	if code != 0 {
		f.Payload = append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
	}
	return f
}

// Append appends the frame's bytes to dst.
func (f Frame) Append(dst []byte) []byte {
	b0 := f.Opcode | f.RSV
	if f.Fin {
		b0 |= 0x80
	}
	length := f.Length
	if length == 0 {
		length = uint64(len(f.Payload))
	}
	var b1 byte
	if !f.Unmasked {
		b1 = 0x80
	}
	switch {
	case f.LengthBytes == 8 || length > 0xffff:
		dst = binary.BigEndian.AppendUint64(append(dst, b0, b1|127), length)
	case f.LengthBytes == 2 || length > 125:
		dst = binary.BigEndian.AppendUint16(append(dst, b0, b1|126), uint16(length))
	default:
		dst = append(dst, b0, b1|byte(length))
	}
	if f.Unmasked {
		return append(dst, f.Payload...)
	}
	mask := f.Mask
	if mask == ([4]byte{}) {
		mask = fixedMask
	}
	dst = append(dst, mask[:]...)
	for i, c := range f.Payload {
		dst = append(dst, c^mask[i&3])
	}
	return dst
}

// ErrServerFrame is wrapped by the errors of a frame that a server must not send.
var ErrServerFrame = errors.New("the server sent a bad frame")

// readFrame reads one frame from a server and refuses what RFC 6455 does not let a server send.
func readFrame(br *bufio.Reader) (Frame, error) {
	var head [2]byte
	if _, err := io.ReadFull(br, head[:]); err != nil {
		return Frame{}, err
	}
	f := Frame{Fin: head[0]&0x80 != 0, RSV: head[0] & 0x70, Opcode: head[0] & 0x0f, Unmasked: true}
	if head[1]&0x80 != 0 {
		return f, fmt.Errorf("%w: masked", ErrServerFrame)
	}
	length, err := readLength(br, head[1]&0x7f)
	if err != nil {
		return f, err
	}
	switch control := f.Opcode >= OpClose; {
	case f.Opcode > OpPong || f.Opcode > OpBinary && !control:
		return f, fmt.Errorf("%w: opcode %#x", ErrServerFrame, f.Opcode)
	case control && (length > 125 || !f.Fin):
		return f, fmt.Errorf("%w: control frame of %d bytes, fin %t", ErrServerFrame, length, f.Fin)
	case length > maxServerFrame:
		return f, fmt.Errorf("%w: %d bytes", ErrServerFrame, length)
	}
	f.Payload = make([]byte, length)
	_, err = io.ReadFull(br, f.Payload)
	return f, err
}

// readLength reads the rest of a length whose first seven bits are short.
func readLength(br *bufio.Reader, short byte) (uint64, error) {
	var ext [8]byte
	switch short {
	case 126:
		if _, err := io.ReadFull(br, ext[:2]); err != nil {
			return 0, err
		}
		n := uint64(binary.BigEndian.Uint16(ext[:2]))
		if n < 126 {
			return 0, fmt.Errorf("%w: length %d in two bytes", ErrServerFrame, n)
		}
		return n, nil
	case 127:
		if _, err := io.ReadFull(br, ext[:]); err != nil {
			return 0, err
		}
		n := binary.BigEndian.Uint64(ext[:])
		if n <= 0xffff || n>>63 != 0 {
			return 0, fmt.Errorf("%w: length %d in eight bytes", ErrServerFrame, n)
		}
		return n, nil
	default:
		return uint64(short), nil
	}
}
