package engine

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Receiver is what a session's messages go to. Text and Binary are called
// one at a time, in the order in which the peer sent, on the goroutine that
// reads from the peer: while one is blocked nothing more is read, which the
// peer feels. Closed is called once, by whichever goroutine ends the session,
// perhaps while Text or Binary is blocked; it must not block.
type Receiver interface {
	// Text gets a message's text, valid UTF-8, in a buffer that is the
	// engine's again when it returns.
	Text(data []byte)
	// Binary takes ownership of data.
	Binary(data []byte)
	// Closed says why the session has ended; err has details where there are.
	Closed(reason Reason, err error)
}

type state = int32

const (
	stateOpen    state = iota
	stateClosing       // ended, but what is queued is still being written
	stateClosed
)

// graceful closing of a polling session waits this long for the poll that
// takes the close packet (Node's closeTimeout).
const pollingCloseTimeout = 30 * time.Second

// lateSlack is how late a heartbeat's deadline may be looked at before the
// process is taken to have been stopped meanwhile, and the peer gets another.
const lateSlack = 5 * time.Second

// A Session is one client's connection, over whichever transport carries it.
// All methods are safe for concurrent use.
type Session struct {
	// Static once the receiver is set, before the session is known to others.
	server   *Server
	id       string
	addr     netip.Addr
	receiver Receiver

	in         sync.Mutex   // held around a call of the receiver's Text and Binary
	delivering atomic.Bool  // such a call is under way
	admitted   atomic.Bool  // Admit was called
	state      atomic.Int32 // changed under mu

	mu      sync.Mutex
	first   *Message   // the head of the queue; most queues hold one message
	queue   []*Message // the rest
	queued  int        // bytes in the queue
	poll    *pollState // nil on WebSocket
	ws      *wsConn    // nil on polling
	timer   *time.Timer
	due     time.Time // when the timer should have fired
	pinged  bool      // a ping is unanswered
	over    bool      // the queue has been over its bound: nothing more enters
	excused uint8     // ping timeouts forgiven since the last pong
}

// ID is the session's id: a secret between the client and the server.
func (s *Session) ID() string { return s.id }

// Protocol is the revision of the Engine.IO protocol that the peer speaks.
func (s *Session) Protocol() int { return 4 }

// Transport is the name of the transport that carries the session now.
func (s *Session) Transport() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ws != nil {
		return WebSocket
	}
	return Polling
}

// Admit raises what the session may send from Options.UnadmittedPayload to
// Options.MaxPayload.
func (s *Session) Admit() { s.admitted.Store(true) }

// limit is the size of the largest message that is accepted now.
func (s *Session) limit() int64 {
	if s.admitted.Load() {
		return s.server.opts.MaxPayload
	}
	return min(s.server.opts.UnadmittedPayload, s.server.opts.MaxPayload)
}

// Close ends the session with a reason: what has been sent before is still
// written, then the peer is told. It does not wait. Later calls do nothing.
func (s *Session) Close(reason Reason) { s.end(reason, nil, closing{flush: true}) }

// fail ends the session for a fault; code is the close frame's, 0 for none.
func (s *Session) fail(reason Reason, err error, code uint16) {
	s.end(reason, err, closing{flush: true, code: code, fault: true})
}

// closing says how a session is to end.
type closing struct {
	flush bool   // write what is queued
	fault bool   // nobody will poll again
	code  uint16 // of the close frame; 0: none
}

