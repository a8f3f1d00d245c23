package conformance

import (
	"bytes"
	"compress/flate"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Section D: the handshake of a WebSocket, and its one extension.

func TestD12_Handshake(t *testing.T) {
	f := startServer(t, settings{})
	for name, tc := range map[string]struct {
		header []string
		status int
	}{
		"version 12":              {[]string{"Sec-WebSocket-Version: 12"}, 426},
		"version 8":               {[]string{"Sec-WebSocket-Version: 8"}, 426},
		"no version":              {[]string{"Sec-WebSocket-Version:"}, 426},
		"version 13, 14":          {[]string{"Sec-WebSocket-Version: 13, 14"}, 426},
		"no key":                  {[]string{"Sec-WebSocket-Key:"}, 400},
		"key of 15 bytes":         {[]string{"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA"}, 400},
		"key that is no base64":   {[]string{"Sec-WebSocket-Key: !!!!!!!!!!!!!!!!!!!!!!=="}, 400},
		"no Connection":           {[]string{"Connection:"}, 400},
		"Connection: keep-alive":  {[]string{"Connection: keep-alive"}, 400},
		"no Upgrade":              {[]string{"Upgrade:"}, 400},
		"Upgrade: h2c":            {[]string{"Upgrade: h2c"}, 400},
		"Upgrade: websocketx":     {[]string{"Upgrade: websocketx"}, 400},
		"Connection: no Upgraded": {[]string{"Connection: upgraded"}, 400},
	} {
		_, err := wire.DialWS(f.addr, wire.Handshake{Header: tc.header})
		res := wire.Refusal(err)
		if res == nil || res.Status != tc.status {
			t.Errorf("%s: %v, want %d", name, err, tc.status)
			continue
		}
		if got := res.Header.Get("Sec-WebSocket-Version"); tc.status == 426 && got != "13" {
			t.Errorf("%s: Sec-WebSocket-Version %q", name, got)
		}
		if !strings.Contains(res.Body, `"code":3`) {
			t.Errorf("%s: %s", name, res.Body)
		}
	}
	for _, method := range []string{"POST", "PUT", "HEAD", "DELETE"} {
		if _, err := wire.DialWS(f.addr, wire.Handshake{Method: method}); err == nil || wire.Refusal(err) != nil && wire.Refusal(err).Status != 400 {
			t.Errorf("%s: %v, want 400", method, err)
		}
	}
	request := strings.Replace(wire.Handshake{}.Bytes(f.addr), "HTTP/1.1", "HTTP/1.0", 1)
	if res, err := wire.Exchange(f.addr, request); err != nil || res.Status != 400 {
		t.Errorf("HTTP/1.0: %v, %v, want 400", res, err)
	}
}

// TestD12_HandshakeVariants: what browsers and proxies make of a correct handshake.
func TestD12_HandshakeVariants(t *testing.T) {
	f := startServer(t, settings{})
	for name, header := range map[string][]string{
		"Connection: keep-alive, Upgrade": {"Connection: keep-alive, Upgrade"},
		"lower case":                      {"connection: upgrade", "upgrade: WebSocket"},
		"two Connection lines":            {"Connection: keep-alive\r\nConnection: Upgrade"},
		"extensions":                      {"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"},
		"protocol":                        {"Sec-WebSocket-Protocol: chat, superchat"},
		"empty protocol":                  {"Sec-WebSocket-Protocol: ,"},
		"X-Forwarded-For":                 {"X-Forwarded-For: 203.0.113.7, 10.0.0.1"},
	} {
		w, err := wire.OpenWS(f.addr, wire.Handshake{Header: header})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		f.track(w)
		f.joinOn(w, "/")
		f.wantEcho(w)
		for _, name := range []string{"Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol"} {
			if got := w.Response.Header.Get(name); got != "" {
				t.Errorf("%s: %q", name, got)
			}
		}
	}
}

// TestD12_NoHijacker: behind a ResponseWriter that cannot give its connection away, and over HTTP/2, a
// WebSocket is refused.
func TestD12_NoHijacker(t *testing.T) {
	f := startServer(t, settings{})
	for _, proto := range []int{1, 2} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, wire.DefaultPath+"?EIO=4&transport=websocket", nil)
		r.ProtoMajor, r.ProtoMinor = proto, 2-proto
		for _, line := range upgradeHeader {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Set(name, value)
		}
		rec := httptest.NewRecorder()
		f.io.ServeHTTP(rec, r)
		if rec.Code < 400 || rec.Code == 404 {
			t.Errorf("HTTP/%d: %d %s", proto, rec.Code, rec.Body)
		}
	}
}

// deflated is data as a permessage-deflate message.
func deflated(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff"))
}

var offerDeflate = []string{"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"}

// TestD08_DeflateOff: not negotiated unless it is switched on, and then a compressed frame is a breach.
func TestD08_DeflateOff(t *testing.T) {
	f := startServer(t, settings{})
	w, err := wire.OpenWS(f.addr, wire.Handshake{Header: offerDeflate})
	if err != nil {
		t.Fatal(err)
	}
	f.track(w)
	f.joinOn(w, "/")
	if got := w.Response.Header.Get("Sec-WebSocket-Extensions"); got != "" {
		t.Errorf("negotiated %q", got)
	}
	f.wantCode(w, frames(wire.Frame{Fin: true, RSV: wire.RSV1, Opcode: wire.OpText, Payload: deflated(t, echo)}), wire.CloseProtocol)
}

