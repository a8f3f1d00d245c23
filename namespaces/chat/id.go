package chat

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"math"
	"strings"
	"sync/atomic"
	"time"
)

// A MessageID names a message. Its text, of 20 letters and digits, sorts by time,
// in one instance strictly by the order in which ids were made, and is different
// from those of other instances. Clients must not look into it. The zero value is
// before all others.
type MessageID struct {
	at   uint64 // milliseconds since 1970, then counterBits of a counter
	node uint32 // who has made it
}

// LastMessageID is after all others, and that of no message.
var LastMessageID = MessageID{math.MaxUint64, math.MaxUint32}

// counterBits leave the milliseconds 44 bits, until the year 2527, and an
// instance a million messages a millisecond.
const counterBits = 20

func (id MessageID) millis() int64 { return int64(id.at >> counterBits) }

// Time is when the message was sent, in milliseconds.
func (id MessageID) Time() time.Time { return time.UnixMilli(id.millis()) }

// Compare compares two ids as their texts are compared.
func (id MessageID) Compare(other MessageID) int {
	return cmp.Or(cmp.Compare(id.at, other.at), cmp.Compare(id.node, other.node))
}

// The digits of ids are in the order of their values, under bytes.Compare as
// well as in a browser's localeCompare: digits, then letters of one case.
const idDigits = "0123456789abcdefghjkmnpqrstvwxyz"

const (
	idAtDigits   = 13 // 64 bits, 5 a digit
	idNodeDigits = 7
	idLength     = idAtDigits + idNodeDigits
)

// appendTo appends the text of the id.
func (id MessageID) appendTo(dst []byte) []byte {
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

// String returns the text of the id.
func (id MessageID) String() string { return string(id.appendTo(nil)) }

// MakeMessageID returns an id for a message of t that instance node has made, the
// n-th in that millisecond, of a million. A chat makes its own; this is for tests
// of stores.
func MakeMessageID(t time.Time, n, node uint32) MessageID {
	return MessageID{uint64(t.UnixMilli())<<counterBits + uint64(n), node}
}

// ParseMessageID returns the id of a text, and whether it is one.
func ParseMessageID(text string) (MessageID, bool) {
	if len(text) != idLength {
		return MessageID{}, false
	}
	at, ok := parseDigits(text[:idAtDigits], math.MaxUint64)
	node, ok2 := parseDigits(text[idAtDigits:], math.MaxUint32)
	if !ok || !ok2 {
		return MessageID{}, false
	}
	return MessageID{at, uint32(node)}, true
}

func parseDigits(text string, most uint64) (n uint64, ok bool) {
	for i := range len(text) {
		digit := strings.IndexByte(idDigits, text[i])
		if digit < 0 || n > (most-uint64(digit))>>5 {
			return 0, false
		}
		n = n<<5 | uint64(digit)
	}
	return n, true
}

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
func (g *ids) next(now time.Time) MessageID {
	at := uint64(now.UnixMilli()) << counterBits
	for {
		last := g.last.Load()
		if next := max(at, last+1); g.last.CompareAndSwap(last, next) {
			return MessageID{at: next, node: g.node}
		}
	}
}

// follow makes all further ids be after this one.
func (g *ids) follow(id MessageID) {
	for {
		last := g.last.Load()
		if last >= id.at || g.last.CompareAndSwap(last, id.at) {
			return
		}
	}
}
