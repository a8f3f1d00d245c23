//go:build race

package packet_test

// raceEnabled: the race detector allocates, so that budgets do not hold.
const raceEnabled = true
