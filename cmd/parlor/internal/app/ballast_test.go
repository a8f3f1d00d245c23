package app

import (
	"runtime"
	"runtime/metrics"
	"testing"
)

func TestBallastHasGarbageGather(t *testing.T) {
	held := ballast()
	runtime.GC()
	goal := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	metrics.Read(goal)
	runtime.KeepAlive(held)
	if n := goal[0].Value.Uint64(); n < 2*ballastSize {
		t.Errorf("the next collection is at %d bytes", n)
	}
}
