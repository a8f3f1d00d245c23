package wire

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/server/packet"
)

// A vector is a message that Node's packages have sent.
type vector struct {
	Name, Command, Channel, Encoding, Hex string
	Decoded                               any
}

// An input is one that was made by hand: what others may send.
type input struct{ Kind, Name, Channel, Hex string }

func load[T any](t testing.TB, name string) (list []T) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func unhex(t testing.TB, s string) string {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// plain is an argument in the notation of the vectors, but that dates are text.
func plain(a packet.Arg) any {
	switch a.Kind() {
	case packet.Binary:
		b, _ := a.Bytes()
		return map[string]any{"$bin": hex.EncodeToString(b)}
	case packet.Array:
		list := []any{}
		for v := range a.Elements() {
			list = append(list, plain(v))
		}
		return list
	case packet.Object:
		m := map[string]any{}
		for name, v := range a.Fields() {
			m[name] = plain(v)
		}
		return m
	}
	var v any
	if err := a.Decode(&v); err != nil {
		return err
	}
	return v
}

func undate(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = undate(v[i])
		}
	case map[string]any:
		if date, ok := v["$date"]; ok {
			return date
		}
		for name := range v {
			v[name] = undate(v[name])
		}
	}
	return v
}

// TestVectors reads everything that Node's packages were seen to send, those of
// the streams adapter included.
func TestVectors(t *testing.T) {
	for _, v := range load[vector](t, "redis-vectors.json") {
		if v.Encoding == "" {
			continue // of an entry without data
		}
		payload, want := unhex(t, v.Hex), undate(v.Decoded)
		if whole, ok := want.(map[string]any); ok && strings.HasPrefix(v.Command, "XADD") {
			want = whole["data"]
		}
		if strings.HasPrefix(v.Encoding, "base64") {
			b, err := base64.StdEncoding.DecodeString(payload)
			if err != nil {
				t.Fatal(err)
			}
			payload = string(b)
		}
		got, err := NewReader(1 << 20).value(payload)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
		} else if p := plain(got); !reflect.DeepEqual(p, want) {
			t.Errorf("%s:\n got %v\nwant %v", v.Name, p, want)
		}
	}
}

// read reads a vector as its receiver would.
func read(channel, command, payload string) (m *Message, sharded bool, err error) {
	r := NewReader(1 << 20)
	switch {
	case command == "SPUBLISH":
		m, err = r.Sharded(payload)
		return m, true, err
	case strings.Contains(channel, "-request#"):
		m, err = r.Request(payload)
	case strings.Contains(channel, "-response#"):
		m, err = r.Response(payload)
	default:
		m, err = r.Broadcast(payload)
	}
	return m, false, err
}

// TestSame encodes what was read of each message of Node's adapters and emitter
// again: it is the same to the byte, but where Node says what no member reads.
func TestSame(t *testing.T) {
	differs := map[string]string{
		"classic.broadcast.types":                       "a date is text",
		"classic.broadcast.hugeNumbers":                 "floats beyond 64 bits",
		"classic.broadcast.numericRoom":                 "rooms are text",
		"classic.broadcast.remoteSocketEmit":            "expectSingleResponse has no meaning for a receiver",
		"classic.request.remoteSocketAck":               "expectSingleResponse",
		"sharded.broadcast.numericRoom":                 "rooms are text",
		"sharded.broadcast.msgpackTypes":                "a date is text",
		"classic.response.fetchSockets":                 "order, headers that are lists",
		"classic.response.fetchSockets.specificChannel": "order",
		"sharded.response.fetchSockets":                 "order",
	}
	same := 0
	for _, v := range load[vector](t, "redis-vectors.json") {
		family, _, _ := strings.Cut(v.Name, ".")
		if family != "classic" && family != "sharded" && !strings.HasPrefix(v.Name, "emitter.request") {
			continue
		}
		payload := unhex(t, v.Hex)
		m, sharded, err := read(v.Channel, v.Command, payload)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		if m.Op == ListRooms {
			continue // only answered here
		}
		encode := AppendClassic
		if sharded {
			encode = AppendSharded
		}
		again, err := encode(m)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		if string(again) == payload {
			same++
			continue
		}
		if _, ok := differs[v.Name]; !ok {
			t.Errorf("%s:\n got %q\nwant %q", v.Name, again, payload)
		}
		// What differs is read as the same again.
		m2, _, err := read(v.Channel, v.Command, string(again))
		if err != nil {
			t.Errorf("%s: again: %v", v.Name, err)
		} else if third, _ := encode(m2); string(third) != string(again) {
			t.Errorf("%s: not stable:\n%q\n%q", v.Name, again, third)
		}
	}
	if same < 60 {
		t.Errorf("only %d are the same", same)
	}
}

// TestTolerance reads what was made by hand. What makes sense is read, and
// nothing is delivered that a client cannot read.
func TestTolerance(t *testing.T) {
	refused := map[string]bool{
		"data as bin keys (old msgpack raw)": true, "packet nil": true, "map instead of array": true,
		"garbage": true, "empty payload": true, "streams adapter message on the same channel (msgpack map)": true,
		"JSON array text": true, "trailing bytes": true, "join leading space JSON": true, "truncated json": true,
		"old msgpack-js undefined (0xc4 as the value of rooms), issue 278": true,
		"json null-ish": true, "fetch without opts": true, "sse without data": true,
	}
	for _, in := range load[input](t, "redis-tolerance.json") {
		m, _, err := read(in.Channel, "PUBLISH", unhex(t, in.Hex))
		if (err != nil) != refused[in.Name] {
			t.Errorf("%s: %v", in.Name, err)
			continue
		}
		if err != nil || in.Kind != "broadcast" {
			continue
		}
		if m.Op != Broadcast || m.Args.Len() != 2 {
			t.Errorf("%s: %+v", in.Name, m)
		}
		want := ""
		switch {
		case strings.Contains(in.Name, "=[7]"):
			want = "7"
		case strings.Contains(in.Name, "=[r]"), strings.Contains(in.Name, "= string"):
			want = "r"
		}
		if got := strings.Join(m.Target.Rooms, ","); got != want {
			t.Errorf("%s: rooms %q, want %q", in.Name, got, want)
		}
		if other := m.Namespace == "/other"; other != (in.Name == "wrong nsp") {
			t.Errorf("%s: namespace %q", in.Name, m.Namespace)
		}
	}
}
