package msgpack_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strconv"
	"testing"

	"github.com/seed3686fee0/parlor/server/packet"
	"github.com/seed3686fee0/parlor/server/packet/msgpack"
)

// A vector is a message between Node's server and client; see testdata/capture.mjs.
type vector struct {
	Name, From, Hex string
	Packet          struct {
		Type packet.Type
		NSP  string
		ID   *uint64
		Data json.RawMessage
	}
}

func vectors(t testing.TB) (list []vector) {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func (v vector) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(v.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decode(message []byte) (*packet.Packet, error) {
	return msgpack.Parser{}.Decoders(packet.Limits{})().Binary(message)
}

// plain is an argument in the notation of the vectors.
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

// shown is what can be compared of a packet.
func shown(p *packet.Packet) string {
	list := []any{}
	for _, a := range p.Args.All() {
		list = append(list, plain(a))
	}
	id := ""
	if p.HasID {
		id = strconv.FormatUint(p.ID, 10)
	}
	text, err := json.Marshal([]any{p.Type.String(), p.Namespace, id, list})
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func (v vector) shown(t testing.TB) string {
	t.Helper()
	var data any
	if v.Packet.Data != nil {
		if err := json.Unmarshal(v.Packet.Data, &data); err != nil {
			t.Fatal(err)
		}
	}
	list, ok := data.([]any)
	switch {
	case ok:
	case data == nil:
		list = []any{}
	default:
		list = []any{data}
	}
	id := ""
	if v.Packet.ID != nil {
		id = strconv.FormatUint(*v.Packet.ID, 10)
	}
	text, err := json.Marshal([]any{v.Packet.Type.String(), v.Packet.NSP, id, list})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestVectors reads what Node's client and server were seen to send, and writes
// it again: the server's to the byte, but where Node says what nobody reads.
func TestVectors(t *testing.T) {
	differs := map[string]string{
		"connect": "pid is undefined", "namespace": "pid is undefined",
		"nothing": "undefined is null", "not numbers": "null", "date": "text",
		"Uint8Array": "bin", "ArrayBuffer": "bin",
		"acknowledgement": "id comes first", "acknowledgement without values": "id comes first",
	}
	same := 0
	for _, v := range vectors(t) {
		message := v.bytes(t)
		if v.Packet.Type == packet.ConnectError {
			continue // a client does not send one
		}
		p, err := decode(bytes.Clone(message))
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		if got, want := shown(p), v.shown(t); got != want {
			t.Errorf("%s:\n got %s\nwant %s", v.Name, got, want)
		}
		again, attachments, err := msgpack.Parser{}.Append([]byte("x"), p)
		if err != nil || attachments != nil || again[0] != 'x' {
			t.Errorf("%s: %v, %v", v.Name, attachments, err)
			continue
		}
		if p2, err := decode(again[1:]); err != nil || shown(p2) != shown(p) {
			t.Errorf("%s: comes back as %v, %v", v.Name, p2, err)
		}
		if v.From != "server" {
			continue
		}
		if bytes.Equal(again[1:], message) {
			same++
		} else if differs[v.Name] == "" {
			t.Errorf("%s:\n got %x\nwant %x", v.Name, again[1:], message)
		}
	}
	if same < 18 {
		t.Errorf("only %d are the same", same)
	}
}

// TestConnectError: the one type that is sent and not read.
func TestConnectError(t *testing.T) {
	for _, v := range vectors(t) {
		if v.Packet.Type != packet.ConnectError {
			continue
		}
		args, err := packet.NewArgs(v.Packet.Data)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := msgpack.Parser{}.Append(nil, &packet.Packet{Type: packet.ConnectError, Namespace: v.Packet.NSP, Args: args})
		if err != nil || hex.EncodeToString(got) != v.Hex {
			t.Errorf("%x, want %s; %v", got, v.Hex, err)
		}
	}
}

// TestArguments: handlers see what they would see of a JSON client.
func TestArguments(t *testing.T) {
	args, err := packet.EventArgs("e", "text", 7, []byte{1, 2}, map[string]any{"data": []byte{3}, "n": 1.5})
	if err != nil {
		t.Fatal(err)
	}
	message, _, err := msgpack.Parser{}.Append(nil, &packet.Packet{Type: packet.Event, Namespace: "/chat", HasID: true, ID: packet.MaxID, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	p, err := decode(message)
	if err != nil {
		t.Fatal(err)
	}
	var object struct {
		Data []byte  `json:"data"`
		N    float64 `json:"n"`
	}
	var name, text string
	var n int
	var data []byte
	if err := p.Args.Scan(&name, &text, &n, &data, &object); err != nil {
		t.Fatal(err)
	}
	if name != "e" || text != "text" || n != 7 || !bytes.Equal(data, []byte{1, 2}) || object.N != 1.5 || !bytes.Equal(object.Data, []byte{3}) {
		t.Error(name, text, n, data, object)
	}
	if p.Namespace != "/chat" || p.ID != packet.MaxID || p.Name() != "e" || p.Args.Attachments() != 2 {
		t.Errorf("%+v", p)
	}
	// A part of the arguments takes its attachments along, and JSON peers are
	// sent what they know.
	again, attachments, err := packet.Append(nil, &packet.Packet{Type: packet.Event, Args: p.Args.Slice(1).Slice(0)})
	if want := `52-["text",7,{"_placeholder":true,"num":0},{"data":{"_placeholder":true,"num":1},"n":1.5}]`; err != nil || string(again) != want ||
		!reflect.DeepEqual(attachments, [][]byte{{1, 2}, {3}}) {
		t.Errorf("%s %v %v", again, attachments, err)
	}
}

func TestAppendRefuses(t *testing.T) {
	two, err := packet.NewArgs(1, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []packet.Packet{
		{Type: packet.Event},
		{Type: packet.Ack},
		{Type: packet.Ack, HasID: true, ID: packet.MaxID + 1},
		{Type: packet.Connect, Args: two},
		{Type: packet.Disconnect, HasID: true},
		{Type: 9},
	} {
		if got, _, err := (msgpack.Parser{}).Append([]byte("x"), &p); !errors.Is(err, packet.ErrEncode) || string(got) != "x" {
			t.Errorf("%+v: %q, %v", p, got, err)
		}
	}
}
