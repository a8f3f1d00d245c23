package chat

import (
	"errors"

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
	to          server.Arg
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
		case "to":
			d.to = value
		}
	}
	d.room, d.content = either(d.room, roomID), either(d.content, text)
	return d, nil
}

// message sends a message to a room that the socket is in. The order of the
// checks: what is cheap comes first, and what is refused leaves no trace but in
// the budget.
func (c *Chat) message(x call) error {
	d, key, err := c.draft(&x)
	if err != nil {
		return err
	}
	u := x.client.who()
	room, err := c.roomOf(&x, d.room)
	if err != nil {
		return c.orRepeat(&x, u, key, err, func(id MessageID) any { return messageAck(id) })
	}
	if c.keeps {
		// What the room is sent, what is kept of it, and the ids have one order.
		c.lanes.enter(room)
		defer c.lanes.exit(room)
		if !x.client.in(room) { // taken out of it by the application meanwhile
			return errNotInRoom
		}
	}
	if d.all.HasBinary() {
		return c.sendBinary(&x, d, room, u, key)
	}
	return c.send(&x, d, room, u, key)
}

// draft takes a message from the socket's budget and apart.
func (c *Chat) draft(x *call) (d draft, key string, err error) {
	if !c.spend(x) {
		return d, "", errRateLimited
	}
	if d, err = parseDraft(x.args.At(0)); err != nil {
		return d, "", err
	}
	content, ok := d.content.Text()
	if !ok {
		return d, "", errNoContent
	}
	if len(content) > c.opts.MessageBytes {
		return d, "", c.errTooLarge
	}
	key, err = clientMsgID(d.clientMsgID)
	return d, key, err
}

// A pace is how fast a socket may send messages.
type pace struct {
	perSecond float64
	burst     int
}

// SetMessageRate changes [Options].MessageRate and MessageBurst, for the sockets that
// are there too; what those were told when they connected is not told anew.
func (c *Chat) SetMessageRate(perSecond float64, burst int) {
	o := Options{MessageRate: perSecond, MessageBurst: burst}.withDefaults()
	c.pace.Store(&pace{o.MessageRate, o.MessageBurst})
}

// spend takes a message from the socket's budget.
func (c *Chat) spend(x *call) bool {
	pace := c.pace.Load()
	if x.client.spend(&x.client.messages, c.now(), pace.perSecond, pace.burst) {
		return true
	}
	c.limited.Add(1)
	return false
}

// send emits a message to its room, the sender included, and keeps it.
func (c *Chat) send(x *call, d draft, room string, u User, key string) error {
	// Emit has encoded it when it returns, so it can be used again.
	r, _ := c.relays.Get().(*relay) // what New makes
	defer func() {
		r.reuse()
		c.relays.Put(r)
	}()
	r.draft, r.room, r.user = d, room, u
	var keep encoder
	if c.keeps {
		keep = r
	}
	id, repeated, err := c.number(x, Post{Room: room, UserID: u.ID, Key: key}, keep)
	if err != nil {
		return err
	}
	if repeated {
		return c.repeat(x, messageAck(id))
	}
	r.id = id
	if err := c.ns.To(room).Emit(messageEvent(x), r); err != nil {
		return err
	}
	c.messages.Add(1)
	return x.reply(messageAck(id))
}

// sendBinary is send for a message with attachments, which is not kept: a text
// cannot carry them.
func (c *Chat) sendBinary(x *call, d draft, room string, u User, key string) error {
	id, repeated, err := c.number(x, Post{Room: room, UserID: u.ID, Key: key}, nil)
	if err != nil {
		return err
	}
	if repeated {
		return c.repeat(x, messageAck(id))
	}
	if err := c.ns.To(room).Emit(messageEvent(x), relayBinary(d, id, room, u)); err != nil {
		return err
	}
	c.messages.Add(1)
	if c.keeps {
		c.unkept.Add(1)
	}
	return x.reply(messageAck(id))
}

func messageEvent(x *call) string {
	if x.args.Event() == "chat_message" {
		return "chat_message"
	}
	return "message"
}

// An encoder is a message that is to be kept: its text, when it has an id.
type encoder interface {
	encode(id MessageID) []byte
}

// number gives a message its id, and has the store note it where there is
// something to note: that it is kept, unless keep is nil, or that it has been
// sent under a key. A repeat gets the id of the first.
func (c *Chat) number(x *call, p Post, keep encoder) (id MessageID, repeated bool, err error) {
	for range lateTries {
		p.ID = c.ids.next(c.now())
		if keep != nil {
			p.Text = keep.encode(p.ID)
		}
		if p.Text == nil && p.Key == "" {
			return p.ID, false, nil
		}
		receipt, err := c.store.Post(x.ctx, p)
		switch {
		case err != nil:
			return p.ID, false, c.internal(x, err)
		case receipt.Outcome == Late: // another instance's clock is ahead
			c.ids.follow(receipt.ID)
		default:
			return receipt.ID, receipt.Outcome == Repeated, nil
		}
	}
	return p.ID, false, c.internal(x, errLate)
}

// lateTries is how often a message tries to be the newest of its room. Between
// two tries another instance has to have sent one.
const lateTries = 100

var errLate = errors.New("the room has always had a newer message")

// repeat answers what has been sent before as it was answered then.
func (c *Chat) repeat(x *call, ack any) error {
	c.repeated.Add(1)
	return x.reply(ack)
}

// orRepeat answers a message that has no room to go to: who sends again after a
// reconnection is told that the message has arrived, whether it has joined again
// or not.
func (c *Chat) orRepeat(x *call, u User, key string, refusal error, ack func(MessageID) any) error {
	if key == "" {
		return refusal
	}
	first, repeated, err := c.store.Recall(x.ctx, u.ID, key)
	if err != nil {
		return c.internal(x, err)
	}
	if !repeated {
		return refusal
	}
	return c.repeat(x, ack(first))
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
