package conformance

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Section D, first half: frames that break RFC 6455, each with the close code that answers it. What a
// correct peer may send is in autobahn_test.go.

// frames are the bytes of frames.
func frames(list ...wire.Frame) []byte {
	var b []byte
	for _, f := range list {
		b = f.Append(b)
	}
	return b
}

// checkCodes sends each of the cases on a WebSocket of its own.
func checkCodes(t *testing.T, cases map[string][]byte, codes ...int) {
	t.Helper()
	f := startServer(t, settings{})
	for name, b := range cases {
		t.Run(name, func(t *testing.T) {
			f := f.in(t)
			f.wantCode(f.ws(), b, codes...)
			f.wantGone(server.TransportError)
		})
	}
}

var echo = []byte(`42["echo",1]`)

// TestD01_BadHeader is Autobahn 3.x (reserved bits) and 4.x (opcodes), and what it cannot send: no mask.
func TestD01_BadHeader(t *testing.T) {
	cases := map[string][]byte{}
	for name, f := range map[string]wire.Frame{
		"text": wire.Text(string(echo)), "binary": wire.Binary(echo), "ping": wire.Ping("x"), "close": wire.Close(1000, ""),
		"empty text": wire.Text(""), "fragment": {Opcode: wire.OpText, Payload: echo},
	} {
		f.Unmasked = true
		cases["unmasked "+name] = frames(f)
		f.Unmasked = false
		for rsv := range 7 {
			f.RSV = byte(rsv+1) << 4
			cases[fmt.Sprintf("3.%d rsv %d %s", rsv+1, rsv+1, name)] = frames(f)
		}
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 0xb, 0xc, 0xd, 0xe, 0xf} {
		cases[fmt.Sprintf("4.x opcode %x", op)] = frames(wire.Frame{Fin: true, Opcode: op})
		cases[fmt.Sprintf("4.x opcode %x with payload", op)] = frames(wire.Frame{Fin: true, Opcode: op, Payload: echo})
		cases[fmt.Sprintf("4.x opcode %x in a message", op)] = frames(
			wire.Frame{Opcode: wire.OpText, Payload: echo}, wire.Frame{Fin: true, Opcode: op})
	}
	checkCodes(t, cases, wire.CloseProtocol)
}

// TestD02_BadSequence is Autobahn 2.5 and the failing ones of 5.x.
func TestD02_BadSequence(t *testing.T) {
	long := strings.Repeat("x", 126)
	start := wire.Frame{Opcode: wire.OpText, Payload: echo}
	rest := wire.Frame{Fin: true, Opcode: wire.OpContinuation, Payload: echo}
	checkCodes(t, map[string][]byte{
		"2.5 ping of 126":                      frames(wire.Ping(long)),
		"pong of 126":                          frames(wire.Frame{Fin: true, Opcode: wire.OpPong, Payload: []byte(long)}),
		"7.3.6 close of 126":                   frames(wire.Close(1000, long[2:])),
		"ping of 64 KB":                        frames(wire.Frame{Fin: true, Opcode: wire.OpPing, Length: 65536}),
		"5.1 ping fragmented":                  frames(wire.Frame{Opcode: wire.OpPing}, wire.Frame{Fin: true, Opcode: wire.OpContinuation}),
		"5.2 pong fragmented":                  frames(wire.Frame{Opcode: wire.OpPong}, wire.Frame{Fin: true, Opcode: wire.OpContinuation}),
		"close fragmented":                     frames(wire.Frame{Opcode: wire.OpClose}),
		"5.9 continuation first, final":        frames(rest),
		"5.10 continuation first, then text":   frames(rest, wire.Text(string(echo))),
		"5.12 continuation first, not final":   frames(wire.Frame{Opcode: wire.OpContinuation, Payload: echo}),
		"5.15 continuation after a message":    frames(start, wire.Frame{Fin: true, Opcode: wire.OpContinuation}, rest),
		"5.18 text in a text":                  frames(start, wire.Text(string(echo))),
		"text fragment in a text":              frames(start, start),
		"binary in a text":                     frames(start, wire.Binary(echo)),
		"text in a binary":                     frames(wire.Frame{Opcode: wire.OpBinary, Payload: echo}, wire.Text(string(echo))),
		"5.18 text in a text, ping in between": frames(start, wire.Ping("x"), wire.Text(string(echo))),
	}, wire.CloseProtocol)
}

