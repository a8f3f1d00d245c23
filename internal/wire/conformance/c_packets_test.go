package conformance

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Section C, second half: packets of a client that has joined.

func TestC09_ReservedEvents(t *testing.T) {
	cases := closing{}
	for _, name := range []string{"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"} {
		cases[name] = text(`42["` + name + `"]`)
		cases[name+" with an acknowledgement"] = text(`421["` + name + `",1]`)
		cases[name+", escaped"] = text(fmt.Sprintf(`42["\u%04x%s"]`, name[0], name[1:]))
	}
	checkClosing(t, true, cases)
}

// TestC10_HarmlessNames: names that mean something elsewhere are events like any other here.
func TestC10_HarmlessNames(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.join(transport)
		for _, name := range []string{"error", "connection", "__proto__", "constructor", "hasOwnProperty", "ping", "message", ""} {
			f.send(s, `42["`+name+`"]`)
			f.expect(s, `42["any","`+name+`"]`) // says the catch-all handler of the fixture
		}
		f.wantEcho(s)
	})
}

func TestC11_EventName(t *testing.T) {
	checkClosing(t, true, closing{
		"true": text("42[true]"), "null": text("42[null]"), "object": text("42[{}]"), "array": text("42[[]]"),
		"object, in a binary event": {{Data: `451-[{},{"_placeholder":true,"num":0}]`}, binary(0)},
	})
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.join(transport)
		f.send(s, "42[1]", "42[-1.5e3]")
		f.expect(s, `42["any",*1*]`, `42["any",*]`)
		f.wantEcho(s)
	})
}

func TestC12_BadEvent(t *testing.T) {
	checkClosing(t, true, closing{
		"empty array": text("42[]"), "object": text("42{}"), "string": text(`42"e"`), "not ended": text(`42["e"`),
		"text behind": text(`42["e"]x`), "array behind": text(`42["e"][]`), "no payload": text("42"), "id alone": text("421"),
		"namespace and id": text(`42/,1`), "trailing comma": text(`42["e",]`), "leading comma": text(`42[,"e"]`), "single quotes": text(`42['e']`),
		"tab in a string": text("42[\"a\tb\"]"), "leading zeros": text(`42["e",01]`), "plus": text(`42["e",+1]`), "NaN": text(`42["e",NaN]`),
		"bad escape": text(`42["\x41"]`), "comment": text(`42["e"/**/]`), "byte order mark": text("42\ufeff[\"e\"]"),
	})
}

func TestC13_BadType(t *testing.T) {
	checkClosing(t, true, closing{
		"connect error": text("44{}"), "type 7": text("47"), "type 8": text("48[]"), "type 9": text("49"), "type x": text("4x"), "no type": text("4"),
	})
	// A WebSocket frame without even an Engine.IO type; on polling that is TestA23_BadPayload.
	f := startServer(t, settings{})
	f.wantClosed(f.ws(), text(""))
	f.wantGone(server.ParseError)
}

func TestC15_AttachmentCount(t *testing.T) {
	cases := closing{}
	for _, n := range []string{"11", "100", "1000000000", "99999999999999999999", "-1", "1.5", strings.Repeat("9", 500_000)} {
		cases[wire.Shorten(n)] = text("45" + n + `-["echo",{"_placeholder":true,"num":0}]`)
	}
	checkClosing(t, true, cases)
}

func TestC16_AttachmentCountSyntax(t *testing.T) {
	cases := closing{}
	for _, n := range []string{"1e0", "0x1", " 1", "1 ", "+1", "", "١", "1_0"} {
		cases[fmt.Sprintf("%q", n)] = text("45" + n + `-["echo",{"_placeholder":true,"num":0}]`)
	}
	cases["no hyphen"] = text(`451["echo"]`)
	cases["nothing behind"] = text("451")
	checkClosing(t, true, cases)
}

func TestC17_NoAttachments(t *testing.T) {
	checkClosing(t, true, closing{
		"event": text(`450-["echo"]`), "acknowledgement": text(`460-1[]`), "two zeros": text(`4500-["echo"]`),
	})
}

// TestC18_AttachmentBytes: what waits for the rest of its packet is bounded by the size of one message.
func TestC18_AttachmentBytes(t *testing.T) {
	const header = `453-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}]`
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		part := wire.Packet{Data: strings.Repeat("\x00", 333_333), Binary: true}
		s := f.join(transport)
		for _, p := range []wire.Packet{{Data: header}, part, part, part} {
			if err := s.SendPackets(p); err != nil {
				t.Fatal(err)
			}
		}
		f.expect(s, header, part.String(), part.String(), part.String())

		if err := s.SendPackets(wire.Packet{Data: header}); err != nil {
			t.Fatal(err)
		}
		part.Data += "\x00"
		for range 2 {
			if err := s.SendPackets(part); err != nil {
				t.Fatal(err)
			}
		}
		f.wantClosed(s, []wire.Packet{part})
	})
}

