package packet_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unsafe"

	"github.com/seed3686fee0/parlor/server/packet"
)

// parse returns an argument that came over the wire.
func parse(t testing.TB, text string) packet.Arg {
	t.Helper()
	return mustDecode(t, `2["e",`+text+`]`).Args.At(1)
}

func TestArgKind(t *testing.T) {
	bin := decodeBinary(t, `51-["e",{"_placeholder":true,"num":0},{"x":{"_placeholder":true,"num":0}},1]`, "A")
	for _, test := range []struct {
		arg    packet.Arg
		want   packet.Kind
		binary bool
	}{
		{packet.Arg{}, packet.Null, false},
		{parse(t, `null`), packet.Null, false},
		{parse(t, `true`), packet.Bool, false},
		{parse(t, `false`), packet.Bool, false},
		{parse(t, `0`), packet.Number, false},
		{parse(t, `-1e5`), packet.Number, false},
		{parse(t, `""`), packet.String, false},
		{parse(t, `[]`), packet.Array, false},
		{parse(t, `{}`), packet.Object, false},
		{parse(t, `{"_placeholder":true,"num":0}`), packet.Object, false},
		{bin.Args.At(1), packet.Binary, true},
		{bin.Args.At(2), packet.Object, true},
		{bin.Args.At(3), packet.Number, false},
		{bin.Args.At(9), packet.Null, false},
		{bin.Args.At(-1), packet.Null, false},
	} {
		if got := test.arg.Kind(); got != test.want {
			t.Errorf("kind of %s = %v, want %v", test.arg.AppendJSON(nil), got, test.want)
		}
		if test.arg.HasBinary() != test.binary {
			t.Errorf("HasBinary of %s", test.arg.AppendJSON(nil))
		}
		_, isText := test.arg.Text()
		_, isNumber := test.arg.Number()
		_, isBool := test.arg.Bool()
		_, isBytes := test.arg.Bytes()
		if isText != (test.want == packet.String) || isNumber != (test.want == packet.Number) ||
			isBool != (test.want == packet.Bool) || isBytes != (test.want == packet.Binary) {
			t.Errorf("%v: %v %v %v %v", test.want, isText, isNumber, isBool, isBytes)
		}
	}
}

func TestArgText(t *testing.T) {
	for _, text := range []string{
		`""`, `"plain"`, `"\"\\\/\b\f\n\r\t"`, `"\u0041\u00e9\u6f22"`, `"\ud83d\ude00"`, `"é\u00e9é"`,
		`"\ud800"`, `"\ud800x"`, `"\ud800\u0041"`, `"\ud800\ud800"`, `"\udc00"`, `"\udc00\ud800"`, `"\ud800\n"`, `"\u0000"`, `"😀"`, `"x\\"`,
	} {
		var want string
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(err)
		}
		if got, ok := parse(t, text).Text(); !ok || got != want {
			t.Errorf("text of %s = %q, want %q", text, got, want)
		}
		var got string
		if err := parse(t, text).Decode(&got); err != nil || got != want {
			t.Errorf("Decode of %s = %q, %v, want %q", text, got, err, want)
		}
	}
	if got, _ := parse(t, "\"a\xffb\"").Text(); got != "a\xffb" {
		t.Errorf("text that is not UTF-8 = %q", got)
	}
}

func TestArgFields(t *testing.T) {
	arg := parse(t, ` { "a" : 1 , "b\n":[1,{"x":"}"}] ,"a":"q\"]" , "" : {} } `)
	var got []string
	for name, member := range arg.Fields() {
		got = append(got, fmt.Sprintf("%q %v %s", name, member.Kind(), member.AppendJSON(nil)))
	}
	want := []string{`"a" number 1`, `"b\n" array [1,{"x":"}"}]`, `"a" string "q\"]"`, `"" object {}`}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("fields %q\nwant   %q", got, want)
	}
	for range arg.Fields() {
		break // must not go on
	}
	for _, text := range []string{`{}`, `{ }`, `[]`, `"{"`, `1`, `null`} {
		for name := range parse(t, text).Fields() {
			t.Errorf("%s has the field %q", text, name)
		}
	}
	for range (packet.Arg{}).Fields() {
		t.Error("null has a field")
	}
	for range decodeBinary(t, `51-["e",{"_placeholder":true,"num":0}]`, "A").Args.At(1).Fields() {
		t.Error("an attachment has a field")
	}
}

