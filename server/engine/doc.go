// Package engine is an Engine.IO 4 server: sessions of ordered text and binary
// messages over HTTP long polling, over WebSocket, and across the upgrade from
// the one to the other. It knows nothing of Socket.IO.
//
// A [Server] is an [http.Handler]. For each new session it asks
// [Options.Open] for a [Receiver] before the first byte of the session is
// read, calls the receiver's Text and Binary for what the peer sends, one call
// at a time and in order, and its Closed exactly once. Messages leave by
// [Session.Send] in the order of the calls.
//
// # Who owns what
//
// A WebSocket session has one goroutine of its own, the reader, which is
// parked until the kernel has bytes and holds no buffer meanwhile. What it is
// sent is written by flushers, of which there is one for each processor at
// most; a writer goroutine of its own exists only while a write has to wait for
// the kernel, and for TLS while there is something to write. A polling session
// has none: it lives in the requests that serve it. Heartbeats are one runtime
// timer a session.
//
// A connection is counted in by whoever hijacks it and counted out by the last
// of its reader and whoever writes to it; the reader may go on as another
// goroutine, and writers come and go. Flushers are counted too.
// [Server.Shutdown] waits for the count.
//
// # Locks
//
// Session.mu guards a session's state and its queue and is held for a few
// instructions; wsConn.wmu is held by whoever hands bytes to the kernel, never
// while waiting for the kernel to take them; Server.mu guards the tables.
// Order: wmu before Session.mu before Server.mu. No lock is held while a
// receiver or a hook is called, nor while a connection is closed: that waits
// for callbacks of the connection, which take locks, and for a TLS peer.
package engine
