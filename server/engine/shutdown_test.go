package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

// TestShutdown: sessions in every state end, what is queued arrives, and the
// server waits no longer than it must.
func TestShutdown(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		var clients []wire.Session
		var sessions []*session
		for _, transport := range wire.Transports() {
			c, s := f.open(transport)
			s.text("last")
			clients, sessions = append(clients, c), append(sessions, s)
		}
		parked, s := f.openPoll()
		clients, sessions = append(clients, parked), append(sessions, s)
		s.text("last")
		probing, _ := f.openPoll()
		w, err := probing.DialUpgrade()
		ok(t, err)
		probed, _ := f.openPoll()
		v, err := probed.DialUpgrade()
		ok(t, err)
		ok(t, v.Send("2probe"))
		wantNext(t, v, "3probe")

		done := make(chan error, 1)
		began := time.Now()
		go func() { done <- f.Shutdown(t.Context()) }()
		for i, c := range clients {
			wantNext(t, c, "4last")
			wantClose(t, c, wire.CloseNone)
			sessions[i].wantEnd(t, engine.ServerShuttingDown)
		}
		for _, c := range []*wire.Poll{probing, probed} {
			wantClose(t, c, wire.CloseNone)
		}
		for _, c := range []*wire.WS{w, v} {
			if e, err := c.WaitClose(); err != nil || e.Code != wire.CloseNone {
				t.Errorf("a probe ended with %v, %v", e, err)
			}
			ok(t, c.Write(wire.Close(0, "")))
			ok(t, c.Close())
		}
		for _, c := range clients {
			_ = c.Close()
		}
		ok(t, <-done)
		if d := time.Since(began); d > time.Second {
			t.Errorf("it took %v", d)
		}
		if f.Stats().Sessions+engine.Conns(f.Server)+engine.GateTotal(f.Server) != 0 {
			t.Errorf("left: %+v, %d connections, %d at the gate", f.Stats(), engine.Conns(f.Server), engine.GateTotal(f.Server))
		}
		if _, err := wire.OpenPoll(f.addr, ""); !refusedWith(err, http.StatusServiceUnavailable) {
			t.Errorf("a new session: %v", err)
		}
		if _, err := wire.OpenWS(f.addr, wire.Handshake{}); !refusedWith(err, http.StatusServiceUnavailable) {
			t.Errorf("a new session: %v", err)
		}
		ok(t, f.Shutdown(t.Context()))
	})
}

// TestShutdownDeafPeers: those that do not answer are given up after 5 s.
func TestShutdownDeafPeers(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		for _, transport := range wire.Transports() {
			_, s := f.open(transport)
			s.text("last")
		}
		p, _ := f.openPoll()
		_, err := p.DialUpgrade()
		ok(t, err)
		began := time.Now()
		ok(t, f.Shutdown(t.Context()))
		if d := time.Since(began); d != 5*time.Second {
			t.Errorf("it took %v", d)
		}
	})
}

// TestGoingPollers: of the sessions that poll and are closed because the server goes,
// one that polls within 3 s is told, and one that does not is let go.
func TestGoingPollers(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		var clients []*wire.Poll
		for range 2 {
			p, s := f.openPoll()
			s.text("last")
			s.Close(engine.ServerShuttingDown)
			clients = append(clients, p)
		}
		time.Sleep(3*time.Second - time.Millisecond)
		wantNext(t, clients[0], "4last")
		wantClose(t, clients[0], wire.CloseNone)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if n := f.Stats().Sessions; n != 0 {
			t.Errorf("%d sessions are left", n)
		}
		if res, err := clients[1].Get(); err != nil || res.Status != http.StatusBadRequest {
			t.Errorf("the late one gets %v, %v", res, err)
		}
	})
}

// A held log keeps who tells it of a session's end.
type heldLog struct {
	slog.Handler
	held, free chan struct{}
}

func (h *heldLog) Enabled(context.Context, slog.Level) bool { return true }

