package engine

// Reason says why a session has ended. The texts are those of Node's engine.io
// and socket.io, which applications compare against; SlowConsumer is Parlor's own.
type Reason string

// reasons are those of this package.
var reasons = [...]Reason{TransportError, TransportClose, ForcedClose, PingTimeout, ParseError, ServerShuttingDown, SlowConsumer}

// The reasons of a session's end.
const (
	// TransportError: the peer broke the protocol of its transport, or a
	// request or connection failed half-way.
	TransportError Reason = "transport error"
	// TransportClose: the peer, or the network, closed the connection.
	TransportClose Reason = "transport close"
	// ForcedClose: the application closed the session.
	ForcedClose Reason = "forced close"
	// PingTimeout: no pong came in time.
	PingTimeout Reason = "ping timeout"
	// ParseError: the peer sent something that is not an Engine.IO packet.
	ParseError Reason = "parse error"
	// ServerShuttingDown: the server is being shut down.
	ServerShuttingDown Reason = "server shutting down"
	// SlowConsumer: the peer does not take what is sent to it, and the bound
	// of its queue, or the time that a write to a WebSocket may take, is exceeded.
	SlowConsumer Reason = "slow consumer"
)
