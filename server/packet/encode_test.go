package packet_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/server/packet"
)

func mustArgs(t testing.TB, values ...any) packet.Args {
	t.Helper()
	args, err := packet.NewArgs(values...)
	if err != nil {
		t.Fatalf("NewArgs(%v): %v", values, err)
	}
	return args
}

func TestAppend(t *testing.T) {
	type m = map[string]any
	for _, test := range []struct {
		name        string
		packet      packet.Packet
		want        string
		attachments []string
	}{
		{"connect", packet.Packet{Type: packet.Connect}, `0`, nil},
		{"connect sid", packet.Packet{Type: packet.Connect, Args: mustArgs(t, m{"sid": "x"})}, `0{"sid":"x"}`, nil},
		{"connect namespace", packet.Packet{Type: packet.Connect, Namespace: "/chat", Args: mustArgs(t, m{"sid": "x"})}, `0/chat,{"sid":"x"}`, nil},
		{"disconnect", packet.Packet{Type: packet.Disconnect, Namespace: "/"}, `1`, nil},
		{"disconnect namespace", packet.Packet{Type: packet.Disconnect, Namespace: "/chat"}, `1/chat,`, nil},
		{"event", packet.Packet{Type: packet.Event, Args: mustArgs(t, "e", 1, nil)}, `2["e",1,null]`, nil},
		{"event id", packet.Packet{Type: packet.Event, Namespace: "/chat", HasID: true, ID: 12, Args: mustArgs(t, "e")}, `2/chat,12["e"]`, nil},
		{"event id 0", packet.Packet{Type: packet.Event, HasID: true, Args: mustArgs(t, "e")}, `20["e"]`, nil},
		{"event name is a number", packet.Packet{Type: packet.Event, Args: mustArgs(t, 7)}, `2[7]`, nil},
		{"ack", packet.Packet{Type: packet.Ack, HasID: true, ID: 5, Args: mustArgs(t, "ok")}, `35["ok"]`, nil},
		{"ack of nothing", packet.Packet{Type: packet.Ack, HasID: true, ID: 5}, `35[]`, nil},
		{"3 connect_error", packet.Packet{Type: packet.ConnectError, Namespace: "/nope", Args: mustArgs(t, m{"message": "Invalid namespace"})}, `4/nope,{"message":"Invalid namespace"}`, nil},
		{"binary event", packet.Packet{Type: packet.Event, Args: mustArgs(t, "e", []byte("A"))}, `51-["e",{"_placeholder":true,"num":0}]`, []string{"A"}},
		{"binary event by its wire type", packet.Packet{Type: packet.BinaryEvent, Args: mustArgs(t, "e")}, `2["e"]`, nil},
		{"binary ack", packet.Packet{Type: packet.Ack, Namespace: "/chat", HasID: true, ID: 7, Args: mustArgs(t, []byte("A"), m{"b": []byte("B")})}, `62-/chat,7[{"_placeholder":true,"num":0},{"b":{"_placeholder":true,"num":1}}]`, []string{"A", "B"}},
		{"binary at depth", packet.Packet{Type: packet.Event, Args: mustArgs(t, "e", m{"a": []any{[]byte("A"), m{"b": []byte("B")}}})}, `52-["e",{"a":[{"_placeholder":true,"num":0},{"b":{"_placeholder":true,"num":1}}]}]`, []string{"A", "B"}},
		{"placeholder as plain data", packet.Packet{Type: packet.Event, Args: mustArgs(t, "e", m{"_placeholder": true, "num": 5})}, `2["e",{"_placeholder":true,"num":5}]`, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			text, attachments, err := packet.Append([]byte("prefix "), &test.packet)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(text); got != "prefix "+test.want {
				t.Errorf("got  %s\nwant prefix %s", got, test.want)
			}
			if got := joinBytes(attachments); got != strings.Join(test.attachments, "|") || len(attachments) != len(test.attachments) {
				t.Errorf("attachments %q, want %q", attachments, test.attachments)
			}
			if got := test.packet.Args.Attachments(); got != len(test.attachments) {
				t.Errorf("Attachments = %d", got)
			}
		})
	}
}

func TestAppendRefuses(t *testing.T) {
	for name, p := range map[string]packet.Packet{
		"C12 bare event":          {Type: packet.Event},
		"event named by null":     {Type: packet.Event, Args: mustArgs(t, nil)},
		"event named by a list":   {Type: packet.Event, Args: mustArgs(t, []string{"e"})},
		"event named by bytes":    {Type: packet.Event, Args: mustArgs(t, []byte("e"))},
		"ack without an id":       {Type: packet.Ack, Args: mustArgs(t, 1)},
		"C22 id too high":         {Type: packet.Event, HasID: true, ID: packet.MaxID + 1, Args: mustArgs(t, "e")},
		"connect with two":        {Type: packet.Connect, Args: mustArgs(t, 1, 2)},
		"connect with attachment": {Type: packet.Connect, Args: mustArgs(t, []byte("x"))},
		"connect with an id":      {Type: packet.Connect, HasID: true},
		"type 7":                  {Type: 7, Args: mustArgs(t, "e")},
	} {
		t.Run(name, func(t *testing.T) {
			dst := []byte("x")
			text, attachments, err := packet.Append(dst, &p)
			if !errors.Is(err, packet.ErrEncode) || string(text) != "x" || attachments != nil {
				t.Errorf("Append = %s, %v, %v", text, attachments, err)
			}
		})
	}
}

