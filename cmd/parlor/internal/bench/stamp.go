package bench

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"time"
)

// A stamp is what an event's data begins with, by which its receivers know it: whose
// it is, its number, and when it was to be sent.
type stamp struct {
	sender uint32
	seq    uint32
	due    time.Duration // since the start of the run
}

// A stamp is written as ~, the run in 8 hexadecimal digits, and the stamp's fields
// in 8, 8 and 16: text that no JSON encoder changes, of one length.
const (
	markSize  = 1 + 8
	stampSize = 2 * (4 + 4 + 8)
)

// MinSize is the least size of an event's data.
const MinSize = markSize + stampSize

// mark begins every stamp of a run, so that what other runs have left behind in a
// server is not taken for its own.
func mark(run uint32) []byte {
	return hex.AppendEncode([]byte("~"), binary.BigEndian.AppendUint32(nil, run))
}

// appendStamp writes data of the given size with a stamp.
func appendStamp(b, mark []byte, s stamp, size int) []byte {
	var raw [stampSize / 2]byte
	binary.BigEndian.PutUint32(raw[0:], s.sender)
	binary.BigEndian.PutUint32(raw[4:], s.seq)
	binary.BigEndian.PutUint64(raw[8:], uint64(s.due))
	b = hex.AppendEncode(append(b, mark...), raw[:])
	for range size - MinSize {
		b = append(b, 'x')
	}
	return b
}

// findStamp returns the first stamp in a packet.
func findStamp(packet, mark []byte) (s stamp, ok bool) {
	i := bytes.Index(packet, mark)
	if i < 0 || len(packet) < i+MinSize {
		return s, false
	}
	var raw [stampSize / 2]byte
	if _, err := hex.Decode(raw[:], packet[i+markSize:i+MinSize]); err != nil {
		return s, false
	}
	return stamp{
		sender: binary.BigEndian.Uint32(raw[0:]),
		seq:    binary.BigEndian.Uint32(raw[4:]),
		due:    time.Duration(binary.BigEndian.Uint64(raw[8:])),
	}, true
}
