package server

import (
	"errors"
	"fmt"
)

var (
	// ErrReserved: the name of an event is one of those that the protocol
	// keeps for itself.
	ErrReserved = errors.New("is a reserved event name")
	// ErrAckTimeout: no acknowledgement came in time. The text is Node's.
	ErrAckTimeout = errors.New("operation has timed out")
	// ErrDisconnected: the socket is closed.
	ErrDisconnected = errors.New("socket has been disconnected")
	// ErrTooManyAcks: more acknowledgements of a socket are outstanding than
	// Limits.PendingAcks.
	ErrTooManyAcks = errors.New("too many acknowledgements are outstanding")
	// ErrTooManyRooms: the socket is in as many rooms as Limits.RoomsPerSocket.
	ErrTooManyRooms = errors.New("too many rooms")
	// ErrRoomName: the name of a room is longer than Limits.RoomName.
	ErrRoomName = errors.New("room name is too long")
	// ErrDynamicNamespace: the namespaces that a pattern stands for have no
	// sockets of their own to ask for.
	ErrDynamicNamespace = errors.New("not supported on a dynamic namespace")
	// ErrNoAck: the client does not wait for an acknowledgement.
	ErrNoAck = errors.New("no acknowledgement is expected")
)

// A ClientError is an error that the client is told: the acknowledgement of
// its event is {ok: false, error: {code, message}}, or, when it waits for
// none, it gets an event "error" of {code, message, event}.
type ClientError struct {
	Code    string
	Message string
}

func (e *ClientError) Error() string { return e.Code + ": " + e.Message }

// A ConnectError refuses a socket its namespace with data beside the message:
// err.data of the client's connect_error. Any other error of a connect
// middleware refuses it too; its text is then the message.
type ConnectError struct {
	Message string
	Data    any
}

func (e *ConnectError) Error() string { return e.Message }

// A DisconnectError is the cause of the end of a socket's context.
type DisconnectError struct {
	Reason Reason
	Err    error // details, or nil
}

func (e *DisconnectError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%v: %s: %v", ErrDisconnected, e.Reason, e.Err)
	}
	return fmt.Sprintf("%v: %s", ErrDisconnected, e.Reason)
}

// Unwrap makes errors.Is find ErrDisconnected and the details.
func (e *DisconnectError) Unwrap() []error {
	if e.Err != nil {
		return []error{ErrDisconnected, e.Err}
	}
	return []error{ErrDisconnected}
}

// An IncompleteError is how the answers to a broadcast end when some did not
// come in time. It is an ErrAckTimeout.
type IncompleteError struct {
	// Missing is the number of clients that did not answer.
	Missing int
	// Instances is the number of servers that did not say how many clients
	// they have asked.
	Instances int
}

func (e *IncompleteError) Error() string {
	if e.Instances > 0 {
		return fmt.Sprintf("%v: %d clients and %d servers did not answer", ErrAckTimeout, e.Missing, e.Instances)
	}
	return fmt.Sprintf("%v: %d clients did not answer", ErrAckTimeout, e.Missing)
}

// Is reports whether target is ErrAckTimeout.
func (e *IncompleteError) Is(target error) bool { return target == ErrAckTimeout }

// A PanicError is a handler's panic, as the log has it.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }
