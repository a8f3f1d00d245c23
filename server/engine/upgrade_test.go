package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

// TestUpgradeTimeout: a probe that gets nowhere is closed, polling lives on.
func TestUpgradeTimeout(t *testing.T) {
	for name, probed := range map[string]bool{"silent": false, "probed": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
				f.onText = echo
				p, _ := f.openPoll()
				w, err := p.DialUpgrade()
				ok(t, err)
				began := time.Now()
				if probed {
					ok(t, w.Send("2probe"))
					wantNext(t, w, "3probe")
				}
				if _, err := w.ReadFrameWithin(time.Hour); err == nil {
					t.Log("the close frame")
				}
				if d := time.Since(began); d != engine.DefaultUpgradeTimeout {
					t.Errorf("closed after %v", d)
				}
				ok(t, p.Send("4still"))
				wantNext(t, p, "4still")
				eventually(t, "the connection is closed", func() bool { return engine.Conns(f.Server) == 0 })
			})
		})
	}
}

// TestUpgradeInTheLastMoment: the attempt's deadline does not reach into the
// session that it made.
func TestUpgradeInTheLastMoment(t *testing.T) {
	for range 20 {
		bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
			f.onText = echo
			p, _ := f.openPoll()
			w, err := p.Probe()
			ok(t, err)
			time.Sleep(engine.DefaultUpgradeTimeout)
			_ = w.Send("5")
			synctest.Wait()
			if f.Stats().Upgrades == 0 {
				ok(t, p.Send("4still"))
				wantNext(t, p, "4still")
				return
			}
			time.Sleep(time.Second)
			ok(t, w.Send("4moved"))
			wantNext(t, w, "4moved")
		})
	}
}

// TestUpgradeRefused: what is no upgrade closes the connection and nothing else.
func TestUpgradeRefused(t *testing.T) {
	for name, frames := range map[string][]wire.Frame{
		"message":          {wire.Text("4hello")},
		"bare ping":        {wire.Text("2")},
		"another probe":    {wire.Text("2probeX")},
		"close":            {wire.Text("1")},
		"no probe":         {wire.Text("5")},
		"binary probe":     {wire.Binary([]byte("2probe"))},
		"message after it": {wire.Text("2probe"), wire.Text("4hello")},
		"too long":         {wire.Text(long(2000))},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
				f.onText = echo
				p, s := f.openPoll()
				w, err := p.DialUpgrade()
				ok(t, err)
				ok(t, w.Write(frames...))
				_, err = w.WaitClose()
				ok(t, err)
				ok(t, p.Send("4still"))
				wantNext(t, p, "4still")
				if s.Transport() != engine.Polling || f.Stats().Upgrades != 0 {
					t.Error("upgraded")
				}
			})
		})
	}
}

// TestUpgradeOnce: of two probes the first to finish has the session; a
// session on WebSocket has no upgrade.
func TestUpgradeOnce(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		f.onText = echo
		p, s := f.openPoll()
		w, err := p.Probe()
		ok(t, err)
		v, err := p.Probe()
		ok(t, err)
		ok(t, v.Send("5", "4moved"))
		wantNext(t, v, "4moved")
		_ = w.Send("5")
		if _, err := w.WaitClose(); err != nil {
			t.Error(err)
		}
		again, err := p.DialUpgrade()
		ok(t, err)
		if _, err := again.WaitClose(); err != nil {
			t.Errorf("a second upgrade: %v", err)
		}
		if _, err := s.Poll(t.Context()); !errors.Is(err, engine.ErrNotPolling) {
			t.Errorf("a poll: %v", err)
		}
		if err := s.Post(newBody("4x"), nil); !errors.Is(err, engine.ErrNotPolling) {
			t.Errorf("a POST: %v", err)
		}
		ok(t, v.Send("4still"))
		wantNext(t, v, "4still")

		_, b := f.openWS()
		if _, err := wire.DialWS(f.addr, wire.Handshake{Query: "EIO=4&transport=websocket&sid=" + b.ID()}); !refusedWith(err, http.StatusBadRequest) {
			t.Errorf("an upgrade of a session on WebSocket: %v", err)
		}
	})
}

