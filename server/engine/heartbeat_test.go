package engine_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

const (
	interval = engine.DefaultPingInterval
	timeout  = engine.DefaultPingTimeout
)

// polled is one payload, without the limits of an HTTP client.
func (s *session) polled(t testing.TB) string {
	t.Helper()
	body, err := s.Poll(t.Context())
	ok(t, err)
	return string(body)
}

func (s *session) post(t testing.TB, body string) {
	t.Helper()
	ok(t, s.Post(newBody(body), nil))
}

// A peer is one end of a session as heartbeats see it.
type peer struct {
	receive func() string
	send    func(string)
}

func (f *fixture) peer(transport string) (peer, *session) {
	if transport == wire.Polling {
		_, s := f.openPoll()
		return peer{receive: func() string { return s.polled(f.t) }, send: func(text string) { s.post(f.t, text) }}, s
	}
	c, s := f.openWS()
	receive := func() string {
		frame, err := c.ReadFrameWithin(time.Hour)
		ok(f.t, err)
		return string(frame.Payload)
	}
	return peer{receive: receive, send: func(text string) { ok(f.t, c.Send(text)) }}, s
}

var beating = []string{wire.Websocket, wire.Polling}

// TestHeartbeat: a ping an interval after the open packet and after each pong;
// without a pong the session ends a timeout later, to the moment.
func TestHeartbeat(t *testing.T) {
	for _, transport := range beating {
		bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
			p, s := f.peer(transport)
			last := time.Now()
			wantPing := func(after time.Duration) {
				t.Helper()
				if got := p.receive(); got != "2" {
					t.Fatalf("got %q, want a ping", got)
				}
				if d := time.Since(last); d != after {
					t.Errorf("a ping after %v, want %v", d, after)
				}
			}
			wantPing(interval)
			time.Sleep(3 * time.Second)
			p.send("3")
			synctest.Wait()
			last = time.Now()
			wantPing(interval)
			p.send("3")
			synctest.Wait()
			last = time.Now()
			wantPing(interval)
			time.Sleep(timeout - time.Nanosecond)
			synctest.Wait()
			if _, found := f.Session(s.ID()); !found {
				t.Fatal("ended too early")
			}
			time.Sleep(time.Nanosecond)
			s.wantEnd(t, engine.PingTimeout)
			synctest.Wait() // it is told first, and forgotten then
			if _, found := f.Session(s.ID()); found {
				t.Error("the session is still known")
			}
		})
	}
}

// TestHeartbeatLateTimer: what a timer is late for the ping is not added to the
// time for the pong, unless it is much of it.
func TestHeartbeatLateTimer(t *testing.T) {
	for late, want := range map[time.Duration]time.Duration{
		10 * time.Millisecond: timeout - 10*time.Millisecond,
		timeout / 2:           timeout,
	} {
		bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
			p, s := f.peer(wire.Websocket)
			synctest.Wait() // until the heartbeat has begun
			engine.DelayTimer(s.Session, late)
			if got := p.receive(); got != "2" {
				t.Fatalf("got %q, want a ping", got)
			}
			time.Sleep(want - time.Nanosecond)
			synctest.Wait()
			if len(s.ended) != 0 {
				t.Errorf("%v late: ended before the pong had its %v", late, want)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if len(s.ended) == 0 {
				t.Errorf("%v late: still there after %v", late, want)
			}
			s.Close(engine.ForcedClose)
		})
	}
}

// TestRequestAfterTimeout: a session whose time is over is at its end for a
// request that comes before the timer, which is late, has found out.
func TestRequestAfterTimeout(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		for _, request := range []func(*session) error{
			func(s *session) error { _, err := s.Poll(t.Context()); return err },
			func(s *session) error { return s.Post(newBody("3"), nil) },
		} {
			_, s := f.openPoll()
			if got := s.polled(t); got != "2" {
				t.Fatalf("got %q, want a ping", got)
			}
			engine.DelayTimer(s.Session, timeout)
			if err := request(s); !errors.Is(err, engine.ErrNotPolling) {
				t.Errorf("got %v, want ErrNotPolling", err)
			}
			s.wantEnd(t, engine.PingTimeout)
		}
	})
}