// Arguments go to other clients as they came, C26.
func TestRelay(t *testing.T) {
	for _, text := range []string{
		`2["e",1e999,{"a":1,"a":2},{"__proto__":1},"\ud800","\u0000",-0,1.0,"é\u00e9"]`,
		`2["e",{ "a" : [ 1 , 2 ] }]`,
	} {
		in := mustDecode(t, text)
		values := make([]any, in.Args.Len())
		for i, a := range in.Args.All() {
			values[i] = a
		}
		for name, args := range map[string]packet.Args{
			"Args":    in.Args,
			"NewArgs": mustArgs(t, values...),
			"Append":  in.Args.Append(),
			"Clone":   in.Args.Clone(),
		} {
			out, _, err := packet.Append(nil, &packet.Packet{Type: packet.Event, Args: args})
			if err != nil || string(out) != text {
				t.Errorf("%s: %s, %v, want %s", name, out, err, text)
			}
		}
	}
}

func decodeBinary(t testing.TB, text string, binary ...string) *packet.Packet {
	t.Helper()
	d := packet.NewDecoder(packet.Limits{})
	p, err := d.Text([]byte(text))
	for _, b := range binary {
		if err != nil || p != nil {
			break
		}
		p, err = d.Binary([]byte(b))
	}
	if err != nil || p == nil {
		t.Fatalf("%s: %v, %v", text, p, err)
	}
	return p
}

func TestRelayBinary(t *testing.T) {
	in := decodeBinary(t, `53-["e",{"x":{"_placeholder":true,"num":2}},{"_placeholder":true,"num":0},[{"_placeholder":true,"num":2},{"_placeholder":true,"num":1}],5]`, "A", "B", "C")
	other := decodeBinary(t, `51-["o",{"num":0,"_placeholder":true}]`, "D")
	event := func(args packet.Args) string {
		t.Helper()
		text, attachments, err := packet.Append(nil, &packet.Packet{Type: packet.Ack, HasID: true, ID: 1, Args: args})
		if err != nil {
			return err.Error()
		}
		return string(text) + " " + joinBytes(attachments)
	}
	for _, test := range []struct {
		name string
		args packet.Args
		want string
	}{
		{"all", in.Args, `63-1["e",{"x":{"_placeholder":true,"num":2}},{"_placeholder":true,"num":0},[{"_placeholder":true,"num":2},{"_placeholder":true,"num":1}],5] A|B|C`},
		{"a part", in.Args.Slice(3), `62-1[[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}],5] C|B`},
		{"a part without attachments", in.Args.Slice(4), `31[5] `},
		{"one", mustArgs(t, in.Args.At(1)), `61-1[{"x":{"_placeholder":true,"num":0}}] C`},
		{"the same twice", mustArgs(t, in.Args.At(2), in.Args.At(2)), `61-1[{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}] A`},
		{"from two packets and new", mustArgs(t, []byte("N"), other.Args.At(1), in.Args.At(3)), `64-1[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},[{"_placeholder":true,"num":2},{"_placeholder":true,"num":3}]] N|D|C|B`},
		{"appended", other.Args.Slice(1).Append(in.Args.At(2)), `62-1[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}] D|A`},
		{"offset appended", in.Args.Append(mustArgs(t, "offset").At(0)).Slice(4), `31[5,"offset"] `},
		{"inside a value", mustArgs(t, map[string]any{"a": in.Args.At(2)}, struct{ Arg packet.Arg }{in.Args.At(1)}), `62-1[{"a":{"_placeholder":true,"num":0}},{"Arg":{"x":{"_placeholder":true,"num":1}}}] A|C`},
		{"as a list", mustArgs(t, in.Args.Slice(2)), `63-1[[{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}],5]] A|C|B`},
		{"clone", in.Args.Slice(2).Clone(), `63-1[{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1},{"_placeholder":true,"num":2}],5] A|C|B`},
		{"clone of one", mustArgs(t, in.Args.At(2).Clone()), `61-1[{"_placeholder":true,"num":0}] A`},
	} {
		if got := event(test.args); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}

// What a client sent as data must not become a placeholder because a server sends
// it on next to an attachment: receivers would resolve it or close.
func TestForgedPlaceholder(t *testing.T) {
	for _, forged := range []string{
		`{"_placeholder":true,"num":0}`,
		`{"_placeholder":true,"num":99}`,
		`{"_placeholder":true,"num":"splice"}`,
		`[{"x":{"num":0,"_placeholder":true}}]`,
		`{"\u005fplaceholder":true}`,
	} {
		arg := mustDecode(t, `2["e",`+forged+`]`).Args.At(1)
		if _, err := packet.NewArgs("e", arg); err != nil {
			t.Errorf("%s alone: %v", forged, err)
		}
		if _, err := packet.NewArgs("e", arg, []byte("A")); !errors.Is(err, packet.ErrEncode) {
			t.Errorf("%s next to an attachment: %v", forged, err)
		}
		if _, err := packet.NewArgs("e", map[string]any{"a": []byte("A"), "b": arg}); !errors.Is(err, packet.ErrEncode) {
			t.Errorf("%s and an attachment in a map: %v", forged, err)
		}
		args := mustArgs(t, "e", []byte("A")).Append(arg)
		if _, _, err := packet.Append(nil, &packet.Packet{Type: packet.Event, Args: args}); !errors.Is(err, packet.ErrEncode) {
			t.Errorf("%s appended to an attachment: %v", forged, err)
		}
		if args.At(2).Kind() == packet.Binary {
			t.Errorf("%s has become an attachment", forged)
		}
	}
}

func TestReserved(t *testing.T) {
	for name, want := range map[string]bool{"connect": true, "removeListener": true, "error": false, "": false} {
		if packet.Reserved(name) != want {
			t.Errorf("Reserved(%q) = %v", name, !want)
		}
	}
}

func joinBytes(list [][]byte) string {
	var s []string
	for _, b := range list {
		s = append(s, string(b))
	}
	return strings.Join(s, "|")
}