// TestPollOvertakesUpgrade: a poll that was sent after the upgrade, over another
// connection, may be read before it. It is refused like one that is read after it;
// a poll that waited when the probe was answered is let go.
func TestPollOvertakesUpgrade(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		f.onText = echo
		p, s := f.openPoll()
		poll := func() (answer chan string, fault chan error) {
			answer, fault = make(chan string, 1), make(chan error, 1)
			go func() {
				body, err := s.Poll(context.Background())
				answer <- string(body)
				fault <- err
			}()
			synctest.Wait()
			return answer, fault
		}
		answer, fault := poll()
		w, err := p.DialUpgrade()
		ok(t, err)
		ok(t, w.Send("2probe"))
		wantNext(t, w, "3probe")
		if body, err := <-answer, <-fault; body != "6" || err != nil {
			t.Errorf("the poll that waited: %q, %v", body, err)
		}
		answer, fault = poll()
		ok(t, w.Send("5", "4moved"))
		wantNext(t, w, "4moved")
		if body, err := <-answer, <-fault; !errors.Is(err, engine.ErrNotPolling) {
			t.Errorf("the poll that came in between: %q, %v", body, err)
		}
	})
}

// TestProbesBounded: a session has no more than a few connections.
func TestProbesBounded(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		p, _ := f.openPoll()
		n := 0
		for ; n < 100; n++ {
			if _, err := p.DialUpgrade(); err != nil {
				break
			}
		}
		if n > 16 || n < 2 {
			t.Errorf("%d probes at once", n)
		}
		time.Sleep(engine.DefaultUpgradeTimeout + 6*time.Second)
		w, err := p.Probe()
		if err != nil {
			t.Fatalf("when they have ended: %v", err)
		}
		ok(t, w.Send("5"))
		synctest.Wait()
		for n = range 100 { // the same once it is upgraded
			if _, err := p.DialUpgrade(); err != nil {
				break
			}
		}
		if n > 16 {
			t.Errorf("%d more at once", n)
		}
	})
}

// TestUpgradeDisabled refuses it and does not offer it.
func TestUpgradeDisabled(t *testing.T) {
	bubble(t, engine.Options{DisableUpgrades: true}, func(t *testing.T, f *fixture) {
		p, _ := f.openPoll()
		if len(p.Open.Upgrades) != 0 {
			t.Errorf("offers %v", p.Open.Upgrades)
		}
		if _, err := p.DialUpgrade(); !refusedWith(err, http.StatusBadRequest) {
			t.Errorf("an upgrade: %v", err)
		}
	})
}

// TestPollFailsAfterUpgrade: what becomes of a request that the upgrade has
// left behind is nobody's concern.
func TestPollFailsAfterUpgrade(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		f.onText = echo
		for range 50 {
			p, s := f.openPoll()
			w, err := p.Probe()
			ok(t, err)
			ctx, cancel := context.WithCancel(t.Context())
			var poll sync.WaitGroup
			for range 3 {
				poll.Go(func() { // until none waits any more
					if _, err := s.Poll(ctx); err != nil && len(s.ended) > 0 {
						t.Error("ended by overlap")
					}
				})
				poll.Wait() // released by the probe at once, or in 100 ms
			}
			poll.Go(func() { _, _ = s.Poll(ctx) })
			synctest.Wait()
			ok(t, w.Send("5"))
			synctest.Wait()
			cancel()
			poll.Wait()
			ok(t, w.Send("4moved"))
			wantNext(t, w, "4moved")
			_ = w.Close()
		}
	})
}

// TestOrderThroughUpgrades: numbered messages both ways, while sessions move
// from polling to WebSocket: each once, in order.
func TestOrderThroughUpgrades(t *testing.T) {
	sessions, messages := 60, 300
	f := start(t, engine.Options{Limits: engine.Limits{HandshakesPerSecond: -1}})
	var all sync.WaitGroup
	for i := range sessions {
		all.Go(func() { upgradeUnderLoad(t, f, i, messages) })
	}
	all.Wait()
	if n := f.Stats().Upgrades; n != int64(sessions) {
		t.Errorf("%d upgrades, want %d", n, sessions)
	}
}

