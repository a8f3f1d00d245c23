package msgpack

import (
	"errors"

	"github.com/seed3686fee0/parlor/internal/msgjson"
	"github.com/seed3686fee0/parlor/server/packet"
)

// The reasons of a [packet.Error] that are not package packet's own.
const (
	reasonText      = "text where MessagePack is spoken"
	reasonSyntax    = "bad MessagePack"
	reasonShort     = "message ends early"
	reasonTrailing  = "bytes after the packet"
	reasonKey       = "a key that is not text"
	reasonExt       = "unknown extension type"
	reasonDepth     = "nested too deeply"
	reasonBytes     = "too many binary parts"
	reasonTwice     = "member given twice"
	reasonType      = "bad packet type"
	reasonNamespace = "bad namespace"
	reasonAckID     = "bad ack id"
	reasonPayload   = "bad payload"
)

var reasons = []struct {
	err    error
	reason string
}{
	{msgjson.ErrShort, reasonShort},
	{msgjson.ErrTrailing, reasonTrailing},
	{msgjson.ErrKey, reasonKey},
	{msgjson.ErrExt, reasonExt},
	{msgjson.ErrDepth, reasonDepth},
	{msgjson.ErrBytes, reasonBytes},
}

// A decoder reads the messages of one connection.
type decoder struct {
	parts          *packet.Decoder
	maxAttachments int
}

// Text implements [packet.MessageDecoder]: there is no packet that is text.
func (d *decoder) Text([]byte) (*packet.Packet, error) {
	return nil, &packet.Error{Reason: reasonText}
}

// Pending implements [packet.MessageDecoder]: every packet is one message.
func (d *decoder) Pending() *packet.Packet { return nil }

// Binary implements [packet.MessageDecoder].
func (d *decoder) Binary(data []byte) (*packet.Packet, error) {
	r := msgjson.NewReader(data)
	defer r.Free()
	r.MaxDepth, r.MaxAttachments = msgjson.MaxDepth, d.maxAttachments
	e := envelope{Reader: r}
	if reason := e.read(); reason != "" {
		return nil, &packet.Error{Reason: reason, Offset: r.Offset()}
	}
	p, err := d.parts.Packet(&e.parts)
	if bad, ok := errors.AsType[*packet.Error](err); ok {
		bad.Offset = e.payloadAt // of a place in a text that nobody has seen
	}
	return p, err
}

// An envelope is the map that a packet is.
type envelope struct {
	*msgjson.Reader
	parts     packet.Parts
	payloadAt int
}

// The members of an envelope that have a meaning.
const (
	memberType = 1 << iota
	memberNamespace
	memberID
	memberData
)

func (e *envelope) read() (reason string) {
	n, err := e.ReadMap()
	if err != nil {
		return reasonOf(err)
	}
	seen := 0
	for range n {
		key, err := e.ReadString()
		if err != nil {
			return reasonOf(err)
		}
		member := 0
		switch string(key) {
		case "type":
			member = memberType
		case "nsp":
			member = memberNamespace
		case "id":
			member = memberID
		case "data":
			member = memberData
		}
		if seen&member != 0 {
			return reasonTwice
		}
		seen |= member
		if reason := e.member(member); reason != "" {
			return reason
		}
	}
	switch {
	case seen&memberType == 0:
		return reasonType
	case seen&memberNamespace == 0:
		return reasonNamespace
	}
	return reasonOf(e.End())
}

// member reads the value of a member. The text of the payload stays; of the
// others, and of members without a meaning, nothing does.
func (e *envelope) member(member int) (reason string) {
	if member == memberNamespace {
		name, err := e.ReadString()
		if errors.Is(err, msgjson.ErrKey) || err == nil && len(name) == 0 {
			return reasonNamespace
		}
		e.parts.Namespace = name
		return reasonOf(err)
	}
	start, bytes, at := len(e.Text), len(e.Attachments), e.Offset()
	if err := e.ReadValue(); err != nil {
		return reasonOf(err)
	}
	text := e.Text[start:]
	if member == memberData {
		e.payload(text, at)
		return ""
	}
	switch member {
	case memberType:
		if len(text) != 1 || text[0] < '0' || text[0] > '4' {
			return reasonType
		}
		e.parts.Type = packet.Type(text[0] - '0')
	case memberID:
		if string(text) != "null" { // undefined
			var ok bool
			if e.parts.ID, ok = digits(text); !ok {
				return reasonAckID
			}
			e.parts.HasID = true
		}
	}
	e.Text, e.Attachments = e.Text[:start], e.Attachments[:bytes]
	return ""
}

// payload keeps what an event carries; null and undefined are nothing.
func (e *envelope) payload(text []byte, at int) {
	e.payloadAt = at
	if string(text) != "null" {
		e.parts.Payload, e.parts.Attachments = text, e.Attachments
	}
}

// digits reads an integer of at most 16 digits: a 2^53-1 has as many.
func digits(text []byte) (n uint64, ok bool) {
	if len(text) > 16 {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

func reasonOf(err error) string {
	if err == nil {
		return ""
	}
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.reason
		}
	}
	return reasonSyntax
}
