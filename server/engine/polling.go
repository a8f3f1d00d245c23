package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
)

// A pollState is the polling transport of a session. Guarded by Session.mu.
type pollState struct {
	wake    chan struct{} // closed to let the waiting poll go; nil: none waits
	polling bool          // a poll is under way
	posting bool          // a POST is under way
	abort   func()        // ends the reading of that POST

	probes []*wsConn // upgrades that have been begun
	ponged bool      // a probe has had its answer
	late   bool      // the waiting poll has come after that
	bye    bool      // the peer has ended the session
}

var (
	// ErrOverlap: a second poll, or a second POST, while one is under way. The
	// protocol allows one of each, and the session is closed.
	ErrOverlap = errors.New("engine: overlapping requests")
	// ErrNotPolling: the session has moved to WebSocket or has ended.
	ErrNotPolling = errors.New("engine: session is not polling")
	// ErrTooLarge: a payload is over the limit. The session goes on.
	ErrTooLarge = errors.New("engine: payload too large")
	// ErrMalformed: a payload is none. The session is closed.
	ErrMalformed = errors.New("engine: malformed payload")
)

// Poll waits until there is something to send and returns it as a polling
// payload. It is what a GET is served with, from wherever the GET came: when
// ctx ends first the client is taken to be gone and the session is closed.
func (s *Session) Poll(ctx context.Context) ([]byte, error) {
	body, _, err := s.pollPayload(ctx)
	return body, err
}

// pollPayload is Poll; p is the transport that the payload is of.
func (s *Session) pollPayload(ctx context.Context) (body []byte, p *pollState, err error) {
	s.tick()
	s.mu.Lock()
	p = s.poll
	if p == nil || s.state.Load() == stateClosed {
		s.mu.Unlock()
		return nil, nil, ErrNotPolling
	}
	if p.polling {
		s.mu.Unlock()
		s.failPoll(p, ErrOverlap)
		return nil, nil, ErrOverlap
	}
	if s.first == nil && s.state.Load() == stateOpen {
		wake := make(chan struct{})
		late := p.ponged
		p.polling, p.wake, p.late = true, wake, late
		s.mu.Unlock()
		select {
		case <-wake:
		case <-ctx.Done():
			s.failPoll(p, context.Cause(ctx))
			return nil, nil, context.Cause(ctx)
		}
		s.mu.Lock()
		p.polling = false
		// A peer whose probe was answered sees its poll end before it upgrades.
		// This one was sent after the upgrade and has overtaken it: two connections
		// have no order.
		if late && s.poll != p && s.upgraded {
			s.mu.Unlock()
			return nil, nil, ErrNotPolling
		}
	}
	if s.poll == p { // else the queue is WebSocket's now
		body = s.takePayload()
	}
	ended := s.state.Load() == stateClosed
	if len(body) == 0 { // let go by an upgrade
		body = noopPacket.payload()
	}
	s.mu.Unlock()
	if ended {
		s.leave()
	}
	return body, p, nil
}

// Post takes a polling payload: what a POST is served with. It returns when
// the receiver has taken all of it. interrupt is called, when it is not nil,
// to make a read of body return early, while Post runs and at most once; it
// must not block, nor use the session.
func (s *Session) Post(body io.Reader, interrupt func()) error {
	s.tick()
	s.mu.Lock()
	p := s.poll
	if p == nil || s.state.Load() != stateOpen {
		s.mu.Unlock()
		return ErrNotPolling
	}
	if p.posting {
		if p.abort != nil { // under mu: it must not hit what follows that POST
			p.abort()
			p.abort = nil
		}
		s.mu.Unlock()
		s.failPoll(p, ErrOverlap)
		return ErrOverlap
	}
	p.posting, p.abort = true, interrupt
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		p.posting, p.abort = false, nil
		s.mu.Unlock()
	}()
	data, err := readPayload(body, s.limit())
	if errors.Is(err, ErrTooLarge) {
		return err
	}
	if err != nil {
		s.failPoll(p, err)
		return err
	}
	packets, err := parsePayload(data)
	if err != nil {
		s.fail(ParseError, err, 0)
		return errors.Join(ErrMalformed, err)
	}
	from := now()
	for _, p := range packets {
		s.take(p)
	}
	s.idle(from)
	return nil
}

// take acts on one packet from the peer, on either transport.
func (s *Session) take(p inPacket) {
	switch p.kind {
	case packetMessage:
		s.deliver(p.data, p.binary)
	case packetPong:
		s.pong()
	case packetPing: // the server pings in Engine.IO 4
		s.fail(TransportError, errors.New("ping from a client"), 0)
	case packetClose:
		s.goodbye()
	default: // open, upgrade and noop mean nothing here
	}
}

// goodbye ends the session at the peer's word. A poll that the peer has sent
// beside it, before or after, gets nothing but an answer.
func (s *Session) goodbye() {
	s.mu.Lock()
	polling := s.poll != nil
	s.mu.Unlock()
	s.end(TransportClose, nil, closing{fault: !polling, bye: polling})
}

// readPayload reads a body of at most limit bytes, without trusting its
// declared length.
func readPayload(body io.Reader, limit int64) ([]byte, error) {
	var b bytes.Buffer
	// One byte more, to see that there is none.
	n, err := b.ReadFrom(io.LimitReader(body, limit+1))
	if n > limit {
		return nil, ErrTooLarge
	}
	return b.Bytes(), err
}