// end is the one way out of stateOpen.
func (s *Session) end(reason Reason, err error, how closing) {
	s.mu.Lock()
	if s.state.Load() != stateOpen {
		s.mu.Unlock()
		return
	}
	if !how.flush {
		s.drop()
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	lingers := s.ws == nil && !how.fault
	if s.poll != nil {
		s.poll.endProbes(nil)
	}
	switch {
	case s.ws != nil:
		s.state.Store(stateClosing)
		s.ws.closeFrame = closeFrame(how.code)
		s.wake()
	case lingers:
		s.state.Store(stateClosing)
		if s.timer == nil {
			s.timer = time.AfterFunc(pollingCloseTimeout, s.tick)
		}
		s.timer.Reset(pollingCloseTimeout)
		s.wake()
	default:
		s.drop()
		s.state.Store(stateClosed)
		s.wake()
	}
	s.mu.Unlock()
	if !lingers {
		s.server.remove(s)
	}
	if reason != TransportClose && reason != ForcedClose && reason != ServerShuttingDown {
		s.server.opts.Logger.Debug("session ended", "reason", string(reason), "error", err)
	}
	s.receiver.Closed(reason, err)
}

// abort cuts the connection without a word.
func (s *Session) abort() {
	s.end(ForcedClose, nil, closing{fault: true})
	s.mu.Lock()
	s.state.Store(stateClosed)
	s.drop()
	if s.timer != nil {
		s.timer.Stop()
	}
	w := s.ws
	s.mu.Unlock()
	s.server.remove(s)
	if w != nil {
		_ = w.conn.Close() // it may be closed already
	}
}

// open puts the open packet at the head of the queue and gets the receiver. A
// transport is in place, and nothing is read yet.
func (s *Session) open(r *http.Request) {
	s.mu.Lock()
	s.push(packet(packetOpen, `{"sid":`+quote(s.id)+s.upgrades()+s.server.open))
	s.mu.Unlock()
	s.receiver = s.server.opts.Open(s, r)
}

// begin makes the session known and starts its heartbeat. A refusal means that
// the server is closing; the receiver has been told.
func (s *Session) begin() *refusal {
	if f := s.server.add(s); f != nil {
		s.server.gate.leave(s.addr)
		s.end(ServerShuttingDown, nil, closing{fault: true})
		return f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != stateOpen { // closed by its receiver
		return nil
	}
	s.due = time.Now().Add(s.server.opts.PingInterval)
	s.timer = time.AfterFunc(s.server.opts.PingInterval, s.tick)
	return nil
}

func (s *Session) upgrades() string {
	o := &s.server.opts
	if s.ws == nil && !o.DisableUpgrades && slices.Contains(o.Transports, WebSocket) {
		return `,"upgrades":["websocket"]`
	}
	return `,"upgrades":[]`
}

// openSuffix is the part of the open packet that is the same for all.
func openSuffix(o Options) string {
	b, err := json.Marshal(struct {
		PingInterval int64 `json:"pingInterval"`
		PingTimeout  int64 `json:"pingTimeout"`
		MaxPayload   int64 `json:"maxPayload"`
	}{o.PingInterval.Milliseconds(), o.PingTimeout.Milliseconds(), o.MaxPayload})
	if err != nil { // three integers
		panic(err)
	}
	return "," + string(b[1:])
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil { // a string
		panic(err)
	}
	return string(b)
}

// tick is the heartbeat: it sends the ping, and looks for the pong in time.
func (s *Session) tick() {
	s.mu.Lock()
	switch s.state.Load() {
	case stateClosing: // a polling session that nobody polls any more
		if s.ws == nil {
			s.drop()
			s.state.Store(stateClosed)
			s.mu.Unlock()
			s.server.remove(s)
			return
		}
		fallthrough
	case stateClosed:
		s.mu.Unlock()
		return
	}
	o := &s.server.opts
	now := time.Now()
	if s.pinged && !s.excuse(now) {
		s.mu.Unlock()
		s.fail(PingTimeout, nil, 0)
		return
	}
	if !s.pinged {
		s.pinged = true
		s.push(pingPacket)
		s.wake()
	}
	s.due = now.Add(o.PingTimeout)
	s.timer.Reset(o.PingTimeout)
	s.mu.Unlock()
}

// excuse reports whether a missing pong is not the peer's fault: while the
// reader waits for the server's own handlers, for two ping intervals at most,
// and once after the process itself was stopped. The caller holds mu.
func (s *Session) excuse(now time.Time) bool {
	o := &s.server.opts
	late := now.Sub(s.due) > lateSlack
	waited := time.Duration(s.excused) * o.PingTimeout
	if (late && s.excused == 0) || (s.delivering.Load() && waited < 2*o.PingInterval) {
		s.excused++
		return true
	}
	return false
}

// pong takes the answer to a ping; one that was not asked for changes nothing.
func (s *Session) pong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.pinged || s.state.Load() != stateOpen {
		return
	}
	s.pinged, s.excused = false, 0
	s.due = time.Now().Add(s.server.opts.PingInterval)
	s.timer.Reset(s.server.opts.PingInterval)
}

// deliver hands a message to the receiver: a binary one for good, a text one
// for the length of the call.
func (s *Session) deliver(data []byte, binary bool) {
	s.in.Lock()
	defer s.in.Unlock()
	if s.state.Load() != stateOpen {
		return
	}
	s.delivering.Store(true)
	if binary {
		s.receiver.Binary(data)
	} else {
		s.receiver.Text(data)
	}
	s.delivering.Store(false)
}
