// Package e2e holds the tests that look at the server from where its users stand: through the real
// socket.io-client, see package jstest, and through a browser.
//
// The tests named TestBehaviourNN are about one numbered behaviour each, of those that a compatible server
// must match and that ports are known to get wrong. The rows that only exact bytes show are tested beside
// package wire.
package e2e
