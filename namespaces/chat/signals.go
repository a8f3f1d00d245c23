package chat

import (
	"errors"

	"github.com/seed3686fee0/parlor/server/packet"
)

// Signals are worth something now or never: what exceeds their budget, or has no
// room to go to, is dropped without a word.

// typing tells a room that somebody types, in the form in which it was told.
func (c *Chat) typing(x call) error {
	r, room, err := c.signal(&x)
	if err != nil || room == "" {
		return err
	}
	u := x.client.who()
	if r.plain {
		return x.socket.To(room).Emit("typing", u.Name)
	}
	if r.isTyping.Kind() != packet.Bool {
		return errNotTyping
	}
	return x.socket.To(room).Emit("typing", &typing{room, u, r.isTyping})
}

// cursorPosition tells a room where somebody's cursor is. It may be lost.
func (c *Chat) cursorPosition(x call) error {
	r, room, err := c.signal(&x)
	if err != nil || room == "" {
		return err
	}
	if r.x.Kind() != packet.Number || r.y.Kind() != packet.Number {
		return errNoPosition
	}
	return x.socket.To(room).Volatile().Emit("cursor_position", &cursor{room, x.client.who(), r.x, r.y})
}

// signal does what signals have in common. Without an error the room is "" when
// the signal is to be dropped.
func (c *Chat) signal(x *call) (r request, room string, err error) {
	if !c.signals(x) {
		return r, "", nil
	}
	if r, err = parseRequest(x.args.At(0)); err != nil {
		return r, "", err
	}
	room, err = c.roomOf(x, r.room)
	if errors.Is(err, errWhichRoom) {
		c.homeless.Add(1)
		err = nil
	}
	return r, room, err
}

// signals takes a signal from the socket's budget, and reports whether there was
// any.
func (c *Chat) signals(x *call) bool {
	if x.client.spend(&x.client.signals, c.now(), c.opts.SignalRate, burst(c.opts.SignalRate)) {
		return true
	}
	c.excess.Add(1)
	return false
}
