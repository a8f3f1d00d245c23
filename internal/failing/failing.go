// Package failing tells whether a test fails: a kit of tests for implementations
// that others write is itself tested with faulty ones, which it has to catch.
package failing

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// Fails runs a test, with its cleanups, and reports whether it fails. The test tb
// goes on either way; what was found is logged to it.
func Fails(tb testing.TB, test func(t testing.TB)) bool {
	tb.Helper()
	r := &record{TB: tb}
	done := make(chan struct{})
	go func() { // so that it may be ended by FailNow
		defer close(done)
		defer r.clean()
		test(r)
	}()
	<-done
	return r.Failed()
}

// A record is a test that may fail without failing the one that it is a part of.
type record struct {
	testing.TB

	mu       sync.Mutex
	failed   bool
	cleanups []func()
}

func (r *record) Helper() {}

func (r *record) Cleanup(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cleanups = append(r.cleanups, f)
}

// clean runs the cleanups, the last first. Each may end the goroutine, or add others.
func (r *record) clean() {
	r.mu.Lock()
	n := len(r.cleanups)
	if n == 0 {
		r.mu.Unlock()
		return
	}
	f := r.cleanups[n-1]
	r.cleanups = r.cleanups[:n-1]
	r.mu.Unlock()
	defer r.clean()
	f()
}

func (r *record) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *record) Fail() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
}

func (r *record) FailNow() {
	r.Fail()
	runtime.Goexit()
}

func (r *record) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }
func (r *record) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }

func (r *record) Errorf(format string, args ...any) {
	r.Fail()
	r.Logf("as it should: "+format, args...)
}

func (r *record) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	r.FailNow()
}
