package packet_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/server/packet"
)

var benchTexts = []struct{ name, text string }{
	{"small", `2["say",{"text":"hello"}]`},
	{"chat", `2/chat,12["message",{"room":"lobby","text":"the quick brown fox jumps over the lazy dog","seq":1234}]`},
	{"cursor", `2["cursor",[0.123456,0.654321]]`},
	{"ack", `317["ok",true]`},
	{"ten", `2["many",1,2,3,4,5,6,7,8,9]`},
	{"8KiB", `2["blob","` + strings.Repeat("x", 8<<10) + `"]`},
	{"64KiB objects", `2["list",[` + strings.Repeat(`{"id":12345,"name":"some name","tags":["a","b"],"on":true},`, 1100) + `null]]`},
}

func BenchmarkText(b *testing.B) {
	for _, bench := range benchTexts {
		b.Run(bench.name, func(b *testing.B) {
			text := []byte(bench.text)
			d := packet.NewDecoder(packet.Limits{})
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Text(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBinary(b *testing.B) {
	text := []byte(`51-["upload",{"_placeholder":true,"num":0},{"name":"a.png"}]`)
	data := make([]byte, 1024)
	d := packet.NewDecoder(packet.Limits{})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Text(text); err != nil {
			b.Fatal(err)
		}
		if _, err := d.Binary(data); err != nil {
			b.Fatal(err)
		}
	}
}

type message struct {
	Room string `json:"room"`
	Text string `json:"text"`
	Seq  int    `json:"seq"`
}

func BenchmarkDecode(b *testing.B) {
	p := mustDecode(b, benchTexts[1].text)
	object := p.Args.At(1)
	raw := object.AppendJSON(nil)
	b.Run("struct", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var m message
			if err := object.Decode(&m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("struct by encoding json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var m message
			if err := json.Unmarshal(raw, &m); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("any", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var v any
			if err := object.Decode(&v); err != nil {
				b.Fatal(err)
			}
		}
	})
	cursor := mustDecode(b, benchTexts[2].text).Args.At(1)
	b.Run("cursor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var xy [2]float64
			if err := cursor.Decode(&xy); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("string", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var s string
			if err := p.Args.At(0).Decode(&s); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("fields", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for name, v := range object.Fields() {
				if name == "text" {
					_, _ = v.Text()
				}
			}
		}
	})
}

func BenchmarkNewArgs(b *testing.B) {
	m := message{"lobby", "the quick brown fox jumps over the lazy dog", 1234}
	arg := mustDecode(b, benchTexts[1].text).Args.At(1)
	for _, bench := range []struct {
		name  string
		value any
	}{
		{"string", m.Text},
		{"arg", arg},
		{"struct", m},
		{"map", map[string]any{"room": m.Room, "text": m.Text, "seq": m.Seq}},
		{"map of any in struct", struct{ M any }{map[string]any{"room": m.Room, "text": m.Text, "seq": m.Seq}}},
		{"bytes", make([]byte, 64)},
		{"bytes in struct", struct{ Data []byte }{make([]byte, 64)}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := packet.EventArgs("message", bench.value); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppend(b *testing.B) {
	p := mustDecode(b, benchTexts[1].text)
	dst := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := packet.Append(dst, p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkShared(b *testing.B) {
	text := &packet.Format[*[]byte]{Name: "text", Encode: func(p *packet.Packet) (*[]byte, error) {
		out, _, err := packet.Append(nil, p)
		return &out, err
	}}
	s := packet.NewShared(*mustDecode(b, benchTexts[1].text))
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := packet.Encoding(s, text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := packet.Encoding(s, text); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}

func mustDecode(t testing.TB, text string) *packet.Packet {
	t.Helper()
	p, err := packet.NewDecoder(packet.Limits{}).Text([]byte(text))
	if err != nil || p == nil {
		t.Fatalf("Text(%.80q) = %v, %v", text, p, err)
	}
	return p
}
