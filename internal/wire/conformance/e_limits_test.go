package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/engine"
)

// Section E, first half: what is bounded by a number.

// TestE01_IdleConnections: connections on which nothing is asked end by themselves, and cost no session.
// 500 stand for 10,000.
func TestE01_IdleConnections(t *testing.T) {
	inBubble(t, settings{}, func(t *testing.T, f *fixture) {
		conns := make([]*wire.Conn, 500)
		for i := range conns {
			c, err := wire.Dial(f.addr)
			if err != nil {
				t.Fatal(err)
			}
			conns[i] = c
		}
		if n := f.io.Stats().Connections; n != f.base.connections {
			t.Errorf("%d sessions, want %d", n, f.base.connections)
		}
		begun := time.Now()
		for _, c := range conns {
			if _, err := c.WaitEOF(time.Minute); err != nil {
				t.Errorf("a connection does not end: %v", err)
			}
			_ = c.Close() // the server has
		}
		if d := time.Since(begun); d > 11*time.Second {
			t.Errorf("ended after %v", d)
		}
	})
}

// handshakeFrom asks for a session in the name of an address.
func (f *fixture) handshakeFrom(transport, forwarded string) *wire.Response {
	f.t.Helper()
	header := []string{"X-Forwarded-For: " + forwarded}
	if transport == wire.Websocket {
		w, err := wire.OpenWS(f.addr, wire.Handshake{Header: header})
		if err == nil {
			f.track(w)
			return w.Response
		}
		if res := wire.Refusal(err); res != nil {
			return res
		}
		f.t.Fatal(err)
	}
	res, err := wire.Exchange(f.addr, f.get("EIO=4&transport=polling", append(header, "Connection: close")...))
	if err != nil {
		f.t.Fatal(err)
	}
	if res.Status == http.StatusOK {
		f.forget(res)
	}
	return res
}

// TestE02_HandshakeRate: an address that asks for too many sessions is told when to come again, whatever
// it says of itself; behind a trusted proxy each address has a budget of its own, in IPv6 each /64.
func TestE02_HandshakeRate(t *testing.T) {
	const burst, asked = 20, 100
	limits := server.Limits{Engine: engine.Limits{HandshakesPerSecond: 0.001, HandshakeBurst: burst}}
	for name, tt := range map[string]struct {
		trusted bool
		from    string // of an attacker's handshakes
		free    int    // of another address: whether it is served
	}{
		"forged":         {false, "192.0.2.%d", http.StatusTooManyRequests}, // that is the attacker's too
		"behind a proxy": {true, "192.0.2.1", http.StatusOK},
		"forged there":   {true, "198.51.100.%d, 192.0.2.1", http.StatusOK},
		"IPv6":           {true, "2001:db8::%d", http.StatusOK},
	} {
		for _, transport := range []string{wire.Websocket, wire.Polling} {
			t.Run(name+" "+transport, func(t *testing.T) {
				options := []server.Option{server.WithLimits(limits)}
				if tt.trusted {
					options = append(options, server.WithTrustedProxies(netip.MustParsePrefix("127.0.0.0/8")))
				}
				f := startServer(t, settings{options: options})
				canary := 0 // has taken one of the same budget
				if !tt.trusted {
					canary = 1
				}
				served := 0
				for i := range asked {
					from := tt.from
					if strings.Contains(from, "%d") {
						from = fmt.Sprintf(from, i+1)
					}
					switch res := f.handshakeFrom(transport, from); {
					case res.Status < 300:
						served++
					case res.Status != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "":
						t.Fatalf("refused with %s, %v", res, res.Header)
					}
				}
				if served != burst-canary {
					t.Errorf("%d of %d handshakes were served, want %d", served, asked, burst-canary)
				}
				status := f.handshakeFrom(wire.Polling, "203.0.113.7").Status
				if status != tt.free {
					t.Errorf("another address: %d, want %d", status, tt.free)
				}
				if n := f.io.Engine().Stats().Refusals["handshake_rate"]; n < asked-burst {
					t.Errorf("%d refusals are counted", n)
				}
			})
		}
	}
}

