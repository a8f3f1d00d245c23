package msgpack_test

import (
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/server/packet"
	"github.com/seed3686fee0/parlor/server/packet/msgpack"
)

// Each benchmark is the same packet in both parsers: JSON is what MessagePack
// is measured against.
var benchmarks = []struct {
	name   string
	values []any
}{
	{"small", []any{map[string]any{"text": "hello"}}},
	{"chat", []any{map[string]any{"room": "lobby", "text": "the quick brown fox jumps over the lazy dog", "seq": 1234}}},
	{"cursor", []any{[]any{0.123456, 0.654321}}},
	{"8KiB text", []any{strings.Repeat("x", 8<<10)}},
	{"8KiB bytes", []any{make([]byte, 8<<10)}},
	{"32 binary parts", parts(32)},
	{"64KiB objects", []any{objects(1100)}},
}

func parts(n int) (list []any) {
	for range n {
		list = append(list, make([]byte, 64))
	}
	return list
}

func objects(n int) (list []any) {
	for i := range n {
		list = append(list, map[string]any{"id": i, "name": "some name", "tags": []any{"a", "b"}, "on": true})
	}
	return list
}

func each(b *testing.B, f func(b *testing.B, parser packet.Parser, p *packet.Packet)) {
	for _, bench := range benchmarks {
		args, err := packet.EventArgs("message", bench.values...)
		if err != nil {
			b.Fatal(err)
		}
		for _, parser := range []packet.Parser{packet.JSON{}, msgpack.Parser{}} {
			b.Run(bench.name+"/"+parser.Name(), func(b *testing.B) {
				b.ReportAllocs()
				f(b, parser, &packet.Packet{Type: packet.Event, Namespace: "/chat", Args: args})
			})
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	each(b, func(b *testing.B, parser packet.Parser, p *packet.Packet) {
		dst := make([]byte, 0, 128<<10)
		size := 0
		for b.Loop() {
			message, attachments, err := parser.Append(dst, p)
			if err != nil {
				b.Fatal(err)
			}
			size = len(message)
			for _, a := range attachments {
				size += len(a)
			}
		}
		b.ReportMetric(float64(size), "wire-B")
	})
}

func BenchmarkDecode(b *testing.B) {
	each(b, func(b *testing.B, parser packet.Parser, p *packet.Packet) {
		message, attachments, err := parser.Append(nil, p)
		if err != nil {
			b.Fatal(err)
		}
		d := parser.Decoders(packet.Limits{MaxAttachments: 100})()
		for b.Loop() {
			if parser.Binary() {
				p, err = d.Binary(message)
			} else {
				p, err = d.Text(message)
				for _, a := range attachments {
					p, err = d.Binary(a)
				}
			}
			if err != nil || p == nil {
				b.Fatal(err)
			}
		}
	})
}
