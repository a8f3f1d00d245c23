package engine_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

// TestOpenPacket: what it holds, on each transport.
func TestOpenPacket(t *testing.T) {
	for _, transport := range []string{wire.Websocket, wire.Polling} {
		bubble(t, engine.Options{MaxPayload: 12345}, func(t *testing.T, f *fixture) {
			var p wire.Packet
			if transport == wire.Websocket {
				c, err := wire.DialWS(f.addr, wire.Handshake{})
				ok(t, err)
				defer c.Close()
				p, err = c.Next()
				ok(t, err)
			} else {
				p.Data = f.handshake()
			}
			var open map[string]any
			ok(t, json.Unmarshal([]byte(strings.TrimPrefix(p.Data, "0")), &open))
			upgrades, isArray := open["upgrades"].([]any)
			s := get(t, f.opened, "the session")
			if open["sid"] != s.ID() || !isArray || len(upgrades) != map[string]int{wire.Polling: 1}[transport] ||
				open["pingInterval"] != 25000.0 || open["pingTimeout"] != 20000.0 || open["maxPayload"] != 12345.0 || len(open) != 5 {
				t.Errorf("%s: %s", transport, p.Data)
			}
			if x, found := f.Session(s.ID()); !found || x != s.Session || x.Protocol() != 4 || x.Transport() != transport {
				t.Errorf("%s: session is %v, %v", transport, x, found)
			}
			s.Close(engine.ForcedClose)
		})
	}
}

// TestSendInOpen: messages of the hook follow the open packet.
func TestSendInOpen(t *testing.T) {
	for _, transport := range []string{wire.Websocket, wire.Polling} {
		bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
			f.onOpen = func(s *session, _ *http.Request) {
				s.text("first")
				s.text("second")
			}
			if transport == wire.Websocket {
				c, _ := f.openWS()
				wantNext(t, c, "4first", "4second")
				return
			}
			body := f.handshake()
			if !strings.HasSuffix(body, "}\x1e4first\x1e4second") {
				t.Errorf("handshake: %s", body)
			}
		})
	}
}

// handshake opens a polling session and returns its first payload.
func (f *fixture) handshake() string {
	f.t.Helper()
	r, err := wire.Exchange(f.addr, "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
	ok(f.t, err)
	return r.Body
}

// TestCloseInOpen: a session that its hook closes is told about it afterwards,
// once, and leaves nothing behind.
func TestCloseInOpen(t *testing.T) {
	for _, transport := range []string{wire.Websocket, wire.Polling} {
		bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
			returned := false
			f.onOpen = func(s *session, _ *http.Request) {
				s.text("goodbye")
				s.Close(engine.ForcedClose)
				select {
				case <-s.ended:
					t.Error("told before it had its receiver")
				default:
				}
				returned = true
			}
			if transport == wire.Websocket {
				c, s := f.openWS()
				wantNext(t, c, "4goodbye")
				wantClose(t, c, wire.CloseNone)
				s.wantEnd(t, engine.ForcedClose)
			} else {
				if body := f.handshake(); !strings.HasSuffix(body, "}\x1e4goodbye") {
					t.Errorf("handshake: %s", body)
				}
				s := get(t, f.opened, "the session")
				s.wantEnd(t, engine.ForcedClose)
				if body, err := s.Poll(t.Context()); string(body) != "1" || err != nil {
					t.Errorf("the next poll got %q, %v", body, err)
				}
			}
			if !returned {
				t.Error("the hook was not called")
			}
			eventually(t, "the session and its place are given up", func() bool {
				return f.Stats().Sessions == 0 && engine.GateTotal(f.Server) == 0
			})
		})
	}
}

// TestPanicInOpen: the panic is net/http's, the session is gone.
func TestPanicInOpen(t *testing.T) {
	for _, transport := range []string{wire.Websocket, wire.Polling} {
		bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
			f.onOpen = func(*session, *http.Request) { panic(http.ErrAbortHandler) }
			_, err := wire.Open(f.addr, transport)
			if err == nil {
				t.Error("a session was opened")
			}
			// The peer may see the end of its connection first.
			eventually(t, "the session and its place are given up", func() bool {
				return f.Stats().Sessions == 0 && engine.GateTotal(f.Server) == 0
			})
		})
	}
}

// TestEarlyBytes: what the peer sends before it has seen the 101 counts.
func TestEarlyBytes(t *testing.T) {
	f := start(t, engine.Options{})
	f.onText = echo
	early := string(wire.Text("4early").Append(nil))
	c, err := wire.OpenWS(f.addr, wire.Handshake{Extra: early})
	ok(t, err)
	defer c.Close()
	wantNext(t, c, "4early")
}

// TestNewIDTaken: of two sessions with one id the first stays.
func TestNewIDTaken(t *testing.T) {
	f := start(t, engine.Options{NewID: func(*http.Request) string { return "same" }})
	f.onText = echo
	c, _ := f.openWS()
	d, err := wire.OpenWS(f.addr, wire.Handshake{})
	if err == nil {
		defer d.Close()
		wantClose(t, d, wire.CloseNone)
	}
	ok(t, c.Send("4still"))
	wantNext(t, c, "4still")
	eventually(t, "the place of the second at the gate is given back, and not the first's", func() bool {
		return engine.GateTotal(f.Server) == 1
	})
}

// TestIDs: they are long, and no two share more than chance lets them.
func TestIDs(t *testing.T) {
	seen := make(map[string]bool)
	for range 100_000 {
		id := engine.NewID()
		if len(id) != 24 || seen[id[:12]] || seen[id[12:]] {
			t.Fatalf("id %q", id)
		}
		seen[id[:12]], seen[id[12:]] = true, true
	}
}
