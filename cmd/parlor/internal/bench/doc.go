// Package bench puts a load on a Socket.IO 4 server, any server, and reports what
// it did: what was delivered, lost, doubled or out of order, how long it took, and
// what it cost the server.
//
// [Run] connects clients, each with a reader goroutine of its own, has some of
// them send on a schedule that does not wait for the server (an open loop: the
// latency of an event counts from when it was to be sent, so that a server that
// stalls is not spared the events of that time), and checks at each receiver which
// numbers of which sender have come. A [Report] is what is left of it: as a text, as
// JSON, or as a page with plots.
package bench
