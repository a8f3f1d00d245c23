package server

import (
	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/engine"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A frames is a packet as the messages of a session: its text, then its
// attachments. Most packets have none, and are one allocation beside the text.
type frames struct {
	messages []*engine.Message
	text     engine.Message
	one      [1]*engine.Message
}

// The formats in which packets reach Engine.IO sessions. A session's parser
// decides which: this is where another parser, MessagePack say, would stand
// beside JSON.
var (
	jsonFormat      = &packet.Format[*frames]{Name: "json", Encode: encodeJSON}
	jsonPlainFormat = &packet.Format[*frames]{Name: "json, not compressed", Encode: encodeJSONPlain}
)

func encodeJSON(p *packet.Packet) (*frames, error) {
	// An event's text is rarely much longer than its arguments.
	text, attachments, err := packet.Append(engine.TextBuffer(p.Size()), p)
	if err != nil {
		return nil, err
	}
	f := &frames{}
	f.text.InitText(text)
	f.one[0] = &f.text
	f.messages = f.one[:]
	for _, b := range attachments {
		f.messages = append(f.messages, engine.NewBinary(b))
	}
	return f, nil
}

func encodeJSONPlain(p *packet.Packet) (*frames, error) {
	f, err := encodeJSON(p)
	if err != nil {
		return nil, err
	}
	for _, m := range f.messages {
		m.NoCompress()
	}
	return f, nil
}

func format(f adapter.Flags) *packet.Format[*frames] {
	if f.NoCompress {
		return jsonPlainFormat
	}
	return jsonFormat
}

func engineFlags(f adapter.Flags) engine.Flags {
	if f.Volatile {
		return engine.Volatile
	}
	return 0
}
