package adapter_test

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/packet"
)

// quiet is a host that wants nothing.
type quiet struct{}

func (quiet) Namespace() string                              { return "/" }
func (quiet) Logger() *slog.Logger                           { return slog.New(slog.DiscardHandler) }
func (quiet) WantsRoomEvents() bool                          { return false }
func (quiet) RoomEvents([]adapter.RoomEvent)                 {}
func (quiet) NextAckID() uint64                              { return 0 }
func (quiet) ServerSideEvent(packet.Args, func(packet.Args)) {}

// sink is a member that counts what it is given.
type sink struct {
	id string
	n  int
}

func (s *sink) ID() string                                                      { return s.id }
func (s *sink) Deliver(*packet.Shared, adapter.Flags) bool                      { s.n++; return false }
func (s *sink) Flush()                                                          {}
func (s *sink) Ask(*packet.Shared, adapter.Flags, func(packet.Args, bool)) bool { return false }
func (s *sink) Forget(uint64)                                                   {}
func (s *sink) Disconnect(bool)                                                 {}
func (s *sink) Describe() adapter.SocketInfo                                    { return adapter.SocketInfo{ID: s.id} }

func crowd(n int, rooms ...string) (*adapter.Memory, []*sink) {
	m := adapter.NewMemory(quiet{})
	sinks := make([]*sink, n)
	for i := range sinks {
		sinks[i] = &sink{id: fmt.Sprint("member", i)}
		m.Add(sinks[i])
		m.Join(sinks[i].id, rooms...)
	}
	return m, sinks
}

func aPacket() *packet.Shared {
	args, err := packet.EventArgs("e", 1)
	if err != nil {
		panic(err)
	}
	return packet.NewShared(packet.Packet{Type: packet.Event, Namespace: "/", Args: args})
}

var targets = map[string]adapter.Target{
	"all":    {},
	"room":   {Rooms: []string{"r"}},
	"rooms":  {Rooms: []string{"r", "s"}},
	"except": {Rooms: []string{"r"}, Except: []string{"member0", "x"}},
}

// TestBroadcastAllocBudget: what a broadcast allocates does not depend on how
// many it reaches, and is nothing.
func TestBroadcastAllocBudget(t *testing.T) {
	for name, target := range targets {
		for _, n := range []int{1, 1000} {
			m, _ := crowd(n, "r", "s")
			p := aPacket()
			if got := testing.AllocsPerRun(100, func() { m.Broadcast(p, target) }); got > 0 {
				t.Errorf("%s, %d members: %v allocations", name, n, got)
			}
		}
	}
}

// TestJoinAllocBudget: one who joins and leaves a room that others are in
// costs nothing that remains, and a room of its own one allocation for the
// room and one for its members.
func TestJoinAllocBudget(t *testing.T) {
	m, _ := crowd(100, "r")
	m.Join("member0", "s") // so that its list of rooms has space
	m.Leave("member0", "s")
	names := []string{"t"}
	if got := testing.AllocsPerRun(100, func() { m.Join("member1", "r"); m.Leave("member1", "r"); m.Join("member1", "r") }); got > 0 {
		t.Errorf("a room of others: %v allocations", got)
	}
	if got := testing.AllocsPerRun(100, func() { m.Join("member0", names...); m.Leave("member0", names...) }); got > 2 {
		t.Errorf("a new room: %v allocations", got)
	}
}

func BenchmarkBroadcast(b *testing.B) {
	for _, n := range []int{1, 100, 1000, 10_000} {
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			m, _ := crowd(n, "r")
			p, target := aPacket(), adapter.Target{Rooms: []string{"r"}}
			b.ReportAllocs()
			for b.Loop() {
				m.Broadcast(p, target)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/member")
		})
	}
}

// BenchmarkBroadcastRooms is about telling those apart who are in several.
func BenchmarkBroadcastRooms(b *testing.B) {
	m, _ := crowd(1000, "r", "s", "t")
	p, target := aPacket(), adapter.Target{Rooms: []string{"r", "s", "t"}, Except: []string{"member0"}}
	b.ReportAllocs()
	for b.Loop() {
		m.Broadcast(p, target)
	}
}

func BenchmarkJoinLeave(b *testing.B) {
	for _, n := range []int{1, 100, 10_000} {
		b.Run(fmt.Sprintf("members=%d", n), func(b *testing.B) {
			m, _ := crowd(n, "r")
			m.Add(&sink{id: "x"})
			b.ReportAllocs()
			for b.Loop() {
				m.Join("x", "r")
				m.Leave("x", "r")
			}
		})
	}
}

// BenchmarkJoinLeaveMany is about one who is in 1,000 rooms: alone there, or with
// many others.
func BenchmarkJoinLeaveMany(b *testing.B) {
	for _, others := range []int{0, 2000} {
		b.Run(fmt.Sprintf("others=%d", others), func(b *testing.B) {
			m, _ := crowd(others, "a room, number 999")
			m.Add(&sink{id: "x"})
			for i := range 999 {
				m.Join("x", fmt.Sprint("a room, number ", i))
			}
			b.ReportAllocs()
			for b.Loop() {
				m.JoinWithin(1000, "x", "a room, number 999")
				m.Leave("x", "a room, number 999")
			}
		})
	}
}

func BenchmarkAddRemove(b *testing.B) {
	m, _ := crowd(1000, "r")
	x := &sink{id: "x"}
	b.ReportAllocs()
	for b.Loop() {
		m.Add(x)
		m.Join("x", "r")
		m.Remove("x")
	}
}
