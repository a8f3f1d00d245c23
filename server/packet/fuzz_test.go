package packet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/seed3686fee0/parlor/internal/corpus"
	"github.com/seed3686fee0/parlor/server/packet"
)

// FuzzDecode feeds a connection's messages to one decoder: they are separated by
// 0x1e, and those that begin with 'b' are binary.
func FuzzDecode(f *testing.F) {
	corpus.Add(f)
	for _, seed := range []string{
		`0{"token":"x"}` + "\x1e" + `2/chat,7["e",1,{"a":[true,null,"\u0041"]}]`,
		`52-["e",{"_placeholder":true,"num":0},{"x":{"num":1,"_placeholder":true}}]` + "\x1ebA\x1ebB\x1e" + `31[]`,
		`61-/n,5[{"_placeholder":true,"num":0}]` + "\x1ebA",
		`51-["e",{"\u005fplaceholder":true}]` + "\x1ebA", "bA", `2`, `1/x,`, `4{}`, `2[-0.5e+3]`, "2[\"\xff\"]",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := packet.NewDecoder(packet.Limits{MaxBytes: 64})
		for message := range bytes.SplitSeq(data, []byte{0x1e}) {
			var p *packet.Packet
			var err error
			if binary, ok := bytes.CutPrefix(message, []byte("b")); ok {
				p, err = d.Binary(bytes.Clone(binary))
			} else {
				p, err = d.Text(message)
			}
			if err != nil {
				var invalid *packet.Error
				if p != nil || d.Awaiting() || !errors.As(err, &invalid) || invalid.Reason == "" || invalid.Offset < 0 || invalid.Offset > len(message) {
					t.Fatalf("%v and %v, awaiting %v", p, err, d.Awaiting())
				}
				continue
			}
			if (p == nil) != d.Awaiting() {
				t.Fatalf("%v, awaiting %v", p, d.Awaiting())
			}
			if p != nil {
				checkPacket(t, p)
			}
		}
	})
}

// checkPacket does all that can be done with a packet, and encodes it again.
func checkPacket(t *testing.T, p *packet.Packet) {
	t.Helper()
	for _, a := range p.Args.All() {
		walk(t, a)
		if valid := json.Valid(a.AppendJSON(nil)); !valid {
			t.Fatalf("%q is no JSON", a.AppendJSON(nil))
		}
		var v any
		_ = a.Decode(&v)
		var s struct {
			A string
			X packet.Arg
			B []byte
		}
		_ = a.Decode(&s)
	}
	if p.Type == packet.Event && (!utf8.ValidString(p.Name()) || packet.Reserved(p.Name())) {
		t.Fatalf("name %q", p.Name())
	}
	if p.Type == packet.Ack && !p.HasID {
		return // ignored by servers, and not to be sent
	}
	for _, args := range []packet.Args{p.Args, p.Args.Append(), p.Args.Clone()} {
		again := *p
		again.Args = args
		if got, want := describe(roundTrip(t, &again)), describe(p); got != want {
			t.Fatalf("encoded and decoded again\n%q, was\n%q", got, want)
		}
	}
}

func walk(t *testing.T, a packet.Arg) {
	kind := a.Kind()
	_, isText := a.Text()
	_, isNumber := a.Number()
	_, isBool := a.Bool()
	_, isBytes := a.Bytes()
	if isText != (kind == packet.String) || isNumber != (kind == packet.Number) || isBool != (kind == packet.Bool) || isBytes != (kind == packet.Binary) {
		t.Fatalf("%q: kind %v, %v %v %v %v", a.AppendJSON(nil), kind, isText, isNumber, isBool, isBytes)
	}
	for e := range a.Elements() {
		walk(t, e)
	}
	for _, m := range a.Fields() {
		walk(t, m)
	}
}

func roundTrip(t *testing.T, p *packet.Packet) *packet.Packet {
	t.Helper()
	text, attachments, err := packet.Append(nil, p)
	if err != nil {
		t.Fatalf("Append(%s): %v", describe(p), err)
	}
	d := packet.NewDecoder(packet.Limits{MaxAttachments: 100, MaxDepth: 200})
	if p.Type == packet.ConnectError {
		text[0] = '0' // which decoders of servers do not take
	}
	out, err := d.Text(text)
	for _, b := range attachments {
		if err != nil || out != nil {
			break
		}
		out, err = d.Binary(b)
	}
	if err != nil || out == nil {
		t.Fatalf("decoding %q: %v, %v", text, out, err)
	}
	return out
}

