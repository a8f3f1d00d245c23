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
	c.lanes.enter(room)
	defer c.lanes.exit(room)
	again := x.client.in(room)
	if !again {
		if x.client.full(c.opts.Rooms) {
			return c.errTooMany
		}
		// The room that has a socket's id for a name is where it, and nobody
		// else, gets what is sent to it alone. This holds for the sockets of
		// this instance. The chat itself sends nothing to those of others by
		// such a room: see userRoom.
		if _, taken := c.ns.Socket(room); taken {
			return errSocketRoom
		}
	}
	undo, err := c.rename(&x, name)
	if err != nil {
		return err
	}
	if again {
		err = c.welcome(&x, room)
	} else {
		err = c.enter(&x, room)
	}
	if err != nil {
		undo()
	}
	return err
}

// enter puts the socket into a room that it is not in. It runs in the room's
// lane.
func (c *Chat) enter(x *call, room string) error {
	// First the room, then what was said and who is there: what comes later is
	// told to this socket.
	switch err := x.socket.Join(room); {
	case errors.Is(err, server.ErrTooManyRooms):
		return c.errTooMany
	case errors.Is(err, server.ErrRoomName):
		return c.errRoomName
	case err != nil:
		return c.internal(x, err)
	}
	past, err := c.past(x, room)
	if err != nil {
		return errors.Join(c.internal(x, err), x.socket.Leave(room))
	}
	u, atMost := x.client.who(), -1
	if x.args.WantsAck() {
		atMost = c.opts.Users
	}
	change, err := c.store.Join(x.ctx, room, x.socket.ID(), u, atMost)
	if err != nil {
		return errors.Join(c.internal(x, err), x.socket.Leave(room))
	}
	if !x.client.enter(room) { // closed meanwhile: nobody has heard of it
		_, err := c.store.Leave(context.WithoutCancel(x.ctx), room, x.socket.ID(), u.ID)
		return errors.Join(err, x.socket.Leave(room))
	}
	if change.Turned {
		if err := c.tellJoined(x.socket, room, u, change); err != nil {
			return err
		}
	}
	return x.reply(&roomAck{room: room, count: change.Count, members: change.Members, listed: true, past: past, history: true})
}

// tellJoined tells a room that a user has come to it. It runs in the room's lane.
func (c *Chat) tellJoined(s *server.Socket, room string, u User, change Change) error {
	others := s.To(room)
	if err := others.Emit("user_joined", turned{room, u, change.Count}); err != nil {
		return err
	}
	if change.Status == Online { // which is what they take it for
		return nil
	}
	return others.Emit("presence", presence{u, change.Status, c.now().UnixMilli()})
}

// welcome answers a join to a room that the socket is in. It runs in the room's
// lane, so that what the answer says is neither older nor newer than what the
// socket is told of the room after it.
func (c *Chat) welcome(x *call, room string) error {
	if !x.args.WantsAck() {
		return nil
	}
	past, err := c.past(x, room)
	if err != nil {
		return c.internal(x, err)
	}
	members, count, err := c.store.Members(x.ctx, room, c.opts.Users)
	if err != nil {
		return c.internal(x, err)
	}
	return x.reply(&roomAck{room: room, count: count, members: members, listed: true, past: past, history: true})
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
	c.lanes.enter(room)
	defer c.lanes.exit(room)
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
}

// uncount takes a socket out of a room's count, and tells the room where that
// means that the user has left. It runs in the room's lane.
func (c *Chat) uncount(ctx context.Context, s *server.Socket, cl *client, room string, announce bool) error {
	u := cl.who()
	change, err := c.store.Leave(ctx, room, s.ID(), u.ID)
	if err != nil || !change.Turned || !announce {
		return err
	}
	return s.To(room).Emit("user_left", turned{room, u, change.Count})
}

// disconnecting takes a socket that is closed out of its rooms.
func (c *Chat) disconnecting(ctx context.Context, s *server.Socket, reason server.Reason) {
	cl, err := clientOf(s)
	if err != nil {
		return // it was closed before it was connected
	}
	// At the end of the only server everyone goes, and there would be none to
	// tell but those who are next.
	announce := reason != server.ServerShuttingDown || !c.alone
	for _, room := range append(cl.close(), c.owed.take(s.ID())...) {
		c.lanes.enter(room)
		err := c.uncount(ctx, s, cl, room, announce)
		c.lanes.exit(room)
		if err != nil {
			c.report(s, "disconnecting", err)
		}
	}
	c.depart(ctx, s, cl, announce)
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
			c.report(s, string(e.Kind), err)
			if _, ok := c.store.(Watcher); ok { // whose Watch sees to it
				c.owed.add(s, cl, e.Room)
			}
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
	members, count, err := c.store.Members(x.ctx, room, c.opts.Users)
	if err != nil {
		return c.internal(&x, err)
	}
	return x.reply(&roomAck{room: room, count: count, members: members, listed: true})
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

// rename gives an anonymous user the name that it wants to have, in all of its
// rooms, and returns what undoes that. Nobody is told: it shows with what the user
// does next.
func (c *Chat) rename(x *call, name string) (undo func(), err error) {
	old := x.client.who()
	if name == "" || name == old.Name || !x.client.anonymous {
		return func() {}, nil
	}
	u, rooms := User{old.ID, strings.Clone(name)}, x.client.list()
	if len(rooms) > 0 {
		if err := c.store.Rename(x.ctx, rooms, u); err != nil {
			return nil, c.internal(x, err)
		}
	}
	x.client.rename(u.Name)
	return func() {
		x.client.rename(old.Name)
		if len(rooms) == 0 {
			return
		}
		if err := c.store.Rename(x.ctx, rooms, old); err != nil {
			_ = c.internal(x, err) // the lists have the other name until it changes again
		}
	}, nil
}