// TestUnaskedPong: it changes nothing.
func TestUnaskedPong(t *testing.T) {
	for _, transport := range beating {
		bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
			p, s := f.peer(transport)
			began := time.Now()
			for range 4 {
				time.Sleep(time.Second)
				p.send("3")
			}
			if got := p.receive(); got != "2" || time.Since(began) != interval {
				t.Errorf("got %q after %v", got, time.Since(began))
			}
			s.Close(engine.ForcedClose)
		})
	}
}

// TestHeartbeatIgnoresData: a peer that sends, and answers no ping, is let go.
func TestHeartbeatIgnoresData(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		f.onText = func(*session, string) {}
		c, s := f.openWS()
		began := time.Now()
		time.Sleep(50 * time.Millisecond) // never at the moment of a heartbeat
		for len(s.ended) == 0 {
			_ = c.Send("4more")
			time.Sleep(100 * time.Millisecond)
		}
		if d := time.Since(began); d > interval+timeout+time.Second {
			t.Errorf("let go after %v", d)
		}
		s.wantEnd(t, engine.PingTimeout)
	})
}

// TestHeartbeatWaitsForHandlers: while the server's own handler holds the
// reader up, a pong may wait behind it, for two ping intervals at most.
func TestHeartbeatWaitsForHandlers(t *testing.T) {
	for _, transport := range beating {
		for _, held := range []time.Duration{timeout + time.Second, interval + timeout + time.Second, 3 * interval} {
			bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
				f.onText = func(*session, string) { time.Sleep(held + interval) }
				p, s := f.peer(transport)
				began := time.Now()
				posted := make(chan struct{})
				go func() {
					defer close(posted)
					p.send("4slow")
				}()
				if got := p.receive(); got != "2" {
					t.Fatalf("got %q", got)
				}
				if transport == wire.Polling {
					<-posted // only then there may be another
				}
				if len(s.ended) == 0 {
					p.send("3")
				}
				<-posted
				time.Sleep(time.Until(began.Add(held + interval + time.Second)))
				synctest.Wait()
				if held < 2*interval {
					if len(s.ended) != 0 {
						t.Errorf("%s: a handler that took %v of the heartbeat's time cost the session", transport, held)
					}
					for now := time.Now(); time.Since(now) == 0; { // those of meanwhile, and the next
						if got := p.receive(); strings.Trim(got, "2\x1e") != "" {
							t.Errorf("got %q, want pings", got)
						}
					}
					s.Close(engine.ForcedClose)
					return
				}
				s.wantEnd(t, engine.PingTimeout)
			})
		}
	}
}

// TestPeerHeldUpIsPinged: a client that hears no ping for an interval and a timeout
// gives up, whether it has answered the last one or not.
func TestPeerHeldUpIsPinged(t *testing.T) {
	for _, transport := range beating {
		for _, o := range []engine.Options{
			{PingInterval: interval, PingTimeout: timeout},
			{PingInterval: 20 * time.Second, PingTimeout: 50 * time.Second},
			{PingInterval: time.Minute, PingTimeout: 100 * time.Millisecond},
		} {
			bubble(t, o, func(t *testing.T, f *fixture) {
				var released atomic.Bool
				f.onText = func(*session, string) {
					time.Sleep(5*o.PingInterval/2 + time.Millisecond) // never at the moment of a heartbeat
					released.Store(true)
				}
				p, s := f.peer(transport)
				var sending sync.WaitGroup
				sending.Go(func() {
					p.send("4slow")
					p.send("3") // waits behind it
				})
				pings := 0
				for last := time.Now(); !released.Load(); last = time.Now() {
					if got := p.receive(); got != "2" {
						t.Fatalf("got %q", got)
					}
					if gap := time.Since(last); gap >= o.PingInterval+o.PingTimeout {
						t.Errorf("%s: no ping for %v", transport, gap)
					}
					pings++
				}
				if most := 6; pings > most {
					t.Errorf("%s: %d pings in three intervals, want %d at most", transport, pings, most)
				}
				sending.Wait()
				s.Close(engine.ForcedClose)
			})
		}
	}
}