func TestArgElements(t *testing.T) {
	arg := parse(t, ` [ 1 , "a,]" ,[ ],{"x":[2]},null ] `)
	var got []string
	for e := range arg.Elements() {
		got = append(got, string(e.AppendJSON(nil)))
	}
	if want := []string{`1`, `"a,]"`, `[ ]`, `{"x":[2]}`, `null`}; !reflect.DeepEqual(got, want) {
		t.Errorf("elements %q\nwant     %q", got, want)
	}
	for range arg.Elements() {
		break
	}
	for _, text := range []string{`[]`, `[ ]`, `{}`, `"["`, `1`} {
		for range parse(t, text).Elements() {
			t.Errorf("%s has an element", text)
		}
	}
}

// Decode does what encoding/json does, errors included.
func TestDecodeAsEncodingJSON(t *testing.T) {
	type inner struct {
		X int
		Y []string
	}
	type outer struct {
		A string `json:"a"`
		B *inner
		C map[string]any
		D any
		E []byte
		F json.RawMessage
		G [2]float64
		H json.Number
		inner
	}
	targets := []func() any{
		func() any { return new(string) }, func() any { return new(int) }, func() any { return new(int8) }, func() any { return new(int64) },
		func() any { return new(uint) }, func() any { return new(float64) }, func() any { return new(float32) }, func() any { return new(bool) },
		func() any { return new(any) }, func() any { return new(map[string]any) }, func() any { return new([]any) }, func() any { return new([]int) },
		func() any { return new([]byte) }, func() any { return new(json.RawMessage) }, func() any { return new(json.Number) },
		func() any { return new(outer) }, func() any { return new(*outer) }, func() any { return new([2]float64) },
		func() any { return &outer{A: "before", D: 1, G: [2]float64{1, 2}} },
		func() any { s := "before"; return &s }, func() any { var v any = "before"; return &v }, func() any { var v any = new(int); return &v },
		func() any { return nil }, func() any { return (*string)(nil) }, func() any { return (*int)(nil) }, func() any { return (*any)(nil) }, func() any { return 5 },
		func() any { return (*[]byte)(nil) }, func() any { return (*bool)(nil) }, func() any { return (*float64)(nil) }, func() any { return (*json.RawMessage)(nil) },
	}
	for _, text := range []string{
		`null`, `true`, `false`, `0`, `-1`, `1.0`, `1.5`, `1e3`, `128`, `300`, `9223372036854775807`, `9223372036854775808`, `18446744073709551615`, `1e400`,
		`""`, `"x"`, `"aGk="`, `"12"`, `"\ud800"`, `[]`, `[1]`, `[0.5,1.5]`, `[1,2,3]`, `["x",1,null]`, `{}`,
		`{"a":"x","b":{"x":1,"y":["p","q"]},"C":{"k":[1,{"z":null}]},"d":{"e":1.5},"E":"aGk=","F":{ "r": 1 },"G":[1,2],"H":12,"X":7}`,
		`{"A":"upper","a":"lower","a":"last"}`, `{"a":1}`, `{"B":null,"D":null,"C":{"k":1e999}}`, `{"B":{"X":"no"}}`, `{"unknown":[[[]]]}`, `{"G":[1]}`, `{"D":{"a":1,"a":2}}`,
	} {
		for _, target := range targets {
			want, got := target(), target()
			wantErr := json.Unmarshal([]byte(text), want)
			gotErr := parse(t, text).Decode(got)
			if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || reflect.TypeOf(gotErr) != reflect.TypeOf(wantErr) {
				t.Errorf("%s into %T: error %v\nwant %v", text, got, gotErr, wantErr)
			}
			if wantErr == nil && !reflect.DeepEqual(got, want) {
				t.Errorf("%s into %T: %+v\nwant %+v", text, got, reflect.ValueOf(got).Elem(), reflect.ValueOf(want).Elem())
			}
		}
	}
}

