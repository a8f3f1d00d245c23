package metrics

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// E14: a namespace that a client has made up becomes no label, nor does an event
// that nobody handles.
func TestE14Labels(t *testing.T) {
	times := NewTimes("/", "/chat")
	times.Options()
	for i := range 100 {
		times.handled(fmt.Sprint("/made-up-", i), "", time.Second, errors.New("no"))
		times.acked(fmt.Sprint("/made-up-", i), "event", time.Second, nil)
		times.handled("/chat", "", time.Second, nil)
	}
	times.handled("/", "message", time.Second, nil)
	registry := prometheus.NewRegistry()
	registry.MustRegister(times.handlers, times.acks, times.errors)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series, failed := 0, 0.0
	for _, family := range families {
		series += len(family.GetMetric())
		for _, m := range family.GetMetric() {
			failed += m.GetCounter().GetValue()
		}
	}
	if series != 9 || failed != 100 { // of each three: "/", "/chat" and the others
		t.Errorf("%d series, want 9; %v errors, want 100", series, failed)
	}
}

func TestHandledAllocatesNothing(t *testing.T) {
	times := NewTimes("/")
	if n := testing.AllocsPerRun(100, func() { times.handled("/", "message", time.Second, nil) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// What it costs to measure an event.
func BenchmarkHandled(b *testing.B) {
	times := NewTimes("/", "/chat")
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			times.handled("/chat", "message", time.Millisecond, nil)
		}
	})
}
