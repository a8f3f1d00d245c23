package chat

import (
	"crypto/rand"
	"encoding/binary"
	"sync/atomic"
	"time"
)

// A messageID names a message. Its text sorts by time, in one instance strictly
// by the order in which ids were made, and is different from those of other
// instances. Clients must not look into it.
type messageID struct {
	at   uint64 // milliseconds since 1970, then counterBits of a counter
	node uint32 // who has made it
}

// counterBits leave the milliseconds 44 bits, until the year 2527, and an
// instance a million messages a millisecond.
const counterBits = 20

func (id messageID) millis() int64 { return int64(id.at >> counterBits) }

// The digits of ids are in the order of their values, under bytes.Compare as
// well as in a browser's localeCompare: digits, then letters of one case.
const idDigits = "0123456789abcdefghjkmnpqrstvwxyz"

const (
	idAtDigits   = 13 // 64 bits, 5 a digit
	idNodeDigits = 7
	idLength     = idAtDigits + idNodeDigits
)

// appendTo appends the text of the id.
func (id messageID) appendTo(dst []byte) []byte {
	var text [idLength]byte
	at, node := id.at, id.node
	for i := idAtDigits - 1; i >= 0; i-- {
		text[i] = idDigits[at&31]
		at >>= 5
	}
	for i := idLength - 1; i >= idAtDigits; i-- {
		text[i] = idDigits[node&31]
		node >>= 5
	}
	return append(dst, text[:]...)
}

func (id messageID) String() string { return string(id.appendTo(nil)) }

// ids makes message ids. Safe for concurrent use.
type ids struct {
	node uint32
	last atomic.Uint64
}

func newIDs() *ids {
	var node [4]byte
	_, _ = rand.Read(node[:]) // never fails
	return &ids{node: binary.NativeEndian.Uint32(node[:])}
}

// next returns an id for a message of now. When the clock stands still, or goes
// backwards, the counter goes on from the last one.
func (g *ids) next(now time.Time) messageID {
	at := uint64(now.UnixMilli()) << counterBits
	for {
		last := g.last.Load()
		if next := max(at, last+1); g.last.CompareAndSwap(last, next) {
			return messageID{at: next, node: g.node}
		}
	}
}
