package packet

import (
	"errors"
	"strconv"
)

// ErrInvalid is what errors.Is finds in every error of a [Decoder]: the peer
// has broken the protocol and the connection should be closed.
var ErrInvalid = errors.New("packet: invalid packet")

// ErrEncode is what errors.Is finds in an error of [NewArgs] and [Append]: a value
// has no encoding, or the packet is none that the protocol can carry.
var ErrEncode = errors.New("packet: cannot encode")

// Error tells why a [Decoder] refused a message. It holds nothing of the message,
// so it is safe to log and to show.
type Error struct {
	// Reason is a fixed text, such as "bad ack id": fit for a metric's label.
	Reason string
	// Offset is where in the text message it was found, in bytes.
	Offset int
}

func (e *Error) Error() string {
	return "packet: " + e.Reason + " at byte " + strconv.Itoa(e.Offset)
}

// Is makes errors.Is(err, ErrInvalid) hold.
func (e *Error) Is(target error) bool { return target == ErrInvalid }

// The reasons of an Error. Their number is small and fixed.
const (
	reasonEmpty          = "empty message"
	reasonType           = "bad packet type"
	reasonTooLarge       = "message too large"
	reasonAttachments    = "bad number of attachments"
	reasonNamespace      = "bad namespace"
	reasonAckID          = "bad ack id"
	reasonPayload        = "bad payload"
	reasonTrailing       = "data after the payload"
	reasonSyntax         = "bad JSON"
	reasonDepth          = "JSON nested too deeply"
	reasonArgs           = "too many arguments"
	reasonName           = "bad event name"
	reasonReserved       = "reserved event name"
	reasonPlaceholder    = "bad placeholder"
	reasonTextAwaiting   = "text while attachments are awaited"
	reasonBinaryUnasked  = "binary that no packet announced"
	reasonBinaryTooLarge = "attachments too large"
)
