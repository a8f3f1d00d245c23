package servertest

import (
	"testing"
	"time"
)

// Eventually waits until a condition holds, [Patience] at most.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// Receive waits for a value of a channel, [Patience] at most.
func Receive[T any](t testing.TB, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(Patience):
		t.Fatalf("in vain: %s", what)
		panic("unreachable")
	}
}
