package engine_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

// TestMessageLimits: at the limit a message is taken, over it 1009: whole, in
// fragments, admitted or not. The text's packet type counts.
func TestMessageLimits(t *testing.T) {
	const limit = 100_000
	split := func(n int) []wire.Frame {
		return []wire.Frame{
			{Opcode: wire.OpText, Payload: []byte("4" + long(n/2-1))},
			{Opcode: wire.OpContinuation, Fin: true, Payload: []byte(long(n - n/2))},
		}
	}
	bubble(t, engine.Options{MaxPayload: limit, UnadmittedPayload: 1000}, func(t *testing.T, f *fixture) {
		for _, admitted := range []bool{false, true} {
			limit := limit
			if !admitted {
				limit = 1000
			}
			for name, frames := range map[string]func(n int) []wire.Frame{
				"text":      func(n int) []wire.Frame { return []wire.Frame{wire.Text("4" + long(n-1))} },
				"binary":    func(n int) []wire.Frame { return []wire.Frame{wire.Binary([]byte(long(n)))} },
				"fragments": split,
			} {
				c, s := f.openWS()
				if admitted {
					s.Admit()
				}
				ok(t, c.Write(frames(limit)...))
				if name == "binary" {
					if got := get(t, s.binary, "the message"); got != long(limit) {
						t.Errorf("%s: got %d bytes", name, len(got))
					}
				} else if got := get(t, s.texts, "the message"); got != long(limit-1) {
					t.Errorf("%s: got %d bytes", name, len(got))
				}
				ok(t, c.Write(frames(limit+1)...))
				s.wantEnd(t, engine.TransportError)
				wantClose(t, c, wire.CloseTooBig)
			}
		}
	})
}

// TestFrameFaults: what RFC 6455 does not allow, and the code that it gets.
func TestFrameFaults(t *testing.T) {
	many := func(n int, payload string) []wire.Frame {
		frames := []wire.Frame{{Opcode: wire.OpText, Payload: []byte("4")}}
		for range n {
			frames = append(frames, wire.Frame{Payload: []byte(payload)})
		}
		return frames
	}
	for name, test := range map[string]struct {
		code   int
		frames []wire.Frame
	}{
		"not masked":             {wire.CloseProtocol, []wire.Frame{{Fin: true, Opcode: wire.OpText, Payload: []byte("4"), Unmasked: true}}},
		"a reserved bit":         {wire.CloseProtocol, []wire.Frame{{Fin: true, RSV: wire.RSV1, Opcode: wire.OpText, Payload: []byte("4")}}},
		"a reserved opcode":      {wire.CloseProtocol, []wire.Frame{{Fin: true, Opcode: 3, Payload: []byte("4")}}},
		"a fragmented ping":      {wire.CloseProtocol, []wire.Frame{{Opcode: wire.OpPing}}},
		"a long ping":            {wire.CloseProtocol, []wire.Frame{wire.Ping(long(126))}},
		"nothing to continue":    {wire.CloseProtocol, []wire.Frame{{Fin: true, Opcode: wire.OpContinuation}}},
		"a message in another":   {wire.CloseProtocol, []wire.Frame{{Opcode: wire.OpText, Payload: []byte("4")}, wire.Text("4")}},
		"a length of 2^63":       {wire.CloseProtocol, []wire.Frame{{Fin: true, Opcode: wire.OpText, Length: 1 << 63, LengthBytes: 8}}},
		"a length of 2^64-1":     {wire.CloseProtocol, []wire.Frame{{Fin: true, Opcode: wire.OpText, Length: 1<<64 - 1, LengthBytes: 8}}},
		"a length of 2^40":       {wire.CloseTooBig, []wire.Frame{{Fin: true, Opcode: wire.OpText, Length: 1 << 40, LengthBytes: 8}}},
		"a sum that overflows":   {wire.CloseTooBig, []wire.Frame{{Opcode: wire.OpText, Payload: []byte("4")}, {Fin: true, Length: 1<<63 - 1, LengthBytes: 8}}},
		"125 in two bytes":       {wire.CloseProtocol, []wire.Frame{{Fin: true, Opcode: wire.OpText, Payload: []byte(long(125)), LengthBytes: 2}}},
		"65535 in eight":         {wire.CloseProtocol, []wire.Frame{{Fin: true, Opcode: wire.OpText, Payload: []byte(long(65535)), LengthBytes: 8}}},
		"bad UTF-8":              {wire.CloseInvalidData, []wire.Frame{wire.Text("4\xff")}},
		"half a rune":            {wire.CloseInvalidData, []wire.Frame{wire.Text("4\xe2\x82")}},
		"empty fragments":        {wire.ClosePolicy, many(20_000, "")},
		"fragments of one byte":  {wire.ClosePolicy, many(20_000, "x")},
		"a close of one byte":    {wire.CloseProtocol, []wire.Frame{{Fin: true, Opcode: wire.OpClose, Payload: []byte{3}}}},
		"a close with 1005":      {wire.CloseProtocol, []wire.Frame{wire.Close(1005, "")}},
		"a close with bad UTF-8": {wire.CloseInvalidData, []wire.Frame{wire.Close(1000, "\xff")}},
		"an empty text":          {wire.CloseNone, []wire.Frame{wire.Text("")}},
		"no packet":              {wire.CloseNone, []wire.Frame{wire.Text("7")}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
				c, s := f.openWS()
				_ = c.Write(test.frames...) // the server may have closed before the last of them
				wantClose(t, c, test.code)
				get(t, s.ended, "the end")
			})
		})
	}
}