func upgradeUnderLoad(t *testing.T, f *fixture, i, messages int) {
	p, err := wire.OpenPoll(f.addr, "")
	if err != nil {
		t.Error(err)
		return
	}
	defer p.Close()
	x, found := f.Session(p.SID())
	if !found {
		t.Error("unknown session")
		return
	}
	s := x.Receiver().(*session)
	var all sync.WaitGroup
	all.Go(func() { // the server sends
		for n := range messages {
			s.text(fmt.Sprint(n))
			if n%16 == 0 {
				time.Sleep(time.Duration(i%5) * 100 * time.Microsecond)
			}
		}
	})
	all.Go(func() { // and receives
		for n := range messages {
			if got := <-s.texts; got != fmt.Sprint(n) {
				t.Errorf("session %d: the server got %s, want %d", i, got, n)
				return
			}
		}
	})

	// The client polls until its upgrade is through, as a browser does.
	received := 0
	take := func(packets []wire.Packet) bool {
		for _, q := range packets {
			if q.Data == "6" || q.Data == "2" {
				continue
			}
			if want := fmt.Sprint("4", received); q.Data != want {
				t.Errorf("session %d: the client got %s, want %s", i, q.Data, want)
				return false
			}
			received++
		}
		return true
	}
	var w *wire.WS
	sent := 0
	for sent < messages/3 {
		if err := p.Send(fmt.Sprint("4", sent), fmt.Sprint("4", sent+1)); err != nil {
			t.Error(err)
			return
		}
		sent += 2
	}
	pollOnce := func() bool {
		r, err := p.Get()
		if err != nil || r.Status != http.StatusOK {
			t.Errorf("poll: %v, %v", r, err)
			return false
		}
		packets, err := wire.DecodePayload(r.Body)
		if err != nil {
			t.Error(err)
			return false
		}
		return take(packets)
	}
	polled := make(chan bool)
	paused := make(chan struct{})
	go func() { // until the pause, which takes effect after the poll under way
		for {
			select {
			case <-paused:
				polled <- true
				return
			default:
			}
			if !pollOnce() {
				polled <- false
				return
			}
		}
	}()
	w, err = p.Probe()
	close(paused)
	if !<-polled || err != nil {
		t.Errorf("session %d: probe: %v", i, err)
		return
	}
	defer w.Close()
	if err := w.Send("5"); err != nil {
		t.Error(err)
		return
	}
	all.Go(func() {
		for n := sent; n < messages; n++ {
			if err := w.Send(fmt.Sprint("4", n)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for received < messages {
		q, err := w.Next()
		if err != nil {
			t.Errorf("session %d: after %d messages: %v", i, received, err)
			return
		}
		if !take([]wire.Packet{q}) {
			return
		}
	}
	all.Wait()
}

// TestQueueMoves: what polling has not taken leaves over the new transport.
func TestQueueMoves(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		p, s := f.openPoll()
		w, err := p.Probe()
		ok(t, err)
		s.text("one")
		s.Send(0, engine.NewBinary([]byte{1, 2}))
		s.text("two")
		ok(t, w.Send("5"))
		wantNext(t, w, "4one")
		q, err := w.Next()
		ok(t, err)
		if !q.Binary || q.Data != "\x01\x02" {
			t.Errorf("got %v", q)
		}
		wantNext(t, w, "4two")
		s.Close(engine.ForcedClose)
		wantClose(t, w, wire.CloseNone)
	})
}

// TestCloseDuringUpgrade: whenever it comes, the peer gets what was sent
// before, and is told.
func TestCloseDuringUpgrade(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		p, s := f.openPoll()
		w, err := p.Probe()
		ok(t, err)
		s.text("last")
		s.Close(engine.ForcedClose)
		s.wantEnd(t, engine.ForcedClose)
		ok(t, w.Send("5"))
		wantNext(t, w, "4last")
		wantClose(t, w, wire.CloseNone)
		// The peer may see the end of its connection first.
		eventually(t, "the session and its place are given up", func() bool {
			return f.Stats().Sessions == 0 && engine.GateTotal(f.Server) == 0
		})
	})
}

// TestUpgradeBehindHooks: a hook may refuse an upgrade as it may a handshake.
func TestUpgradeBehindHooks(t *testing.T) {
	opts := engine.Options{AllowRequest: func(r *http.Request) error {
		if strings.Contains(r.URL.RawQuery, "sid=") {
			return errWanted
		}
		return nil
	}}
	bubble(t, opts, func(t *testing.T, f *fixture) {
		p, _ := f.openPoll()
		if _, err := p.DialUpgrade(); !refusedWith(err, http.StatusForbidden) {
			t.Errorf("an upgrade: %v", err)
		}
		_ = p
	})
}
