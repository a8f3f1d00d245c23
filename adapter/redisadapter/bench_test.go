package redisadapter

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/wire"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/server/packet"
)

// What a chat sends: a name, and an object of some 150 bytes.
func chatEvent() packet.Args {
	return event("message", map[string]any{
		"id": "0193f2a4-7d11-7a52-9f0e-1c3b5d7e9fab", "room": "lobby", "user": "someone", "time": int64(1795217964903),
		"text": "the quick brown fox jumps over the lazy dog, and then some",
	}).Packet().Args
}

func BenchmarkEncode(b *testing.B) {
	for name, f := range map[string]form{"classic": classic{prefix: "socket.io"}, "sharded": sharded{prefix: "socket.io", mode: Dynamic}} {
		b.Run(name, func(b *testing.B) {
			args := chatEvent()
			b.ReportAllocs()
			for b.Loop() {
				m := wire.Message{Op: wire.Broadcast, UID: "0123456789abcdef", Args: args, Target: adapter.Target{Rooms: []string{"lobby"}}}
				if _, err := f.encode(&m, "/chat", ""); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, f := range map[string]form{"classic": classic{prefix: "socket.io"}, "sharded": sharded{prefix: "socket.io", mode: Dynamic}} {
		b.Run(name, func(b *testing.B) {
			out, err := f.encode(&wire.Message{Op: wire.Broadcast, UID: "x", Args: chatEvent(), Target: adapter.Target{Rooms: []string{"lobby"}}}, "/chat", "")
			if err != nil {
				b.Fatal(err)
			}
			e := link.Event{Sub: link.Sub{Kind: link.Pattern}, Channel: out.Channel, Payload: string(out.Payload)}
			r := wire.NewReader(1 << 20)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := f.decode(r, "/chat", &e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A counter is a member that only counts.
type counter struct {
	member

	n *atomic.Int64
}

func (c *counter) Deliver(*packet.Shared, adapter.Flags) bool {
	c.n.Add(1)
	return false
}

// BenchmarkBurst is one broadcast of a burst of 2,000, to a room with 250 members
// on each of two instances, until all have it; an iteration is one delivery. What
// a member does with it is not in it.
func BenchmarkBurst(b *testing.B) {
	const burst, each = 2000, 250
	server := redistest.Start(b)
	for name, on := range map[string]clusters{"classic": onRedis, "sharded": onShards} {
		b.Run(name, func(b *testing.B) {
			nodes, _ := startAll(b, 2, on(b, server.Addr))
			var got atomic.Int64
			for i, n := range nodes {
				for k := range each {
					id := fmt.Sprint("c", i, ".", k)
					n.Add(&counter{member{id: id}, &got})
					n.Join(id, "lobby")
				}
			}
			eventually(b, "subscriptions", func() bool { return nodes[0].line.settled() && nodes[1].line.settled() })
			p := packet.NewShared(packet.Packet{Type: packet.Event, Namespace: "/g", Args: chatEvent()})
			want := int64(0)
			b.ResetTimer()
			for n := 0; n < b.N; {
				for range burst {
					nodes[0].Broadcast(p, adapter.Target{Rooms: []string{"lobby"}})
					want += 2 * each
					n += 2 * each
				}
				eventually(b, "all have it", func() bool { return got.Load() == want })
			}
		})
	}
}