// TestHandlerHoldsForEver: then two ping intervals are what a peer gets.
func TestHandlerHoldsForEver(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		release := make(chan struct{})
		f.onText = func(*session, string) { <-release }
		c, s := f.openWS()
		began := time.Now()
		ok(t, c.Send("4slow"))
		select {
		case e := <-s.ended:
			if e.reason != engine.PingTimeout {
				t.Errorf("ended with %q", e.reason)
			}
		case <-time.After(time.Hour):
			t.Error("it lives for ever")
		}
		if d, want := time.Since(began), interval+timeout+2*interval; d != want {
			t.Errorf("let go after %v, want %v", d, want)
		}
		close(release)
	})
}

// TestHandlerEndsPost: a peer on polling cannot send its pong before its POST
// has been answered, so what handlers took of that time is added.
func TestHandlerEndsPost(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		f.onText = func(*session, string) { time.Sleep(timeout - time.Second) }
		_, s := f.openPoll()
		if got := s.polled(t); got != "2" {
			t.Fatalf("got %q", got)
		}
		s.post(t, "4slow")
		time.Sleep(5 * time.Second) // the answer's way, and the pong's
		s.post(t, "3")
		if got := s.polled(t); got != "2" {
			t.Fatalf("got %q, want the next ping", got)
		}
		s.Close(engine.ForcedClose)
	})
}

// TestExcuseManyTimes: heartbeats that are forgiven are not counted in
// something too small for short timeouts.
func TestExcuseManyTimes(t *testing.T) {
	opts := engine.Options{PingInterval: time.Minute, PingTimeout: 100 * time.Millisecond}
	bubble(t, opts, func(t *testing.T, f *fixture) {
		release := make(chan struct{})
		f.onText = func(*session, string) { <-release }
		c, s := f.openWS()
		ok(t, c.Send("4slow"))
		began := time.Now()
		select {
		case <-s.ended:
		case <-time.After(time.Hour):
			t.Error("it lives for ever")
		}
		if d := time.Since(began); d != 3*time.Minute+opts.PingTimeout {
			t.Errorf("let go after %v", d)
		}
		close(release)
	})
}

// TestPingFromClient: the server pings, in Engine.IO 4.
func TestPingFromClient(t *testing.T) {
	each(t, engine.Options{}, func(t *testing.T, f *fixture, transport string) {
		c, s := f.open(transport)
		_ = c.Send("2")
		s.wantEnd(t, engine.TransportError)
		wantClose(t, c, wire.CloseNone)
	})
}

// TestIgnoredPackets: open, upgrade and noop mean nothing.
func TestIgnoredPackets(t *testing.T) {
	each(t, engine.Options{}, func(t *testing.T, f *fixture, transport string) {
		f.onText = echo
		c, _ := f.open(transport)
		ok(t, c.Send("0", "5", "6", "4still"))
		wantNext(t, c, "4still")
	})
}

// TestCloseFromClient: the close packet ends the session, on each transport.
func TestCloseFromClient(t *testing.T) {
	each(t, engine.Options{}, func(t *testing.T, f *fixture, transport string) {
		c, s := f.open(transport)
		ok(t, c.Send("1"))
		if err := s.wantEnd(t, engine.TransportClose); err != nil {
			t.Errorf("with error %v", err)
		}
		wantClose(t, c, wire.CloseNone)
	})
}
