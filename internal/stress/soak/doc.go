// Package soak puts everything that clients and Redis do to servers on a few of them
// at once, for a while: steady traffic whose every message is accounted for, clients
// that come and go in all ways, clients that do not read, handlers that panic,
// upgrades by the crowd, refusals, malformed packets, and a Redis that is killed and
// stopped. It counts exactly, and looks for what grows: goroutines, heap and memory
// of the process.
//
// Servers and clients are in the test's process, so that the race detector sees the
// servers. The test is short unless the environment variable STRESS is set, as make
// stress does.
package soak
