package conformance

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Section B: the upgrade of a polling session to a WebSocket.

// wantRefusedUpgrade checks that the WebSocket is closed and the polling session as it was.
func (f *fixture) wantRefusedUpgrade(w *wire.WS, p *wire.Poll, packets ...string) {
	f.t.Helper()
	if err := w.Send(packets...); err != nil && !wire.Ended(err) {
		f.t.Fatal(err)
	}
	ce, before, err := wire.WaitClosed(w)
	if err != nil || len(before) != 0 {
		f.t.Errorf("%q: got %v, %v, %v, want the close alone", packets, before, ce, err)
	}
	f.wantEcho(p)
}

func TestB01_WrongProbe(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	for _, first := range []string{`42["echo",1]`, "40", "2", "2probeX", "2prob", "3probe", "1", "0", "6", "9", ""} {
		f.wantRefusedUpgrade(f.upgradeOf(p), p, first)
	}
	w := f.upgradeOf(p)
	f.write(w, wire.Binary([]byte("2probe")))
	f.wantRefusedUpgrade(w, p)
}

func TestB02_UpgradeWithoutProbe(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	f.wantRefusedUpgrade(f.upgradeOf(p), p, "5")
}

func TestB03_MessageBeforeUpgrade(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	for _, second := range []string{"40", `42["echo",1]`, "1", "2", "5x", ""} {
		w, err := p.Probe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = w.Close() }) // closed by the server
		f.wantRefusedUpgrade(w, p, second)
	}
}

// TestB04_TwoProbes: the first to complete has the session; the other is closed, and what it says late
// is not heard.
func TestB04_TwoProbes(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	a, err := p.Probe()
	if err != nil {
		t.Fatal(err)
	}
	b, err := p.Probe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(); _ = b.Close() }) // at the latest
	f.send(a, "5")
	f.wantEcho(a)
	// Closed already or while it is being said: either is fine, an effect is not.
	if err := b.Send("5", `42["echo","from b"]`); err != nil && !wire.Ended(err) {
		t.Fatal(err)
	}
	if _, before, err := wire.WaitClosed(b); err != nil || len(before) != 0 {
		t.Errorf("b: %v, %v", before, err)
	}
	f.wantEcho(a)
}

// TestB05_NumberedThroughUpgrade: numbered events in both directions while the session moves. Each
// arrives once, in order. 100 upgrades stand for 1,000; each with POST and poll under way.
func TestB05_NumberedThroughUpgrade(t *testing.T) {
	f := startServer(t, settings{})
	const upgrades, events, workers = 100, 60, 4
	var wg sync.WaitGroup
	next := make(chan int)
	for range workers {
		wg.Go(func() {
			for i := range next {
				if err := numbered(f, events); err != nil {
					t.Errorf("upgrade %d: %v", i, err)
				}
			}
		})
	}
	for i := range upgrades {
		next <- i
	}
	close(next)
	wg.Wait()
}

// numbered sends events over polling and, from somewhere in the middle, over the WebSocket, and reads
// their echoes wherever they come.
func numbered(f *fixture, events int) error {
	p, err := wire.OpenPoll(f.addr, "")
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }()
	if _, err := wire.Join(p, "/"); err != nil {
		return err
	}
	ask := func(i int) string { return fmt.Sprintf(`42["echo",%d]`, i) }

	// One goroutine polls until the upgrade lets it go, as a client's does.
	type polled struct {
		packets []wire.Packet
		err     error
	}
	paused, done := make(chan struct{}), make(chan polled, 1)
	go func() {
		var all polled
		for all.err == nil {
			res, err := p.Get()
			if err == nil && res.Status != 200 {
				err = fmt.Errorf("got %v", res)
			}
			if err != nil {
				all.err = fmt.Errorf("poll: %w", err)
				break
			}
			packets, err := wire.DecodePayload(res.Body)
			all.packets, all.err = append(all.packets, packets...), err
			select {
			case <-paused:
				done <- all
				return
			default:
			}
		}
		done <- all
	}()

	// And one posts, single packets and pairs, while the probe is under way.
	half := events / 2
	posted := make(chan error, 1)
	go func() {
		var err error
		for i := 0; i < half && err == nil; i++ {
			if i%3 != 0 || i+1 == half {
				err = p.Send(ask(i))
				continue
			}
			err = p.Send(ask(i), ask(i+1))
			i++
		}
		posted <- err
	}()
	w, err := p.Probe()
	if err := errors.Join(err, <-posted); err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	close(paused) // the poll under way is the last: what it brings counts, and then the client says "5"
	got := <-done
	if got.err != nil {
		return got.err
	}
	if err := w.Send("5"); err != nil {
		return err
	}
	for i := half; i < events; i++ {
		if err := w.Send(ask(i)); err != nil {
			return err
		}
	}
	want := 0
	for _, pk := range got.packets {
		if pk.Data == "6" {
			continue
		}
		if pk.Data != ask(want) {
			return fmt.Errorf("polled %s, want %s", pk.Data, ask(want))
		}
		want++
	}
	for ; want < events; want++ {
		if err := wire.Expect(w, ask(want)); err != nil {
			return err
		}
	}
	return nil
}

// TestB06_ResetAtUpgrade: the WebSocket breaks right behind "5". The session ends once.
func TestB06_ResetAtUpgrade(t *testing.T) {
	f := startServer(t, settings{})
	for range 20 {
		p := f.poll()
		w, err := p.Probe()
		if err != nil {
			t.Fatal(err)
		}
		f.send(w, "5")
		if err := w.Reset(); err != nil {
			t.Fatal(err)
		}
		select {
		case reason := <-f.gone:
			if reason != server.TransportClose && reason != server.TransportError {
				t.Errorf("gone for %q", reason)
			}
		case <-time.After(3 * time.Second):
			// The reset has thrown "5" away before it was read: the polling session lives.
			f.wantEcho(p)
			if res, err := p.Post("1"); err != nil || res.Status != 200 {
				t.Fatalf("got %v, %v", res, err)
			}
			f.wantGone(server.TransportClose)
		}
	}
	f.leave()
	f.settle()
	if n := len(f.gone); n != 0 {
		t.Errorf("%d disconnect events too many", n)
	}
}

// TestB06_ResetBeforeUpgrade: the WebSocket breaks between the probe and "5": nothing has happened.
func TestB06_ResetBeforeUpgrade(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	for range 5 {
		w, err := p.Probe()
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Reset(); err != nil {
			t.Fatal(err)
		}
	}
	f.wantEcho(p)
}

// TestB01_ProbeIsBounded: a probe is a short word; before it is said nobody gets room for more.
func TestB01_ProbeIsBounded(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	w := f.upgradeOf(p)
	f.wantRefusedUpgrade(w, p, "2probe"+strings.Repeat("x", 100_000))
}
