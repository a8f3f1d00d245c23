//go:build race

package e2e_test

// raceEnabled reports whether the race detector watches, which makes every connection cost several times more.
const raceEnabled = true
