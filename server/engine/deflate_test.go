package engine_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

var deflating = wire.Handshake{Header: []string{"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"}}

func deflate(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	ok(t, err)
	_, err = io.WriteString(w, s)
	ok(t, err)
	ok(t, w.Flush())
	return bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff"))
}

// openDeflated opens a session with compression.
func (f *fixture) openDeflated() (*wire.WS, *session) {
	f.t.Helper()
	c, err := wire.DialWS(f.addr, deflating)
	ok(f.t, err)
	f.t.Cleanup(func() { _ = c.Close() })
	if got := c.Response.Header.Get("Sec-WebSocket-Extensions"); !strings.HasPrefix(got, "permessage-deflate") ||
		!strings.Contains(got, "server_no_context_takeover") || !strings.Contains(got, "client_no_context_takeover") {
		f.t.Fatalf("negotiated %q", got)
	}
	if _, err := c.ReadFrame(); err != nil { // the open packet
		f.t.Fatal(err)
	}
	return c, get(f.t, f.opened, "the session")
}

// TestDeflate: a round trip, with fragments; small messages stay as they are.
func TestDeflate(t *testing.T) {
	bubble(t, engine.Options{PerMessageDeflate: true}, func(t *testing.T, f *fixture) {
		c, s := f.openDeflated()
		body := deflate(t, "4"+long(50_000))
		ok(t, c.Write(
			wire.Frame{Fin: true, RSV: wire.RSV1, Opcode: wire.OpText, Payload: body},
			wire.Frame{RSV: wire.RSV1, Opcode: wire.OpText, Payload: body[:5]}, wire.Ping(""), wire.Frame{Fin: true, Payload: body[5:]},
			wire.Frame{Fin: true, RSV: wire.RSV1, Opcode: wire.OpBinary, Payload: deflate(t, "\x00\x01")},
			wire.Text("4plain"),
		))
		for _, want := range []string{long(50_000), long(50_000), "plain"} {
			if got := get(t, s.texts, "the message"); got != want {
				t.Errorf("got %d bytes, want %d", len(got), len(want))
			}
		}
		if got := get(t, s.binary, "the message"); got != "\x00\x01" {
			t.Errorf("got %q", got)
		}
		if frame, err := c.ReadFrame(); err != nil || frame.Opcode != wire.OpPong {
			t.Errorf("pong %v, %v", frame, err)
		}
	})
}

// readFrame reads a frame with gobwas, which is not the tests' own code.
func readFrame(r io.Reader) (ws.Frame, error) {
	h, err := ws.ReadHeader(r)
	if err != nil {
		return ws.Frame{}, err
	}
	if h.Length > 1<<20 {
		return ws.Frame{}, fmt.Errorf("a frame of %d bytes", h.Length)
	}
	payload := make([]byte, h.Length)
	_, err = io.ReadFull(r, payload)
	return ws.Frame{Header: h, Payload: payload}, err
}

// TestDeflatedSends: what is worth it leaves compressed.
func TestDeflatedSends(t *testing.T) {
	f := start(t, engine.Options{PerMessageDeflate: true})
	c, err := net.Dial("tcp", f.addr)
	ok(t, err)
	defer c.Close()
	ok(t, c.SetDeadline(time.Now().Add(guard)))
	d := ws.Dialer{Extensions: []httphead.Option{wsflate.DefaultParameters.Option()}}
	var r io.Reader = c
	if br, _, err := d.Upgrade(c, mustParse(t, "ws://x/socket.io/?EIO=4&transport=websocket")); err != nil {
		t.Fatal(err)
	} else if br != nil {
		r = br
	}
	s := get(t, f.opened, "the session")
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	s.text("small")
	s.Send(0, engine.NewBinary(noise), engine.NewText(long(5000)).NoCompress())
	s.text(long(5000))
	_, err = readFrame(r) // the open packet
	ok(t, err)
	for _, want := range []struct {
		payload    string
		compressed bool
	}{{"4small", false}, {string(noise), false}, {"4" + long(5000), false}, {"4" + long(5000), true}} {
		frame, err := readFrame(r)
		ok(t, err)
		if frame.Header.Rsv1() != want.compressed {
			t.Errorf("%.10q…: compressed %v", want.payload, !want.compressed)
		}
		if frame.Header.Rsv1() {
			frame, err = wsflate.DecompressFrame(frame)
			ok(t, err)
		}
		if string(frame.Payload) != want.payload {
			t.Errorf("got %d bytes, want %d", len(frame.Payload), len(want.payload))
		}
	}
}

