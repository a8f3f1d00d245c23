//go:build !race

package chat_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// A message costs one allocation more where it is kept: the text that is kept.
func TestHistoryAllocBudget(t *testing.T) {
	per := func(history int) float64 {
		r := testing.Benchmark(func(b *testing.B) {
			s := open(b, chat.Options{MessageRate: -1, History: history})
			ann := s.in("ann", "r")
			for range 200 { // until the history is full
				ann.call("message", `{"room":"r","content":"Hello there, how are you today?"}`)
				ann.events = ann.events[:0]
			}
			b.ResetTimer()
			for b.Loop() {
				ann.call("message", `{"room":"r","content":"Hello there, how are you today?"}`)
				ann.events = ann.events[:0]
			}
		})
		return float64(r.MemAllocs) / float64(r.N)
	}
	none, kept := per(-1), per(0)
	if kept-none > 1.5 {
		t.Errorf("%v allocations without history, %v with", none, kept)
	}
}

// What an idle socket costs in the store, connected and in one room with all.
func TestMemoryOfASocket(t *testing.T) {
	const n = 20_000
	type step struct {
		name   string
		budget uint64 // bytes a socket
		do     func(m *chat.Memory, id string)
	}
	ctx := t.Context()
	connect := func(m *chat.Memory, id string) { _, _ = m.SetStatus(ctx, id, id, chat.Online) }
	join := func(m *chat.Memory, id string) { _, _ = m.Join(ctx, "room", id, chat.User{ID: id, Name: id}, -1) }
	for _, s := range []step{
		{"connected, anonymous", 100, connect},
		{"connected and in a room, anonymous", 250, func(m *chat.Memory, id string) {
			connect(m, id)
			join(m, id)
		}},
	} {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = fmt.Sprintf("%020d", i)
		}
		m := chat.NewMemory(chat.MemoryOptions{})
		before := heap()
		for _, id := range ids {
			s.do(m, id)
		}
		got := (heap() - before) / n
		t.Logf("%s: %d bytes", s.name, got)
		if got > s.budget {
			t.Errorf("%s: %d bytes, the budget is %d", s.name, got, s.budget)
		}
		runtime.KeepAlive(m)
		runtime.KeepAlive(ids)
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
