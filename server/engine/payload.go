package engine

import (
	"bytes"
	"encoding/base64"
	"errors"
	"unicode/utf8"
)

// separator stands between the packets of a polling payload (Engine.IO 4).
const separator = 0x1e

// maxPayloadPackets bounds the packets of one payload, each of which has a cost.
const maxPayloadPackets = 10_000

var (
	errPayload      = errors.New("malformed payload")
	errPayloadUTF8  = errors.New("payload is not valid UTF-8")
	errPayloadCount = errors.New("too many packets in a payload")
)

// An inPacket is one packet of a payload: of a kind, or binary.
type inPacket struct {
	kind   byte
	binary bool
	data   []byte
}

// parsePayload takes a payload apart. All of it is checked before any of it is
// acted on. The packets alias body.
func parsePayload(body []byte) ([]inPacket, error) {
	if !utf8.Valid(body) {
		return nil, errPayloadUTF8
	}
	n := bytes.Count(body, []byte{separator}) + 1
	if n > maxPayloadPackets {
		return nil, errPayloadCount
	}
	packets := make([]inPacket, 0, n)
	for part := range bytes.SplitSeq(body, []byte{separator}) {
		p, err := parsePacket(part)
		if err != nil {
			return nil, err
		}
		packets = append(packets, p)
	}
	return packets, nil
}

func parsePacket(part []byte) (inPacket, error) {
	if len(part) == 0 {
		return inPacket{}, errPayload
	}
	switch kind := part[0]; {
	case kind == 'b':
		data := make([]byte, base64.StdEncoding.DecodedLen(len(part)-1))
		n, err := base64.StdEncoding.Strict().Decode(data, part[1:])
		if err != nil {
			return inPacket{}, errPayload
		}
		return inPacket{kind: packetMessage, binary: true, data: data[:n]}, nil
	case kind >= packetOpen && kind <= packetNoop:
		return inPacket{kind: kind, data: part[1:]}, nil
	default:
		return inPacket{}, errPayload
	}
}

// takePayload takes what is queued, up to the limit of a payload but at least
// one packet; or the close packet when the session is at its end. The caller
// holds mu.
func (s *Session) takePayload() []byte {
	var body []byte
	var sent load
	limit := int(s.server.opts.MaxPayload)
	for s.first != nil {
		p := s.first.polled()
		if len(body) > 0 {
			if len(body)+1+len(p) > limit {
				break
			}
			body = append(body, separator)
		}
		body = append(body, p...)
		sent.add(s.first)
		s.pop()
	}
	s.flow().out(sent)
	// The close packet has a payload of its own: the reference client acts on
	// it before it acts on messages that came in the same one.
	if len(body) == 0 && s.state.Load() != stateOpen {
		s.over()
		if s.poll.bye {
			return noopPacket.payload()
		}
		return []byte{packetClose}
	}
	return body
}

// pop removes the head of the queue. The caller holds mu.
func (s *Session) pop() {
	s.queued -= s.first.cost()
	if len(s.queue) == 0 {
		s.first = nil
		return
	}
	s.first = s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	if len(s.queue) == 0 {
		s.queue = nil
	}
}
