package server

import (
	"testing"
	"time"
)

// limited is what a connection needs to be counted against limits that it does
// not meet.
func limited() (*conn, *Limits) {
	l := Limits{EventsPerSecond: 1e9, EventBurst: 1e9, BytesPerSecond: 1e9, ByteBurst: 1e9}
	s := &Server{since: time.Now()}
	s.limits.Store(&l)
	return &conn{server: s}, &l
}

// TestRateAllocBudget: to count a packet allocates nothing.
func TestRateAllocBudget(t *testing.T) {
	c, l := limited()
	if got := testing.AllocsPerRun(1000, func() { c.affords(l, 1, 100) }); got > 0 {
		t.Errorf("%v allocations", got)
	}
	if c.server.counts.limited.Load() > 0 {
		t.Error("the limits were met")
	}
}

func BenchmarkRate(b *testing.B) {
	c, l := limited()
	b.ReportAllocs()
	for b.Loop() {
		c.affords(l, 1, 100)
	}
}
