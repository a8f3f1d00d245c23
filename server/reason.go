package server

import "github.com/seed3686fee0/parlor/server/engine"

// Reason says why a socket was disconnected. The texts are those that Node's
// server gives its disconnect handlers; SlowConsumer and RateLimited are Parlor's
// own.
type Reason string

// The reasons of a disconnection.
const (
	// The connection has ended, for a reason of the engine's.

	TransportError     Reason = Reason(engine.TransportError)
	TransportClose     Reason = Reason(engine.TransportClose)
	ForcedClose        Reason = Reason(engine.ForcedClose)
	PingTimeout        Reason = Reason(engine.PingTimeout)
	ParseError         Reason = Reason(engine.ParseError)
	ServerShuttingDown Reason = Reason(engine.ServerShuttingDown)
	SlowConsumer       Reason = Reason(engine.SlowConsumer)

	// RateLimited: the client sent faster than its limits allow, under RateClose.
	RateLimited Reason = "rate limited"
	// ForcedServerClose is Node's for a connection that its server closes. No
	// socket ends with it here: those of the connection end first, with
	// ServerNamespaceDisconnect.
	ForcedServerClose Reason = "forced server close"
	// ClientNamespaceDisconnect: the client has left the namespace.
	ClientNamespaceDisconnect Reason = "client namespace disconnect"
	// ServerNamespaceDisconnect: the application has disconnected the socket.
	ServerNamespaceDisconnect Reason = "server namespace disconnect"
)

// Recoverable reports whether a client that was disconnected for this reason
// may come back to where it was: neither side wanted the end. It is the list
// of Node's socket.ts, RECOVERABLE_DISCONNECT_REASONS.
func (r Reason) Recoverable() bool {
	switch r {
	case TransportError, TransportClose, ForcedClose, PingTimeout, ServerShuttingDown, ForcedServerClose:
		return true
	}
	return false
}
