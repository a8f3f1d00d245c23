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
	// Encode encodes a packet. It is called at most once at a time for a
	// Shared, and not again once it has returned; it must not keep or modify
	// the packet.
	Encode func(*Packet) (T, error)
}

// Shared is a packet on its way to many receivers, with its encodings: each is
// made when the first receiver wants it, and once. It is safe for concurrent use
// and must not be copied.
type Shared struct {
	packet Packet

	// first is the encoding that was ready first, which most receivers want. It
	// is set once and holds a *encoded[T], so that the way to it is a load and
	// two comparisons.
	first atomic.Pointer[any]

	mu   sync.Mutex
	more []any // every *encoded[T] begun; guarded by mu
}

// encoded is a packet in one format.
type encoded[T any] struct {
	format *Format[T]

	mu    sync.Mutex // held while encoding; the rest is written under it
	ready bool
	value T
	err   error
}

// NewShared returns a packet to be shared. Neither it nor its arguments may be
// modified from now on.
func NewShared(p Packet) *Shared { return &Shared{packet: p} }

// Packet returns the packet, which must not be modified.
func (s *Shared) Packet() *Packet { return &s.packet }

// Encoding returns the packet in a format, encoding it if nobody has. An error of
// the format's Encode is remembered as a result is.
func Encoding[T any](s *Shared, f *Format[T]) (T, error) {
	if first := s.first.Load(); first != nil {
		if e, ok := (*first).(*encoded[T]); ok && e.format == f {
			return e.value, e.err
		}
	}
	return encodingSlow(s, f)
}

func encodingSlow[T any](s *Shared, f *Format[T]) (T, error) {
	e := encodingOf(s, f)
	// Not under the Shared's lock: other formats go on meanwhile.
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.ready {
		// If this panics the next caller tries again.
		e.value, e.err = f.Encode(&s.packet)
		e.ready = true
		if s.first.Load() == nil {
			published := any(e)
			s.first.CompareAndSwap(nil, &published)
		}
	}
	return e.value, e.err
}

func encodingOf[T any](s *Shared, f *Format[T]) *encoded[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, have := range s.more {
		if e, ok := have.(*encoded[T]); ok && e.format == f {
			return e
		}
	}
	e := &encoded[T]{format: f}
	s.more = append(s.more, e)
	return e
}
