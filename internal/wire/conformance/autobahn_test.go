package conformance

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// What a correct peer may send over a WebSocket, by the numbers of the Autobahn test suite. Those that
// break the RFC are in d_frames_test.go, compression is in d_handshake_test.go. A message here is a
// Socket.IO event and its echo; Autobahn's own echo server knows no such thing, so sizes are those of
// the whole message.

// chopped is b in frames with n bytes of payload each, with others between them.
func chopped(opcode byte, b []byte, n int, between ...wire.Frame) []wire.Frame {
	var list []wire.Frame
	for len(b) > n {
		list = append(append(list, wire.Frame{Opcode: opcode, Payload: b[:n]}), between...)
		opcode, b = wire.OpContinuation, b[n:]
	}
	return append(list, wire.Frame{Fin: true, Opcode: opcode, Payload: b})
}

// TestAutobahn01_Sizes is 1.1.1 to 1.2.8: around each of the forms of a length.
func TestAutobahn01_Sizes(t *testing.T) {
	f := startServer(t, settings{})
	w := f.ws()
	for _, n := range []int{13, 16, 125, 126, 127, 128, 65535, 65536, 65537} {
		f.write(w, wire.Text(echoOf(n)))
		f.expect(w, echoOf(n))
		f.write(w, chopped(wire.OpText, []byte(echoOf(n)), 997)...) // 1.1.8
		f.expect(w, echoOf(n))
	}
	const header = `451-["echo",{"_placeholder":true,"num":0}]`
	for _, n := range []int{0, 1, 125, 126, 127, 128, 65535, 65536} {
		b := bytes.Repeat([]byte{0xfe}, n)
		f.write(w, wire.Text(header))
		f.write(w, wire.Binary(b))
		f.expect(w, header, wire.Packet{Data: string(b), Binary: true}.String())
		f.write(w, wire.Text(header))
		f.write(w, chopped(wire.OpBinary, b, 997)...) // 1.2.8
		f.expect(w, header, wire.Packet{Data: string(b), Binary: true}.String())
	}
}

// TestAutobahn02_Pings is 2.1 to 2.11. Of pings that come faster than pongs leave only the latest is
// answered, as 5.5.3 allows: 2.10 and 2.11 look at the last.
func TestAutobahn02_Pings(t *testing.T) {
	f := startServer(t, settings{})
	w := f.ws()
	pong := func(want string) {
		t.Helper()
		frame, err := w.NextFrame()
		if err != nil || frame.Opcode != wire.OpPong || string(frame.Payload) != want {
			t.Fatalf("got %+v, %v, want the pong %q", frame, err, want)
		}
	}
	for _, payload := range []string{"", "Hello, world!", "\x00\xff\xfe\xfd\xfc\xfb\x00\xff", strings.Repeat("\xfe", 125)} { // 2.1-2.4
		f.write(w, wire.Ping(payload))
		pong(payload)
	}
	for _, c := range frames(wire.Ping(strings.Repeat("\xfe", 125))) { // 2.6
		if err := w.Conn.Send(string([]byte{c})); err != nil {
			t.Fatal(err)
		}
	}
	pong(strings.Repeat("\xfe", 125))
	unasked := wire.Frame{Fin: true, Opcode: wire.OpPong}
	f.write(w, unasked) // 2.7
	unasked.Payload = []byte("unsolicited pong payload")
	f.write(w, unasked, wire.Ping("ping payload")) // 2.8, 2.9
	pong("ping payload")
	var ten []wire.Frame // 2.10
	for i := range 10 {
		ten = append(ten, wire.Ping(fmt.Sprintf("payload-%d", i)))
	}
	f.write(w, ten...)
	for last := ""; last != "payload-9"; {
		frame, err := w.NextFrame()
		if err != nil || frame.Opcode != wire.OpPong || string(frame.Payload) <= last {
			t.Fatalf("got %+v, %v, behind the pong %q", frame, err, last)
		}
		last = string(frame.Payload)
	}
	f.wantEcho(w)
}