// FuzzRoundTrip encodes Go values and reads them back.
func FuzzRoundTrip(f *testing.F) {
	corpus.Add(f)
	f.Add(uint8(2), uint64(7), true, "/chat", "say", "text \"quoted\"\n", []byte("bytes"), `{"a":[1]}`, 1.5)
	f.Add(uint8(3), uint64(0), true, "", "", "\xff", []byte{}, `1e999`, math.Copysign(0, -1))
	f.Add(uint8(2), uint64(0), false, "/", "e", "\u2028", []byte(nil), ` [ ] `, 1e21)
	f.Fuzz(func(t *testing.T, kind uint8, id uint64, hasID bool, namespace, name, text string, data []byte, raw string, number float64) {
		typ := packet.Event
		if kind%2 == 1 {
			typ, hasID = packet.Ack, true
		}
		if !hasID {
			id = 0
		}
		id %= packet.MaxID + 1
		if namespace == "" || !packet.ValidNamespace(namespace) || len(namespace) > 256 {
			namespace = "/"
		}
		if !utf8.ValidString(name) || packet.Reserved(name) || len(name) > 256 {
			name = "e"
		}
		type part struct {
			Text string
			Data []byte
			Any  any
		}
		values := []any{name, text, data, part{text, data, map[string]any{text: data}}, number}
		if json.Valid([]byte(raw)) && depth(raw) < 100 {
			values = append(values, json.RawMessage(raw))
		}
		args, err := packet.NewArgs(values...)
		if err != nil {
			if number != number || number-number != 0 || len(values) == 6 && (strings.Contains(raw, `placeholder`) || strings.Contains(raw, `\u`)) {
				return // no number, or a forged placeholder
			}
			t.Fatal(err)
		}
		in := packet.Packet{Type: typ, Namespace: namespace, HasID: hasID, ID: id, Args: args}
		out := roundTrip(t, &in)
		if got, want := describe(out), describe(&in); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
		var gotName, gotText string
		var gotData []byte
		var gotPart part
		var gotNumber float64
		if err := out.Args.Scan(&gotName, &gotText, &gotData, &gotPart, &gotNumber); err != nil {
			t.Fatal(err)
		}
		wantText := string([]rune(text)) // what is not UTF-8 becomes U+FFFD
		var wantAny any
		if data != nil {
			wantAny = data
		}
		if gotName != name || gotText != wantText || !bytes.Equal(gotData, data) || math.Float64bits(gotNumber) != math.Float64bits(number) ||
			!reflect.DeepEqual(gotPart, part{wantText, data, map[string]any{wantText: wantAny}}) {
			t.Fatalf("got %q %q %q %+v %v", gotName, gotText, gotData, gotPart, gotNumber)
		}
	})
}

// FuzzScan holds the scanner against encoding/json.
func FuzzScan(f *testing.F) {
	corpus.Add(f)
	for _, seed := range []string{
		`1`, `-`, `-0`, `01`, `1.`, `.1`, `1e`, `1e+`, `1E-5`, `tru`, `true`, `nul`, `null`, `"`, `"\`, `"\u12`, `"\uD800"`, `"\x"`, "\"\x1f\"", `{`, `{"a"`, `{"a":`, `{"a":1,}`,
		`[1,]`, `[[],{}]`, `{"a":{"b":[1,2,{"c":"d"}]}}`, ` [ 1 , 2 ] `, `]`, `}`, `1]x`, `12345678"9`, `"12345678\"12345678"`, `[{]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		payload := `["e",` + text
		if len(text) == 0 || text[len(text)-1] != ']' {
			payload += "]"
		}
		d := packet.NewDecoder(packet.Limits{MaxArgs: 1 << 30})
		p, err := d.Text([]byte("2" + payload))
		want := json.Valid([]byte(payload)) && depth(payload) <= 128
		if (err == nil) != want {
			t.Fatalf("%q: %v, but encoding/json says %v, depth %d", payload, err, json.Valid([]byte(payload)), depth(payload))
		}
		if err != nil {
			return
		}
		var elements []json.RawMessage
		if err := json.Unmarshal([]byte(payload), &elements); err != nil {
			t.Fatal(err)
		}
		if len(elements) != p.Args.Len() {
			t.Fatalf("%q: %d arguments, want %d", payload, p.Args.Len(), len(elements))
		}
		for i, e := range elements {
			if got := p.Args.At(i).AppendJSON(nil); !bytes.Equal(got, e) {
				t.Fatalf("argument %d is %q, want %q", i, got, e)
			}
			checkWalk(t, p.Args.At(i), e)
		}
	})
}

// checkWalk compares the parts of an argument with those that encoding/json finds.
func checkWalk(t *testing.T, a packet.Arg, text json.RawMessage) {
	switch a.Kind() {
	case packet.Array:
		var want []json.RawMessage
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		i := 0
		for e := range a.Elements() {
			if i >= len(want) || !bytes.Equal(e.AppendJSON(nil), want[i]) {
				t.Fatalf("element %d of %q is %q", i, text, e.AppendJSON(nil))
			}
			checkWalk(t, e, want[i])
			i++
		}
		if i != len(want) {
			t.Fatalf("%q has %d elements", text, i)
		}
	case packet.Object:
		var want map[string]json.RawMessage
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		got := make(map[string]packet.Arg)
		for name, m := range a.Fields() {
			got[string([]rune(name))] = m
		}
		if len(got) != len(want) {
			t.Fatalf("%q has the members %v", text, got)
		}
		for name, m := range got {
			if !bytes.Equal(m.AppendJSON(nil), want[name]) {
				t.Fatalf("member %q of %q is %q", name, text, m.AppendJSON(nil))
			}
			checkWalk(t, m, want[name])
		}
	case packet.String:
		var want string
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if got, _ := a.Text(); string([]rune(got)) != want {
			t.Fatalf("text of %q is %q", text, got)
		}
	}
}

// depth returns how deep a text is nested, whether or not it is JSON.
func depth(text string) (deepest int) {
	inString, now := false, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString:
			switch c {
			case '\\':
				i++
			case '"':
				inString = false
			}
		case c == '"':
			inString = true
		case c == '[' || c == '{':
			now++
			deepest = max(deepest, now)
		case c == ']' || c == '}':
			now--
		}
	}
	return deepest
}
