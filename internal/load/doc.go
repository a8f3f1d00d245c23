// Package load holds the tests of the server under load: bursts, clients that
// do not read, crowds. They count; none of them is decided by time.
package load