// TestAutobahn05_Fragments is the passing ones of 5.x.
func TestAutobahn05_Fragments(t *testing.T) {
	f := startServer(t, settings{})
	w := f.ws()
	for name, list := range map[string][]wire.Frame{
		"5.3 two":                         chopped(wire.OpText, echo, 6),
		"5.5 byte by byte":                chopped(wire.OpText, echo, 1),
		"empty ones":                      {{Opcode: wire.OpText}, {}, {Payload: echo}, {}, {Fin: true}},
		"5.8 pongs between, byte by byte": chopped(wire.OpText, echo, 1, wire.Frame{Fin: true, Opcode: wire.OpPong, Payload: []byte("x")}),
	} {
		f.write(w, list...)
		if err := wire.Expect(w, string(echo)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	f.write(w, chopped(wire.OpText, echo, 6, wire.Ping("5.6"))...) // 5.6: the pong may not wait for the message's end
	frame, err := w.NextFrame()
	if err != nil || frame.Opcode != wire.OpPong || string(frame.Payload) != "5.6" {
		t.Errorf("got %+v, %v, want the pong", frame, err)
	}
	f.expect(w, string(echo))
	f.write(w, wire.Frame{Opcode: wire.OpText, Payload: echo[:6]}, wire.Ping("5.19")) // 5.19, 5.20
	frame, err = w.NextFrame()
	if err != nil || frame.Opcode != wire.OpPong {
		t.Errorf("got %+v, %v, want the pong", frame, err)
	}
	f.write(w, wire.Frame{Fin: true, Payload: echo[6:]})
	f.expect(w, string(echo))
}

// TestAutobahn06_UTF8 is 6.x: text that is UTF-8 passes however it is cut, other text does not.
func TestAutobahn06_UTF8(t *testing.T) {
	f := startServer(t, settings{})
	event := func(s string) []byte { return []byte(`42["echo","` + s + `"]`) }
	w := f.ws()
	for name, s := range map[string]string{
		"6.1.1 empty": "", "6.2.1 several scripts": "Hello-µ@ßöäüàá-UTF-8!!", "6.5 κόσμε": "κόσμε",
		"6.6.5 two bytes": "\u0080\u07ff", "6.6.7 three bytes": "\u0800\uffff", "6.6.9 four bytes": "\U00010000\U0010ffff",
		"6.9 around the surrogates": "\ud7ff\ue000\ufffd", "6.22 non-characters": "\ufffe\uffff\U0001fffe\U0010ffff", "6.23 specials": "\ufff9\ufffa\ufffb\ufffc\ufffd",
		"byte order mark": "\ufeff",
	} {
		for _, n := range []int{1 << 20, 3, 1} { // 6.2.2-6.2.4: whole, cut anywhere, cut everywhere
			f.write(w, chopped(wire.OpText, event(s), n)...)
			if err := wire.Expect(w, string(event(s))); err != nil {
				t.Fatalf("%s in pieces of %d: %v", name, n, err)
			}
		}
	}
	for name, s := range map[string]string{
		"6.3.1 surrogate in κόσμε": "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited", "6.10 beyond": "\xf4\x90\x80\x80",
		"6.11 five bytes": "\xf8\x88\x80\x80\x80", "6.12 six bytes": "\xfc\x84\x80\x80\x80\x80", "6.14 lone continuation": "\x80\xbf",
		"6.16 lone start": "\xc0 ", "6.17 cut short": "\xf0\x80\x80", "6.19 fe": "\xfe", "6.19 ff": "\xff", "6.20 overlong": "\xc0\xaf\xe0\x80\xaf",
		"6.20 overlong NUL": "\xf0\x80\x80\x80", "6.21 surrogates": "\xed\xa0\x80\xed\xb0\x80",
	} {
		t.Run(name, func(t *testing.T) {
			f := f.in(t)
			for _, n := range []int{1 << 20, 1} {
				f.wantCode(f.ws(), frames(chopped(wire.OpText, event(s), n)...), wire.CloseInvalidData)
			}
		})
	}
	// 6.4: a text that can become no UTF-8 any more need not be read to its end, but has to be refused there.
	f.wantCode(f.ws(), frames(wire.Frame{Opcode: wire.OpText, Payload: []byte("\xff")}, wire.Frame{Fin: true, Payload: []byte("ok")}), wire.CloseInvalidData)
}

// TestAutobahn07_Close is the passing ones of 7.x: the goodbye is answered with its own code, once.
func TestAutobahn07_Close(t *testing.T) {
	f := startServer(t, settings{})
	for _, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} { // 7.7.1-7.7.13
		f.wantCode(f.ws(), frames(wire.Close(code, "")), code)
		f.wantGone(server.TransportClose)
	}
	for name, tc := range map[string]struct {
		list []wire.Frame
		code int
	}{
		"7.1.2 twice":         {[]wire.Frame{wire.Close(1000, ""), wire.Close(1000, "")}, 1000},
		"7.1.3 then a ping":   {[]wire.Frame{wire.Close(1000, ""), wire.Ping("x")}, 1000},
		"7.1.4 then a text":   {[]wire.Frame{wire.Close(1000, ""), wire.Text(string(echo))}, 1000},
		"7.1.5 in a message":  {[]wire.Frame{{Opcode: wire.OpText, Payload: echo}, wire.Close(1000, ""), {Fin: true}}, 1000},
		"7.3.1 empty":         {[]wire.Frame{wire.Close(0, "")}, wire.CloseNone},
		"7.3.4 with reason":   {[]wire.Frame{wire.Close(1000, "Hello World!")}, 1000},
		"7.3.5 reason of 123": {[]wire.Frame{wire.Close(1000, strings.Repeat("*", 123))}, 1000},
		"reason in UTF-8":     {[]wire.Frame{wire.Close(1000, "κόσμε")}, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			f := f.in(t)
			f.wantCode(f.ws(), frames(tc.list...), tc.code)
			f.wantGone(server.TransportClose)
		})
	}
	w := f.ws() // 7.1.6: a large message in front of it
	f.write(w, wire.Text(echoOf(256<<10)), wire.Close(1000, ""))
	if ce, err := w.WaitClose(); err != nil || ce.Code != 1000 {
		t.Errorf("7.1.6: %v, %v", ce, err)
	}
}

// TestAutobahn09_Large is 9.x and 10.1.1, up to our limit: large messages, whole and in pieces.
func TestAutobahn09_Large(t *testing.T) {
	f := startServer(t, settings{})
	w := f.ws()
	for _, n := range []int{64 << 10, 256 << 10, 1_000_000} {
		for _, piece := range []int{n, 64 << 10, 1300} {
			f.write(w, chopped(wire.OpText, []byte(echoOf(n)), piece)...)
			f.expect(w, echoOf(n))
		}
	}
	for range 1000 { // 9.7
		f.write(w, wire.Text(echoOf(64)))
		f.expect(w, echoOf(64))
	}
}
