package wire

import (
	"errors"
	"fmt"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/packet"
)

// Op is what a message asks for, or answers.
type Op uint8

// Requests, and after them what answers them.
const (
	Broadcast  Op = iota + 1 // an event for clients
	Ask                      // an event for clients that they acknowledge
	Join                     // sockets enter rooms
	Leave                    // sockets leave rooms
	Disconnect               // sockets are disconnected
	Fetch                    // describe sockets
	ServerSide               // an event for servers, with an answer if there is a request id
	ListIDs                  // name sockets; classic, of versions before 8
	ListRooms                // name rooms; classic

	Sockets // answers Fetch
	Names   // answers ListIDs and ListRooms, or only says that something is done
	Answer  // answers ServerSide
	Clients // answers Ask: how many are asked
	Acked   // answers Ask: what one of them says
)

// A Message is one message between instances, in either form.
type Message struct {
	Op        Op
	UID       string // of the sender, "" when it names none
	Namespace string // "" where the message names none
	RequestID string

	// Of requests that concern sockets. Target.Timeout is how long
	// acknowledgements are waited for; Local is not on the wire.
	Target adapter.Target
	// WantsGone: whoever asks wants to be told of clients that go before they
	// have acknowledged. Node does not ask that and must not be told.
	WantsGone bool

	Rooms []string // of Join and Leave
	Close bool     // of Disconnect: the connections too

	// Args of an event: its name, then its arguments. Of an answer: what it
	// says, of which Node sends and reads the first only.
	Args packet.Args
	// Gone: the client has gone. Of Acked.
	Gone bool

	Clients int                  // of Clients
	Sockets []adapter.SocketInfo // of Sockets
	Names   []string             // of Names
	IsRooms bool                 // Names are rooms'

	// SocketID is set in requests of versions before 8 that concern one socket
	// and want to be told by whoever has it that it is done.
	SocketID string
}

var (
	errType       = errors.New("unknown type")
	errShape      = errors.New("not of the shape that it should have")
	errRooms      = errors.New("rooms that are no list of names")
	errOptions    = errors.New("bad options")
	errEvent      = errors.New("not an event")
	errReserved   = errors.New("a reserved event name")
	errBinary     = errors.New("more binary parts than clients take")
	errNoRequest  = errors.New("no request id")
	errPacketType = errors.New("unknown packet type")
)

// walk calls f for the members of an object.
func walk(a packet.Arg, f func(name string, v packet.Arg) error) error {
	if a.Kind() != packet.Object {
		return errShape
	}
	for name, v := range a.Fields() {
		if err := f(name, v); err != nil {
			return err
		}
	}
	return nil
}

// text reads an identifier, which may be missing.
func text(a packet.Arg) (string, error) {
	switch a.Kind() {
	case packet.Null:
		return "", nil
	case packet.String:
		s, _ := a.Text()
		return s, nil
	case packet.Number:
		s, _ := a.Number()
		return s, nil
	}
	return "", errShape
}

// integer reads a small number that is not negative.
func integer(a packet.Arg) (int, error) {
	var f float64
	if a.Kind() != packet.Number || a.Decode(&f) != nil || f < 0 || f > 1<<31-1 || f != float64(int(f)) {
		return 0, errShape
	}
	return int(f), nil
}

// names reads a list of rooms: text, or numbers in Node. Other libraries write
// nothing, "" or an empty map for an empty list, and a text for a list of one.
// All else is refused, since no rooms means everyone.
func names(a packet.Arg) ([]string, error) {
	switch a.Kind() {
	case packet.Null:
		return nil, nil
	case packet.String:
		if s, _ := a.Text(); s != "" {
			return []string{s}, nil
		}
		return nil, nil
	case packet.Object:
		for range a.Fields() {
			return nil, errRooms
		}
		return nil, nil
	case packet.Array:
		var list []string
		for v := range a.Elements() {
			if k := v.Kind(); k != packet.String && k != packet.Number {
				return nil, errRooms
			}
			s, _ := text(v)
			list = append(list, s)
		}
		return list, nil
	}
	return nil, errRooms
}

// options reads {rooms, except, flags}. A text, or nothing, has none of them.
func options(a packet.Arg) (t adapter.Target, err error) {
	switch a.Kind() {
	case packet.Null:
		return t, nil
	case packet.Object:
	default:
		return t, errOptions
	}
	err = walk(a, func(name string, v packet.Arg) (err error) {
		switch name {
		case "rooms":
			t.Rooms, err = names(v)
		case "except":
			t.Except, err = names(v)
		case "flags":
			flags(&t, v)
		}
		return err
	})
	return t, err
}

// flags reads the flags that matter here; of the rest, and of what is not a map
// of flags, nothing follows.
func flags(t *adapter.Target, a packet.Arg) {
	if a.Kind() != packet.Object {
		return
	}
	for name, v := range a.Fields() {
		switch name {
		case "volatile":
			t.Flags.Volatile, _ = v.Bool()
		case "compress":
			on, is := v.Bool()
			t.Flags.NoCompress = is && !on
		case "timeout":
			if ms, err := integer(v); err == nil {
				t.Timeout = time.Duration(ms) * time.Millisecond
			}
		}
	}
}

// list reads an array as arguments.
func list(a packet.Arg) (packet.Args, error) {
	if a.Kind() != packet.Array {
		return packet.Args{}, errShape
	}
	var few [8]packet.Arg
	all := few[:0]
	for v := range a.Elements() {
		all = append(all, v)
	}
	return packet.Args{}.Append(all...), nil
}

// event reads the elements of an event for clients: a name that a client may be
// sent, and what clients can take.
func event(a packet.Arg) (packet.Args, error) {
	args, err := list(a)
	if err != nil {
		return args, err
	}
	name := args.At(0)
	if k := name.Kind(); k != packet.String && k != packet.Number {
		return args, errEvent
	}
	if s, _ := name.Text(); packet.Reserved(s) {
		return args, errReserved
	}
	if args.Attachments() > MaxAttachments {
		return args, errBinary
	}
	return args, nil
}

// packetOf reads {type, data, nsp}. An id is of another server's counter and
// means nothing here.
func packetOf(m *Message, a packet.Arg) error {
	found := false
	err := walk(a, func(name string, v packet.Arg) (err error) {
		switch name {
		case "type":
			// 5 is how old emitters mark binary events.
			if n, err := integer(v); err != nil || n != int(packet.Event) && n != int(packet.BinaryEvent) {
				return errPacketType
			}
		case "data":
			found = true
			m.Args, err = event(v)
		case "nsp":
			m.Namespace, err = text(v)
		}
		return err
	})
	if err == nil && !found {
		return errEvent
	}
	return err
}

// answer reads the value of an answer, and those after it.
func answer(m *Message, first packet.Arg, has bool, more packet.Arg) error {
	if !has {
		return nil
	}
	values := []packet.Arg{first}
	for v := range more.Elements() {
		values = append(values, v)
	}
	m.Args = packet.Args{}.Append(values...)
	return nil
}

// refuse says what is wrong with a message, for a log. It holds nothing of it.
func refuse(what string, err error) error { return fmt.Errorf("wire: %s: %w", what, err) }