// TestE03_Connections: who comes when all places are taken is refused, and those who are there do not
// notice.
func TestE03_Connections(t *testing.T) {
	const most = 5 // the canary's among them
	limits := server.Limits{Engine: engine.Limits{Connections: most}}
	f := startServer(t, settings{options: []server.Option{server.WithLimits(limits)}})
	for i := range most - 1 {
		f.join(wire.Transports()[i%3])
	}
	refused := func(transport string) {
		res := f.handshakeFrom(transport, "192.0.2.1")
		if res.Status != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %s", transport, res)
		}
	}
	refused(wire.Websocket)
	if n := allocated(func() {
		for range 50 {
			refused(wire.Polling)
		}
	}); n > 20<<20 {
		t.Errorf("%d bytes were allocated for 50 refusals", n)
	}
	if n := f.io.Stats().Connections; n != most {
		t.Errorf("%d connections", n)
	}
	f.leave()
	f.settle()
	f.wantEcho(f.ws())
}

// TestE04_ManyRooms: a socket that is to join very many rooms joins as many as it may, those with names
// that are too long not at all, and all of them are gone with it. 3,000 stand for a million.
func TestE04_ManyRooms(t *testing.T) {
	f := startServer(t, settings{})
	root := f.io.Of("/")
	known, rooms := f.sockets(), len(root.Rooms())
	w := f.ws()
	victim := f.victim(known)
	if err := victim.Join(strings.Repeat("r", 1<<20)); !errors.Is(err, server.ErrRoomName) {
		t.Errorf("a name of 1 MB: %v", err)
	}
	joined := 0
	for i := range 3000 {
		switch err := victim.Join(fmt.Sprint("room ", i)); {
		case err == nil:
			joined++
		case !errors.Is(err, server.ErrTooManyRooms):
			t.Fatal(err)
		}
	}
	if n := len(root.Rooms()) - rooms - 1; joined != 1000 || n != joined {
		t.Errorf("joined %d, and there are %d more; want 1,000", joined, n)
	}
	if err := errors.Join(victim.Leave("room 7"), victim.Join("room 1001")); err != nil {
		t.Errorf("after one was left: %v", err)
	}
	f.wantEcho(w)
	f.leave()
	f.settle()
	if n := len(root.Rooms()); n != rooms {
		t.Errorf("%d rooms, want %d", n, rooms)
	}
}

// TestE05_PendingAcks: of 10,000 questions that a client never answers 1,000 wait, each for as long as
// it may; those that wait when the client goes end with it.
func TestE05_PendingAcks(t *testing.T) {
	inBubble(t, settings{}, func(t *testing.T, f *fixture) {
		known := f.sockets()
		w := f.ws()
		quiet := make(chan struct{})
		go func() { // reads, and answers pings alone
			defer close(quiet)
			for {
				p, err := w.Next()
				if err != nil {
					return
				}
				if p.Data == "2" && w.Send("3") != nil {
					return
				}
			}
		}()
		victim := f.victim(known)
		const most, more = 1000, 9000
		ended := make(chan error, most)
		ask := func() {
			for range most {
				go func() {
					_, err := victim.Ask(context.Background(), "q")
					ended <- err
				}()
			}
			synctest.Wait()
		}
		ends := func(want error, after time.Duration) {
			t.Helper()
			begun := time.Now()
			for range most {
				if err := <-ended; !errors.Is(err, want) {
					t.Fatalf("ended with %v, want %v", err, want)
				}
			}
			if d := time.Since(begun); d != after {
				t.Errorf("ended after %v, want %v", d, after)
			}
		}
		ask()
		for range more {
			if _, err := victim.Ask(t.Context(), "q"); !errors.Is(err, server.ErrTooManyAcks) {
				t.Fatalf("one too many: %v", err)
			}
		}
		ends(server.ErrAckTimeout, server.DefaultAckTimeout)
		ask() // there is room again
		victim.Disconnect(true)
		ends(server.ErrDisconnected, 0)
		<-quiet
		if s := f.io.Stats(); s.AcksAsked-s.AcksAnswered-s.AcksTimedOut-s.AcksLost != 0 {
			t.Errorf("some are awaited still: %+v", s)
		}
	})
}
