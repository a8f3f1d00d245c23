package conformance

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Documented behaviours that need more than a transcript can say.

var (
	socketID  = regexp.MustCompile(`^40(?:/[\w-]+,)?\{"sid":"([A-Za-z0-9_-]{20})"\}$`)
	sessionID = regexp.MustCompile(`^[A-Za-z0-9_-]{22,}$`) // at least 128 bits
)

// TestBehaviour16_SocketIDs: 20 characters, different in each namespace, and not the session's id.
func TestBehaviour16_SocketIDs(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.open(transport)
		if !sessionID.MatchString(s.SID()) {
			t.Errorf("session id %q", s.SID())
		}
		seen := map[string]bool{s.SID(): true}
		for _, namespace := range []string{"/", "/other", "/watch", "/dyn-1"} {
			answer, err := wire.Join(s, namespace)
			if err != nil {
				t.Fatal(err)
			}
			m := socketID.FindStringSubmatch(answer)
			if m == nil || seen[m[1]] {
				t.Fatalf("%s: %s, after %v", namespace, answer, seen)
			}
			seen[m[1]] = true
		}
	})
}

// TestBehaviour17_SessionIDIsSecret: it is in the open packet and nowhere else: not in a socket's id,
// not in what others are told, not in an answer to a request that names it.
func TestBehaviour17_SessionIDIsSecret(t *testing.T) {
	f := startServer(t, settings{})
	s := f.ws()
	answer, err := wire.Join(s, "/other")
	if err != nil {
		t.Fatal(err)
	}
	id := socketID.FindStringSubmatch(answer)[1]
	if strings.Contains(s.SID(), id) || strings.Contains(id, s.SID()) {
		t.Errorf("session %s, socket %s", s.SID(), id)
	}
	for i := range len(s.SID()) - 5 { // nor is one made of the other
		if part := s.SID()[i : i+6]; strings.Contains(id, part) {
			t.Errorf("session %s and socket %s share %s", s.SID(), id, part)
		}
	}
	for _, request := range []string{
		f.get("EIO=4&transport=polling&sid=" + s.SID()),
		f.get("EIO=4&transport=websocket&sid="+s.SID(), upgradeHeader...),
	} {
		if res := f.wantRefusal(request, 400, 3); strings.Contains(fmt.Sprint(res.Body, res.Header), s.SID()) {
			t.Errorf("the answer has the session id: %v", res)
		}
	}
}

// TestBehaviour20_Reasons: the texts are Node's, for applications that compare them.
func TestBehaviour20_Reasons(t *testing.T) {
	for reason, text := range map[server.Reason]string{
		server.TransportError: "transport error", server.TransportClose: "transport close", server.ForcedClose: "forced close",
		server.PingTimeout: "ping timeout", server.ParseError: "parse error", server.ServerShuttingDown: "server shutting down",
		server.ForcedServerClose: "forced server close", server.ClientNamespaceDisconnect: "client namespace disconnect",
		server.ServerNamespaceDisconnect: "server namespace disconnect",
	} {
		if string(reason) != text {
			t.Errorf("%q, want %q", reason, text)
		}
	}
}

// TestBehaviour27_NormalCloseHasNoCode: a close frame, never a bare end of TCP.
func TestBehaviour27_NormalCloseHasNoCode(t *testing.T) {
	for _, transport := range []string{wire.Websocket, wire.Upgraded} {
		f := startServer(t, settings{})
		w := f.join(transport).(*wire.WS)
		f.send(w, `42["kick",true]`)
		if ce, err := w.WaitClose(); err != nil || ce.Code != wire.CloseNone || ce.Reason != "" {
			t.Errorf("%s: %v, %v", transport, ce, err)
		}
	}
}

// TestBehaviour28_IntervalFromPong: the interval begins at the PONG, not at the PING, and the PONG has
// the whole timeout.
func TestBehaviour28_IntervalFromPong(t *testing.T) {
	inBubble(t, settings{}, func(t *testing.T, f *fixture) {
		w := f.ws()
		last := time.Now()
		ping := func(after time.Duration) {
			t.Helper()
			frame, err := w.ReadFrameWithin(time.Hour)
			if err != nil || string(frame.Payload) != "2" {
				t.Fatalf("got %s, %v", frame.Payload, err)
			}
			if d := time.Since(last); d < after || d > after+time.Second {
				t.Errorf("pinged after %v, want %v", d, after)
			}
		}
		ping(25 * time.Second)
		time.Sleep(19 * time.Second) // the timeout is 20 s
		f.send(w, "3")
		last = time.Now()
		ping(25 * time.Second)
		last = time.Now()
		reason := <-f.gone
		if d := time.Since(last); reason != server.PingTimeout || d < 20*time.Second || d > 21*time.Second {
			t.Errorf("gone after %v for %q", d, reason)
		}
	})
}