// TestD03_Length: lengths that are no lengths, and ones that nobody has room for. None of them makes
// the server allocate anything.
func TestD03_Length(t *testing.T) {
	head := func(bytes ...byte) []byte { return append([]byte{0x82, 0xff}, append(bytes, 1, 2, 3, 4)...) }
	f := startServer(t, settings{})
	for name, tc := range map[string]struct {
		bytes []byte
		codes []int
	}{
		"highest bit":         {head(0x80, 0, 0, 0, 0, 0, 0, 0), []int{wire.CloseProtocol}},
		"all bits":            {head(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), []int{wire.CloseProtocol}},
		"2^63-1":              {head(0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), []int{wire.CloseTooBig}},
		"2^40":                {head(0, 0, 1, 0, 0, 0, 0, 0), []int{wire.CloseTooBig}},
		"2^32 + 1":            {head(0, 0, 0, 1, 0, 0, 0, 1), []int{wire.CloseTooBig}},
		"2^31":                {head(0, 0, 0, 0, 0x80, 0, 0, 0), []int{wire.CloseTooBig}},
		"sum overflows":       {append(frames(wire.Frame{Opcode: wire.OpBinary, Payload: []byte{0}}), 0x80, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4), []int{wire.CloseTooBig, wire.CloseProtocol}},
		"sum overflows 32":    {append(frames(wire.Frame{Opcode: wire.OpBinary, Payload: []byte{0}}), 0x80, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4), []int{wire.CloseTooBig}},
		"control of 2^63-1":   {[]byte{0x89, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, []int{wire.CloseProtocol}},
		"control, all bits":   {[]byte{0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4}, []int{wire.CloseProtocol}},
		"2^40, not ended yet": {append([]byte{0x02, 0xff}, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4), []int{wire.CloseTooBig}},
	} {
		t.Run(name, func(t *testing.T) {
			f := f.in(t)
			w := f.ws()
			n := allocated(func() { f.wantCode(w, tc.bytes, tc.codes...) })
			if n > 1<<20 {
				t.Errorf("%d bytes were allocated", n)
			}
		})
	}
}

// TestD03_NotMinimalLength: "the minimal number of bytes MUST be used to encode the length" (5.2). The
// RFC lets a receiver be lenient: refused or read, but not read as anything else.
func TestD03_NotMinimalLength(t *testing.T) {
	f := startServer(t, settings{})
	for _, n := range []int{2, 8} {
		w := f.ws()
		frame := wire.Text(string(echo))
		frame.LengthBytes = n
		f.write(w, frame)
		p, err := w.Next()
		if code := wire.CloseCode(err); code == wire.CloseProtocol {
			continue
		}
		if err != nil || p.Data != string(echo) {
			t.Errorf("in %d bytes: %v, %v", n, p, err)
		}
	}
}

// TestD04_MessageAtLimit: a message of the limit passes, whole or in fragments, one byte more does not.
func TestD04_MessageAtLimit(t *testing.T) {
	const limit = 1_000_000
	for _, transport := range []string{wire.Websocket, wire.Upgraded} {
		t.Run(transport, func(t *testing.T) {
			f := startServer(t, settings{})
			split := func(s string, at int) []byte {
				return frames(wire.Frame{Opcode: wire.OpText, Payload: []byte(s[:at])},
					wire.Frame{Fin: true, Opcode: wire.OpContinuation, Payload: []byte(s[at:])})
			}
			w := f.join(transport).(*wire.WS)
			for _, b := range [][]byte{frames(wire.Text(echoOf(limit))), split(echoOf(limit), 600_000), split(echoOf(limit), 0)} {
				if err := w.Conn.Send(string(b)); err != nil {
					t.Fatal(err)
				}
				f.expect(w, echoOf(limit))
			}
			f.wantCode(w, frames(wire.Text(echoOf(limit+1))), wire.CloseTooBig)
			f.wantGone(server.TransportError)
			for _, at := range []int{600_001, limit, 1, 0} {
				f.wantCode(f.join(transport).(*wire.WS), split(echoOf(limit+1), at), wire.CloseTooBig)
				f.wantGone(server.TransportError)
			}
			f.wantCode(f.join(transport).(*wire.WS), frames(wire.Binary(make([]byte, limit+1))), wire.CloseTooBig)
		})
	}
}

// TestD05_Fragments: very many fragments of one message are refused long before their number costs
// anything, the empty ones too. Those of another order are a correct peer's, if an odd one's.
func TestD05_Fragments(t *testing.T) {
	empty := frames(wire.Frame{Opcode: wire.OpContinuation})
	one := frames(wire.Frame{Opcode: wire.OpContinuation, Payload: []byte("a")})
	for name, b := range map[string][]byte{
		"200,000 empty":          append(frames(wire.Frame{Opcode: wire.OpText}), bytes.Repeat(empty, 200_000)...),
		"100,000 of a byte":      append(frames(wire.Frame{Opcode: wire.OpText, Payload: []byte("a")}), bytes.Repeat(one, 100_000)...),
		"20,000 mixed":           append(frames(wire.Frame{Opcode: wire.OpBinary}), bytes.Repeat(append(empty, one...), 10_000)...),
		"20,000 empty, no start": bytes.Repeat(empty, 20_000),
	} {
		t.Run(name, func(t *testing.T) {
			f := startServer(t, settings{})
			want := wire.ClosePolicy
			if strings.HasSuffix(name, "no start") {
				want = wire.CloseProtocol
			}
			begun := time.Now()
			f.wantCode(f.ws(), b, want)
			if d := time.Since(begun); d > f.busy(2*time.Second) {
				t.Errorf("took %v", d)
			}
		})
	}
	f := startServer(t, settings{})
	w := f.ws()
	b := frames(wire.Frame{Opcode: wire.OpText})
	for _, c := range echo {
		b = append(b, frames(wire.Frame{Opcode: wire.OpContinuation, Payload: []byte{c}}, wire.Frame{Opcode: wire.OpContinuation})...)
	}
	b = append(b, frames(wire.Frame{Fin: true, Opcode: wire.OpContinuation})...)
	if err := w.Conn.Send(string(b)); err != nil {
		t.Fatal(err)
	}
	f.expect(w, string(echo))
}

// TestD05_ByteByByte: a frame that comes in segments of a byte is a frame.
func TestD05_ByteByByte(t *testing.T) {
	f := startServer(t, settings{})
	w := f.ws()
	for _, c := range frames(wire.Ping("ab"), wire.Text(string(echo)), wire.Text(strings.Replace(string(echo), "1", `"`+strings.Repeat("é", 100)+`"`, 1))) {
		if err := w.Conn.Send(string([]byte{c})); err != nil {
			t.Fatal(err)
		}
	}
	pong, err := w.NextFrame()
	if err != nil || pong.Opcode != wire.OpPong || string(pong.Payload) != "ab" {
		t.Errorf("got %v, %v", pong, err)
	}
	f.expect(w, string(echo), `42["echo","*"]`)
}

// TestD06_BadClose is the failing ones of Autobahn 7.x.
func TestD06_BadClose(t *testing.T) {
	cases := map[string][]byte{
		"7.3.2 one byte":      frames(wire.Frame{Fin: true, Opcode: wire.OpClose, Payload: []byte{3}}),
		"7.13.1 code 5000":    frames(wire.Close(5000, "")),
		"7.13.2 code 65535":   frames(wire.Close(65535, "")),
		"code 0 with reason":  frames(wire.Frame{Fin: true, Opcode: wire.OpClose, Payload: []byte("\x00\x00bye")}),
		"bad code and reason": frames(wire.Close(999, "bye")),
	}
	for i, code := range []int{999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		cases[fmt.Sprintf("7.9.%d code %d", i+2, code)] = frames(wire.Close(code, ""))
	}
	cases["code 1015"] = frames(wire.Close(1015, ""))
	checkCodes(t, cases, wire.CloseProtocol)
	checkCodes(t, map[string][]byte{
		"7.5.1 bad UTF-8":          frames(wire.Close(1000, "\xce\xba\xed\xa0\x80")),
		"reason that is cut short": frames(wire.Close(1000, "\xe2\x82")),
	}, wire.CloseInvalidData)
}

// TestD07_DataAfterClose: what comes behind the peer's close frame is not heard.
func TestD07_DataAfterClose(t *testing.T) {
	f := startServer(t, settings{})
	w := f.ws()
	b := frames(wire.Close(1000, "bye"), wire.Text(string(echo)), wire.Ping("x"), wire.Frame{Fin: true, Opcode: 0xf})
	if err := w.Conn.Send(string(b)); err != nil {
		t.Fatal(err)
	}
	frame, err := w.NextFrame()
	if code := wire.CloseCode(err); code != 1000 {
		t.Errorf("got %v, %v, want the close", frame, err)
	}
	if rest, err := w.WaitEOF(wire.Timeout); err != nil || rest != "" {
		t.Errorf("then %x, %v", rest, err)
	}
	f.wantGone(server.TransportClose)
}

// TestD07_CloseNotAnswered: a peer that does not answer the server's close frame is cut off after 5 s,
// whether it is silent or goes on as if nothing had been said.
func TestD07_CloseNotAnswered(t *testing.T) {
	for _, talks := range []bool{false, true} {
		t.Run(fmt.Sprintf("talks %t", talks), func(t *testing.T) {
			inBubble(t, settings{}, func(t *testing.T, f *fixture) {
				w := f.ws()
				f.send(w, `42["kick",true]`)
				f.expect(w, "41")
				begun := time.Now()
				if _, err := w.NextFrame(); wire.CloseCode(err) != wire.CloseNone {
					t.Fatal(err)
				}
				for talks && time.Since(begun) < time.Minute {
					time.Sleep(time.Second)
					if err := w.Send(string(echo)); err != nil {
						break
					}
				}
				if rest, err := w.WaitEOF(time.Minute); err != nil || rest != "" {
					t.Errorf("then %x, %v", rest, err)
				}
				if d := time.Since(begun); d > 7*time.Second {
					t.Errorf("cut off after %v", d)
				}
			})
		})
	}
}
