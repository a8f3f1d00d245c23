package msgpack

import (
	"fmt"

	"github.com/seed3686fee0/parlor/internal/msgjson"
	"github.com/seed3686fee0/parlor/server/packet"
)

// DefaultMaxAttachments is how many binary parts a packet may have when
// [packet.Limits] do not say. It is more than the ten of the JSON parser, since
// they are no messages of their own here.
const DefaultMaxAttachments = 256

// Parser is the MessagePack parser. Its zero value is ready for use.
type Parser struct{}

var _ packet.Parser = Parser{}

// Name implements [packet.Parser].
func (Parser) Name() string { return "msgpack" }

// Binary implements [packet.Parser].
func (Parser) Binary() bool { return true }

// Decoders implements [packet.Parser].
func (Parser) Decoders(limits packet.Limits) func() packet.MessageDecoder {
	if limits.MaxAttachments <= 0 {
		limits.MaxAttachments = DefaultMaxAttachments
	}
	parts := packet.NewDecoders(limits)
	return func() packet.MessageDecoder { return &decoder{parts(), limits.MaxAttachments} }
}

// Append implements [packet.Parser]: {type, data, id, nsp}, in Node's order. No
// messages follow.
func (Parser) Append(dst []byte, p *packet.Packet) (message []byte, attachments [][]byte, err error) {
	payload, binary, err := p.Payload()
	if err != nil {
		return dst, nil, err
	}
	kind := p.Type.Plain()
	members := byte(2) // type and nsp
	if payload != "" || kind == packet.Ack {
		members++
	}
	if p.HasID {
		members++
	}
	const fixMap = 0x80
	out := append(dst, fixMap|members)
	out = append(append(out, "\xa4type"...), byte(kind))
	switch {
	case kind == packet.Event || kind == packet.Ack:
		out, err = msgjson.AppendList(append(out, "\xa4data"...), payload, binary)
	case payload != "":
		out, err = msgjson.Append(append(out, "\xa4data"...), payload, nil)
	}
	if err != nil {
		return dst, nil, fmt.Errorf("%w: %w", packet.ErrEncode, err)
	}
	if p.HasID {
		out = msgjson.AppendUint(append(out, "\xa2id"...), p.ID)
	}
	out = append(out, "\xa3nsp"...)
	if p.Namespace == "" || p.Namespace == "/" {
		return append(out, "\xa1/"...), nil, nil
	}
	return msgjson.AppendString(out, p.Namespace), nil, nil
}
