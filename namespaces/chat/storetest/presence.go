package storetest

import (
	"slices"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

func (c *rig) set(s chat.Store, socket, userID string, status chat.Status) chat.Standing {
	c.Helper()
	return sorted(result[chat.Standing](c)(s.SetStatus(c.ctx, socket, userID, status)))
}

func (c *rig) remove(s chat.Store, socket, userID string) chat.Standing {
	c.Helper()
	return sorted(result[chat.Standing](c)(s.Remove(c.ctx, socket, userID)))
}

func sorted(s chat.Standing) chat.Standing {
	slices.Sort(s.Rooms)
	if len(s.Rooms) == 0 {
		s.Rooms = nil
	}
	return s
}

func (c *rig) connected(s chat.Store, userID string) bool {
	c.Helper()
	return result[bool](c)(s.Connected(c.ctx, userID))
}

var presenceCases = []testCase{
	{
		name:        "status",
		explanation: "A user is as present as the most present of its sockets. Changed is about that, and false for the first socket and the last.",
		run: func(c *rig) {
			equal(c, "first", c.set(c.a, "s1", "ann", chat.Online), chat.Standing{Status: chat.Online})
			equal(c, "away", c.set(c.b, "s1", "ann", chat.Away), chat.Standing{Status: chat.Away, Changed: true})
			equal(c, "away again", c.set(c.a, "s1", "ann", chat.Away), chat.Standing{Status: chat.Away})
			equal(c, "second", c.set(c.b, "s2", "ann", chat.Online), chat.Standing{Status: chat.Online, Changed: true})
			equal(c, "second offline", c.set(c.a, "s2", "ann", chat.Offline), chat.Standing{Status: chat.Away, Changed: true})
			equal(c, "first offline", c.set(c.a, "s1", "ann", chat.Offline), chat.Standing{Status: chat.Offline, Changed: true})
			equal(c, "second away", c.set(c.a, "s2", "ann", chat.Away), chat.Standing{Status: chat.Away, Changed: true})
			equal(c, "first away", c.set(c.a, "s1", "ann", chat.Away), chat.Standing{Status: chat.Away})
			equal(c, "first goes", c.remove(c.b, "s1", "ann"), chat.Standing{Status: chat.Away})
			c.set(c.a, "s3", "ann", chat.Online)
			equal(c, "third goes", c.remove(c.b, "s3", "ann"), chat.Standing{Status: chat.Away, Changed: true})
			equal(c, "gone already", c.remove(c.b, "s3", "ann"), chat.Standing{Status: chat.Away})
			equal(c, "last goes", c.remove(c.b, "s2", "ann").Changed, false)
			equal(c, "back", c.set(c.a, "s2", "ann", chat.Away), chat.Standing{Status: chat.Away})
		},
	},
	{
		name:        "status of a user that is its socket",
		explanation: "An anonymous user has a status too.",
		run: func(c *rig) {
			equal(c, "online", c.set(c.a, "x", "x", chat.Online), chat.Standing{})
			c.join(c.a, "r", "x", "x")
			for _, status := range []chat.Status{chat.Away, chat.Offline, chat.Online} {
				got := c.set(c.b, "x", "x", status)
				got.Rooms = nil // they may be left out
				equal(c, "status", got, chat.Standing{Status: status, Changed: true})
				members, _, err := c.a.Members(c.ctx, "r", 1)
				if err != nil || len(members) != 1 || members[0].Status != status {
					c.Errorf("listed as %+v, %v", members, err)
				}
			}
			equal(c, "again", c.set(c.b, "x", "x", chat.Online).Changed, false)
			equal(c, "connected", c.connected(c.a, "x"), true)
			c.leave(c.a, "r", "x", "x")
			equal(c, "gone", c.remove(c.b, "x", "x").Changed, false)
			equal(c, "connected", c.connected(c.a, "x"), false)
		},
	},
	{
		name:        "rooms of a standing",
		explanation: "They are the rooms of all the user's sockets, each once.",
		run: func(c *rig) {
			c.set(c.a, "s1", "ann", chat.Online)
			c.set(c.b, "s2", "ann", chat.Online)
			c.join(c.a, "r1", "s1", "ann")
			c.join(c.a, "r2", "s1", "ann")
			c.join(c.b, "r2", "s2", "ann")
			c.join(c.b, "r3", "s2", "ann")
			c.join(c.b, "r4", "s3", "bob")
			equal(c, "three", c.set(c.a, "s1", "ann", chat.Away).Rooms, []string{"r1", "r2", "r3"})
			c.leave(c.a, "r1", "s1", "ann")
			c.leave(c.a, "r2", "s1", "ann")
			equal(c, "the other's", c.set(c.b, "s2", "ann", chat.Away).Rooms, []string{"r2", "r3"})
			c.set(c.a, "s1", "ann", chat.Online)
			equal(c, "one goes", c.remove(c.a, "s1", "ann"), chat.Standing{Status: chat.Away, Changed: true, Rooms: []string{"r2", "r3"}})
		},
	},
	{
		name:        "lists have statuses",
		explanation: "A list has the status of all the user's sockets, also of those that are not in the room, and so has a Change.",
		run: func(c *rig) {
			c.set(c.a, "s1", "ann", chat.Away)
			c.set(c.b, "s2", "bob", chat.Offline)
			got := result[chat.Change](c)(c.a.Join(c.ctx, "r", "s1", user("ann"), 10))
			equal(c, "change", got.Status, chat.Away)
			equal(c, "members", texts(got.Members), []string{"ann away"})
			c.join(c.b, "r", "s2", "bob")
			c.join(c.b, "r", "y", "y")
			equal(c, "list", c.list(c.a, "r", 10), []string{"ann away", "bob offline", "y", "3"})
			c.set(c.b, "s3", "ann", chat.Online)
			equal(c, "list", c.list(c.a, "r", 10), []string{"ann", "bob offline", "y", "3"})
			c.remove(c.a, "s3", "ann")
			equal(c, "list", c.list(c.b, "r", 10), []string{"ann away", "bob offline", "y", "3"})
		},
	},
	{
		name:        "connected",
		explanation: "A user is connected who has a socket, whatever its status; being in a room is another thing.",
		run: func(c *rig) {
			equal(c, "nobody", c.connected(c.a, "ann"), false)
			c.set(c.a, "s1", "ann", chat.Offline)
			c.set(c.a, "s2", "ann", chat.Offline)
			equal(c, "ann", c.connected(c.b, "ann"), true)
			equal(c, "her socket's id", c.connected(c.b, "s1"), false)
			c.remove(c.b, "s1", "ann")
			equal(c, "ann", c.connected(c.a, "ann"), true)
			c.remove(c.b, "s2", "ann")
			equal(c, "gone", c.connected(c.a, "ann"), false)
			for i, name := range names {
				c.set(c.a, "socket of "+name, name, chat.Online)
				for k, other := range names {
					if got := c.connected(c.b, other); got != (k <= i) {
						c.Fatalf("%q came, %q is connected: %v", name, other, got)
					}
				}
			}
		},
	},
}