func TestDecodeAttachments(t *testing.T) {
	p := decodeBinary(t, `52-["e",{"_placeholder":true,"num":0},{"name":"n","Parts":[{"B":{"_placeholder":true,"num":1}},{"B":null}],"m":{"k":{"_placeholder":true,"num":0}},"A":[1,{"z":{"_placeholder":true,"num":1}}],"N":12},"aGk="]`, "A", "B")

	var top []byte
	var d deep
	var base64 []byte
	if err := p.Args.Slice(1).Scan(&top, &d, &base64); err != nil {
		t.Fatal(err)
	}
	if string(top) != "A" || string(base64) != "hi" || d.Name != "n" || string(d.Parts[0].B) != "B" || d.Parts[1].B != nil || string(d.M["k"]) != "A" ||
		!reflect.DeepEqual(d.A, []any{1.0, map[string]any{"z": []byte("B")}}) {
		t.Errorf("Scan: %q %q %+v", top, base64, d)
	}

	if d.N != "12" {
		t.Errorf("number %q", d.N)
	}

	var m map[string]any
	if err := p.Args.At(2).Decode(&m); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"name": "n", "Parts": []any{map[string]any{"B": []byte("B")}, map[string]any{"B": nil}},
		"m": map[string]any{"k": []byte("A")}, "A": []any{1.0, map[string]any{"z": []byte("B")}}, "N": 12.0,
	}
	if !reflect.DeepEqual(m, want) {
		t.Errorf("map %v\nwant %v", m, want)
	}
	var v any
	if err := p.Args.At(2).Decode(&v); err != nil || !reflect.DeepEqual(v, any(want)) {
		t.Errorf("any %v, %v", v, err)
	}
	v = nil
	if err := p.Args.At(1).Decode(&v); err != nil || string(v.([]byte)) != "A" {
		t.Errorf("any %v, %v", v, err)
	}
	var named blob
	if err := p.Args.At(1).Decode(&named); err != nil || string(named) != "A" {
		t.Errorf("named %q, %v", named, err)
	}
	var kept struct {
		Name packet.Arg `json:"name"`
		M    packet.Arg `json:"m"`
		P    *packet.Arg
	}
	if err := p.Args.At(2).Decode(&kept); err != nil {
		t.Fatal(err)
	}
	for _, member := range kept.M.Fields() {
		if b, ok := member.Bytes(); !ok || string(b) != "A" {
			t.Errorf("an Arg in a struct lost its attachment: %q", b)
		}
	}
	if name, _ := kept.Name.Text(); name != "n" || kept.P != nil {
		t.Errorf("Arg in a struct: %+v", kept)
	}

	// What is decoded belongs to the caller, the packet stays as it was.
	top[0], d.Parts[0].B[0], m["m"].(map[string]any)["k"].([]byte)[0] = 'x', 'x', 'x'
	if got, want := describe(p), `EVENT / - ["e",<A>,{"name":"n","Parts":[{"B":<B>},{"B":null}],"m":{"k":<A>},"A":[1,{"z":<B>}],"N":12},"aGk="]`; got != want {
		t.Errorf("after writing to what was decoded: %s", got)
	}

	for _, target := range []any{new(string), new(int), new([]int), new(bool)} {
		if err := p.Args.At(1).Decode(target); err == nil {
			t.Errorf("an attachment was decoded into %T", target)
		}
	}
	var wrong struct{ M []byte }
	if err := p.Args.At(2).Decode(&wrong); err == nil {
		t.Error("an object was decoded into []byte")
	}
}

