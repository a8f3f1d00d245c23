// Package conformance holds a Parlor server to its protocol, and to what it promises about bad input.
//
// Everything here is a test; the package has no other code. There are four kinds:
//
//   - testdata/*.txt are transcripts (see the wire package), played against a server with the handlers
//     of fixture_test.go. behaviour-NN carries the number of the documented behaviour.
//   - TestA01_… to TestD13_… give one malformed request, packet or frame each and check its refusal:
//     A is HTTP and polling, B the upgrade, C packets, D WebSocket frames.
//   - TestE01_… and TestH01_… are floods, crowds and limits, and what happens in the life of a server.
//   - TestAdvisoryNN_… replay the public advisories of this field, each against our server.
//
// In all of them the server lives in the test's process. A canary, an ordinary client, is connected
// before the case begins and has to get its echoes in time while it lasts and after it; when the
// attacker has left, sessions and goroutines must be back where they were, and the log must hold
// nothing above a warning and no session id. See startServer.
//
// Transcripts can be played against another server as well, to find out where the two differ: set
// WIRE_PEER to a command that takes the transcript's settings as arguments (name=value), has the same
// handlers, prints the port it listens on at 127.0.0.1, and ends with its standard input. Transcripts
// that say "ours" are left out then.
package conformance
