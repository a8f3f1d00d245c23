package packet

// A Parser is how packets are written as messages, after the option of that
// name of Node's server and client: both ends of a connection have the same, or
// do not understand each other. Its methods are safe for concurrent use.
type Parser interface {
	// Name is for logs.
	Name() string
	// Decoders returns what makes the decoders of connections, one each.
	Decoders(limits Limits) func() MessageDecoder
	// Binary reports whether the messages that Append makes are binary ones.
	Binary() bool
	// Append appends the message of a packet to dst and returns the binary
	// messages that have to follow it. See the function [Append], of which all
	// holds.
	Append(dst []byte, p *Packet) (message []byte, attachments [][]byte, err error)
}

// A MessageDecoder reads the messages of one connection, as [Decoder] does: all
// that is said of its methods holds.
type MessageDecoder interface {
	Text(data []byte) (*Packet, error)
	Binary(data []byte) (*Packet, error)
	Pending() *Packet
}

// JSON is the parser that every client has unless it was given another one:
// socket.io-parser's.
type JSON struct{}

// Name implements [Parser].
func (JSON) Name() string { return "json" }

// Decoders implements [Parser].
func (JSON) Decoders(limits Limits) func() MessageDecoder {
	decoder := NewDecoders(limits)
	return func() MessageDecoder { return decoder() }
}

// Binary implements [Parser].
func (JSON) Binary() bool { return false }

// Append implements [Parser].
func (JSON) Append(dst []byte, p *Packet) (message []byte, attachments [][]byte, err error) {
	return Append(dst, p)
}
