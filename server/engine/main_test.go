package engine_test

import (
	"testing"

	"go.uber.org/goleak"
)

// instead is what this binary does when it was not started for its tests.
var instead func()

// TestMain fails the run when a goroutine is left.
func TestMain(m *testing.M) {
	if instead != nil {
		instead()
		return
	}
	goleak.VerifyTestMain(m)
}
