package packet_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/server/packet"
)

type blob []byte

type own struct{ s string }

func (o own) AppendJSON(dst []byte) ([]byte, error) {
	if o.s == "fail" {
		return append(dst, "half"...), errors.New("failed")
	}
	return append(dst, o.s...), nil
}

type node struct {
	Next *node
	Any  any `json:",omitempty"`
}

type deep struct {
	Name  string `json:"name"`
	Parts []struct{ B blob }
	M     map[string][]byte `json:"m,omitempty"`
	P     *[]byte
	A     any
	Raw   json.RawMessage `json:",omitempty"`
	T     time.Time
	N     json.Number
	skip  []byte
}

// The same as encoding/json without escapes for HTML, wherever there is nothing
// that this package adds.
func TestNewArgsAsEncodingJSON(t *testing.T) {
	for _, v := range []any{
		nil, true, false, 0, -1, int64(math.MaxInt64), uint64(math.MaxUint64), int8(-7), uint16(9), int32(-5), uint32(5), int64(6), uint(7),
		0.0, math.Copysign(0, -1), 1.5, 1e20, 1e21, 1e-6, 1e-7, 123456789.125, math.MaxFloat64, math.SmallestNonzeroFloat64,
		float32(1.1), float32(1e21), float32(1e-7), float32(3),
		"", "plain", `q"\` + "\b\f\n\r\t\x00\x1f\x7f", "<a href='x'>&", "é漢😀", "\u2028\u2029", "bad \xff\xfe\xc3 utf-8", strings.Repeat("long ", 1000),
		json.Number("1e999"), json.Number(""), json.Number("-0.5"),
		json.RawMessage(`{"a":1}`), json.RawMessage(nil),
		[]string{"a", "<"}, []string(nil), []int{1, 2}, [2]float64{0.5, 1}, [3]byte{1, 2, 3},
		map[string]any{"b": 1, "a": []any{nil, "x", map[string]any{}}, "<": 1.5}, map[string]any(nil), []any(nil), []any{},
		map[int]string{2: "b", 1: "a"}, map[string]string{"z": "<", "a": "1"},
		struct {
			A string `json:"a"`
			B int    `json:",omitempty"`
			C *int
			D time.Duration
			E any
			F []any
		}{A: "<x>"},
		node{Any: map[string]any{"x": 1}},
		&node{Next: &node{}},
		time.Date(2024, 1, 2, 3, 4, 5, 6, time.UTC),
		map[string]any{"t": time.Unix(0, 0).UTC(), "n": json.Number("1"), "p": &node{}},
	} {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
		args, err := packet.NewArgs(v)
		if err != nil {
			t.Errorf("NewArgs(%#v): %v", v, err)
			continue
		}
		if got, want := string(args.At(0).AppendJSON(nil)), strings.TrimSuffix(want.String(), "\n"); got != want {
			t.Errorf("NewArgs(%.100v) = %.300s\nwant %.300s", v, got, want)
		}
	}
}

func TestNewArgsOwn(t *testing.T) {
	p := []byte("P")
	for _, test := range []struct {
		name  string
		value any
		want  string // attachments as in describe
	}{
		{"bytes", []byte("A"), `<A>`},
		{"no bytes", []byte(nil), `null`},
		{"empty bytes", []byte{}, `<>`},
		{"named bytes", blob("A"), `<A>`},
		{"no named bytes", blob(nil), `null`},
		{"pointer to bytes", &p, `<P>`},
		{"bytes in a list", [][]byte{[]byte("A"), nil, []byte("B")}, `[<A>,null,<B>]`},
		{"bytes in a map", map[string]any{"x": []byte("A"), "y": blob("B")}, `{"x":<A>,"y":<B>}`},
		{"bytes at depth", deep{
			Name: "n<", Parts: []struct{ B blob }{{blob("A")}, {nil}}, M: map[string][]byte{"k": []byte("B")}, P: &p,
			A: []any{map[string]any{"z": []byte("C"), "y": blob("D")}, own{"7"}}, Raw: json.RawMessage(` {"r": 1 }`), skip: []byte("no"), N: "1e999",
		}, `{"name":"n<","Parts":[{"B":<A>},{"B":null}],"m":{"k":<B>},"P":<P>,"A":[{"y":<D>,"z":<C>},7],"Raw":{"r":1},"T":"0001-01-01T00:00:00Z","N":1e999}`},
		{"raw message", json.RawMessage(" {\"a\": [1]}\n"), `{"a": [1]}`},
		{"Appender", own{`{"a":1}`}, `{"a":1}`},
		{"pointer to Appender", &own{` [1] `}, `[1]`},
		{"nil Appender", (*own)(nil), `null`},
		{"Appender in a struct", struct{ O own }{own{"1"}}, `{"O":1}`},
		{"Appender in a map", map[string]any{"o": own{"1"}}, `{"o":1}`},
		{"no argument", packet.Arg{}, `null`},
		{"Args", mustArgs(t, 1, "x"), `[1,"x"]`},
		{"Arg in a struct", struct{ A packet.Arg }{mustArgs(t, "x").At(0)}, `{"A":"x"}`},
	} {
		args, err := packet.NewArgs(test.value)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		var b bytes.Buffer
		describeArg(&b, args.At(0))
		if b.String() != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, &b, test.want)
		}
	}
}

func TestNewArgsErrors(t *testing.T) {
	loop := map[string]any{}
	loop["loop"] = []any{loop}
	ring := &node{}
	ring.Next = ring
	mixed := &node{}
	mixed.Any = map[string]any{"x": mixed}
	for name, v := range map[string]any{
		"NaN":                      math.NaN(),
		"infinity":                 math.Inf(-1),
		"NaN in a map":             map[string]any{"x": []any{math.NaN()}},
		"NaN in a struct":          struct{ F float64 }{math.NaN()},
		"channel":                  make(chan int),
		"function in a map":        map[string]any{"f": func() {}},
		"Number":                   json.Number("1x"),
		"Number with more":         json.Number(`1,"x"`),
		"RawMessage":               json.RawMessage(`{`),
		"RawMessage of two":        json.RawMessage(`1,2`),
		"RawMessage of none":       json.RawMessage{},
		"RawMessage of two inside": []any{json.RawMessage(`1,2`)},
		"RawMessage in a map":      map[string]any{"a": json.RawMessage(`1,"admin":true`)},
		"Appender fails":           own{"fail"},
		"Appender writes two":      own{"1,2"},
		"Appender writes nothing":  own{""},
		"Appender fails inside":    struct{ O own }{own{"]"}},
		"a map in itself":          loop,
		"a pointer to itself":      ring,
		"a struct and a map":       mixed,
	} {
		t.Run(name, func(t *testing.T) {
			args, err := packet.NewArgs("ok", v)
			if !errors.Is(err, packet.ErrEncode) || args.Len() != 0 {
				t.Fatalf("NewArgs: %d, %v", args.Len(), err)
			}
			if !strings.Contains(err.Error(), "argument 1") {
				t.Errorf("the error does not name the argument: %.200v", err)
			}
		})
	}
	if _, err := packet.NewArgs("fine", 1); err != nil {
		t.Errorf("after errors: %v", err)
	}
}

// Callers may use their bytes again.
func TestNewArgsCopies(t *testing.T) {
	data := []byte("before")
	args := mustArgs(t, data, struct{ B []byte }{data})
	copy(data, "after.")
	var b bytes.Buffer
	for _, a := range args.All() {
		describeArg(&b, a)
	}
	if b.String() != `<before>{"B":<before>}` {
		t.Error(b.String())
	}
}

func TestEventArgs(t *testing.T) {
	args, err := packet.EventArgs("e\n", 1, "x")
	if err != nil || args.Len() != 3 {
		t.Fatal(args.Len(), err)
	}
	p := packet.Packet{Type: packet.Event, Args: args}
	if p.Name() != "e\n" {
		t.Errorf("name %q", p.Name())
	}
	if _, err := packet.EventArgs("e", make(chan int)); !errors.Is(err, packet.ErrEncode) {
		t.Error(err)
	}
}