// TestBehaviour29_OpenPacket: five members, in Node's order, and upgrades never null.
func TestBehaviour29_OpenPacket(t *testing.T) {
	f := startServer(t, settings{options: []server.Option{
		server.WithPingInterval(7 * time.Second), server.WithPingTimeout(5 * time.Second), server.WithMaxPayload(12345),
	}})
	res, err := wire.Exchange(f.addr, f.get("EIO=4&transport=polling"))
	if err != nil {
		t.Fatal(err)
	}
	f.forget(res)
	if !wire.Match(`0{"sid":"*","upgrades":["websocket"],"pingInterval":7000,"pingTimeout":5000,"maxPayload":12345}`, res.Body) {
		t.Errorf("got %s", res.Body)
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(res.Body[1:]), &members); err != nil || len(members) != 5 {
		t.Errorf("got %v, %v", members, err)
	}
}

// TestBehaviour29_NoUpgrades: where there is no WebSocket, none is offered.
func TestBehaviour29_NoUpgrades(t *testing.T) {
	f := startServer(t, settings{deaf: true, options: []server.Option{server.WithTransports("polling")}})
	res, err := wire.Exchange(f.addr, f.get("EIO=4&transport=polling"))
	if err != nil {
		t.Fatal(err)
	}
	f.forget(res)
	if !wire.Match(`0{"sid":"*","upgrades":[],*}`, res.Body) {
		t.Errorf("got %s", res.Body)
	}
	f.wantRefusal(f.get("EIO=4&transport=websocket", upgradeHeader...), 400, 0)
}

// TestBehaviour31_HookRefuses: a hook's refusal is a 403 with code 4 and its own text, on both
// transports, and there is no 101 before it.
func TestBehaviour31_HookRefuses(t *testing.T) {
	allow := func(r *http.Request) error {
		if r.URL.Query().Get("token") == "bad" {
			return fmt.Errorf("no <such> token")
		}
		return nil
	}
	f := startServer(t, settings{options: []server.Option{server.WithAllowRequest(allow)}})
	for _, request := range []string{
		f.get("EIO=4&transport=polling&token=bad"),
		f.get("EIO=4&transport=websocket&token=bad", upgradeHeader...),
	} {
		res := f.wantRefusal(request, 403, 4)
		var body struct{ Message string }
		if err := json.Unmarshal([]byte(res.Body), &body); err != nil || body.Message != "no <such> token" {
			t.Errorf("got %s, %v", res, err)
		}
	}
	f.wantEcho(f.ws())
	f.wantEcho(f.poll())
}

// TestBehaviour35_CloseOnNextPoll: a session that is closed while nobody polls tells the next poll, and
// then is gone; when none comes, after 30 s.
func TestBehaviour35_CloseOnNextPoll(t *testing.T) {
	f := startServer(t, settings{})
	known := f.sockets()
	p := f.poll()
	f.victim(known).Disconnect(true)
	f.wantGone(server.ServerNamespaceDisconnect)
	var got string
	for range 2 { // "41" and "1", together or not
		res, err := p.Get()
		if err != nil || res.Status != 200 {
			break
		}
		got += res.Body + wire.Separator
	}
	if got != "41"+wire.Separator+"1"+wire.Separator {
		t.Errorf("got %q", got)
	}
	if res, err := p.Get(); err != nil || refusal(res, 400, 1) != nil {
		t.Errorf("then %v, %v", res, err)
	}
}

func TestBehaviour35_NobodyPolls(t *testing.T) {
	inBubble(t, settings{}, func(t *testing.T, f *fixture) {
		known := f.sockets()
		p := f.poll()
		f.victim(known).Disconnect(true)
		time.Sleep(29 * time.Second)
		before := f.io.Stats().Connections
		time.Sleep(2 * time.Second)
		if after := f.io.Stats().Connections; before != after+1 {
			t.Errorf("%d connections after 29 s, %d after 31 s", before, after)
		}
		if res, err := p.Get(); err != nil || refusal(res, 400, 1) != nil {
			t.Errorf("then %v, %v", res, err)
		}
	})
}

// TestBehaviour36_NoopWhileUpgrading: a poll that comes while a probe is open is let go again and
// again, so that the client can pause, and messages wait for the WebSocket.
func TestBehaviour36_NoopWhileUpgrading(t *testing.T) {
	f := startServer(t, settings{})
	known := f.sockets()
	p := f.poll()
	w, err := p.Probe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() }) // at the latest
	for range 3 {
		begun := time.Now()
		if res, err := p.Get(); err != nil || res.Body != "6" {
			t.Fatalf("got %v, %v, want the noop", res, err)
		}
		if d := time.Since(begun); d > f.busy(2*time.Second) {
			t.Errorf("let go after %v", d)
		}
	}
	victim := f.victim(known)
	for i := range 3 {
		if err := victim.Emit("n", i); err != nil {
			t.Fatal(err)
		}
	}
	f.send(w, "5")
	f.expect(w, `42["n",0]`, `42["n",1]`, `42["n",2]`)
	f.wantEcho(w)
	if n := f.io.Stats().Upgrades; n != 1 {
		t.Errorf("%d upgrades were counted", n)
	}
}
