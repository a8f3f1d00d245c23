package chat

import (
	"strings"

	"github.com/seed3686fee0/parlor/server"
)

// directMessage sends a message to every socket of a user, and to those of the
// sender, this one included.
func (c *Chat) directMessage(x call) error {
	d, key, err := c.draft(&x)
	if err != nil {
		return err
	}
	to, err := recipient(d.to)
	if err != nil {
		return err
	}
	u := x.client.who()
	reached, err := c.store.Connected(x.ctx, to)
	if err != nil {
		return c.internal(&x, err)
	}
	if key != "" && !reached {
		// That it has reached nobody is remembered too, for the answer to a
		// repeat, under a name that no client can give.
		key = undeliveredKey + key
	}
	if first, repeated, err := c.recallDirect(&x, u, key); err != nil || repeated {
		if err != nil {
			return err
		}
		return c.repeat(&x, first)
	}
	id, repeated, err := c.number(&x, Post{UserID: u.ID, Key: key}, nil)
	if err != nil {
		return err
	}
	if repeated {
		return c.repeat(&x, directAck(id, reached))
	}
	rooms := make([]string, 0, 4)
	rooms = c.roomsOf(c.roomsOf(rooms, to), u.ID)
	if err := c.ns.To(rooms...).Emit("direct_message", &direct{id, u, to, d.content, d.clientMsgID}); err != nil {
		return err
	}
	c.direct.Add(1)
	if !reached {
		c.undelivered.Add(1)
	}
	return x.reply(directAck(id, reached))
}

// recallDirect returns the answer to a message that has been sent under the key
// when the other user was not connected, if he is now, or the other way round.
func (c *Chat) recallDirect(x *call, u User, key string) (ack any, repeated bool, err error) {
	if key == "" {
		return nil, false, nil
	}
	other, reached := strings.CutPrefix(key, undeliveredKey)
	if !reached {
		other = undeliveredKey + key
	}
	first, repeated, err := c.store.Recall(x.ctx, u.ID, other)
	if err != nil {
		return nil, false, c.internal(x, err)
	}
	return directAck(first, reached), repeated, nil // as it was then
}

// undeliveredKey is longer than a clientMsgId may be.
var undeliveredKey = strings.Repeat("-", maxClientMsgID) + "undelivered:"

func directAck(id MessageID, reached bool) any {
	if reached {
		return messageAck(id)
	}
	return undeliveredAck(id)
}

// roomsOf appends the rooms that reach a user's sockets and no others.
func (c *Chat) roomsOf(rooms []string, userID string) []string {
	rooms = append(rooms, userRoom(userID))
	// A user that is its socket, and has no other room. What has another
	// instance's socket's id for a name may be anybody's room: there each socket
	// is in its user's.
	if s, ok := c.ns.Socket(userID); ok && c.alone {
		if cl, err := clientOf(s); err == nil && cl.who().ID == userID {
			rooms = append(rooms, userID)
		}
	}
	return rooms
}

// recipient returns the user whom a message is for.
func recipient(arg server.Arg) (string, error) {
	to, ok := arg.Text()
	if !ok {
		number, _ := arg.Number()
		to, ok = decimal(number)
	}
	if !ok || to == "" || longer(to, maxTo) {
		return "", errTo
	}
	return to, nil
}
