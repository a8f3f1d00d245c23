package server

import (
	"encoding/json"

	"github.com/seed3686fee0/parlor/server/packet"
)

// Arg is one argument of an event, decoded when it is asked for.
type Arg = packet.Arg

// Args are the arguments of an event, without its name, or of an
// acknowledgement. Nothing of them is decoded until a handler asks. They are
// valid for as long as they are kept.
type Args struct {
	packet.Args
	source source // nil for an acknowledgement
}

// A source is the event that arguments came with.
type source interface {
	name() string
	// wantsAck reports whether somebody waits for an acknowledgement, and
	// whether it has been sent.
	wantsAck() (wanted, sent bool)
	ack(args packet.Args) error
}

// Event is the name of the event; empty for an acknowledgement.
func (a Args) Event() string {
	if a.source == nil {
		return ""
	}
	return a.source.name()
}

// WantsAck reports whether the sender waits for an acknowledgement that has
// not been sent.
func (a Args) WantsAck() bool {
	if a.source == nil {
		return false
	}
	wanted, sent := a.source.wantsAck()
	return wanted && !sent
}

// Ack sends the acknowledgement, any time, once; a second one is ignored, as
// Node does. It returns ErrNoAck when the sender waits for none: returned by the
// handler of such an event, it is no failure.
func (a Args) Ack(values ...any) error {
	if a.source == nil {
		return ErrNoAck
	}
	if wanted, _ := a.source.wantsAck(); !wanted {
		return ErrNoAck
	}
	args, err := packet.NewArgs(values...)
	if err != nil {
		return err
	}
	return a.source.ack(args)
}

// clientError is what a client gets for a ClientError: the contract's form.
type clientError struct{ code, message string }

func (e clientError) AppendJSON(dst []byte) ([]byte, error) {
	b, err := json.Marshal(struct {
		OK    bool `json:"ok"`
		Error any  `json:"error"`
	}{false, struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{e.code, e.message}})
	return append(dst, b...), err
}

// errorEvent is what a client gets that does not wait for an acknowledgement.
type errorEvent struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Event   string `json:"event"`
}
