package msgjson_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/internal/corpus"
	"github.com/seed3686fee0/parlor/internal/msgjson"
	"github.com/vmihailenco/msgpack/v5"
)

func read(message []byte) (text string, attachments [][]byte, err error) {
	r := msgjson.NewReader(message)
	defer r.Free()
	r.MaxDepth, r.MaxAttachments = 100, 4
	if err := r.ReadValue(); err != nil {
		return "", nil, err
	}
	return string(r.Text), r.Attachments, r.End()
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestAppend: what JSON is in MessagePack, and what comes back.
func TestAppend(t *testing.T) {
	for in, want := range map[string]struct{ hex, back string }{
		"0": {"00", "0"}, "-0": {"00", "0"}, "1.0": {"01", "1"}, "1e3": {"cd03e8", "1000"}, "-1": {"ff", "-1"},
		"9007199254740993":      {"cf0020000000000001", "9007199254740993"},
		"18446744073709551615":  {"cfffffffffffffffff", "18446744073709551615"},
		"-9223372036854775808":  {"d38000000000000000", "-9223372036854775808"},
		"18446744073709551616":  {"cb43f0000000000000", "18446744073709552000"},
		"1e400":                 {"cb7ff0000000000000", "null"},
		"1.5e-7":                {"cb3e8421f5f40d8376", "1.5e-07"},
		"1e21":                  {"cb444b1ae4d6e2ef50", "1e+21"},
		`"\ud83d\ude00\ud800x"`: {"a8f09f9880efbfbd78", `"😀�x"`},
		`[]`:                    {"90", `[]`},
	} {
		b, err := msgjson.Append([]byte("x"), in, nil)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := hex.EncodeToString(b[1:]); got != want.hex {
			t.Errorf("%s is %s, want %s", in, got, want.hex)
		}
		if back, _, err := read(b[1:]); err != nil || back != want.back {
			t.Errorf("%s comes back as %s, want %s; %v", in, back, want.back, err)
		}
	}
}

// TestAttachments: bytes are placeholders, wherever they are.
func TestAttachments(t *testing.T) {
	const text = `[{"_placeholder":true,"num":1},{"b":{ "num":0, "_placeholder":true }},{"_placeholder":true,"num":1}]`
	b, err := msgjson.Append(nil, text, [][]byte{{1}, {2, 3}})
	if want := "93c402020381a162c40101c4020203"; err != nil || hex.EncodeToString(b) != want {
		t.Fatalf("%x, %v", b, err)
	}
	got, attachments, err := read(b)
	if want := `[{"_placeholder":true,"num":0},{"b":{"_placeholder":true,"num":1}},{"_placeholder":true,"num":2}]`; err != nil || got != want {
		t.Fatalf("%s, %v", got, err)
	}
	if !slices.EqualFunc(attachments, [][]byte{{2, 3}, {1}, {2, 3}}, bytes.Equal) {
		t.Errorf("%v", attachments)
	}
	if cap(attachments[0]) != 2 {
		t.Error("appending to an attachment would write into the message")
	}
	// Where there are none a placeholder is an object as any other.
	b, err = msgjson.Append(nil, `{"_placeholder":true,"num":0}`, nil)
	if err != nil || hex.EncodeToString(b) != "82ac5f706c616365686f6c646572c3a36e756d00" {
		t.Errorf("%x, %v", b, err)
	}
}

func TestReader(t *testing.T) {
	for in, want := range map[string]string{
		"d4 00 00":                            "null", // undefined
		"d7 00 00000186a0b1c2d3":              `"2023-03-02T05:00:49.747Z"`,
		"d7 00 ffffffffffffffff":              `"1969-12-31T23:59:59.999Z"`,
		"d7 00 7fffffffffffffff":              "null", // no date
		"d6 ff 00000001":                      `"1970-01-01T00:00:01.000Z"`,
		"d7 ff 00000004 00000001":             `"1970-01-01T00:00:01.000Z"`,
		"c7 0c ff 3b8b87c0 00000000 00000001": `"1970-01-01T00:00:01.999Z"`,
		"c7 02 00 0102":                       `{"_placeholder":true,"num":0}`, // an ArrayBuffer
		"c4 00":                               `{"_placeholder":true,"num":0}`,
		"ca 3dcccccd":                         "0.10000000149011612", // what a float32 is in JavaScript
		"cb 7ff8000000000000":                 "null",
		"cb fff0000000000000":                 "null",
		"cb 8000000000000000":                 "0",
		"cc ff":                               "255",
		"d3 8000000000000000":                 "-9223372036854775808",
		"a3 61ff22":                           `"a` + "\ufffd" + `\""`,
		"d9 01 0a":                            `"\n"`,
		"a1 22":                               `"\""`, "a1 5c": `"\\"`,
		"82 a0 01 a0 02": `{"":1,"":2}`,
	} {
		if got, _, err := read(unhex(t, in)); err != nil || got != want {
			t.Errorf("%s: %s, want %s; %v", in, got, want, err)
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		message string
		want    error
	}{
		"nothing":            {"", msgjson.ErrShort},
		"no code":            {"\xc1", msgjson.ErrCode},
		"two values":         {"\x01\x02", msgjson.ErrTrailing},
		"half a number":      {"\xcd\x01", msgjson.ErrShort},
		"half a float":       {"\xcb\x01", msgjson.ErrShort},
		"long text":          {"\xdb\xff\xff\xff\xffx", msgjson.ErrShort},
		"long bytes":         {"\xc6\x7f\xff\xff\xffx", msgjson.ErrShort},
		"long array":         {"\xdd\xff\xff\xff\xff\xc0", msgjson.ErrShort},
		"long map":           {"\xdf\xff\xff\xff\xff", msgjson.ErrShort},
		"long extension":     {"\xc9\xff\xff\xff\xff\x00", msgjson.ErrShort},
		"no extension":       {"\xd4\x01\x00", msgjson.ErrExt},
		"a large timestamp":  {"\xd8\xff" + strings.Repeat("x", 16), msgjson.ErrExt},
		"an integer key":     {"\x81\x01\x02", msgjson.ErrKey},
		"bytes for a key":    {"\x81\xc4\x01x\x02", msgjson.ErrKey},
		"a map for a key":    {"\x81\x80\x02", msgjson.ErrKey},
		"no value":           {"\x81\xa1a", msgjson.ErrShort},
		"deep arrays":        {strings.Repeat("\x91", 100_000) + "\xc0", msgjson.ErrDepth},
		"deep maps":          {strings.Repeat("\x81\xa0", 100_000) + "\xc0", msgjson.ErrDepth},
		"many binary parts":  {"\x95" + strings.Repeat("\xc4\x00", 5), msgjson.ErrBytes},
		"a stream's array":   {"\x9f" + strings.Repeat("\x01", 14), msgjson.ErrShort},
		"a nested half":      {"\x92\x81\xa1a\xcd", msgjson.ErrShort},
		"a half after bytes": {"\x92\xc4\x01x", msgjson.ErrShort},
	} {
		if text, _, err := read([]byte(test.message)); !errors.Is(err, test.want) {
			t.Errorf("%s: %q, %v, want %v", name, text, err, test.want)
		}
	}
}

// TestEnvelope reads a map member by member.
func TestEnvelope(t *testing.T) {
	r := msgjson.NewReader(unhex(t, "82 a16b 91c3 a16c c0"))
	defer r.Free()
	r.MaxDepth = 1
	n, err := r.ReadMap()
	if err != nil || n != 2 {
		t.Fatal(n, err)
	}
	for _, want := range []string{"k=[true]", "l=null"} {
		key, err := r.ReadString()
		r.Text = r.Text[:0]
		if err == nil {
			err = r.ReadValue()
		}
		if got := string(key) + "=" + string(r.Text); err != nil || got != want {
			t.Errorf("%s, want %s; %v", got, want, err)
		}
	}
	if _, err := r.ReadMap(); !errors.Is(err, msgjson.ErrShort) {
		t.Error(err)
	}
	if _, err := r.ReadString(); !errors.Is(err, msgjson.ErrShort) {
		t.Error(err)
	}
	if r.Offset() != 8 || r.End() != nil {
		t.Error(r.Offset(), r.End())
	}
}

// TestDepth: the limit is the number of levels.
func TestDepth(t *testing.T) {
	for _, open := range []string{"\x91", "\x81\xa0"} {
		if _, _, err := read([]byte(strings.Repeat(open, 100) + "\xc0")); err != nil {
			t.Error(err)
		}
		if _, _, err := read([]byte(strings.Repeat(open, 101) + "\xc0")); !errors.Is(err, msgjson.ErrDepth) {
			t.Error(err)
		}
	}
}

// TestAppendEscapes: where a text ends.
func TestAppendEscapes(t *testing.T) {
	b, err := msgjson.Append(nil, `["\"","\\","a\\\"]",{"\"":"\u0022,"}]`, nil)
	if err != nil || hex.EncodeToString(b) != "94a122a15ca4615c225d81a122a2222c" {
		t.Errorf("%x, %v", b, err)
	}
}

func TestAppendSpace(t *testing.T) {
	b, err := msgjson.Append(nil, ` { "a" : [ true , null ] , "a" : { } }`, nil)
	if err != nil || hex.EncodeToString(b) != "82a16192c3c0a16180" {
		t.Errorf("%x, %v", b, err)
	}
}

func TestAppendParts(t *testing.T) {
	for in, want := range map[string]string{"": "90", "1": "9101", `"a",{"b":[{"_placeholder":true,"num":0}]},[[],2]`: "93a16181a16291c40107929002", "1 , 2": "920102"} {
		b, err := msgjson.AppendList(nil, in, [][]byte{{7}})
		if got := hex.EncodeToString(b); err != nil || got != want {
			t.Errorf("%s: %s, want %s; %v", in, got, want, err)
		}
	}
	for _, in := range []string{"1,", ",1", "1]", "[1", "1 2", "]"} {
		if b, err := msgjson.AppendList(nil, in, nil); err == nil {
			t.Errorf("%s: %x", in, b)
		}
	}
	if got := hex.EncodeToString(msgjson.AppendUint(msgjson.AppendString(nil, "é"), 1<<53-1)); got != "a2c3a9cf001fffffffffffff" {
		t.Error(got)
	}
}

func TestAppendRefuses(t *testing.T) {
	for _, text := range []string{"", "[", "]", "[1", `{"a"`, `{"a":`, `{"a":1`, "[1,]", "tru", "1 2", `{1:2}`, `{"a" 1}`, `[1 2]`, `[1}`, strings.Repeat("[", 2000)} {
		if got, err := msgjson.Append([]byte("x"), text, nil); err == nil || string(got) != "x" {
			t.Errorf("%.20q: %q, %v", text, got, err)
		}
	}
}

// FuzzReader: what is read can be written, and is then read as the same; the
// library of MessagePack has nothing against it.
func FuzzReader(f *testing.F) {
	corpus.Add(f)
	for _, seed := range []string{
		"93 01 c3 c0", "82 a161 c40101 a162 c70200 0102", "d7 00 00000186a0b1c2d3", "d40000", "cb3ff8000000000000", "cfffffffffffffffff", "d9 05 48656c6cff",
		"82ac5f706c616365686f6c646572c3a36e756d00", "c1", "dc0001 90", "de0001 a0 80", "d6ff00000001",
	} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, message []byte) {
		text, attachments, err := read(bytes.Clone(message))
		if err != nil {
			return
		}
		if len(attachments) > 0 && strings.Count(text, "_placeholder") != len(attachments) {
			return // data that looks like one, which the codec of packets refuses
		}
		again, err := msgjson.Append(nil, text, attachments)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var v any
		if err := msgpack.Unmarshal(again, &v); err != nil && !strings.Contains(err.Error(), "invalid code") {
			t.Fatalf("%x: %v", again, err)
		}
		text2, attachments2, err := read(again)
		if err != nil || !slices.EqualFunc(attachments, attachments2, bytes.Equal) {
			t.Fatalf("%x: %v", again, err)
		}
		if third, err := msgjson.Append(nil, text2, attachments2); err != nil || !bytes.Equal(third, again) {
			t.Fatalf("%s\n%s\n%v", text, text2, err)
		}
	})
}