func TestScan(t *testing.T) {
	args := mustDecode(t, `2["e",1,"two",{"a":3}]`).Args.Slice(1)
	var n int
	var s string
	var rest packet.Arg
	extra := "kept"
	if err := args.Scan(&n, nil, &rest, &extra); err != nil || n != 1 || rest.Kind() != packet.Object || extra != "kept" {
		t.Errorf("%d %v %q %v", n, rest.Kind(), extra, err)
	}
	if err := args.Scan(&n); err != nil {
		t.Error(err)
	}
	err := args.Scan(&n, &n)
	var wrongType *json.UnmarshalTypeError
	if !errors.As(err, &wrongType) || !strings.Contains(err.Error(), "argument 1") {
		t.Errorf("error %v", err)
	}
	if err := (packet.Args{}).Scan(&s); err != nil {
		t.Error(err)
	}
}

func TestArgsSlice(t *testing.T) {
	args := mustDecode(t, `2["e",1,2,3,4,5,6]`).Args
	for from, want := range map[int]int{-1: 7, 0: 7, 1: 6, 6: 1, 7: 0, 100: 0} {
		part := args.Slice(from)
		if part.Len() != want {
			t.Errorf("Slice(%d) has %d", from, part.Len())
		}
		if want > 0 && from > 0 {
			if n, _ := part.At(0).Number(); n != fmt.Sprint(from) {
				t.Errorf("Slice(%d) begins with %s", from, n)
			}
		}
	}
	if got := args.Slice(2).Slice(2).Len(); got != 3 {
		t.Errorf("Slice of Slice has %d", got)
	}
	if (packet.Args{}).Append().Len() != 0 || (packet.Args{}).Clone().Len() != 0 || (packet.Args{}).HasBinary() {
		t.Error("an empty list is not empty")
	}
}

func TestArgJSON(t *testing.T) {
	type box struct{ A, B packet.Arg }
	in := box{A: parse(t, `{"x":1e999}`)}
	text, err := json.Marshal(in)
	if err != nil || string(text) != `{"A":{"x":1e999},"B":null}` {
		t.Errorf("Marshal = %s, %v", text, err)
	}
	var out box
	if err := json.Unmarshal(text, &out); err != nil || string(out.A.AppendJSON(nil)) != `{"x":1e999}` {
		t.Errorf("Unmarshal = %s, %v", out.A.AppendJSON(nil), err)
	}
	if _, err := json.Marshal(mustArgs(t, []byte("A")).At(0)); err == nil {
		t.Error("an attachment was written as JSON")
	}
	if err := new(packet.Arg).UnmarshalJSON([]byte(`1,2`)); err == nil {
		t.Error("UnmarshalJSON took two values")
	}
}

// Queues keep them by the thousand.
func TestSizes(t *testing.T) {
	if size := unsafe.Sizeof(packet.Args{}); size > 16 && unsafe.Sizeof(0) == 8 {
		t.Errorf("Args has %d bytes", size)
	}
	if size := unsafe.Sizeof(packet.Arg{}); size > 24 && unsafe.Sizeof(0) == 8 {
		t.Errorf("Arg has %d bytes", size)
	}
}

func TestStrings(t *testing.T) {
	for i, want := range []string{"CONNECT", "DISCONNECT", "EVENT", "ACK", "CONNECT_ERROR", "BINARY_EVENT", "BINARY_ACK", "UNKNOWN"} {
		if got := packet.Type(i).String(); got != want {
			t.Errorf("Type(%d) = %s", i, got)
		}
	}
	for i, want := range []string{"null", "bool", "number", "string", "array", "object", "binary", "unknown"} {
		if got := packet.Kind(i).String(); got != want {
			t.Errorf("Kind(%d) = %s", i, got)
		}
	}
}