// TestDeflateFaults: what inflates to too much, or to nothing that is text, or
// not at all, costs the session and little else.
func TestDeflateFaults(t *testing.T) {
	for name, test := range map[string]struct {
		code int
		body []byte
	}{
		"a bomb":       {wire.CloseTooBig, deflate(t, "4"+long(20<<20))},
		"one too many": {wire.CloseTooBig, deflate(t, long(1_000_001))},
		"noise":        {wire.CloseInvalidData, []byte("\xff\xff\xff\xff")},
		"bad UTF-8":    {wire.CloseInvalidData, deflate(t, "4\xff")},
		"empty":        {wire.CloseInvalidData, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, engine.Options{PerMessageDeflate: true}, func(t *testing.T, f *fixture) {
				c, s := f.openDeflated()
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_ = c.Write(wire.Frame{Fin: true, RSV: wire.RSV1, Opcode: wire.OpText, Payload: test.body})
				wantClose(t, c, test.code)
				s.wantEnd(t, engine.TransportError)
				runtime.ReadMemStats(&after)
				if n := after.TotalAlloc - before.TotalAlloc; n > 10<<20 {
					t.Errorf("it took %d KiB", n>>10)
				}
			})
		})
	}
}

// TestDeflateOffers: an extension that was not asked for, or is off, or makes
// no sense, is not negotiated.
func TestDeflateOffers(t *testing.T) {
	for _, on := range []bool{false, true} {
		bubble(t, engine.Options{PerMessageDeflate: on}, func(t *testing.T, f *fixture) {
			for _, offer := range []string{"", "constructor", "permessage-deflate; nonsense=1", "x-webkit-deflate-frame", "permessage-deflate; server_max_window_bits=99"} {
				c, err := wire.DialWS(f.addr, wire.Handshake{Header: []string{"Sec-WebSocket-Extensions: " + offer}})
				if err != nil {
					if wire.Refusal(err) == nil {
						t.Errorf("%q: %v", offer, err)
					}
					continue
				}
				if got := c.Response.Header.Get("Sec-WebSocket-Extensions"); got != "" {
					t.Errorf("%q: negotiated %q", offer, got)
				}
				_ = c.Close()
			}
			c, err := wire.DialWS(f.addr, deflating)
			ok(t, err)
			if got := c.Response.Header.Get("Sec-WebSocket-Extensions") != ""; got != on {
				t.Errorf("on %v: negotiated %v", on, got)
			}
			_ = c.Close()
		})
	}
}

// TestBroadcastIsCompressedOnce, and is the same frame for all.
func TestBroadcastIsCompressedOnce(t *testing.T) {
	m := engine.NewText(long(100_000))
	frames := make([][]byte, 64)
	var all sync.WaitGroup
	for i := range frames {
		all.Go(func() { frames[i] = engine.Frame(m, true) })
	}
	all.Wait()
	for _, frame := range frames {
		if &frame[0] != &frames[0][0] {
			t.Fatal("compressed twice")
		}
	}
	if len(frames[0]) > 1000 {
		t.Errorf("compressed to %d bytes", len(frames[0]))
	}
	b := engine.NewBinary([]byte(long(100)))
	if first, again := engine.Polled(b), engine.Polled(b); &first[0] != &again[0] {
		t.Error("encoded twice")
	}
}