// TestC18_AttachmentWithheld: and by a time.
func TestC18_AttachmentWithheld(t *testing.T) {
	for _, transport := range []string{wire.Websocket, wire.Polling} {
		t.Run(transport, func(t *testing.T) {
			inBubble(t, settings{}, func(t *testing.T, f *fixture) {
				s := f.join(transport)
				err := s.SendPackets(wire.Packet{Data: `452-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`}, binary(0))
				if err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				<-f.gone
				if d := time.Since(begun); d > 11*time.Second {
					t.Errorf("closed after %v", d)
				}
			})
		})
	}
}

func TestC19_AttachmentOrder(t *testing.T) {
	header := wire.Packet{Data: `451-["echo",{"_placeholder":true,"num":0}]`}
	checkClosing(t, true, closing{
		"attachment without a header": {binary(0)},
		"event in between":            {header, {Data: `42["echo",1]`}},
		"header in between":           {header, header},
		"connect in between":          {header, {Data: "40/other,"}},
		"disconnect in between":       {header, {Data: "41"}},
	})
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.join(transport)
		// The heartbeat is none of the packet's business.
		if err := s.SendPackets(header, wire.Packet{Data: "3"}, binary(7)); err != nil {
			t.Fatal(err)
		}
		f.expect(s, header.Data, binary(7).String())
		// One too many.
		f.wantClosed(s, []wire.Packet{header, binary(0), binary(0)})
	})
}

func TestC20_Placeholder(t *testing.T) {
	cases := closing{}
	for _, num := range []string{`,"num":"splice"`, `,"num":-1`, `,"num":0.5`, `,"num":1`, `,"num":1e9`, `,"num":null`, `,"num":[0]`, ``, `,"num":"0"`, `,"num":00`} {
		cases["num"+num] = []wire.Packet{{Data: `451-["echo",{"_placeholder":true` + num + `}]`}, binary(0)}
	}
	cases["deep"] = []wire.Packet{{Data: `451-["echo",{"a":[{"_placeholder":true,"num":5}]}]`}, binary(0)}
	checkClosing(t, true, cases)
}

// TestC21_Placeholders: one attachment may stand in two places, or in none; without attachments
// a placeholder is an object like any other.
func TestC21_Placeholders(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.join(transport)
		if err := s.SendPackets(wire.Packet{Data: `451-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`}, binary(1, 2)); err != nil {
			t.Fatal(err)
		}
		header, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		switch header.Data { // the same bytes, sent once or twice
		case `452-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`:
			f.expect(s, binary(1, 2).String(), binary(1, 2).String())
		case `451-["echo",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`:
			f.expect(s, binary(1, 2).String())
		default:
			t.Errorf("got %s", header)
		}
		if err := s.SendPackets(wire.Packet{Data: `451-["echo",1]`}, binary(1, 2)); err != nil {
			t.Fatal(err)
		}
		f.expect(s, `42["echo",1]`)
		f.send(s, `42["echo",{"_placeholder":true,"num":0}]`)
		f.expect(s, `42["echo",{"_placeholder":true,"num":0}]`)
		f.wantClosed(s, []wire.Packet{{Data: `451-[{"_placeholder":true,"num":0}]`}, binary(0)})
	})
}

func TestC22_AckID(t *testing.T) {
	cases := closing{}
	for _, id := range []string{"9007199254740992", "12345678901234567", "12345678901234567890", "-1", "1.5", "1e3", strings.Repeat("9", 900_000)} {
		cases["event "+wire.Shorten(id)] = text("42" + id + `["echo"]`)
	}
	cases["acknowledgement"] = text(`4399999999999999999999[]`)
	checkClosing(t, true, cases)
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.join(transport)
		f.send(s, `42007["echo"]`, `429007199254740991["echo"]`, `420["echo"]`)
		f.expect(s, "437[]", "439007199254740991[]", "430[]")
	})
}

// TestC23_StrayAcks: acknowledgements that nobody waits for are counted and otherwise nothing, and a
// flood of them is no way to keep the server busy.
func TestC23_StrayAcks(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.join(transport)
		f.send(s, "431[]", "431[]", `4399["x",{}]`)
		f.wantEcho(s)
		if n := f.io.Stats().StrayAcks; n != 3 {
			t.Errorf("%d stray acknowledgements were counted, want 3", n)
		}
		f.send(s, `42["ask","how"]`)
		f.expect(s, `420["question","how"]`)
		f.send(s, `430["fine"]`, `430["again"]`)
		f.expect(s, `42["answer","fine"]`)
		f.wantEcho(s)

		// Ten thousand may end the session, but not more than that.
		flood := slices.Repeat([]string{"431[]"}, 500)
		for range 20 {
			if err := s.Send(flood...); err != nil {
				break
			}
		}
	})
	checkClosing(t, true, closing{"object": text("431{}"), "string": text(`431"x"`), "nothing": text("431")})
}

