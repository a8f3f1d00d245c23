package chat

import (
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// draft is a message as the client has sent it, taken apart. Of several members
// with the same name the last holds, as in JavaScript, and null is as good as
// nothing.
type draft struct {
	all         server.Arg // the object
	room        server.Arg
	content     server.Arg
	clientMsgID server.Arg
}

func parseDraft(arg server.Arg) (draft, error) {
	d := draft{all: arg}
	if arg.Kind() != packet.Object {
		return d, errNoObject
	}
	var roomID, text server.Arg
	for name, value := range arg.Fields() {
		switch name {
		case "room":
			d.room = value
		case "roomId":
			roomID = value
		case "content":
			d.content = value
		case "text":
			text = value
		case "clientMsgId":
			d.clientMsgID = value
		}
	}
	d.room, d.content = either(d.room, roomID), either(d.content, text)
	return d, nil
}

// message sends a message to a room that the socket is in. The order of the
// checks: what is cheap comes first, and what is refused leaves no trace but in
// the budget. A repeat is answered before the room is looked at: who sends again
// after a reconnection is told that the message has arrived, whether it has
// joined again or not.
func (c *Chat) message(x call) error {
	now := c.now()
	if !x.client.spend(&x.client.messages, now, c.opts.MessageRate, c.opts.MessageBurst) {
		c.limited.Add(1)
		return errRateLimited
	}
	d, err := parseDraft(x.args.At(0))
	if err != nil {
		return err
	}
	content, ok := d.content.Text()
	if !ok {
		return errNoContent
	}
	if len(content) > c.opts.MessageBytes {
		return c.errTooLarge
	}
	key, err := clientMsgID(d.clientMsgID)
	if err != nil {
		return err
	}
	u := x.client.who()
	if key != "" {
		first, repeated, err := c.store.recall(x.ctx, u.ID, key)
		if err != nil {
			return c.internal(&x, err)
		}
		if repeated {
			return c.repeat(&x, first)
		}
	}
	room, err := c.roomOf(&x, d.room)
	if err != nil {
		return err
	}
	id := c.ids.next(now)
	if key != "" {
		first, repeated, err := c.store.remember(x.ctx, u.ID, key, id)
		if err != nil {
			return c.internal(&x, err)
		}
		if repeated { // by another socket of the user, just now
			return c.repeat(&x, first)
		}
	}
	if err := c.send(&x, d, id, room, u); err != nil {
		return err
	}
	c.messages.Add(1)
	return x.reply(messageAck(id))
}

// send emits a message to its room, the sender included.
func (c *Chat) send(x *call, d draft, id messageID, room string, u User) error {
	event := "message"
	if x.args.Event() == "chat_message" {
		event = "chat_message"
	}
	if d.all.HasBinary() {
		return c.ns.To(room).Emit(event, relayBinary(d, id, room, u))
	}
	// Emit has encoded it when it returns, so it can be used again.
	r, _ := c.relays.Get().(*relay) // what New makes
	*r = relay{draft: d, id: id, room: room, user: u}
	err := c.ns.To(room).Emit(event, r)
	*r = relay{}
	c.relays.Put(r)
	return err
}

// repeat answers a message that has been sent before as it was answered then.
func (c *Chat) repeat(x *call, first messageID) error {
	c.repeated.Add(1)
	return x.reply(messageAck(first))
}

// roomOf returns the room that an event is for: the one that it names, or the
// socket's only one. The socket is in it.
func (c *Chat) roomOf(x *call, arg server.Arg) (string, error) {
	if arg.Kind() == packet.Null {
		if room, ok := x.client.only(); ok {
			return room, nil
		}
		return "", errWhichRoom
	}
	room, err := c.roomName(arg)
	if err != nil {
		return "", err
	}
	if !x.client.in(room) {
		return "", errNotInRoom
	}
	return room, nil
}

// clientMsgID returns the name that a client has for its message, "" for none.
// A number is its text.
func clientMsgID(arg server.Arg) (string, error) {
	if arg.Kind() == packet.Null {
		return "", nil
	}
	key, ok := arg.Text()
	if !ok {
		key, ok = arg.Number()
	}
	if !ok || longer(key, maxClientMsgID) {
		return "", errClientMsgID
	}
	return key, nil
}
