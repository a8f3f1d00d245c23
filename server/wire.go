package server

import (
	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/engine"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A frames is a packet as the messages of a session: one, then its attachments
// if they are messages of their own. Most packets have none, and are one
// allocation beside the first message.
type frames struct {
	messages []*engine.Message
	first    engine.Message
	one      [1]*engine.Message
}

// A wire is how packets reach the Engine.IO sessions of a server, by its parser.
type wire struct {
	parser packet.Parser
	json   bool // the parser is packet's own
	// Formats are known by their addresses, so each server has the ones that it
	// made at its start.
	compressed, plain *packet.Format[*frames]
}

func newWire(parser packet.Parser) *wire {
	w := &wire{parser: parser}
	_, w.json = parser.(packet.JSON)
	w.compressed = &packet.Format[*frames]{Name: parser.Name(), Encode: w.encode}
	w.plain = &packet.Format[*frames]{Name: parser.Name() + ", not compressed", Encode: w.encodePlain}
	return w
}

func (w *wire) encode(p *packet.Packet) (*frames, error) {
	if w.json {
		return encodeJSON(p)
	}
	q := *p // what a method of an interface gets is on the heap
	return w.encodeWith(&q)
}

func encodeJSON(p *packet.Packet) (*frames, error) {
	// An event's text is rarely much longer than its arguments.
	text, attachments, err := packet.Append(engine.TextBuffer(p.Size()), p)
	if err != nil {
		return nil, err
	}
	f := &frames{}
	f.first.InitText(text)
	f.gather(attachments)
	return f, nil
}

func (w *wire) encodeWith(p *packet.Packet) (*frames, error) {
	buffer := engine.TextBuffer
	if w.parser.Binary() {
		buffer = engine.BinaryBuffer
	}
	message, attachments, err := w.parser.Append(buffer(p.Size()), p)
	if err != nil {
		return nil, err
	}
	f := &frames{}
	if w.parser.Binary() {
		f.first.InitBinary(message)
	} else {
		f.first.InitText(message)
	}
	f.gather(attachments)
	return f, nil
}

func (f *frames) gather(attachments [][]byte) {
	f.one[0] = &f.first
	f.messages = f.one[:]
	for _, b := range attachments {
		f.messages = append(f.messages, engine.NewBinary(b))
	}
}

func (w *wire) encodePlain(p *packet.Packet) (*frames, error) {
	f, err := w.encode(p)
	if err != nil {
		return nil, err
	}
	for _, m := range f.messages {
		m.NoCompress()
	}
	return f, nil
}

func (w *wire) format(f adapter.Flags) *packet.Format[*frames] {
	if f.NoCompress {
		return w.plain
	}
	return w.compressed
}

// eventFlags are those with which an event is sent. Other packets are none of them:
// without a CONNECT or an acknowledgement nothing would be right any more.
func (s *Server) eventFlags(f adapter.Flags) (flags engine.Flags) {
	if f.Volatile {
		flags |= engine.Volatile
	}
	if s.config.dropWhenFull {
		flags |= engine.Droppable
	}
	return flags
}
