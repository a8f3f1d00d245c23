package packet

import (
	"sync"
	"sync/atomic"
)

// Format is a way to encode packets for one kind of receiver: a WebSocket frame,
// a piece of a polling payload, what an adapter puts on the wire. It is identified
// by its address, so there is one variable for each, for the life of the process:
//
//	var frame = &packet.Format[*Frame]{Name: "websocket", Encode: encodeFrame}
//
// T is what is shared between the receivers, so it must not be modified. A pointer
// is best.
type Format[T any] struct {
	// Name is for logs.
	Name string
	// Encode encodes a packet. It is called once for a Shared, under its lock;
	// it must not keep or modify the packet.
	Encode func(*Packet) (T, error)
}

// Shared is a packet on its way to many receivers, with its encodings: each is
// made when the first receiver wants it, and once. It is safe for concurrent use
// and must not be copied.
type Shared struct {
	packet Packet

	// ready is &one once that is, so that the way to the encoding that most
	// receivers want is a load and two comparisons.
	ready atomic.Pointer[encoded]

	mu   sync.Mutex // held while encoding
	one  encoded    // the first; written under mu before ready is set, and not after
	more []encoded  // the others; guarded by mu
}

// encoded is a packet in one format.
type encoded struct {
	format any // the *Format[T]
	value  any // a T
	err    error
}

// NewShared returns a packet to be shared. Neither it nor its arguments may be
// modified from now on.
func NewShared(p Packet) *Shared { return &Shared{packet: p} }

// Packet returns the packet, which must not be modified.
func (s *Shared) Packet() *Packet { return &s.packet }

// Encoding returns the packet in a format, encoding it if nobody has. An error of
// the format's Encode is remembered as a result is.
func Encoding[T any](s *Shared, f *Format[T]) (T, error) {
	if e := s.ready.Load(); e != nil && e.format == any(f) {
		value, _ := e.value.(T)
		return value, e.err
	}
	return encodingSlow(s, f)
}

func encodingSlow[T any](s *Shared, f *Format[T]) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := s.ready.Load() == nil
	for i := range s.more {
		if s.more[i].format == any(f) {
			value, _ := s.more[i].value.(T)
			return value, s.more[i].err
		}
	}
	if s.one.format == any(f) {
		value, _ := s.one.value.(T)
		return value, s.one.err
	}
	// If this panics the next caller tries again.
	value, err := f.Encode(&s.packet)
	e := encoded{f, value, err}
	if first {
		s.one = e
		s.ready.Store(&s.one)
	} else {
		s.more = append(s.more, e)
	}
	return value, err
}
