//go:build !race

package server_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

// perRun is testing.AllocsPerRun for what several goroutines do.
func perRun(b func(b *testing.B)) float64 {
	r := testing.Benchmark(b)
	return float64(r.MemAllocs) / float64(r.N)
}

// TestEmitAllocBudget: an event to one socket is encoded once, into one buffer.
func TestEmitAllocBudget(t *testing.T) {
	r := serve(t)
	c, id := r.connect()
	drain(c)
	s := r.socket("/", id)
	check := func(t *testing.T) {
		if got := testing.AllocsPerRun(1000, func() { _ = s.Emit("e", 1) }); got > emitAllocs {
			t.Errorf("%v allocations, the budget is %d", got, emitAllocs)
		}
	}
	t.Run("unobserved", check)
	r.observe(&tally{})
	t.Run("observed", check)
}

// TestObserveAllocBudget: to be told of an event allocates nothing, neither where
// it is sent nor where it is received.
func TestObserveAllocBudget(t *testing.T) {
	if got := perRun(func(b *testing.B) { benchmarkEvents(b, 64, &tally{}) }); got > dispatchAllocs {
		t.Errorf("an event received: %v allocations, the budget is %d", got, dispatchAllocs)
	}
	if got := perRun(func(b *testing.B) { benchmarkBroadcast(b, 10, &tally{}) }); got > broadcastAllocs+1 {
		t.Errorf("an event to 10 sockets: %v allocations, the budget is %d", got, broadcastAllocs+1)
	}
}

// TestBroadcastAllocBudget: what a broadcast allocates does not grow with the
// number of those whom it reaches.
func TestBroadcastAllocBudget(t *testing.T) {
	per := func(members int) float64 {
		r := serve(t)
		read := make([]*atomic.Int64, members)
		for i := range read {
			c, id := r.connect()
			read[i] = drain(c)
			if err := r.socket("/", id).Join("r"); err != nil {
				t.Fatal(err)
			}
		}
		to := r.Of("/").To("r")
		want := int64(0)
		return testing.AllocsPerRun(200, func() {
			_ = to.Emit("e", 1)
			want += int64(len(`42["e",1]`) + 2)
			for _, n := range read { // the queues of all are empty again
				for n.Load() < want {
					time.Sleep(10 * time.Microsecond)
				}
			}
		})
	}
	one, many := per(1), per(101)
	if each := (many - one) / 100; each > 0.05 {
		t.Errorf("%v allocations for 1, %v for 101: %v a member", one, many, each)
	}
	if one > broadcastAllocs {
		t.Errorf("%v allocations, the budget is %d", one, broadcastAllocs)
	}
}

// TestDispatchAllocBudget: an event on its way from the wire to its handler.
func TestDispatchAllocBudget(t *testing.T) {
	got := perRun(func(b *testing.B) { benchmarkEvents(b, 64, nil) })
	if got > dispatchAllocs {
		t.Errorf("%v allocations, the budget is %d", got, dispatchAllocs)
	}
	if got := perRun(func(b *testing.B) { benchmarkEvents(b, 64, nil, server.WithLimits(wide)) }); got > dispatchAllocs {
		t.Errorf("with its rate limited: %v allocations, the budget is %d", got, dispatchAllocs)
	}
}

// The budgets: what it was when they were set, and a little.
const (
	emitAllocs      = 5
	broadcastAllocs = 6
	dispatchAllocs  = 3
)
