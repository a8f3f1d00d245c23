package chat

import (
	"context"
	"errors"
	"strings"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// join puts the socket into a room. The room is told if its user was not there.
func (c *Chat) join(x call) error {
	r, err := parseRequest(x.args.At(0))
	if err != nil {
		return err
	}
	room, err := c.roomName(r.room)
	if err != nil {
		return err
	}
	name, err := userName(r.username)
	if err != nil {
		return err
	}
	room = strings.Clone(room)
	return c.lanes.do(room, func() error {
		if x.client.in(room) {
			c.name(&x, name)
			return c.welcome(&x, room)
		}
		if x.client.full(c.opts.Rooms) {
			return c.errTooMany
		}
		// The room that has a socket's id for a name is where it, and nobody
		// else, gets what is sent to it alone.
		if _, taken := c.ns.Socket(room); taken {
			return errSocketRoom
		}
		// First the room, then who is in it: who comes later is announced to
		// this one.
		switch err := x.socket.Join(room); {
		case errors.Is(err, server.ErrTooManyRooms):
			return c.errTooMany
		case errors.Is(err, server.ErrRoomName):
			return c.errRoomName
		case err != nil:
			return c.internal(&x, err)
		}
		c.name(&x, name)
		return c.count(&x, room)
	})
}

// count counts a socket that has just joined a room. It runs in the room's lane.
func (c *Chat) count(x *call, room string) error {
	u := x.client.who()
	change, err := c.store.join(x.ctx, room, x.socket.ID(), u)
	if err != nil {
		return errors.Join(c.internal(x, err), x.socket.Leave(room))
	}
	if !x.client.enter(room) { // closed meanwhile: nobody has heard of it
		_, err := c.store.leave(context.WithoutCancel(x.ctx), room, x.socket.ID(), u.ID)
		return errors.Join(err, x.socket.Leave(room))
	}
	if change.turned {
		if err := x.socket.To(room).Emit("user_joined", presence{room, u, change.count}); err != nil {
			return err
		}
	}
	return c.welcome(x, room)
}

// welcome answers a join. In the room's lane, so that what the answer says is
// neither older nor newer than what the socket is told of the room after it.
func (c *Chat) welcome(x *call, room string) error {
	if !x.args.WantsAck() {
		return nil
	}
	users, count, err := c.store.members(x.ctx, room, c.opts.Users)
	if err != nil {
		return c.internal(x, err)
	}
	return x.reply(&roomAck{room: room, count: count, users: users, listed: true, history: true})
}

// leave takes the socket out of a room. The room is told if it was the last of
// its user's.
func (c *Chat) leave(x call) error {
	r, err := parseRequest(x.args.At(0))
	if err != nil {
		return err
	}
	room, err := c.roomName(r.room)
	if err != nil {
		return err
	}
	room = strings.Clone(room)
	return c.lanes.do(room, func() error {
		if x.client.exit(room) {
			if err := c.uncount(x.ctx, x.socket, x.client, room, true); err != nil {
				x.client.enter(room) // where it still is
				return c.internal(&x, err)
			}
			if err := x.socket.Leave(room); err != nil {
				return err
			}
		}
		return x.reply(&roomAck{room: room})
	})
}

// uncount takes a socket out of a room's count, and tells the room where that
// means that the user has left. It runs in the room's lane.
func (c *Chat) uncount(ctx context.Context, s *server.Socket, cl *client, room string, announce bool) error {
	u := cl.who()
	change, err := c.store.leave(ctx, room, s.ID(), u.ID)
	if err != nil || !change.turned || !announce {
		return err
	}
	return s.To(room).Emit("user_left", presence{room, u, change.count})
}

// disconnecting takes a socket that is closed out of its rooms.
func (c *Chat) disconnecting(ctx context.Context, s *server.Socket, reason server.Reason) {
	cl, err := clientOf(s)
	if err != nil {
		return // it was closed before it was connected
	}
	// At the end of the server everyone goes, and there would be none to tell
	// but those who are next.
	announce := reason != server.ServerShuttingDown
	for _, room := range cl.close() {
		err := c.lanes.do(room, func() error { return c.uncount(ctx, s, cl, room, announce) })
		if err != nil {
			c.opts.Logger.Error("chat state cannot be reached", "namespace", c.ns.Name(),
				"socket", s.ID(), "event", "disconnecting", "error", err)
		}
	}
}

// room keeps the counts right when the application, or another instance, takes a
// socket out of a room: then it is none of its members any more. The other way
// round it is not: whom the application puts into a room gets what is sent
// there, but is not in the chat until it joins.
func (c *Chat) room(e server.RoomEvent) {
	if e.Kind != adapter.RoomLeft {
		return
	}
	s, ok := c.ns.Socket(e.ID)
	if !ok {
		return
	}
	cl, err := clientOf(s)
	if err != nil || !cl.in(e.Room) {
		return // the chat's own doing
	}
	// Whoever makes a socket leave may be at work in this room's lane.
	c.lanes.post(e.Room, func() {
		if !cl.exit(e.Room) {
			return
		}
		if err := c.uncount(context.WithoutCancel(s.Context()), s, cl, e.Room, true); err != nil {
			c.opts.Logger.Error("chat state cannot be reached", "namespace", c.ns.Name(),
				"socket", s.ID(), "event", string(e.Kind), "error", err)
		}
	})
}

// who lists the users of one of the socket's rooms.
func (c *Chat) who(x call) error {
	r, err := parseRequest(x.args.At(0))
	if err != nil {
		return err
	}
	room, err := c.roomName(r.room)
	if err != nil {
		return err
	}
	if !x.client.in(room) {
		return errNotInRoom
	}
	if !x.args.WantsAck() {
		return nil
	}
	users, count, err := c.store.members(x.ctx, room, c.opts.Users)
	if err != nil {
		return c.internal(&x, err)
	}
	return x.reply(&roomAck{room: room, count: count, users: users, listed: true})
}

// userName returns the name that a client wants to have, "" for none.
func userName(arg server.Arg) (string, error) {
	if arg.Kind() == packet.Null {
		return "", nil
	}
	name, ok := arg.Text()
	if name = strings.TrimSpace(name); !ok || longer(name, maxUserName) {
		return "", errUsername
	}
	return name, nil
}

// name gives an anonymous user the name that it wants to have, in all of its
// rooms. Nobody is told: it shows with what the user does next.
func (c *Chat) name(x *call, name string) {
	if name == "" || !x.client.anonymous {
		return
	}
	u, rooms := x.client.rename(strings.Clone(name))
	for _, room := range rooms {
		if err := c.store.rename(x.ctx, room, u); err != nil {
			_ = c.internal(x, err) // the list of the room has the old name for a while
		}
	}
}
