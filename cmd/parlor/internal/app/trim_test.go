package app

import "testing"

func TestTrimmerFreesOnceACrowdIsOver(t *testing.T) {
	freed := 0
	trimmer := trimmer{free: func() { freed++ }}
	for _, step := range []struct {
		why         string
		connections int
		freed       int
	}{
		{"few are no crowd", 900, 0},
		{"still none", 900, 0},
		{"they are coming", 5_000, 0},
		{"still coming", 12_000, 0},
		{"it is over", 12_010, 1},
		{"once", 12_010, 1},
		{"some come and go", 13_000, 1},
		{"and stay", 13_000, 1},
		{"most leave", 3_000, 1},
		{"and are gone", 3_000, 2},
	} {
		trimmer.look(step.connections)
		if freed != step.freed {
			t.Fatalf("%s: freed %d times, want %d", step.why, freed, step.freed)
		}
	}
}
