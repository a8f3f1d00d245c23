package packet

import (
	"fmt"
	"strconv"
)

// Append appends the text message of a packet to dst, without the "4" of
// Engine.IO, and returns the binary messages that have to follow it at once, with
// nothing in between. They are shared with p and must not be modified.
//
// It writes nothing that makes a client fail: an event always has a name, the
// type and the number of attachments follow from the arguments. The reference
// client takes at most 10 attachments and closes its connection on more, see
// [Args.Attachments]. That the namespace is valid, and that an event's name is
// not a [Reserved] one, is for the caller to see to.
//
// An error means that p cannot be encoded; errors.Is finds ErrEncode in it, and dst
// is returned as it was. Append may be called from several goroutines.
func Append(dst []byte, p *Packet) (text []byte, attachments [][]byte, err error) {
	payload, attachments, err := p.Payload()
	if err != nil {
		return dst, nil, err
	}
	kind := p.Type.Plain()
	if len(attachments) > 0 {
		dst = append(dst, '0'+byte(kind+BinaryEvent-Event))
		dst = strconv.AppendUint(dst, uint64(len(attachments)), 10)
		dst = append(dst, '-')
	} else {
		dst = append(dst, '0'+byte(kind))
	}
	if p.Namespace != "" && p.Namespace != "/" {
		dst = append(append(dst, p.Namespace...), ',')
	}
	if p.HasID {
		dst = strconv.AppendUint(dst, p.ID, 10)
	}
	switch kind {
	case Event, Ack:
		dst = append(dst, '[')
		dst = append(dst, payload...)
		dst = append(dst, ']')
	default:
		dst = append(dst, payload...)
	}
	return dst, attachments, nil
}

// Payload returns what a packet carries, for an encoding of another kind than
// [Append]'s: its arguments as JSON, separated by commas, and the attachments
// that the placeholders within refer to by their number. The attachments are
// shared with p and must not be modified. It refuses what Append refuses.
func (p *Packet) Payload() (text string, attachments [][]byte, err error) {
	args := p.Args
	switch kind := p.Type.Plain(); kind {
	case Event:
		if k := args.At(0).Kind(); k != String && k != Number {
			return "", nil, fmt.Errorf("%w: an event without a name", ErrEncode)
		}
	case Ack:
		if !p.HasID {
			return "", nil, fmt.Errorf("%w: an ack without an id", ErrEncode)
		}
	case Connect, Disconnect, ConnectError:
		if args.Len() > 1 || p.HasID || args.HasBinary() {
			return "", nil, fmt.Errorf("%w: %v has one payload, no attachments and no id", ErrEncode, kind)
		}
	default:
		return "", nil, fmt.Errorf("%w: unknown type", ErrEncode)
	}
	if p.HasID && p.ID > MaxID {
		return "", nil, fmt.Errorf("%w: ack id too high", ErrEncode)
	}
	if args.list != nil {
		if args.list.att != nil && args.Len() < args.list.count {
			args = args.Append() // only the attachments of this part
		}
		if args.list.forged {
			return "", nil, fmt.Errorf("%w: %w", ErrEncode, errPlaceholder)
		}
		if args.list.att != nil {
			attachments = args.list.att.list
		}
	}
	return args.joined(), attachments, nil
}

// joined returns the text of the arguments, comma separated.
func (a Args) joined() string {
	if a.Len() == 0 {
		return ""
	}
	return a.list.text[a.list.span(a.from).start:a.list.span(a.to-1).end]
}

// Attachments returns the number of binary messages that a packet with these
// arguments has.
func (a Args) Attachments() int {
	switch {
	case a.Len() == 0 || a.list.att == nil:
		return 0
	case a.Len() < a.list.count:
		return a.Append().Attachments()
	}
	return len(a.list.att.list)
}
