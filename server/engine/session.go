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
// perhaps while Text or Binary runs; it must not block, and Text and Binary
// must return soon after it has been called, since [Server.Shutdown] waits for
// them. Messages that come after it are not handed over, but for the one that
// was being handed over when it was called.
type Receiver interface {
	// Text gets a message's text, valid UTF-8, in a buffer that is the
	// engine's again when it returns.
	Text(data []byte)
	// Binary takes ownership of data.
	Binary(data []byte)
	// Closed says why the session has ended; err has details where there are.
	Closed(reason Reason, err error)
}

// A Mover is a [Receiver] that wants to know when its session has moved from
// polling to WebSocket. Upgraded is called at most once, after the move and
// before anything that the peer sends over the new transport is handed over;
// what it has sent before may still be with Text or Binary, and Closed may be
// called meanwhile. It must not block.
type Mover interface {
	Receiver
	Upgraded()
}

// A Session is one client's connection, over whichever transport carries it.
// All methods are safe for concurrent use.
type Session struct {
	// Static.
	server *Server
	id     string
	addr   netip.Addr
	share  uint8 // which of the server's flows counts what goes over it

	// Written once, under mu, before anything is read from the peer and before
	// the session is known to others.
	receiver Receiver

	removed bool // guarded by Server.mu: not, or no longer, among its sessions

	turn *Session // guarded by flushers.mu: the one to be written after it

	in       sync.Mutex   // held around a call of the receiver's Text and Binary
	state    atomic.Int32 // changed under mu
	busy     atomic.Bool  // something was delivered since the reader last waited for the peer
	admitted atomic.Bool  // Admit was called

	mu       sync.Mutex
	upgraded bool       // it has moved from polling to WebSocket
	probes   uint8      // connections that were let in for an upgrade and are not closed yet
	telling  bool       // the receiver is being told of the end
	left     bool       // nothing is left of it but that
	slowed   bool       // the queue has been over its bound: nothing more enters
	pinged   bool       // a ping is unanswered
	queued   int        // what the queue costs
	first    *Message   // the head of the queue; most queues hold one message
	queue    []*Message // the rest
	poll     *pollState // nil on WebSocket
	ws       *wsConn    // nil on polling
	early    *ending    // the session ended before it had its receiver
	timer    *time.Timer
	due      int64         // when the timer should fire, as of now()
	asked    int64         // when the last ping was sent, as of now()
	excused  time.Duration // time for a pong that was added since the last one
}

// ID is the session's id: a secret between the client and the server.
func (s *Session) ID() string { return s.id }

// Protocol is the revision of the Engine.IO protocol that the peer speaks.
func (s *Session) Protocol() int { return 4 }

// Receiver is what [Options].Open has made for the session; nil while it does.
func (s *Session) Receiver() Receiver {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.receiver
}

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
	return s.server.opts.UnadmittedPayload
}

// open puts the open packet at the head of the queue and gets the receiver. A
// transport is in place, and nothing is read yet. When the hook panics the
// session is gone.
func (s *Session) open(r *http.Request) {
	counts := &s.server.counts
	s.share = uint8(counts.opened.Add(1))
	if s.ws == nil {
		counts.polling.Add(1)
	}
	s.mu.Lock()
	s.push(packet(packetOpen, `{"sid":`+quote(s.id)+s.upgrades()+s.server.open))
	s.mu.Unlock()
	opened := false
	defer func() {
		if !opened {
			s.abort()
		}
	}()
	receiver := s.server.opts.Open(s, r)
	opened = true
	s.mu.Lock()
	s.receiver = receiver
	early := s.early
	s.early = nil
	s.mu.Unlock()
	if early != nil {
		receiver.Closed(early.reason, early.err)
	}
}

// begin makes the session known and starts its heartbeat. A refusal means that
// the session has ended instead; the receiver has been told.
func (s *Session) begin() *refusal {
	if f := s.server.add(s); f != nil {
		s.end(ServerShuttingDown, nil, closing{fault: true})
		return f
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() == stateOpen { // else closed by its receiver
		s.schedule(s.server.opts.PingInterval)
	}
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
	must(err)
	return "," + string(b[1:])
}

func quote(s string) string {
	b, err := json.Marshal(s)
	must(err)
	return string(b)
}

// deliver hands a message to the receiver. data is the receiver's from here.
func (s *Session) deliver(data []byte, binary bool) {
	s.in.Lock()
	defer s.in.Unlock()
	if s.state.Load() != stateOpen {
		return
	}
	if !s.busy.Load() {
		s.busy.Store(true)
	}
	s.flow().in(len(data))
	if binary {
		s.receiver.Binary(data)
	} else {
		s.receiver.Text(data)
	}
}