func (h *heldLog) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "session ended" {
		close(h.held)
		<-h.free
	}
	return nil
}

// A session that ends by itself while the server is shut down is waited for until its
// receiver has been told, whoever it is that tells.
func TestShutdownWaitsForReceivers(t *testing.T) {
	for name, end := range map[string]func(p *wire.Poll, s *session){
		"a fault": func(p *wire.Poll, _ *session) { _, _ = p.Post("2") },
		"a close": func(_ *wire.Poll, s *session) { s.Close("enough") },
	} {
		t.Run(name, func(t *testing.T) {
			log := &heldLog{Handler: slog.DiscardHandler}
			bubble(t, engine.Options{Logger: slog.New(log)}, func(t *testing.T, f *fixture) {
				log.held, log.free = make(chan struct{}), make(chan struct{}) // of the bubble
				p, s := f.openPoll()
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					end(p, s)
				}()
				<-log.held
				_, _ = p.Get() // the close packet, if there is one
				done := make(chan error, 1)
				go func() { done <- f.Shutdown(t.Context()) }()
				time.Sleep(time.Minute)
				if len(done) > 0 && len(s.ended) == 0 {
					t.Error("Shutdown has not waited")
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if err := f.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) || err == context.DeadlineExceeded { //nolint:errorlint // it has to be wrapped
					t.Errorf("error %v, want one that names the receiver too", err)
				}
				close(log.free)
				ok(t, <-done)
				if len(s.ended) != 1 {
					t.Errorf("told %d times", len(s.ended))
				}
				<-ended
			})
		})
	}
}

// TestShutdownImpatient: when its context ends, everything is cut.
func TestShutdownImpatient(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		for _, transport := range wire.Transports() {
			f.open(transport)
		}
		p, _ := f.openPoll()
		_, err := p.DialUpgrade()
		ok(t, err)
		_, closing := f.openWS() // closed before, and not answered
		closing.Close(engine.ForcedClose)
		synctest.Wait()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errWanted)
		defer cancel()
		began := time.Now()
		if err := f.Shutdown(ctx); !errors.Is(err, errWanted) {
			t.Errorf("error %v", err)
		}
		if d := time.Since(began); d != time.Second {
			t.Errorf("it took %v", d)
		}
		if f.Stats().Sessions+engine.Conns(f.Server) != 0 {
			t.Errorf("left: %+v, %d connections", f.Stats(), engine.Conns(f.Server))
		}
	})
}

// TestShutdownStuckReceiver: one that does not return is not waited for after
// the context's end.
func TestShutdownStuckReceiver(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		release := make(chan struct{})
		f.onText = func(*session, string) { <-release }
		c, s := f.openWS()
		ok(t, c.Send("4stuck"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := f.Shutdown(ctx)
		if !errors.Is(err, context.DeadlineExceeded) || err == context.DeadlineExceeded { //nolint:errorlint // it has to be wrapped
			t.Errorf("error %v, want one that names the receiver too", err)
		}
		s.wantEnd(t, engine.ServerShuttingDown)
		close(release)
	})
}

// TestShutdownInOpen: a session that is being opened meanwhile is refused.
func TestShutdownInOpen(t *testing.T) {
	for _, transport := range []string{wire.Websocket, wire.Polling} {
		bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
			done := make(chan error, 1)
			f.onOpen = func(*session, *http.Request) {
				go func() { done <- f.Shutdown(t.Context()) }()
				synctest.Wait()
			}
			c, err := wire.Open(f.addr, transport)
			if err == nil {
				wantClose(t, c, wire.CloseNone)
				_ = c.Close()
			} else if !refusedWith(err, http.StatusServiceUnavailable) && wire.CloseCode(err) != wire.CloseNone {
				t.Error(err)
			}
			get(t, f.opened, "the session").wantEnd(t, engine.ServerShuttingDown)
			ok(t, <-done)
		})
	}
}
