package engine

import "time"

// lateSlack is how late a heartbeat's deadline may be looked at before the
// process is taken to have been stopped meanwhile, and the peer gets another.
const lateSlack = 5 * time.Second

var epoch = time.Now()

// now is the time since the process began, on the monotonic clock: half the
// size of a time.Time in what each session holds.
func now() int64 { return int64(time.Since(epoch)) }

// schedule makes tick run in d. The caller holds mu.
func (s *Session) schedule(d time.Duration) {
	s.due = now() + int64(d)
	if s.timer == nil {
		s.timer = time.AfterFunc(d, s.tick)
		return
	}
	s.timer.Reset(d)
}

// tick is the heartbeat: it sends the ping, and looks for the pong in time. It
// may be called at any moment: a request that comes when the timer is due, and
// has not fired yet, calls it too.
func (s *Session) tick() {
	s.mu.Lock()
	at := now()
	switch state := s.state.Load(); {
	case s.timer == nil || at < s.due: // not due; the timer was perhaps set anew, or stopped, while it fired
		s.mu.Unlock()
		return
	case state == stateClosing && s.ws == nil: // nobody polls any more
		s.mu.Unlock()
		s.abort()
		return
	case state != stateOpen:
		s.mu.Unlock()
		return
	}
	wait := s.server.opts.PingTimeout
	if !s.pinged {
		s.ping(at)
		// The peer reckons from its last pong, or the open packet, on: how late the
		// timer was is not added, but for a delay that takes much of the peer's time.
		if late := time.Duration(at - s.due); late < wait/16 {
			wait -= late
		}
	} else if wait = s.excuse(at); wait == 0 {
		s.mu.Unlock()
		s.fail(PingTimeout, nil, 0)
		return
	} else if at-s.asked >= int64(s.server.opts.PingInterval/2) {
		// A client whose pong waits behind the server's own handlers gives up too, an
		// interval and a timeout after the last ping that it got.
		s.ping(at)
	}
	s.schedule(wait)
	s.mu.Unlock()
}

// ping asks for a pong. The caller holds mu.
func (s *Session) ping(at int64) {
	s.pinged, s.asked = true, at
	s.push(pingPacket)
	s.wake()
}

// excuse is how much longer a pong may take because its delay is not the
// peer's fault: while the reader waits for the server's own handlers, for two
// ping intervals at most, and once after the process itself was stopped. The
// caller holds mu.
func (s *Session) excuse(at int64) time.Duration {
	o := &s.server.opts
	var more time.Duration
	switch {
	case at-s.due > int64(lateSlack) && s.excused == 0:
		more = o.PingTimeout
	case s.busy.Load():
		more = max(0, min(o.PingTimeout, 2*o.PingInterval-s.excused))
	}
	s.excused += more
	return more
}

// idle ends a POST that began at a time: what its handlers took does not count
// against a peer that cannot send its pong before the POST has been answered.
func (s *Session) idle(from int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy.Store(false) // under the lock: tick finds either this or what is added
	o := &s.server.opts
	at := now()
	took := time.Duration(at - from)
	if !s.pinged || s.state.Load() != stateOpen || took < o.PingTimeout/16 {
		return
	}
	more := max(0, min(took, o.PingTimeout, 2*o.PingInterval-s.excused))
	s.excused += more
	s.schedule(max(0, time.Duration(s.due-at)) + more)
}

// pong takes the answer to a ping; one that was not asked for changes nothing.
func (s *Session) pong() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.pinged || s.state.Load() != stateOpen {
		return
	}
	wait := s.server.opts.PingInterval
	if s.excused > 0 { // the peer has sent it long ago, and reckons from the ping
		wait = max(0, time.Duration(s.asked-now())+wait)
	}
	s.pinged, s.excused = false, 0
	s.schedule(wait)
}