// TestFragments: a message in pieces, of bytes in pieces, with a ping between.
func TestFragments(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		c, s := f.openWS()
		var b []byte
		for _, frame := range []wire.Frame{
			{Opcode: wire.OpText, Payload: []byte("4€")}, {Payload: []byte(long(70_000))}, wire.Ping("now"), {}, {Fin: true, Payload: []byte("end")},
			wire.Text("4" + long(200)), wire.Binary([]byte{}), wire.Text("4"),
		} {
			b = frame.Append(b)
		}
		go func() {
			for part := range bytes.SplitAfterSeq(b, []byte("x")) { // headers apart from bodies
				if _, err := c.Conn.Write(part[:1]); err != nil {
					return
				}
				_, _ = c.Conn.Write(part[1:])
			}
		}()
		frame, err := c.NextFrame()
		for err == nil && frame.Opcode != wire.OpPong {
			frame, err = c.ReadFrame()
		}
		if err != nil || string(frame.Payload) != "now" {
			t.Errorf("pong %v, %v", frame, err)
		}
		for _, want := range []string{"€" + long(70_000) + "end", long(200), ""} {
			if got := get(t, s.texts, "the message"); got != want {
				t.Errorf("got %d bytes, want %d", len(got), len(want))
			}
		}
		if got := get(t, s.binary, "the message"); got != "" {
			t.Errorf("got %q", got)
		}
	})
}

// TestFrameStalls: a frame that has been begun has to go on, an idle
// connection has not.
func TestFrameStalls(t *testing.T) {
	for name, begun := range map[string]string{
		"header":       "\x81",
		"body":         "\x81\x85\x00\x00\x00\x004hel",
		"message":      string(wire.Frame{Opcode: wire.OpText, Payload: []byte("4")}.Append(nil)),
		"large header": "\x81\xff\x00\x00",
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
				c, s := f.openWS()
				ok(t, c.Conn.Send(string(wire.Text("4whole").Append(nil))))
				time.Sleep(20 * time.Second)
				ok(t, c.Conn.Send(begun))
				began := time.Now()
				s.wantEnd(t, engine.TransportError)
				if d := time.Since(began); d != 10*time.Second {
					t.Errorf("ended after %v", d)
				}
				wantClose(t, c, wire.ClosePolicy)
			})
		})
	}
}

// TestPings: each that the peer waits for is answered; of many at once perhaps
// the last alone; a flood ends the session.
func TestPings(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		c, s := f.openWS()
		for _, body := range []string{"", "a", long(125)} {
			ok(t, c.Write(wire.Ping(body)))
			if frame, err := c.ReadFrame(); err != nil || frame.Opcode != wire.OpPong || string(frame.Payload) != body {
				t.Errorf("pong %v, %v", frame, err)
			}
		}
		flood := make([]wire.Frame, 700)
		for i := range flood {
			flood[i] = wire.Ping(strings.Repeat("p", 20))
		}
		_ = c.Write(flood...)
		if e, err := c.WaitClose(); err != nil || e.Code != wire.ClosePolicy {
			t.Errorf("closed with %v, %v", e, err)
		}
		s.wantEnd(t, engine.TransportError)
	})
}

// TestUnreadPings: pongs that a peer does not read take the place of one.
func TestUnreadPings(t *testing.T) {
	f := start(t, engine.Options{})
	c, s := f.slowWS()
	for !s.Blocked() { // fill what the kernel takes
		s.text(long(32 << 10))
		time.Sleep(time.Millisecond)
	}
	for range 500 {
		ok(t, c.Write(wire.Ping(long(100))))
	}
	if n := engine.Unsent(s.Session); n > engine.DefaultMaxQueue {
		t.Errorf("%d bytes wait", n)
	}
}

// TestHandshakeOnBadRequests: what is no WebSocket handshake is refused in HTTP.
func TestHandshakeOnBadRequests(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		for status, handshakes := range map[int][]wire.Handshake{
			426: {{Header: []string{"Sec-WebSocket-Version: 12"}}, {Header: []string{"Sec-WebSocket-Version:"}}},
			400: {
				{Header: []string{"Sec-WebSocket-Key: short"}}, {Header: []string{"Sec-WebSocket-Key:"}},
				{Header: []string{"Connection: keep-alive"}}, {Method: "POST"},
				{Query: "EIO=3&transport=websocket"}, {Query: "EIO=4&transport=polling"},
				{Query: "EIO=4&transport=websocket&sid=unknown"}, {Query: "EIO=4&EIO=4&transport=websocket"},
			},
		} {
			for _, h := range handshakes {
				if _, err := wire.DialWS(f.addr, h); !refusedWith(err, status) {
					t.Errorf("%+v: %v, want %d", h, err, status)
				}
			}
		}
		eventually(t, "nothing is left", func() bool {
			return engine.Conns(f.Server)+engine.GateTotal(f.Server) == 0
		})
	})
}
