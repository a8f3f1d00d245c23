package engine_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

// TestClose: what was sent before is written, then the peer is told.
func TestClose(t *testing.T) {
	each(t, engine.Options{}, func(t *testing.T, f *fixture, transport string) {
		c, s := f.open(transport)
		for range 3 {
			s.text("before")
		}
		s.Close(engine.ForcedClose)
		s.Close(engine.TransportError)
		s.text("after")
		s.wantEnd(t, engine.ForcedClose)
		wantNext(t, c, "4before", "4before", "4before")
		wantClose(t, c, wire.CloseNone)
		eventually(t, "the session is forgotten", func() bool { return f.Stats().Sessions == 0 })
	})
}

// TestClosePollingWaits: a polling session that was closed waits 30 s for the
// poll that takes the close packet.
func TestClosePollingWaits(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		_, s := f.openPoll()
		s.text("last")
		s.Close(engine.ForcedClose)
		s.wantEnd(t, engine.ForcedClose)
		time.Sleep(29 * time.Second)
		if body := s.polled(t); body != "4last" {
			t.Errorf("got %q", body)
		}
		if body := s.polled(t); body != "1" {
			t.Errorf("got %q", body)
		}
		if _, found := f.Session(s.ID()); found {
			t.Error("still known")
		}

		_, s = f.openPoll()
		s.Close(engine.ForcedClose)
		s.wantEnd(t, engine.ForcedClose)
		time.Sleep(30*time.Second - 1)
		synctest.Wait()
		if _, found := f.Session(s.ID()); !found {
			t.Error("gone too early")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if _, found := f.Session(s.ID()); found {
			t.Error("still known")
		}
	})
}

// TestCloseInHeartbeat: a session that is closed at the moment of its
// heartbeat still waits for the poll that takes the close packet.
func TestCloseInHeartbeat(t *testing.T) {
	for range 50 {
		bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
			_, s := f.openPoll()
			time.Sleep(interval)
			s.Close(engine.ForcedClose)
			synctest.Wait()
			body := s.polled(t)
			if body == "2" {
				body = s.polled(t)
			}
			if body != "1" {
				t.Errorf("got %q", body)
			}
		})
	}
}

// TestCloseAnswered: a peer's close frame is answered with its code.
func TestCloseAnswered(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		for _, code := range []int{0, 1000, 1001, 3000, 4999} {
			c, s := f.openWS()
			ok(t, c.Write(wire.Close(code, "")))
			s.wantEnd(t, engine.TransportClose)
			want := code
			if code == 0 {
				want = wire.CloseNone
			}
			wantClose(t, c, want)
		}
	})
}

// TestCloseNotAnswered: a peer that does not answer the close frame has 5 s.
func TestCloseNotAnswered(t *testing.T) {
	for name, chatter := range map[string]bool{"silent": false, "sending": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
				c, s := f.openWS()
				s.Close(engine.ForcedClose)
				began := time.Now()
				var sender sync.WaitGroup
				defer sender.Wait()
				if chatter {
					sender.Go(func() { // until the connection is closed: data after a close is ignored
						for c.Send("4"+long(100), "3") == nil {
							time.Sleep(100 * time.Millisecond)
						}
					})
				}
				for engine.Conns(f.Server) > 0 {
					time.Sleep(10 * time.Millisecond)
				}
				if d := time.Since(began); d > 5*time.Second+100*time.Millisecond || d < 4*time.Second {
					t.Errorf("closed after %v", d)
				}
				if len(s.texts) > 0 {
					t.Error("data after the close was handed over")
				}
			})
		})
	}
}

// TestCloseSlowly: a peer that takes a few bytes at a time does not keep a
// closed session, whose bytes it is still owed, for ever.
func TestCloseSlowly(t *testing.T) {
	f := start(t, engine.Options{WriteTimeout: 5 * time.Second, MaxQueue: 64 << 20})
	c, s := f.slowWS()
	m := engine.NewText(long(64 << 10)) // one for all: they are queued long before the timeout
	for range 400 {
		s.Send(0, m)
	}
	s.Close(engine.ForcedClose)
	s.wantEnd(t, engine.ForcedClose)
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		b := make([]byte, 1<<10)
		for {
			if _, err := c.Read(b); err != nil {
				return
			}
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	eventually(t, "the connection is cut", func() bool { return engine.Conns(f.Server) == 0 })
	close(stop)
	reader.Wait()
}

// slowWS opens a WebSocket whose receive buffer is as small as can be.
func (f *fixture) slowWS() (*wire.WS, *session) {
	f.t.Helper()
	c, s := f.openWS()
	ok(f.t, c.Conn.Conn.(*net.TCPConn).SetReadBuffer(4096))
	return c, s
}

// TestPeerGone: an end without a close frame, of either kind.
func TestPeerGone(t *testing.T) {
	f := start(t, engine.Options{})
	c, s := f.openWS()
	ok(t, c.Close())
	s.wantEnd(t, engine.TransportClose)
	c, s = f.openWS()
	ok(t, c.Reset())
	if s.wantEnd(t, engine.TransportClose) == nil {
		t.Error("a reset is no error")
	}
	p, s := f.openPoll()
	polled := make(chan error, 1)
	go func() { _, err := p.Get(); polled <- err }()
	eventually(t, "the poll waits", func() bool { return engine.PollWaits(s.Session) })
	ok(t, p.Close())
	<-polled
	s.wantEnd(t, engine.TransportError)
}

// TestManyClosers: everybody ends a session at once, while everybody sends.
func TestManyClosers(t *testing.T) {
	f := start(t, engine.Options{})
	f.onText = echo
	for _, transport := range wire.Transports() {
		for range 20 {
			c, s := f.open(transport)
			var all sync.WaitGroup
			for i := range 16 {
				all.Go(func() {
					for range 20 {
						s.text("message")
					}
					switch i {
					case 3:
						s.Close(engine.ForcedClose)
					case 5:
						_ = c.Send("1")
					case 7:
						_ = c.Close()
					case 9:
						_ = s.Post(newBody("1"), nil)
					case 11:
						ctx, cancel := context.WithCancel(t.Context())
						cancel()
						_, _ = s.Poll(ctx)
					}
				})
			}
			all.Wait()
			get(t, s.ended, "the end")
			if len(s.ended) > 0 {
				t.Fatal("ended twice")
			}
			_ = c.Close()
			for err := error(nil); err == nil; { // until the close packet is taken
				_, err = s.Poll(t.Context())
			}
		}
	}
}
