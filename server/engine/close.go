package engine

import (
	"net"
	"time"
)

type state = int32

const (
	stateOpen    state = iota
	stateClosing       // ended, but what is queued is still being written
	stateClosed
)

// graceful closing of a polling session waits this long for the poll that
// takes the close packet (Node's closeTimeout).
const pollingCloseTimeout = 30 * time.Second

// goingTimeout is that time when the server goes. A client that is there polls
// again as soon as it has the answer to its last poll; one that does not within
// seconds has vanished, or been sent elsewhere by what is in front.
const goingTimeout = 3 * time.Second

// An ending is why a session has ended.
type ending struct {
	reason Reason
	err    error
}

// closing says how a session is to end.
type closing struct {
	flush bool       // write what is queued
	fault bool       // nobody will poll again
	code  uint16     // of the close frame; 0: none
	poll  *pollState // only if this is the transport still
	bye   bool       // the peer has said so itself, by polling
}

// byeTimeout is for the poll that a peer sent together with its close packet.
const byeTimeout = time.Second

// Close ends the session with a reason: what has been sent before is still
// written, then the peer is told. It does not wait. Later calls do nothing.
func (s *Session) Close(reason Reason) { s.end(reason, nil, closing{flush: true}) }

// fail ends the session for a fault; code is the close frame's, 0 for none.
func (s *Session) fail(reason Reason, err error, code uint16) {
	s.end(reason, err, closing{flush: true, code: code, fault: true})
}

// failPoll ends the session for the fault of a polling request, unless it has
// moved to WebSocket meanwhile: then the request's fate is nobody's concern.
func (s *Session) failPoll(p *pollState, err error) {
	s.end(TransportError, err, closing{fault: true, poll: p})
}

// end is the one way out of stateOpen.
func (s *Session) end(reason Reason, err error, how closing) {
	s.mu.Lock()
	if s.state.Load() != stateOpen || (how.poll != nil && s.poll != how.poll) {
		s.mu.Unlock()
		return
	}
	s.server.counts.closes(reason)
	if s.poll != nil {
		s.server.counts.polling.Add(-1)
	}
	if !how.flush {
		s.drop()
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	lingers := s.ws == nil && !how.fault
	switch {
	case s.ws != nil:
		s.state.Store(stateClosing)
		s.ws.closeFrame = closeFrame(how.code)
	case lingers:
		// An upgrade may be under way, and the peer have stopped polling for
		// it: then what is queued leaves over the new connection.
		s.state.Store(stateClosing)
		s.poll.bye = how.bye
		switch {
		case how.bye:
			s.poll.endProbes(nil)
			s.schedule(byeTimeout)
		case reason == ServerShuttingDown || s.server.Draining():
			s.schedule(goingTimeout)
		default:
			s.schedule(pollingCloseTimeout)
		}
	default:
		s.over()
	}
	s.wake()
	receiver := s.receiver
	if receiver == nil { // still being made
		s.early = &ending{reason, err}
	}
	s.telling, s.left = true, !lingers
	s.mu.Unlock()
	defer s.told()
	if reason != TransportClose && reason != ForcedClose && reason != ServerShuttingDown {
		s.server.opts.Logger.Debug("session ended", "reason", string(reason), "error", err)
	}
	if receiver != nil {
		receiver.Closed(reason, err)
	}
}

// hasten has a session that was closed before the server goes waited for no longer
// than those that are closed then.
func (s *Session) hasten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() == stateClosing && s.ws == nil && s.due-now() > int64(goingTimeout) {
		s.schedule(goingTimeout)
	}
}

// leave has the server forget the session, once its receiver has been told of the
// end: Shutdown waits for as long as there are sessions.
func (s *Session) leave() {
	s.mu.Lock()
	s.left = true
	telling := s.telling
	s.mu.Unlock()
	if !telling {
		s.server.remove(s)
	}
}

// told ends the wait of a session that has left.
func (s *Session) told() {
	s.mu.Lock()
	s.telling = false
	left := s.left
	s.mu.Unlock()
	if left {
		s.server.remove(s)
	}
}

// over ends what is left of a session. The caller holds mu.
func (s *Session) over() {
	s.state.Store(stateClosed)
	s.drop()
	if s.timer != nil {
		s.timer.Stop()
	}
	if s.poll != nil {
		s.poll.endProbes(nil)
	}
}

// abort cuts the connection, and those of upgrades, without a word.
func (s *Session) abort() {
	s.end(ForcedClose, nil, closing{fault: true})
	var conns []*wsConn
	s.mu.Lock()
	if s.ws != nil {
		conns = append(conns, s.ws)
	} else {
		conns = append(conns, s.poll.probes...)
	}
	s.over()
	s.mu.Unlock()
	s.leave()
	for _, w := range conns {
		w.cut()
	}
}

// cut ends a connection whose peer does not read: what the kernel holds for it
// is given up too. It does not wait, as the close of a TLS connection would.
func (w *wsConn) cut() {
	conn := w.conn
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = t.NetConn()
	}
	if t, ok := conn.(interface{ SetLinger(sec int) error }); ok {
		_ = t.SetLinger(0) // fails on a closed connection
	}
	_ = conn.Close() // it may be closed already
}

// hangUp says that nothing more will be written, so that the peer closes its
// side once it has read what was. To close with bytes of the peer's unread
// would reset the connection, and a close frame that is on its way with it.
func (w *wsConn) hangUp() {
	if t, ok := w.conn.(interface{ CloseWrite() error }); ok {
		_ = t.CloseWrite() // fails on a closed connection
	}
}
