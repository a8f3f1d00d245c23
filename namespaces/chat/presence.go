package chat

import (
	"context"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A user is as present as the most present of its sockets. Its rooms are told
// when one of them says something of itself, whatever comes of it, and when one
// comes or goes and that changes something.
//
// What is told in a room is told in its lane, after the store has been told: who
// joins meanwhile either lists the new status already, or is told of it after its
// list. What changes the presence of one user is one thing after another, in the
// user's lane; only for one that is its socket it is so anyway. All this is so on
// one instance. What two of them tell of the same user at once may arrive in
// either order.

// presence notes how present a socket is, and tells the rooms of its user.
func (c *Chat) presence(x call) error {
	if !c.signals(&x) {
		return nil
	}
	status, err := parsePresence(x.args.At(0))
	if err != nil {
		return err
	}
	u := x.client.who()
	defer c.presenceOf(x.socket, u)()
	standing, err := c.store.SetStatus(x.ctx, x.socket.ID(), u.ID, status)
	if err != nil {
		return c.internal(&x, err)
	}
	x.client.say(status)
	if err := c.tellPresence(x.socket, x.client, standing); err != nil {
		return err
	}
	return x.reply(okAck{})
}

func parsePresence(arg server.Arg) (Status, error) {
	if arg.Kind() != packet.Object {
		return 0, errNoObject
	}
	var said server.Arg
	for name, value := range arg.Fields() {
		if name == "status" {
			said = value
		}
	}
	text, _ := said.Text()
	status, ok := ParseStatus(text)
	if !ok {
		return 0, errStatus
	}
	return status, nil
}

// presenceOf waits for the lane of a socket's user, and returns what leaves it.
func (c *Chat) presenceOf(s *server.Socket, u User) (leave func()) {
	if u.ID == s.ID() {
		return func() {}
	}
	c.users.enter(u.ID)
	return func() { c.users.exit(u.ID) }
}

// tellPresence tells the rooms of a socket's user, all but the socket itself.
func (c *Chat) tellPresence(s *server.Socket, cl *client, st Standing) error {
	u, rooms := cl.who(), st.Rooms
	if u.ID == s.ID() {
		rooms = cl.list()
	}
	return c.tellRooms(s.To, u, rooms, st.Status)
}

// tellRooms tells rooms of a user, each socket once.
func (c *Chat) tellRooms(to func(rooms ...string) server.Broadcast, u User, rooms []string, s Status) error {
	if len(rooms) == 0 {
		return nil
	}
	rooms = c.lanes.enterAll(rooms)
	defer c.lanes.exitAll(rooms)
	return to(rooms...).Emit("presence", presence{u, s, c.now().UnixMilli()})
}

// arrive makes a socket known, and tells the rooms of its user if that is there
// with it, and was not.
func (c *Chat) arrive(ctx context.Context, s *server.Socket, cl *client) {
	u := cl.who()
	defer c.presenceOf(s, u)()
	standing, err := c.store.SetStatus(ctx, s.ID(), u.ID, Online)
	if err == nil && standing.Changed {
		err = c.tellPresence(s, cl, standing)
	}
	if err != nil { // the socket can do without
		c.report(s, "connect", err)
	}
}

// depart makes a socket unknown that has left its rooms. If its user has others,
// which are less present, their rooms are told.
func (c *Chat) depart(ctx context.Context, s *server.Socket, cl *client, announce bool) {
	u := cl.who()
	defer c.presenceOf(s, u)()
	standing, err := c.store.Remove(ctx, s.ID(), u.ID)
	if err == nil && standing.Changed && announce {
		err = c.tellPresence(s, cl, standing)
	}
	if err != nil {
		c.report(s, "disconnecting", err)
	}
}
