package packet_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/server/packet"
)

// The names of the cases are those of the rows of the attack catalogue that they
// are from: C12 is "an event without a name", and so on.

func TestDecodeText(t *testing.T) {
	for _, test := range []struct {
		name, text string
		want       string // type namespace id args
	}{
		{"connect", `0`, "CONNECT / - []"},
		{"connect auth", `0{"token":"x"}`, `CONNECT / - [{"token":"x"}]`},
		{"connect empty auth", `0{}`, `CONNECT / - [{}]`},
		{"connect namespace", `0/chat,`, "CONNECT /chat - []"},
		{"connect namespace without comma", `0/chat`, "CONNECT /chat - []"},
		{"connect namespace auth", `0/chat,{"a":[1,2]}`, `CONNECT /chat - [{"a":[1,2]}]`},
		{"disconnect", `1`, "DISCONNECT / - []"},
		{"disconnect namespace", `1/chat,`, "DISCONNECT /chat - []"},
		{"disconnect namespace without comma", `1/chat`, "DISCONNECT /chat - []"},
		{"event", `2["e",1,"x",{"a":null}]`, `EVENT / - ["e",1,"x",{"a":null}]`},
		{"event without arguments", `2["e"]`, `EVENT / - ["e"]`},
		{"event with id", `212["e"]`, `EVENT / 12 ["e"]`},
		{"event in a namespace", `2/chat,12["e"]`, `EVENT /chat 12 ["e"]`},
		{"event in the main namespace by name", `2/,["e"]`, `EVENT / - ["e"]`},
		{"event with white space", "2[ \"e\" ,\t1\r\n, { \"a\" : [ ] } ] \n", `EVENT / - ["e",1,{ "a" : [ ] }]`},
		{"event of the user's", `2["error"]`, `EVENT / - ["error"]`},
		{"namespace with more than letters", `2/a b/ü-1_[x],["e"]`, `EVENT /a b/ü-1_[x] - ["e"]`},
		{"ack", `35["ok"]`, `ACK / 5 ["ok"]`},
		{"ack without arguments", `35[]`, `ACK / 5 []`},
		{"8 ack in a namespace", `3/chat,5[1]`, `ACK /chat 5 [1]`},
		{"C10 names that are no keys here", `2["__proto__"]`, `EVENT / - ["__proto__"]`},
		{"C10 empty name", `2[""]`, `EVENT / - [""]`},
		{"C11 name is a number", `2[7,1]`, `EVENT / - [7,1]`},
		{"C11 name is any number", `2[-1.5e3]`, `EVENT / - [-1.5e3]`},
		{"C22 leading zeros", `2007["e"]`, `EVENT / 7 ["e"]`},
		{"C22 highest id", `29007199254740991["e"]`, `EVENT / 9007199254740991 ["e"]`},
		{"C22 sixteen digits", `20000000000000007["e"]`, `EVENT / 7 ["e"]`},
		{"C23 ack without id", `3["x"]`, `ACK / - ["x"]`},
		{"C21 placeholder in a text event", `2["e",{"_placeholder":true,"num":9}]`, `EVENT / - ["e",{"_placeholder":true,"num":9}]`},
		{"C26 huge number", `2["e",1e999]`, `EVENT / - ["e",1e999]`},
		{"C26 repeated keys", `2["e",{"a":1,"a":2}]`, `EVENT / - ["e",{"a":1,"a":2}]`},
		{"C26 prototype", `2["e",{"__proto__":{"x":1},"toString":"foo"}]`, `EVENT / - ["e",{"__proto__":{"x":1},"toString":"foo"}]`},
		{"C26 lone surrogate", `2["e","\ud800","\u0000"]`, `EVENT / - ["e","\ud800","\u0000"]`},
		{"C27 not UTF-8", "2[\"e\",\"\xff\"]", "EVENT / - [\"e\",\"\xff\"]"},
		{"C24 depth 128", `2["e",` + strings.Repeat("[", 127) + strings.Repeat("]", 127) + `]`, `EVENT / - ["e",` + strings.Repeat("[", 127) + strings.Repeat("]", 127) + `]`},
		{"C25 256 arguments", `2["e"` + strings.Repeat(",1", 255) + `]`, `EVENT / - ["e"` + strings.Repeat(",1", 255) + `]`},
		{"C25 name of 256 bytes", `2["` + strings.Repeat("n", 256) + `"]`, `EVENT / - ["` + strings.Repeat("n", 256) + `"]`},
		{"C25 name of 256 bytes, escaped", `2["` + strings.Repeat(`\u006e`, 256) + `"]`, `EVENT / - ["` + strings.Repeat(`\u006e`, 256) + `"]`},
		{"C07 namespace of 256 bytes", `0/` + strings.Repeat("n", 255) + `,`, `CONNECT /` + strings.Repeat("n", 255) + ` - []`},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := packet.NewDecoder(packet.Limits{})
			p, err := d.Text([]byte(test.text))
			if err != nil || p == nil {
				t.Fatalf("Text = %v, %v", p, err)
			}
			if got := describe(p); got != test.want {
				t.Errorf("Text = %s\nwant   %s", got, test.want)
			}
			if d.Awaiting() {
				t.Error("attachments are awaited")
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, test := range []struct{ name, text, reason string }{
		{"C04 connect with a string", `0"x"`, "bad payload"},
		{"C04 connect with an array", `0[]`, "bad payload"},
		{"C04 connect with null", `0null`, "bad payload"},
		{"C04 connect with an id", `012{}`, "bad payload"},
		{"C04 connect with a space", `0/chat, {}`, "bad payload"},
		{"8 connect with half an object", `0{"a":`, "bad JSON"},
		{"8 connect with more", `0{}{}`, "data after the payload"},
		{"C07 namespace too long", `0/` + strings.Repeat("n", 256) + `,`, "bad namespace"},
		{"C07 namespace of 100 KB", `0/` + strings.Repeat("n", 100<<10), "bad namespace"},
		{"C07 NUL", "0/a\x00b,", "bad namespace"},
		{"C07 CR", "0/a\rb,", "bad namespace"},
		{"C07 DEL", "0/a\x7f,", "bad namespace"},
		{"C07 C1 control", "0/a\u0085,", "bad namespace"},
		{"C07 text direction", "0/a\u202eb,", "bad namespace"},
		{"C07 not UTF-8", "0/a\xff,", "bad namespace"},
		{"C07 fragment", "0/a#b,", "bad namespace"},
		{"C07 query", "0/a?q=1,", "bad namespace"},
		{"C07 parent", "0/../a,", "bad namespace"},
		{"C07 namespace without a slash", "0chat,", "bad payload"},
		{"C09 connect", `2["connect"]`, "reserved event name"},
		{"C09 connect_error", `2["connect_error",1]`, "reserved event name"},
		{"C09 disconnect", `2["disconnect"]`, "reserved event name"},
		{"C09 disconnecting", `2["disconnecting"]`, "reserved event name"},
		{"C09 newListener", `2["newListener"]`, "reserved event name"},
		{"C09 removeListener", `2["removeListener"]`, "reserved event name"},
		{"C09 escaped", `2["conn\u0065ct"]`, "reserved event name"},
		{"C11 name is true", `2[true]`, "bad event name"},
		{"C11 name is null", `2[null]`, "bad event name"},
		{"C11 name is an object", `2[{}]`, "bad event name"},
		{"C11 name is an array", `2[[]]`, "bad event name"},
		{"CVE-2023-32695", `2[{"toString":"foo"}]`, "bad event name"},
		{"C12 bare 42", `2`, "bad payload"},
		{"C12 bare with an id", `27`, "bad payload"},
		{"C12 bare in a namespace", `2/chat,`, "bad payload"},
		{"C12 no array elements", `2[]`, "bad event name"},
		{"C12 an object", `2{}`, "bad payload"},
		{"C12 a string", `2"e"`, "bad payload"},
		{"C12 unfinished", `2["e"`, "bad JSON"},
		{"C12 unfinished comma", `2["e",`, "bad JSON"},
		{"C12 trailing", `2["e"]x`, "data after the payload"},
		{"C12 trailing value", `2["e"]["e"]`, "data after the payload"},
		{"C12 trailing comma", `2["e",]`, "bad JSON"},
		{"C12 leading comma", `2[,"e"]`, "bad JSON"},
		{"C12 leading space", `2 ["e"]`, "bad payload"},
		{"C12 wrong bracket", `2["e"}`, "bad JSON"},
		{"C13 connect_error", `4{}`, "bad packet type"},
		{"C13 connect_error bare", `4`, "bad packet type"},
		{"C13 type 7", `7`, "bad packet type"},
		{"C13 type 9", `9["e"]`, "bad packet type"},
		{"C13 type x", `x`, "bad packet type"},
		{"C13 empty", ``, "empty message"},
		{"C14 disconnect with a payload", `1{}`, "bad payload"},
		{"C14 disconnect with a namespace and a payload", `1/nope,{}`, "bad payload"},
		{"C15 11 attachments", `511-["e"]`, "bad number of attachments"},
		{"C15 1e9 attachments", `51000000000-["e"]`, "bad number of attachments"},
		{"C15 -1 attachments", `5-1-["e"]`, "bad number of attachments"},
		{"C15 1.5 attachments", `51.5-["e"]`, "bad number of attachments"},
		{"C15 500k digits", `5` + strings.Repeat("1", 500_000) + `-["e"]`, "bad number of attachments"},
		{"CVE-2020-36049", `5` + strings.Repeat("2", 999_998), "bad number of attachments"},
		{"CVE-2026-33151", `59999999-["e"]`, "bad number of attachments"},
		{"C16 exponent", `51e0-["e"]`, "bad number of attachments"},
		{"C16 hexadecimal", `50x1-["e"]`, "bad number of attachments"},
		{"C16 space", `5 1-["e"]`, "bad number of attachments"},
		{"C16 empty", `5-["e"]`, "bad number of attachments"},
		{"C16 no dash", `51["e"]`, "bad number of attachments"},
		{"C16 nothing", `5`, "bad number of attachments"},
		{"C16 digits in other scripts", `5١-["e"]`, "bad number of attachments"},
		{"C17 no attachments", `50-["e"]`, "bad number of attachments"},
		{"C17 no attachments to an ack", `60-1["e"]`, "bad number of attachments"},
		{"C20 splice", `51-["e",{"_placeholder":true,"num":"splice"}]`, "bad placeholder"},
		{"C20 -1", `51-["e",{"_placeholder":true,"num":-1}]`, "bad placeholder"},
		{"C20 -0", `51-["e",{"_placeholder":true,"num":-0}]`, "bad placeholder"},
		{"C20 0.5", `51-["e",{"_placeholder":true,"num":0.5}]`, "bad placeholder"},
		{"C20 0.0", `51-["e",{"_placeholder":true,"num":0.0}]`, "bad placeholder"},
		{"C20 exponent", `51-["e",{"_placeholder":true,"num":0e0}]`, "bad placeholder"},
		{"C20 missing", `51-["e",{"_placeholder":true}]`, "bad placeholder"},
		{"C20 null", `51-["e",{"_placeholder":true,"num":null}]`, "bad placeholder"},
		{"C20 count", `51-["e",{"_placeholder":true,"num":1}]`, "bad placeholder"},
		{"C20 20 digits", `51-["e",{"_placeholder":true,"num":18446744073709551616}]`, "bad placeholder"},
		{"C20 second is bad", `51-["e",{"_placeholder":true,"num":0},[{"_placeholder":true,"num":1}]]`, "bad placeholder"},
		{"C20 more members", `51-["e",{"_placeholder":true,"num":0,"x":1}]`, "bad placeholder"},
		{"C20 member before", `51-["e",{"x":{},"_placeholder":true,"num":0}]`, "bad placeholder"},
		{"C20 num twice", `51-["e",{"_placeholder":true,"num":0,"num":0}]`, "bad placeholder"},
		{"C20 escaped key", `51-["e",{"\u005fplaceholder":true,"num":0}]`, "bad placeholder"},
		{"C20 in an ack", `61-1[{"_placeholder":true,"num":1}]`, "bad placeholder"},
		{"C21 name is a placeholder", `51-[{"_placeholder":true,"num":0}]`, "bad event name"},
		{"C22 20 digits", `212345678901234567890["e"]`, "bad ack id"},
		{"C22 17 digits", `200000000000000007["e"]`, "bad ack id"},
		{"C22 2^53", `29007199254740992["e"]`, "bad ack id"},
		{"C22 900k digits", `2` + strings.Repeat("9", 900_000) + `["e"]`, "bad ack id"},
		{"C22 -1", `2-1["e"]`, "bad payload"},
		{"C23 ack with an object", `35{}`, "bad payload"},
		{"C23 ack bare", `35`, "bad payload"},
		{"C24 depth 129", `2["e",` + strings.Repeat("[", 128) + strings.Repeat("]", 128) + `]`, "JSON nested too deeply"},
		{"C24 depth 129 of objects", `2["e",` + strings.Repeat(`{"a":`, 128) + "1" + strings.Repeat("}", 128) + `]`, "JSON nested too deeply"},
		{"C24 depth 5,000", `2["e",` + strings.Repeat("[", 4999) + strings.Repeat("]", 4999) + `]`, "JSON nested too deeply"},
		{"C24 depth 100,000", `2["e",` + strings.Repeat(`{"a":`, 100_000), "JSON nested too deeply"},
		{"C24 in a binary event", `51-["e",` + strings.Repeat("[", 128) + strings.Repeat("]", 128) + `]`, "JSON nested too deeply"},
		{"C24 in an auth payload", `0` + strings.Repeat(`{"a":`, 128) + "{}" + strings.Repeat("}", 128), "JSON nested too deeply"},
		{"C25 257 arguments", `2["e"` + strings.Repeat(",1", 256) + `]`, "too many arguments"},
		{"C25 500,000 arguments", `2["e"` + strings.Repeat(",1", 500_000) + `]`, "too many arguments"},
		{"C25 500,000 arguments to an ack", `31[0` + strings.Repeat(",1", 500_000) + `]`, "too many arguments"},
		{"C25 name of 257 bytes", `2["` + strings.Repeat("n", 257) + `"]`, "bad event name"},
		{"C25 name of 257 bytes, two a letter", `2["` + strings.Repeat("é", 128) + `x"]`, "bad event name"},
		{"C25 name of 1 MB", `2["` + strings.Repeat("n", 1<<20) + `"]`, "bad event name"},
		{"C25 name of 300 digits", `2[` + strings.Repeat("1", 300) + `]`, "bad event name"},
		{"C27 name that is not UTF-8", "2[\"\xff\"]", "bad event name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := packet.NewDecoder(packet.Limits{})
			p, err := d.Text([]byte(test.text))
			if err == nil {
				t.Fatalf("Text = %s, no error", describe(p))
			}
			if p != nil {
				t.Errorf("a packet and the error %v", err)
			}
			var invalid *packet.Error
			if !errors.As(err, &invalid) || !errors.Is(err, packet.ErrInvalid) {
				t.Fatalf("error %T %v is no *Error", err, err)
			}
			if invalid.Reason != test.reason {
				t.Errorf("reason %q, want %q", invalid.Reason, test.reason)
			}
			if invalid.Offset < 0 || invalid.Offset > len(test.text) {
				t.Errorf("offset %d of %d", invalid.Offset, len(test.text))
			}
			if d.Awaiting() {
				t.Error("attachments are awaited after an error")
			}
			if msg := err.Error(); len(msg) > 100 {
				t.Errorf("long message: %.200s", msg)
			}
		})
	}
}

// CVE-2026-69185 and the like: what is refused is refused at the header.
func TestDecodeErrorOffset(t *testing.T) {
	_, err := packet.NewDecoder(packet.Limits{}).Text([]byte(`2/chat,["e",tru]`))
	var invalid *packet.Error
	if !errors.As(err, &invalid) || invalid.Offset != 12 {
		t.Errorf("error %v, want offset 12", err)
	}
}

func TestDecodeBinary(t *testing.T) {
	const (
		one = `{"_placeholder":true,"num":0}`
		two = `{"_placeholder":true,"num":1}`
	)
	for _, test := range []struct {
		name, text string
		binary     []string
		want       string // how the arguments look with attachments written as <text>
	}{
		{"11 event", `51-["e",` + one + `]`, []string{"A"}, `EVENT / - ["e",<A>]`},
		{"11 ack", `61-/chat,7[` + one + `]`, []string{"A"}, `ACK /chat 7 [<A>]`},
		{"two", `52-["e",` + two + `,` + one + `]`, []string{"A", "B"}, `EVENT / - ["e",<B>,<A>]`},
		{"deep", `52-["e",{"a":[` + one + `,{"b":` + two + `}]}]`, []string{"A", "B"}, `EVENT / - ["e",{"a":[<A>,{"b":<B>}]}]`},
		{"empty attachment", `51-["e",` + one + `]`, []string{""}, `EVENT / - ["e",<>]`},
		{"C15 10 attachments", `510-["e",{"_placeholder":true,"num":9}]`, strings.Split("ABCDEFGHIJ", ""), `EVENT / - ["e",<J>]`},
		{"C15 leading zero", `5010-["e",{"_placeholder":true,"num":9}]`, strings.Split("ABCDEFGHIJ", ""), `EVENT / - ["e",<J>]`},
		{"C21 same number twice", `51-["e",` + one + `,` + one + `]`, []string{"A"}, `EVENT / - ["e",<A>,<A>]`},
		{"C21 no placeholder", `51-["e",1]`, []string{"A"}, `EVENT / - ["e",1]`},
		{"other order", `51-["e",{"num":0,"_placeholder":true}]`, []string{"A"}, `EVENT / - ["e",<A>]`},
		{"white space", "51-[\"e\", { \"_placeholder\" :\ttrue , \"num\" : 0 } ]", []string{"A"}, `EVENT / - ["e",<A>]`},
		{"not one: false", `51-["e",{"_placeholder":false,"num":0}]`, []string{"A"}, `EVENT / - ["e",{"_placeholder":false,"num":0}]`},
		{"not one: a string", `51-["e","_placeholder",{"x":"_placeholder"}]`, []string{"A"}, `EVENT / - ["e","_placeholder",{"x":"_placeholder"}]`},
		{"not one: text in a string", `51-["e","{\"_placeholder\":true,\"num\":5}"]`, []string{"A"}, `EVENT / - ["e","{\"_placeholder\":true,\"num\":5}"]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := packet.NewDecoder(packet.Limits{})
			p, err := d.Text([]byte(test.text))
			for _, b := range test.binary {
				if p != nil || err != nil {
					t.Fatalf("before the attachments: %v, %v", p, err)
				}
				if !d.Awaiting() {
					t.Fatal("no attachments awaited")
				}
				p, err = d.Binary([]byte(b))
			}
			if err != nil || p == nil {
				t.Fatalf("after the attachments: %v, %v", p, err)
			}
			if d.Awaiting() {
				t.Error("more attachments awaited")
			}
			if got := describe(p); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if next, err := d.Text([]byte(`2["next"]`)); err != nil || next.Name() != "next" {
				t.Errorf("the packet behind: %v, %v", next, err)
			}
		})
	}
}

func TestDecodeBinarySequence(t *testing.T) {
	header := []byte(`52-["e",{"_placeholder":true,"num":0}]`)
	reason := func(t *testing.T, p *packet.Packet, err error, want string) {
		t.Helper()
		var invalid *packet.Error
		if p != nil || !errors.As(err, &invalid) || invalid.Reason != want {
			t.Errorf("%v, %v, want %q", p, err, want)
		}
	}
	t.Run("C19 binary without a header", func(t *testing.T) {
		d := packet.NewDecoder(packet.Limits{})
		p, err := d.Binary([]byte("x"))
		reason(t, p, err, "binary that no packet announced")
	})
	t.Run("C19 binary after a text event", func(t *testing.T) {
		d := packet.NewDecoder(packet.Limits{})
		_, _ = d.Text([]byte(`2["e"]`))
		p, err := d.Binary([]byte("x"))
		reason(t, p, err, "binary that no packet announced")
	})
	t.Run("C19 text while waiting", func(t *testing.T) {
		d := packet.NewDecoder(packet.Limits{})
		_, _ = d.Text(header)
		p, err := d.Text([]byte(`2["e"]`))
		reason(t, p, err, "text while attachments are awaited")
		if d.Awaiting() {
			t.Error("still waiting")
		}
	})
	t.Run("C19 one too many", func(t *testing.T) {
		d := packet.NewDecoder(packet.Limits{})
		_, _ = d.Text(header)
		_, _ = d.Binary(nil)
		if p, err := d.Binary(nil); p == nil || err != nil {
			t.Fatal(p, err)
		}
		p, err := d.Binary(nil)
		reason(t, p, err, "binary that no packet announced")
	})
	t.Run("C18 too many bytes", func(t *testing.T) {
		d := packet.NewDecoder(packet.Limits{})
		_, _ = d.Text(header)
		if _, err := d.Binary(make([]byte, 600_000)); err != nil {
			t.Fatal(err)
		}
		p, err := d.Binary(make([]byte, 400_001))
		reason(t, p, err, "attachments too large")
		if d.Awaiting() {
			t.Error("still holds the packet")
		}
	})
	t.Run("C18 as many bytes as allowed, each time", func(t *testing.T) {
		d := packet.NewDecoder(packet.Limits{})
		for range 3 {
			_, _ = d.Text(header)
			_, _ = d.Binary(make([]byte, 600_000))
			if p, err := d.Binary(make([]byte, 400_000)); p == nil || err != nil {
				t.Fatal(p, err)
			}
		}
	})
	t.Run("Reset", func(t *testing.T) {
		d := packet.NewDecoder(packet.Limits{})
		_, _ = d.Text(header)
		d.Reset()
		if d.Awaiting() {
			t.Error("still waiting")
		}
		if p, err := d.Text([]byte(`2["e"]`)); p == nil || err != nil {
			t.Error(p, err)
		}
	})
}

func TestDecodeLimits(t *testing.T) {
	limits := packet.Limits{MaxAttachments: 1, MaxArgs: 2, MaxDepth: 2, MaxNamespace: 3, MaxEventName: 1, MaxBytes: 1}
	for text, ok := range map[string]bool{
		`51-["e"]`:     true,
		`52-["e"]`:     false,
		`2["e",1]`:     true,
		`2["e",1,2]`:   false,
		`2["e",[1]]`:   true,
		`2["e",[[1]]]`: false,
		`0{"a":[]}`:    true,
		`0{"a":[[]]}`:  false,
		`0/ab,`:        true,
		`0/abc,`:       false,
		`2["ab"]`:      false,
		`2[12]`:        false,
	} {
		if _, err := packet.NewDecoder(limits).Text([]byte(text)); (err == nil) != ok {
			t.Errorf("Text(%s): %v", text, err)
		}
	}
	d := packet.NewDecoder(limits)
	_, _ = d.Text([]byte(`51-["e"]`))
	if _, err := d.Binary([]byte("ab")); err == nil {
		t.Error("two bytes of attachments were accepted")
	}
}

// Text copies, so that transports can read into one buffer again and again.
func TestDecodeCopiesText(t *testing.T) {
	d := packet.NewDecoder(packet.Limits{})
	buf := []byte(`2/chat,["say","hello"]`)
	p, err := d.Text(buf)
	if err != nil {
		t.Fatal(err)
	}
	for i := range buf {
		buf[i] = 'x'
	}
	if got, want := describe(p), `EVENT /chat - ["say","hello"]`; got != want {
		t.Errorf("after the buffer was used again: %s, want %s", got, want)
	}
	if p, err = d.Text([]byte(`2/chat,["say"]`)); err != nil || p.Namespace != "/chat" {
		t.Errorf("the next packet: %v, %v", p, err)
	}
}

func TestPacketName(t *testing.T) {
	for text, want := range map[string]string{
		`2["say"]`:        "say",
		`2["s\u0061\ny"]`: "sa\ny",
		`2[42]`:           "42",
		`31["say"]`:       "",
		`0{"a":1}`:        "",
	} {
		if got := mustDecode(t, text).Name(); got != want {
			t.Errorf("name of %s = %q, want %q", text, got, want)
		}
	}
}

func TestValidNamespace(t *testing.T) {
	for name, want := range map[string]bool{
		"/": true, "/chat": true, "/a/b": true, "/ü": true, "/.a": true, "/\ufffd": true,
		"": false, "chat": false, "/a,b": false, "/a..b": false, "/a\n": false, "/\x80": false,
	} {
		if got := packet.ValidNamespace(name); got != want {
			t.Errorf("ValidNamespace(%q) = %v", name, got)
		}
	}
}

// describe writes a packet as "type namespace id args", with <text> for an attachment.
func describe(p *packet.Packet) string {
	if p == nil {
		return "no packet"
	}
	id := "-"
	if p.HasID {
		id = fmt.Sprint(p.ID)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%v %s %s [", p.Type, p.Namespace, id)
	for i, a := range p.Args.All() {
		if i > 0 {
			b.WriteByte(',')
		}
		describeArg(&b, a)
	}
	b.WriteByte(']')
	return b.String()
}

func describeArg(b *bytes.Buffer, a packet.Arg) {
	if !a.HasBinary() {
		b.Write(a.AppendJSON(nil))
		return
	}
	first := true
	comma := func() {
		if !first {
			b.WriteByte(',')
		}
		first = false
	}
	switch a.Kind() {
	case packet.Binary:
		data, _ := a.Bytes()
		fmt.Fprintf(b, "<%s>", data)
	case packet.Array:
		b.WriteByte('[')
		for e := range a.Elements() {
			comma()
			describeArg(b, e)
		}
		b.WriteByte(']')
	case packet.Object:
		b.WriteByte('{')
		for name, m := range a.Fields() {
			comma()
			fmt.Fprintf(b, "%q:", name)
			describeArg(b, m)
		}
		b.WriteByte('}')
	default:
		fmt.Fprintf(b, "%v with attachments?", a.Kind())
	}
}
