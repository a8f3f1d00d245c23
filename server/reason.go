package server

import "github.com/seed3686fee0/parlor/server/engine"

// Reason says why a socket was disconnected. The texts are those that Node's
// server gives its disconnect handlers; SlowConsumer and RateLimited are Parlor's
// own.
type Reason string

// The reasons of a disconnection.
const (
	TransportError            = Reason(engine.TransportError)
	TransportClose            = Reason(engine.TransportClose)
	ForcedClose               = Reason(engine.ForcedClose)
	PingTimeout               = Reason(engine.PingTimeout)
	ParseError                = Reason(engine.ParseError)
	ServerShuttingDown        = Reason(engine.ServerShuttingDown)
	SlowConsumer              = Reason(engine.SlowConsumer)
	RateLimited               = Reason("rate limited")
	ForcedServerClose         = Reason("forced server close")
	ClientNamespaceDisconnect = Reason("client namespace disconnect")
	ServerNamespaceDisconnect = Reason("server namespace disconnect")
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