// TestD08_DeflateOn: what comes out is bounded, not what goes in.
func TestD08_DeflateOn(t *testing.T) {
	f := startServer(t, settings{options: []server.Option{server.WithPerMessageDeflate(true)}})
	open := func() *wire.WS {
		t.Helper()
		w, err := wire.OpenWS(f.addr, wire.Handshake{Header: offerDeflate})
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Response.Header.Get("Sec-WebSocket-Extensions"); !strings.HasPrefix(got, "permessage-deflate") ||
			!strings.Contains(got, "server_no_context_takeover") || !strings.Contains(got, "client_no_context_takeover") {
			t.Fatalf("negotiated %q", got)
		}
		f.track(w)
		f.joinOn(w, "/")
		return w
	}
	message := func(payload []byte) wire.Frame {
		return wire.Frame{Fin: true, RSV: wire.RSV1, Opcode: wire.OpText, Payload: payload}
	}
	const limit = 1_000_000

	t.Run("message", func(t *testing.T) {
		f, w := f.in(t), open()
		z := deflated(t, echo)
		f.write(w, message(z))
		f.expect(w, string(echo))
		// In fragments only the first says that it is compressed.
		f.write(w, wire.Frame{RSV: wire.RSV1, Opcode: wire.OpText, Payload: z[:3]}, wire.Ping(""),
			wire.Frame{Fin: true, Opcode: wire.OpContinuation, Payload: z[3:]})
		if pong, err := w.NextFrame(); err != nil || pong.Opcode != wire.OpPong {
			t.Errorf("got %v, %v", pong, err)
		}
		f.expect(w, string(echo))
		f.wantEcho(w) // not compressed is fine as well
	})
	t.Run("limit", func(t *testing.T) {
		f, w := f.in(t), open()
		f.write(w, message(deflated(t, []byte(echoOf(limit)))))
		if frame, err := w.NextFrame(); err != nil || frame.RSV != 0 && frame.RSV != wire.RSV1 {
			t.Errorf("at the limit: %v, %v", frame.RSV, err)
		}
		f.wantCode(w, frames(message(deflated(t, []byte(echoOf(limit+1))))), wire.CloseTooBig)
	})
	t.Run("bomb", func(t *testing.T) {
		f, w := f.in(t), open()
		bomb := frames(message(deflated(t, make([]byte, 20*limit))))
		n := allocated(func() { f.wantCode(w, bomb, wire.CloseTooBig) })
		if n > 8*limit { // growing to twice the limit allocates all that led there
			t.Errorf("%d bytes were allocated", n)
		}
	})
	t.Run("empty", func(t *testing.T) {
		// No packet either way: ended as one, or as not inflatable.
		f := f.in(t)
		f.wantCode(open(), frames(message(nil)), wire.CloseNone, wire.CloseInvalidData)
		f.wantCode(open(), frames(message([]byte{0})), wire.CloseNone, wire.CloseInvalidData)
	})
	for name, junk := range map[string][]byte{
		"junk": []byte("\xff\xff\xff\xff"), "block that is not ended": deflated(t, []byte(echoOf(4000)))[:5], "bad UTF-8": deflated(t, []byte("42[\"\xff\"]")),
	} {
		t.Run(name, func(t *testing.T) {
			f := f.in(t)
			f.wantCode(open(), frames(message(junk)), wire.CloseInvalidData)
		})
	}
	for name, frame := range map[string]wire.Frame{
		"RSV1 on a ping":         {Fin: true, RSV: wire.RSV1, Opcode: wire.OpPing},
		"RSV1 on a continuation": {Fin: true, RSV: wire.RSV1, Opcode: wire.OpContinuation},
		"RSV2":                   {Fin: true, RSV: wire.RSV1 | wire.RSV2, Opcode: wire.OpText},
	} {
		t.Run(name, func(t *testing.T) {
			f := f.in(t)
			f.wantCode(open(), frames(frame), wire.CloseProtocol)
		})
	}
	t.Run("continuation in a compressed message", func(t *testing.T) {
		f := f.in(t)
		z := deflated(t, echo)
		f.wantCode(open(), frames(wire.Frame{RSV: wire.RSV1, Opcode: wire.OpText, Payload: z[:3]},
			wire.Frame{Fin: true, RSV: wire.RSV1, Opcode: wire.OpContinuation, Payload: z[3:]}), wire.CloseProtocol)
	})
}

// TestD08_DeflateOffers: an offer that makes no sense is declined or refused, never accepted.
func TestD08_DeflateOffers(t *testing.T) {
	f := startServer(t, settings{options: []server.Option{server.WithPerMessageDeflate(true)}})
	for _, offer := range []string{
		"constructor", "__proto__", "permessage-deflate; server_max_window_bits=99", "permessage-deflate; unknown=1",
		"permessage-deflate; client_max_window_bits=x", ";;;", "permessage-deflate; server_no_context_takeover=1", strings.Repeat("a,", 2000),
	} {
		w, err := wire.OpenWS(f.addr, wire.Handshake{Header: []string{"Sec-WebSocket-Extensions: " + offer}})
		if err != nil {
			if res := wire.Refusal(err); res == nil || res.Status != 400 {
				t.Errorf("%s: %v", wire.Shorten(offer), err)
			}
			continue
		}
		f.track(w)
		if got := w.Response.Header.Get("Sec-WebSocket-Extensions"); got != "" {
			t.Errorf("%s: accepted as %q", wire.Shorten(offer), got)
		}
		f.joinOn(w, "/")
		f.wantEcho(w)
	}
}
