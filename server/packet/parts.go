package packet

import (
	"math"
	"strconv"
)

// Parts are what a packet consists of, for an encoding that has taken them from
// a message of its own kind. Nothing of them has to be checked before.
type Parts struct {
	Type      Type // not BinaryEvent or BinaryAck
	HasID     bool
	ID        uint64
	Namespace []byte // nothing is "/"
	// Payload is JSON: an array for an Event or Ack, an object or nothing for a
	// Connect, nothing for a Disconnect. An attachment is the placeholder that
	// [AppendPlaceholder] writes, and nothing else may look like one where there
	// are attachments.
	Payload []byte
	// Attachments belong to the packet from now on.
	Attachments [][]byte
}

// Packet makes a packet of its parts, with the same limits and refusals as if
// they had come as messages. The error is an [*Error], with an offset in the
// payload. The payload is copied, once.
func (d *Decoder) Packet(parts *Parts) (*Packet, error) {
	switch {
	case d.pending != nil:
		return nil, d.fail(reasonTextAwaiting, 0)
	case len(parts.Payload) > math.MaxInt32:
		return nil, d.fail(reasonTooLarge, 0)
	case parts.HasID && parts.ID > MaxID:
		return nil, d.fail(reasonAckID, 0)
	case len(parts.Attachments) > d.limits.MaxAttachments:
		return nil, d.fail(reasonAttachments, 0)
	}
	in := &decoded{packet: Packet{Type: parts.Type, HasID: parts.HasID, ID: parts.ID, Namespace: "/"}}
	if name := string(parts.Namespace); name != "" && name != "/" && !d.name(&in.packet, name) {
		return nil, d.fail(reasonNamespace, 0)
	}
	if at, reason := d.assemble(in, string(parts.Payload), parts.Attachments); reason != "" {
		return nil, d.fail(reason, at)
	}
	return &in.packet, nil
}

func (d *Decoder) assemble(in *decoded, s string, attachments [][]byte) (at int, reason string) {
	switch in.packet.Type {
	case Connect:
		if in.packet.HasID || len(attachments) > 0 {
			return 0, reasonPayload
		}
		if s == "" {
			return 0, ""
		}
		return d.readPayload(in, s, 0)
	case Disconnect:
		if in.packet.HasID || s != "" {
			return 0, reasonPayload
		}
		return 0, ""
	case Event, Ack:
	default:
		return 0, reasonType // a CONNECT_ERROR is the server's to send
	}
	if at, reason = d.readEvent(in, s, 0); reason != "" || len(attachments) == 0 {
		return at, reason
	}
	bytes := int64(0)
	for i, b := range attachments {
		if b == nil {
			attachments[i] = []byte{}
		}
		if bytes += int64(len(b)); bytes > d.limits.MaxBytes {
			return 0, reasonBinaryTooLarge
		}
	}
	if n, at, ok := countPlaceholders(s, len(attachments)); !ok || n != len(attachments) {
		return at, reasonPlaceholder // data that looks like one
	}
	in.list.att = &attachmentList{list: attachments}
	return 0, ""
}

// AppendPlaceholder appends the JSON that stands for an attachment.
func AppendPlaceholder(dst []byte, num int) []byte {
	dst = append(dst, placeholderPrefix...)
	return append(strconv.AppendInt(dst, int64(num), 10), '}')
}
