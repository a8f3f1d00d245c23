package conformance

import (
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Section A, second half: requests to a session that is there.

// refuseUpgrade checks that no WebSocket can be opened with a query.
func (f *fixture) refuseUpgrade(query string) {
	f.t.Helper()
	w, err := wire.DialWS(f.addr, wire.Handshake{Query: query})
	if err == nil {
		_ = w.Close() // should not be there
		f.t.Errorf("%s: a WebSocket was opened", query)
		return
	}
	res := wire.Refusal(err)
	if res == nil {
		f.t.Fatal(err)
	}
	if err := refusal(res, 400, 3); err != nil {
		f.t.Errorf("%s: %v", query, err)
	}
}

// TestA09_UpgradeOfWebSocketSession: who knows the id of a session that was born on a WebSocket cannot
// take it over.
func TestA09_UpgradeOfWebSocketSession(t *testing.T) {
	f := startServer(t, settings{})
	victim := f.ws()
	f.refuseUpgrade("EIO=4&transport=websocket&sid=" + victim.SID())
	f.wantEcho(victim)
}

// TestA10_UpgradeOfUpgradedSession: nor one that has been upgraded. The attempt is let in and closed, as the
// official suites want it: the reference client may try twice.
func TestA10_UpgradeOfUpgradedSession(t *testing.T) {
	f := startServer(t, settings{})
	victim := f.join(wire.Upgraded)
	w, err := wire.DialWS(f.addr, wire.Handshake{Query: "EIO=4&transport=websocket&sid=" + victim.SID()})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if closed, err := w.WaitClose(); err != nil {
		t.Fatalf("got %v, %v", closed, err)
	}
	f.wantEcho(victim)
}

// TestA11_PollingOnWebSocketSession: its messages cannot be taken by a poll, nor others put in.
func TestA11_PollingOnWebSocketSession(t *testing.T) {
	for _, transport := range []string{wire.Websocket, wire.Upgraded} {
		t.Run(transport, func(t *testing.T) {
			f := startServer(t, settings{})
			victim := f.join(transport)
			query := "EIO=4&transport=polling&sid=" + victim.SID()
			f.wantRefusal(f.get(query), 400, 3)
			f.wantRefusal(f.request("POST", query, "Content-Length: 1")+"1", 400, 3)
			f.wantEcho(victim)
		})
	}
}

// TestA12_UpgradeVersion: a session has one protocol, and its upgrade speaks it too.
func TestA12_UpgradeVersion(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	for _, eio := range []string{"", "EIO=3&", "EIO=5&"} {
		f.refuseUpgrade(eio + "transport=websocket&sid=" + p.SID())
		f.wantRefusal(f.get(eio+"transport=polling&sid="+p.SID()), 400, 3)
	}
	f.wantEcho(p)
}

// TestA15_TwoPolls: two polls at once mean that two clients have the session. The later is refused, the
// earlier told that the session is closed.
func TestA15_TwoPolls(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	results := make(chan *wire.Response, 2)
	for range 2 {
		go func() {
			res, err := p.Get()
			if err != nil {
				res = &wire.Response{Body: err.Error()}
			}
			results <- res
		}()
	}
	a, b := <-results, <-results
	if a.Status == 200 {
		a, b = b, a
	}
	if err := refusal(a, 400, 3); err != nil {
		t.Errorf("the later: %v", err)
	}
	if b.Status != 200 || b.Body != "1" {
		t.Errorf("the earlier: %s, want 200 \"1\"", b)
	}
	f.wantGone(server.TransportError)
	if res, err := p.Get(); err != nil || refusal(res, 400, 1) != nil {
		t.Errorf("after it: %v, %v", res, err)
	}
}

// TestA16_TwoPosts: likewise. The server's "100 Continue" says that it has begun with the first.
func TestA16_TwoPosts(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	c, err := wire.Dial(f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Send(p.Request("POST", "", "Content-Length: 10", "Expect: 100-continue")); err != nil {
		t.Fatal(err)
	}
	if res, err := c.ReadResponse("POST"); err != nil || res.Status != 100 {
		t.Fatalf("first: %v, %v", res, err)
	}
	if err := c.Send("40"); err != nil {
		t.Fatal(err)
	}
	res, err := p.Post("3")
	if err != nil || refusal(res, 400, 3) != nil {
		t.Errorf("second: %v, %v", res, err)
	}
	if rest, err := c.WaitEOF(wire.Timeout); err != nil || strings.Contains(rest, " 200 ") {
		t.Errorf("first: %q, %v", rest, err)
	}
	f.wantGone(server.TransportError)
}

// TestA21_NeverPolls: the heartbeat finds a client that does not come back.
func TestA21_NeverPolls(t *testing.T) {
	inBubble(t, settings{}, func(t *testing.T, f *fixture) {
		f.poll()
		begun := time.Now()
		reason := <-f.gone
		if d := time.Since(begun); reason != server.PingTimeout || d > 46*time.Second {
			t.Errorf("gone after %v for %q", d, reason)
		}
	})
}

// TestA21_PollReset: a poll whose connection breaks ends the session at once.
func TestA21_PollReset(t *testing.T) {
	f := startServer(t, settings{options: []server.Option{server.WithPingInterval(time.Hour)}})
	p := f.poll()
	c, err := wire.Dial(f.addr)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(p.Request("GET", "")); err != nil {
		t.Fatal(err)
	}
	// Nothing tells when a poll is parked. A reset that overtook the request would prove nothing.
	if rest, err := c.WaitEOF(250 * time.Millisecond); rest != "" || !wire.TimedOut(err) {
		t.Fatalf("the poll was not parked: %q, %v", rest, err)
	}
	if err := c.Reset(); err != nil {
		t.Fatal(err)
	}
	f.wantGone(server.TransportError)
}

// TestA22_SilentProbe: an upgrade that is begun and never finished costs the WebSocket after 10 s, and
// the session nothing.
func TestA22_SilentProbe(t *testing.T) {
	inBubble(t, settings{}, func(t *testing.T, f *fixture) {
		p := f.poll()
		for _, probe := range []string{"", "2probe"} {
			w, err := p.DialUpgrade()
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			if probe != "" {
				f.send(w, probe)
				f.expect(w, "3probe")
			}
			if _, err := w.ReadFrameWithin(time.Minute); wire.TimedOut(err) {
				t.Error("the WebSocket stays open")
			}
			if d := time.Since(begun); d > 11*time.Second {
				t.Errorf("closed after %v", d)
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			f.wantEcho(p)
		}
		if reason := <-f.gone; reason != server.PingTimeout {
			t.Errorf("then gone for %q", reason)
		}
	})
}
