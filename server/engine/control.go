package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/gobwas/ws"
)

// A peer may send this many WebSocket pings in this time; Engine.IO's own
// heartbeat needs none.
const (
	maxPings   = 600
	pingWindow = 10 * time.Second
)

// control deals with a ping, a pong or a close.
func (r *reader) control(h ws.Header) error {
	body := make([]byte, 2, 2+ws.MaxControlFramePayloadSize) // a pong's header goes in front
	for n := int(h.Length); n > 0; {
		if r.r == r.w {
			if err := r.fill(true); err != nil {
				return err
			}
		}
		k := min(n, r.w-r.r)
		body = append(body, (*r.buf)[r.r:r.r+k]...)
		r.r += k
		n -= k
	}
	data := body[2:]
	ws.Cipher(data, h.Mask, 0)
	switch h.OpCode {
	case ws.OpPing:
		if at := now(); r.pings == 0 || at-r.pingsFrom > int64(pingWindow) {
			r.pings, r.pingsFrom = 0, at
		}
		if r.pings++; r.pings > maxPings {
			return errPings
		}
		if r.session != nil {
			body[0], body[1] = 0x8a, byte(len(data))
			r.session.answer(body)
		}
	case ws.OpClose:
		return closeError(data)
	}
	return nil
}

// lastCloseCode is the last of the codes that RFC 6455, 7.4.2 knows ranges for.
const lastCloseCode = 4999

// closeError is what a close frame means: the peer's goodbye, or a breach.
func closeError(data []byte) error {
	switch len(data) {
	case 0:
		return errPeerClosed
	case 1:
		return errCloseLength
	}
	code, reason := ws.ParseCloseFrameData(data)
	if code > lastCloseCode {
		return errCloseCode
	}
	if err := ws.CheckCloseFrameData(code, reason); err != nil {
		if errors.Is(err, ws.ErrProtocolInvalidUTF8) {
			return &frameError{ws.StatusInvalidFramePayloadData, err.Error()}
		}
		return &frameError{ws.StatusProtocolError, err.Error()}
	}
	return &peerCloseError{code}
}

// peerCloseError is a peer's goodbye with a code, which is sent back.
type peerCloseError struct{ code ws.StatusCode }

func (e *peerCloseError) Error() string        { return fmt.Sprintf("%v, code %d", errPeerClosed, e.code) }
func (e *peerCloseError) Is(target error) bool { return target == errPeerClosed }

// closeCode is the code that answers a goodbye: the same, or none.
func closeCode(err error) uint16 {
	if e, ok := errors.AsType[*peerCloseError](err); ok {
		return uint16(e.code)
	}
	return 0
}

// answer queues a pong frame, in place of one that has not been written yet: RFC
// 6455, 5.5.3 asks for the latest only.
func (s *Session) answer(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ws != nil && s.state.Load() == stateOpen {
		s.ws.pong = frame
		s.wake()
	}
}
