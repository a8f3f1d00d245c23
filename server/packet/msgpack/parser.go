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
	payload, bytes, err := p.Payload()
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
	start := len(dst)
	dst = append(append(append(dst, fixMap|members), "\xa4type"...), byte(kind))
	switch {
	case kind == packet.Event || kind == packet.Ack:
		dst, err = msgjson.AppendList(append(dst, "\xa4data"...), payload, bytes)
	case payload != "":
		dst, err = msgjson.Append(append(dst, "\xa4data"...), payload, nil)
	}
	if err != nil {
		return dst[:start], nil, fmt.Errorf("%w: %w", packet.ErrEncode, err)
	}
	if p.HasID {
		dst = msgjson.AppendUint(append(dst, "\xa2id"...), p.ID)
	}
	dst = append(dst, "\xa3nsp"...)
	if p.Namespace == "" || p.Namespace == "/" {
		return append(dst, "\xa1/"...), nil, nil
	}
	return msgjson.AppendString(dst, p.Namespace), nil, nil
}
