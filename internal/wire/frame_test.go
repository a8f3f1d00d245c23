package wire

import (
	"bufio"
	"bytes"
	"errors"
	"testing"
)

func TestFrameAppend(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 126)
	for name, tc := range map[string]struct {
		frame Frame
		want  string
	}{
		// RFC 6455, section 5.7: "Hello" as a single masked text frame.
		"hello":          {Frame{Fin: true, Opcode: OpText, Payload: []byte("Hello"), Mask: [4]byte{0x37, 0xfa, 0x21, 0x3d}}, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"},
		"unmasked":       {Frame{Fin: true, Opcode: OpText, Payload: []byte("Hello"), Unmasked: true}, "\x81\x05Hello"},
		"fragment":       {Frame{Opcode: OpText, Payload: []byte("Hel"), Unmasked: true}, "\x01\x03Hel"},
		"rsv":            {Frame{Fin: true, RSV: RSV1 | RSV3, Opcode: OpText, Unmasked: true}, "\xd1\x00"},
		"two bytes":      {Frame{Fin: true, Opcode: OpBinary, Payload: long, Unmasked: true}, "\x82\x7e\x00\x7e" + string(long)},
		"not minimal":    {Frame{Fin: true, Opcode: OpText, Payload: []byte("a"), Unmasked: true, LengthBytes: 8}, "\x81\x7f\x00\x00\x00\x00\x00\x00\x00\x01a"},
		"lying":          {Frame{Fin: true, Opcode: OpText, Payload: []byte("a"), Unmasked: true, Length: 1 << 63}, "\x81\x7f\x80\x00\x00\x00\x00\x00\x00\x00a"},
		"close":          {Frame{Fin: true, Opcode: OpClose, Payload: Close(1000, "bye").Payload, Unmasked: true}, "\x88\x05\x03\xe8bye"},
		"close, no code": {Frame{Fin: true, Opcode: OpClose, Payload: Close(0, "").Payload, Unmasked: true}, "\x88\x00"},
	} {
		if got := string(tc.frame.Append(nil)); got != tc.want {
			t.Errorf("%s: got %x, want %x", name, got, tc.want)
		}
	}
}

func TestReadFrame(t *testing.T) {
	for _, n := range []int{0, 1, 125, 126, 65535, 65536} {
		sent := Frame{Fin: true, Opcode: OpBinary, Payload: bytes.Repeat([]byte{7}, n), Unmasked: true}
		got, err := readFrame(bufio.NewReader(bytes.NewReader(sent.Append(nil))))
		if err != nil || !got.Fin || got.Opcode != OpBinary || !bytes.Equal(got.Payload, sent.Payload) {
			t.Errorf("%d bytes: got %d bytes, %v", n, len(got.Payload), err)
		}
	}
}

// TestReadFrameStrict checks that a server cannot get away with what it must not send.
func TestReadFrameStrict(t *testing.T) {
	for name, frame := range map[string]Frame{
		"masked":             {Fin: true, Opcode: OpText, Payload: []byte("a")},
		"opcode 3":           {Fin: true, Opcode: 3, Unmasked: true},
		"opcode B":           {Fin: true, Opcode: 0xb, Unmasked: true},
		"fragmented control": {Opcode: OpPing, Unmasked: true},
		"long control":       {Fin: true, Opcode: OpPing, Unmasked: true, Payload: make([]byte, 126)},
		"length in two":      {Fin: true, Opcode: OpText, Unmasked: true, Payload: []byte("a"), LengthBytes: 2},
		"length in eight":    {Fin: true, Opcode: OpText, Unmasked: true, Payload: []byte("a"), LengthBytes: 8},
		"huge":               {Fin: true, Opcode: OpText, Unmasked: true, Length: 1 << 62},
	} {
		if _, err := readFrame(bufio.NewReader(bytes.NewReader(frame.Append(nil)))); !errors.Is(err, ErrServerFrame) {
			t.Errorf("%s: got %v, want ErrServerFrame", name, err)
		}
	}
}
