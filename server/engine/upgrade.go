package engine

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/gobwas/ws"
)

// noopInterval is how often a poll that is in the way of an upgrade is let go,
// as in Node.
const noopInterval = 100 * time.Millisecond

// maxProbes bounds the connections that try to take over one session at a time.
const maxProbes = 16

// upgrade carries a polling session over to WebSocket: probe, pong, upgrade.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, x *Session) *refusal {
	if f := checkWebSocket(r); f != nil {
		return f
	}
	if s.opts.DisableUpgrades {
		return refuseRequest
	}
	if f := s.allowRequest(r); f != nil {
		return f
	}
	if !x.reserve() {
		return refuseRequest
	}
	if !s.start() {
		x.unreserve()
		return refuseClosing
	}
	conn, early, err := s.hijack(w, r)
	if err != nil {
		x.unreserve()
		s.running.Done()
		return nil
	}
	s.track(conn)
	s.counts.upgradesBegun.Add(1)
	go x.probe(conn, newReader(conn, early))
	return nil
}

// reserve takes one of the session's places for probes. It reports false when
// there is none, or nothing to upgrade. A session that was upgraded has places
// too: the reference client may try twice, and is then told by a close frame,
// as by Node's server, while the connection that it has is left alone.
func (s *Session) reserve() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() != stateOpen || (s.poll == nil && !s.upgraded) || s.probes == maxProbes {
		return false
	}
	s.probes++
	return true
}

func (s *Session) unreserve() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.probes--
}

// probing makes a probe known, so that the session's end, or another probe's
// success, ends it. It reports false when there is nothing to upgrade any more.
func (s *Session) probing(w *wsConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll == nil || s.state.Load() != stateOpen {
		return false
	}
	s.poll.probes = append(s.poll.probes, w)
	return true
}

// endProbes ends all probes but one. The caller holds mu.
func (p *pollState) endProbes(but *wsConn) {
	for _, w := range p.probes {
		if w != but {
			w.interrupt()
		}
	}
	p.probes = nil
}

// interrupt makes the reader's wait return. It fails on a closed connection,
// whose reader has returned.
func (w *wsConn) interrupt() { _ = w.conn.SetReadDeadline(past) }

// probe waits for the peer's probe and its decision on a new connection. Until
// then, and if it fails, polling goes on as if nothing had been.
func (s *Session) probe(w *wsConn, in *reader) {
	// One timer ends the attempt, whatever it waits for.
	cut := time.AfterFunc(s.server.opts.UpgradeTimeout, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.ws != w {
			w.interrupt()
		}
	})
	err := s.probed(w, in)
	cut.Stop()
	if err == nil {
		s.unreserve()
		s.server.counts.upgrades.Add(1)
		if m, ok := s.receiver.(Mover); ok && s.state.Load() == stateOpen {
			m.Upgraded()
		}
		s.read(in)
		return
	}
	s.server.counts.upgradesFailed.Add(1)
	s.mu.Lock()
	if s.poll != nil {
		s.poll.probes = slices.DeleteFunc(s.poll.probes, func(x *wsConn) bool { return x == w })
	}
	s.mu.Unlock()
	s.server.opts.Logger.Debug("upgrade failed", "error", err)
	_ = w.conn.SetDeadline(time.Now().Add(closeTimeout))
	var f *frameError
	code := uint16(0)
	if errors.As(err, &f) {
		code = uint16(f.code)
	}
	if _, err = w.conn.Write(closeFrame(code)); f != nil {
		w.hangUp()
		_, err = io.CopyN(io.Discard, w.conn, 64<<10)
	}
	for err == nil { // until the peer has answered
		_, _, err = in.next()
	}
	in.release()
	_ = w.conn.Close()
	s.unreserve()
	s.server.done(w)
}

var (
	errNoProbe      = errors.New("no probe")
	errNoUpgrade    = errors.New("no upgrade after the probe")
	errNotUpgraded  = errors.New("session was upgraded otherwise, or has ended")
	pongPacketFrame = packet(packetPong, "probe").frame(false)
)

func (s *Session) probed(w *wsConn, in *reader) error {
	if !s.probing(w) {
		return errNotUpgraded
	}
	op, data, err := in.next()
	if err != nil {
		return err
	}
	if op != ws.OpText || string(data) != "2probe" {
		return errNoProbe
	}
	s.answerProbe()
	_ = w.conn.SetWriteDeadline(time.Now().Add(s.server.opts.WriteTimeout))
	if _, err := w.conn.Write(pongPacketFrame); err != nil {
		return err
	}
	_ = w.conn.SetWriteDeadline(time.Time{})
	s.releasePoll(false)
	release := make(chan struct{})
	defer close(release)
	s.server.running.Add(1)
	go s.releasePolls(release)
	op, data, err = in.next()
	if err != nil {
		return err
	}
	if op != ws.OpText || string(data) != "5" {
		return errNoUpgrade
	}
	return s.carry(w)
}

// answerProbe tells polls that come from now on from those before.
func (s *Session) answerProbe() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll != nil {
		s.poll.ponged = true
	}
}

// releasePoll lets the waiting poll go; one that has come after the answer to a
// probe only if late ones are meant too.
func (s *Session) releasePoll(late bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.poll != nil && (late || !s.poll.late) {
		s.wake()
	}
}

// releasePolls lets waiting polls go while an upgrade is under way, so that
// the peer can stop polling.
func (s *Session) releasePolls(done <-chan struct{}) {
	defer s.server.running.Done()
	t := time.NewTicker(noopInterval)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.releasePoll(true)
		case <-done:
			return
		}
	}
}

// carry makes w the transport. What is queued leaves over it, after what
// polling has taken. A session that is closing moves too: the peer, which has
// stopped polling, gets the rest and a close frame.
func (s *Session) carry(w *wsConn) error {
	s.mu.Lock()
	if s.poll == nil || s.state.Load() == stateClosed {
		s.mu.Unlock()
		return errNotUpgraded
	}
	s.wake()
	s.poll.endProbes(w)
	// The attempt's own deadline may have come this late. Under mu, so that it
	// does not come later still.
	_ = w.conn.SetReadDeadline(time.Time{})
	s.poll, s.ws, s.upgraded = nil, w, true
	closing := s.state.Load() == stateClosing
	if !closing {
		s.server.counts.polling.Add(-1)
	} else {
		s.timer.Stop()
		w.closeFrame = closeFrame(0)
	}
	s.wake()
	s.mu.Unlock()
	if closing {
		s.leave()
	}
	return nil
}