// TestC24_Depth: nesting is bounded before anything recurses over it, in every kind of packet.
func TestC24_Depth(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	objects := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	cases := closing{}
	for _, n := range []int{129, 5_000, 100_000} {
		cases[fmt.Sprintf("event %d", n)] = text(`42["echo",` + nested(n) + "]")
		cases[fmt.Sprintf("objects %d", n)] = text(`42["echo",` + objects(n) + "]")
		cases[fmt.Sprintf("not ended %d", n)] = text(`42["echo",` + strings.Repeat("[", n))
		cases[fmt.Sprintf("binary event %d", n)] = text(`451-["echo",{"_placeholder":true,"num":0},` + nested(n) + "]")
		cases[fmt.Sprintf("acknowledgement %d", n)] = text(`431[` + nested(n) + "]")
	}
	checkClosing(t, true, cases)
	checkClosing(t, false, closing{"connect": text(`40/auth,{"a":` + nested(5_000) + "}")})
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.join(transport)
		f.send(s, `42["echo",`+nested(120)+"]")
		f.expect(s, `42["echo",`+nested(120)+"]")
	})
}

func TestC25_ManyArguments(t *testing.T) {
	checkClosing(t, true, closing{
		"500,000 arguments": text(`42["echo"` + strings.Repeat(",1", 499_990) + "]"),
		"300 arguments":     text(`42["echo"` + strings.Repeat(",1", 300) + "]"),
		"name of 257 bytes": text(`42["` + strings.Repeat("n", 257) + `"]`),
		"name of 999 KB":    text(`42["` + strings.Repeat("n", 999_000) + `"]`),
	})
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.join(transport)
		event := `42["echo"` + strings.Repeat(",1", 200) + "]"
		f.send(s, event)
		f.expect(s, event)
		// An object of 90,000 members is one argument.
		var b strings.Builder
		for i := range 90_000 {
			fmt.Fprintf(&b, `"%d":1,`, i)
		}
		event = `42["echo",{` + b.String() + `"last":1}]`
		begun := time.Now()
		f.send(s, event)
		f.expect(s, event)
		if d := time.Since(begun); d > f.busy(10*time.Second) { // it is a tenth of a second; were each compared with each, a minute
			t.Errorf("there and back took %v", d)
		}
	})
}

// TestC26_RelayedAsSent: what the server only passes on comes out as it went in, byte by byte.
func TestC26_RelayedAsSent(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.join(transport)
		for _, arg := range []string{
			"1e999", "-0", "1.0", "123456789012345678901234567890", "1E5", `{"a":1,"a":2}`, `{"__proto__":{"x":1},"constructor":1}`,
			`"\ud800"`, `"\u0000"`, `"\/"`, `"<script>&\u2028"`, "\"\u2028\"", `{ "b" : 1 ,"a":[ ]}`, `""`, `{"":{}}`,
		} {
			f.send(s, `42["echo",`+arg+"]")
			f.expect(s, `42["echo",`+arg+"]")
			f.send(s, `425["echo",`+arg+"]")
			f.expect(s, `435[`+arg+"]")
		}
	})
}

func TestC27_InvalidUTF8(t *testing.T) {
	for name, s := range map[string]string{
		"overlong": "\xc0\xaf", "surrogate": "\xed\xa0\x80", "cut short": "\xe2\x82", "stray": "\x80", "beyond": "\xf4\x90\x80\x80", "ff": "\xff",
	} {
		t.Run(name, func(t *testing.T) {
			each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
				f.wantClosed(f.join(transport), text(`42["echo","`+s+`"]`), wire.CloseInvalidData)
				f.wantGone(server.TransportError, server.ParseError)
			})
		})
	}
}

// TestC28_EnginePackets: those that a client may not send end the session, those that mean nothing
// mean nothing, in any number.
func TestC28_EnginePackets(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		s := f.join(transport)
		f.send(s, "0", "5", "6")
		f.send(s, `0{"sid":"x"}`)
		f.wantEcho(s)
		before := ownGoroutines()
		pongs := slices.Repeat([]string{"3"}, 1000)
		for range 10 {
			f.send(s, pongs...)
		}
		f.wantEcho(s)
		// Those that have sent the echo may be at their end.
		for begun := time.Now(); ownGoroutines() > before+2; time.Sleep(10 * time.Millisecond) {
			if time.Since(begun) > settleTime {
				t.Fatalf("%d goroutines, %d before", ownGoroutines(), before)
			}
		}
		f.wantClosed(s, text("2"))
		f.wantGone(server.TransportError)

		s = f.join(transport)
		f.wantClosed(s, text("1"))
		f.wantGone(server.TransportClose)
	})
}

// TestC28_PongBuysNoTime: a PONG that was not asked for does not put the heartbeat off.
func TestC28_PongBuysNoTime(t *testing.T) {
	inBubble(t, settings{}, func(t *testing.T, f *fixture) {
		w := f.ws()
		begun := time.Now()
		for range 24 {
			time.Sleep(time.Second)
			f.send(w, "3")
		}
		if frame, err := w.ReadFrameWithin(time.Minute); err != nil || string(frame.Payload) != "2" {
			t.Errorf("got %v, %v", frame, err)
		}
		if d := time.Since(begun); d > 26*time.Second {
			t.Errorf("the ping came after %v", d)
		}
	})
}
