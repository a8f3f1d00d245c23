// Package wire is a test client that speaks the protocols byte by byte: HTTP requests of any shape,
// WebSocket frames of any shape, polling payloads, and transcripts of a conversation kept as text files.
//
// It is deliberately not a Socket.IO client. It keeps no state that a server could rely on, answers
// nothing by itself (not even a heartbeat), and can be told to break every rule: to lie about a length,
// to leave out a mask, to send a request twice. What it receives it reads strictly: a frame that
// RFC 6455 does not allow a server to send is an error.
//
// Every operation has a deadline, so a server that hangs fails a test instead of stopping it.
//
// The three ways to talk to a server, from the rawest:
//
//   - [Conn], a TCP connection that sends given bytes and reads HTTP responses;
//   - [WS] and [Poll], one Engine.IO transport each;
//   - [Session], what both have in common, for tests that hold on every transport (see [Open]).
//
// A [Transcript] is a conversation in a file; [Transcript.Run] plays it.
package wire
