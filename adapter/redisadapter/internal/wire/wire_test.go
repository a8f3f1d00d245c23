package wire

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/internal/corpus"
	"github.com/seed3686fee0/parlor/server/packet"
)

func args(t testing.TB, values ...any) packet.Args {
	t.Helper()
	a, err := packet.NewArgs(values...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func event1(t testing.TB) packet.Args {
	return args(t, "e", []byte{1, 2}, map[string]any{"b": []byte{3}, "x": nil}, "<\"\\ü\n>", 1.5, -3)
}

// messages are all there are, with all that can be in them.
func messages(t testing.TB) []Message {
	t.Helper()
	target := adapter.Target{Rooms: []string{"a", "b#c"}, Except: []string{`"`}}
	loud := target
	loud.Flags = adapter.Flags{Volatile: true, NoCompress: true}
	timed := loud
	timed.Timeout = 1500 * time.Millisecond
	info := adapter.SocketInfo{
		ID: "s", Rooms: []string{"s", "r"}, Data: args(t, map[string]any{"k": []byte{9}}).At(0),
		Handshake: adapter.Handshake{
			Headers: map[string]string{"host": "h"}, Time: "t", Address: "::1", XDomain: true, Secure: true,
			Issued: 1795217964903, URL: "/?a=b", Query: map[string]string{"a": "b"}, Auth: args(t, map[string]any{"token": "x"}).At(0),
		},
	}
	return []Message{
		{Op: Broadcast, Args: event1(t), Target: loud},
		{Op: Broadcast, Args: args(t, "plain")},
		{Op: Ask, RequestID: "q", Args: event1(t), Target: timed, WantsGone: true},
		{Op: Join, Target: target, Rooms: []string{"x", "y"}},
		{Op: Leave, Target: target, Rooms: []string{"x"}},
		{Op: Disconnect, Target: target, Close: true},
		{Op: Fetch, RequestID: "q", Target: target},
		{Op: ServerSide, Args: event1(t)},
		{Op: ServerSide, RequestID: "q", Args: args(t, "e", 1)},
		{Op: Sockets, RequestID: "q", Sockets: []adapter.SocketInfo{info, {ID: "t", Rooms: []string{}}}},
		{Op: Sockets, RequestID: "q"},
		{Op: Answer, RequestID: "q"},
		{Op: Answer, RequestID: "q", Args: args(t, map[string]any{"a": 1})},
		{Op: Answer, RequestID: "q", Args: event1(t)},
		{Op: Clients, RequestID: "q", Clients: 3},
		{Op: Acked, RequestID: "q"},
		{Op: Acked, RequestID: "q", Args: args(t, []byte{7})},
		{Op: Acked, RequestID: "q", Args: event1(t)},
		{Op: Acked, RequestID: "q", Gone: true},
	}
}

// shown is a message in a form that can be compared.
func shown(m *Message) string {
	var b strings.Builder
	for _, a := range m.Args.All() {
		fmt.Fprint(&b, plain(a), ";")
	}
	for _, s := range m.Sockets {
		fmt.Fprint(&b, s.ID, s.Rooms, plain(s.Data), plain(s.Handshake.Auth))
		s.Handshake.Auth = packet.Arg{}
		fmt.Fprintf(&b, "%+v", s.Handshake)
	}
	c := *m
	c.Args, c.Sockets = packet.Args{}, nil
	fmt.Fprintf(&b, "%+v", c)
	return b.String()
}

func TestRoundTrip(t *testing.T) {
	for _, m := range messages(t) {
		m.UID = "me"
		for _, form := range []string{"PUBLISH", "SPUBLISH"} {
			m, channel := m, "p#/n#"
			encode := AppendSharded
			if form == "PUBLISH" {
				encode = AppendClassic
				switch {
				case m.Op >= Sockets:
					channel = "p-response#/n#"
				case m.Op != Broadcast:
					channel = "p-request#/n#"
				}
			}
			if m.Op == Broadcast || m.Op == Ask || form == "SPUBLISH" {
				m.Namespace = "/n"
			}
			if form == "PUBLISH" && m.Op != Ask {
				m.Target.Timeout = 0
			}
			if form == "PUBLISH" && m.Op != Ask && m.Op != Broadcast {
				m.Target.Flags = adapter.Flags{}
			}
			payload, err := encode(&m)
			if err != nil {
				t.Fatalf("%v: %v", m.Op, err)
			}
			got, _, err := read(channel, form, string(payload))
			if err != nil {
				t.Errorf("%v: %v in %q", m.Op, err, payload)
				continue
			}
			if got, want := shown(got), shown(&m); got != want {
				t.Errorf("%s\n got %s\nwant %s\n%q", form, got, want, payload)
			}
		}
	}
}

// TestPlaceholders: an object that looks like a placeholder is data where there
// are no bytes; and a client may write a placeholder in other ways than usual.
func TestPlaceholders(t *testing.T) {
	d := packet.NewDecoder(packet.Limits{})
	if _, err := d.Text([]byte(`51-["e",{ "num":0 , "_placeholder" : true },{"_placeholder":true,"num":0}]`)); err != nil {
		t.Fatal(err)
	}
	p, err := d.Binary([]byte{7})
	if err != nil {
		t.Fatal(err)
	}
	data := args(t, "e", []any{map[string]any{"_placeholder": true, "num": 0}})
	for want, a := range map[string]packet.Args{
		"[e map[$bin:07] map[$bin:07]]":      p.Args,
		"[e [map[_placeholder:true num:0]]]": data,
	} {
		payload, err := AppendClassic(&Message{Op: Broadcast, Args: a})
		if err != nil {
			t.Fatal(err)
		}
		m, err := NewReader(1000).Broadcast(string(payload))
		if err != nil {
			t.Fatal(err)
		}
		var got []any
		for _, a := range m.Args.All() {
			got = append(got, plain(a))
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	deep := strings.Repeat("\x91", 100_000) + "\xc0"
	wide := "\xdd\xff\xff\xff\xff" + strings.Repeat("\xc0", 100)
	r := NewReader(1 << 20)
	for name, payload := range map[string]string{
		"deep": deep, "deep map": strings.Repeat("\x81\xa0", 100_000) + "\xc0", "wide": wide,
		"long text": "\xdb\xff\xff\xff\xffx", "long map": "\xdf\xff\xff\xff\xff", "long bytes": "\xc6\xff\xff\xff\xffx",
		"large": "\xc4" + strings.Repeat("x", 2<<20), "two": "\x01\x02", "none": "",
		"deep JSON": strings.Repeat(`{"a":`, 100_000), "two in JSON": `{"a":1},{}`, "large JSON": `{"a":"` + strings.Repeat("x", 2<<20) + `"}`,
	} {
		if _, err := r.value(payload); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	// The reader goes on.
	if a, err := r.value(`{"a":1}`); err != nil || a.Kind() != packet.Object {
		t.Error(err)
	}
	var many []any
	for range MaxAttachments + 1 {
		many = append(many, []byte{1})
	}
	payload, err := AppendClassic(&Message{Op: Broadcast, Args: args(t, append([]any{"e"}, many...)...)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Broadcast(string(payload)); err == nil {
		t.Error("an event with more attachments than clients take")
	}
	for _, name := range []string{"connect", "disconnect", "connect_error"} {
		payload, _ := AppendClassic(&Message{Op: Broadcast, Args: args(t, name)})
		if _, err := r.Broadcast(string(payload)); err == nil {
			t.Errorf("an event named %q", name)
		}
	}
}

// TestOtherAnswers reads answers as zishang520/socket.io-go-redis writes them.
func TestOtherAnswers(t *testing.T) {
	r := NewReader(1000)
	m, err := r.Response(`{"type":8,"requestId":"q","clientcount":2}`)
	if err != nil || m.Op != Clients || m.Clients != 2 {
		t.Errorf("%+v, %v", m, err)
	}
	m, err = r.Sharded(`{"uid":"u","nsp":"/","type":8,"data":{"requestId":"q"}}`)
	if err != nil || m.Op != Sockets || len(m.Sockets) != 0 {
		t.Errorf("%+v, %v", m, err)
	}
	m, err = r.Response(`{"requestId":"q","sockets":[{"id":"s","handshake":{"headers":{"User-Agent":["a","b"]}}}]}`)
	if err != nil || len(m.Sockets) != 1 || m.Sockets[0].Handshake.Headers["user-agent"] != "a, b" {
		t.Errorf("%+v, %v", m, err)
	}
	for _, sockets := range []string{`{}`, `"x"`, `7`} {
		if m, err := r.Sharded(`{"uid":"u","nsp":"/","type":8,"data":{"requestId":"q","sockets":` + sockets + `}}`); err == nil {
			t.Errorf("%s: %+v", sockets, m)
		}
	}
}

// TestRoomsInDoubt: what is no list of rooms is never read as everyone.
func TestRoomsInDoubt(t *testing.T) {
	r := NewReader(1000)
	for _, rooms := range []string{`[null]`, `[["r"]]`, `{"0":"r"}`, `true`, `7`, `[{}]`} {
		if m, err := r.Request(`{"type":4,"opts":{"rooms":` + rooms + `},"close":true}`); err == nil {
			t.Errorf("%s: %+v", rooms, m)
		}
	}
}

// FuzzRead reads anything as everything. What is understood can be written
// again and is then understood in the same way.
func FuzzRead(f *testing.F) {
	corpus.Add(f)
	for _, v := range load[vector](f, "redis-vectors.json") {
		f.Add(unhex(f, v.Hex))
	}
	for _, v := range load[input](f, "redis-tolerance.json") {
		f.Add(unhex(f, v.Hex))
	}
	f.Fuzz(func(t *testing.T, payload string) {
		for channel, command := range map[string]string{
			"p#/#": "PUBLISH", "p-request#/#": "PUBLISH", "p-response#/#": "PUBLISH", "s": "SPUBLISH",
		} {
			m, sharded, err := read(channel, command, payload)
			if err != nil {
				continue
			}
			if m.Op == Broadcast || m.Op == Ask {
				p := packet.Packet{Type: packet.Event, Args: m.Args}
				text, att, err := packet.Append(nil, &p)
				if err != nil {
					t.Fatalf("%q cannot be sent to a client: %v", payload, err)
				}
				d := packet.NewDecoder(packet.Limits{MaxDepth: 1024, MaxArgs: 1 << 20, MaxEventName: 1 << 20, MaxBytes: 1 << 30})
				if _, err = d.Text(text); err != nil {
					t.Fatalf("clients cannot read %q: %v", text, err)
				}
				for _, b := range att {
					if _, err := d.Binary(b); err != nil {
						t.Fatal(err)
					}
				}
			}
			if m.Op == ListIDs || m.Op == ListRooms || m.SocketID != "" {
				continue
			}
			encode := AppendClassic
			if sharded {
				encode = AppendSharded
			}
			again, err := encode(m)
			if err != nil {
				t.Fatalf("%q: %v", payload, err)
			}
			m2, _, err := read(channel, command, string(again))
			if err != nil {
				t.Fatalf("%q was %q: %v", again, payload, err)
			}
			if third, err := encode(m2); err != nil || !reflect.DeepEqual(again, third) {
				t.Fatalf("%q\n%q\n%q", payload, again, third)
			}
		}
	})
}
