package packet

// Type is the kind of a packet, with its number on the wire.
type Type uint8

// The packet types of Socket.IO protocol 5.
const (
	Connect      Type = 0
	Disconnect   Type = 1
	Event        Type = 2
	Ack          Type = 3
	ConnectError Type = 4

	// BinaryEvent and BinaryAck are on the wire what Event and Ack with
	// attachments are. A decoded packet has the plain type, and an encoder
	// chooses by the arguments, so that nobody else has to tell them apart.
	BinaryEvent Type = 5
	BinaryAck   Type = 6
)

// String returns the name of the type as the protocol writes it.
func (t Type) String() string {
	switch t {
	case Connect:
		return "CONNECT"
	case Disconnect:
		return "DISCONNECT"
	case Event:
		return "EVENT"
	case Ack:
		return "ACK"
	case ConnectError:
		return "CONNECT_ERROR"
	case BinaryEvent:
		return "BINARY_EVENT"
	case BinaryAck:
		return "BINARY_ACK"
	}
	return "UNKNOWN"
}

// Plain returns the type that a packet has whatever its arguments.
func (t Type) Plain() Type {
	if t == BinaryEvent || t == BinaryAck {
		return t - (BinaryEvent - Event)
	}
	return t
}

// MaxID is the highest acknowledgement id: the greatest integer that a
// JavaScript peer holds exactly, 2^53-1.
const MaxID = 1<<53 - 1

// Packet is one Socket.IO packet. A packet that came out of a [Decoder], or that
// went into a [Shared], is not modified any more; then it may be read from
// several goroutines.
type Packet struct {
	Type Type
	// HasID tells that ID is there: the sender of an event waits for an
	// acknowledgement, or this is one.
	HasID bool
	// Namespace is "/" when the wire names none. An encoder takes "" for "/".
	Namespace string
	// ID is the acknowledgement id, at most MaxID.
	ID uint64
	// Args are the elements of the payload of an Event (the first is its name)
	// or of an Ack. Connect, ConnectError and Disconnect have at most one
	// element, the payload itself.
	Args Args
}

// Name returns the name of an event, and "" for any other type. A name that is
// a number on the wire is returned as its text. Like [Arg.Text] the result may
// share memory with the packet.
func (p *Packet) Name() string {
	if p.Type != Event && p.Type != BinaryEvent {
		return ""
	}
	first := p.Args.At(0)
	if name, ok := first.Text(); ok {
		return name
	}
	name, _ := first.Number()
	return name
}

// Reserved reports whether name is one of the event names that Socket.IO keeps
// for itself. A client that sends one is refused, and a server should not emit
// one: clients would take it for an event of their own library.
func Reserved(name string) bool {
	switch name {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}
