package storetest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

var roomCases = []testCase{
	{
		name:        "users are counted",
		explanation: "A room counts users, not sockets: the first of a user's sockets joins, the last one leaves.",
		run: func(c *rig) {
			equal(c, "ann", c.join(c.a, "r", "s1", "ann"), "turned, 1")
			equal(c, "ann's second", c.join(c.b, "r", "s2", "ann"), "1")
			equal(c, "bob", c.join(c.b, "r", "s3", "bob"), "turned, 2")
			equal(c, "ann's first leaves", c.leave(c.b, "r", "s1", "ann"), "2")
			equal(c, "ann's second leaves", c.leave(c.a, "r", "s2", "ann"), "turned, 1")
			equal(c, "bob leaves", c.leave(c.a, "r", "s3", "bob"), "turned, 0")
			equal(c, "ann again", c.join(c.a, "r", "s1", "ann"), "turned, 1")
		},
	},
	{
		name:        "users that are their sockets are counted",
		explanation: "An anonymous user has one socket, of the same id.",
		run: func(c *rig) {
			equal(c, "x", c.join(c.a, "r", "x", "x"), "turned, 1")
			equal(c, "x again", c.join(c.b, "r", "x", "x"), "1")
			equal(c, "y", c.join(c.b, "r", "y", "y"), "turned, 2")
			equal(c, "x leaves", c.leave(c.b, "r", "x", "x"), "turned, 1")
			equal(c, "x leaves again", c.leave(c.b, "r", "x", "x"), "1")
		},
	},
	{
		name:        "again changes nothing",
		explanation: "A call may be repeated when its answer was lost: what is there is not counted twice, what is gone does not go again.",
		run: func(c *rig) {
			c.join(c.a, "r", "s1", "ann")
			equal(c, "join again", c.join(c.b, "r", "s1", "ann"), "1")
			c.join(c.a, "r", "s2", "ann")
			equal(c, "leave", c.leave(c.a, "r", "s1", "ann"), "1")
			equal(c, "leave again", c.leave(c.b, "r", "s1", "ann"), "1")
			equal(c, "list", c.list(c.b, "r", 10), []string{"ann", "1"})
			equal(c, "another user's socket leaves", c.leave(c.b, "r", "s2", "bob"), "1")
			equal(c, "the last leaves", c.leave(c.b, "r", "s2", "ann"), "turned, 0")
			equal(c, "leave again", c.leave(c.a, "r", "s2", "ann"), "0")
			equal(c, "leave a room that is not", c.leave(c.a, "nowhere", "s1", "ann"), "0")
		},
	},
	{
		name:        "lists",
		explanation: "Those who came first come first, also after others have left; a user with several sockets is there once, and the count is that of all.",
		run: func(c *rig) {
			for i := range 40 {
				s := c.a
				if i%2 == 1 {
					s = c.b
				}
				c.join(s, "r", fmt.Sprint("s", i), fmt.Sprint("u", i))
			}
			c.join(c.b, "r", "t0", "u0")
			for i := 1; i < 40; i += 2 {
				c.leave(c.a, "r", fmt.Sprint("s", i), fmt.Sprint("u", i))
			}
			c.leave(c.a, "r", "s0", "u0")
			c.each(func(s chat.Store) {
				equal(c, "the first", c.list(s, "r", 4), []string{"u0", "u2", "u4", "u6", "20"})
				if all := c.list(s, "r", 100); len(all) != 21 || all[19] != "u38" {
					c.Errorf("all: %q", all)
				}
				equal(c, "none", c.list(s, "r", 0), []string{"20"})
				equal(c, "no such room", c.list(s, "nowhere", 10), []string{"0"})
			})
		},
	},
	{
		name:        "join lists",
		explanation: "Join says who is there, this user counted, as Members does at the same time.",
		run: func(c *rig) {
			c.join(c.a, "r", "s1", "ann")
			got := result[chat.Change](c)(c.b.Join(c.ctx, "r", "s2", user("bob"), 10))
			equal(c, "members", texts(got.Members), []string{"ann", "bob"})
			got = result[chat.Change](c)(c.a.Join(c.ctx, "r", "s3", user("cid"), 1))
			equal(c, "members", texts(got.Members), []string{"ann"})
			equal(c, "count", got.Count, 3)
		},
	},
	{
		name:        "rooms are apart",
		explanation: "What happens in a room is nothing to another.",
		run: func(c *rig) {
			c.join(c.a, "r", "s1", "ann")
			equal(c, "other room", c.join(c.a, "r2", "s1", "ann"), "turned, 1")
			c.leave(c.a, "r", "s1", "ann")
			equal(c, "list", c.list(c.b, "r2", 10), []string{"ann", "1"})
		},
	},
	{
		name:        "rename",
		explanation: "A user's name changes in the rooms that are named and list the user, and nowhere else.",
		run: func(c *rig) {
			for _, room := range []string{"r1", "r2", "r3"} {
				c.join(c.a, room, "x", "x")
				c.join(c.a, room, "y", "y")
			}
			err := c.b.Rename(c.ctx, []string{"r1", "r2", "empty"}, chat.User{ID: "x", Name: "Xenia"})
			if err != nil {
				c.Fatal(err)
			}
			if err := c.b.Rename(c.ctx, []string{"r1"}, chat.User{ID: "nobody", Name: "N"}); err != nil {
				c.Fatal(err)
			}
			c.each(func(s chat.Store) {
				equal(c, "r1", c.list(s, "r1", 10), []string{"x called Xenia", "y", "2"})
				equal(c, "r2", c.list(s, "r2", 10), []string{"x called Xenia", "y", "2"})
				equal(c, "r3", c.list(s, "r3", 10), []string{"x", "y", "2"})
				equal(c, "empty", c.list(s, "empty", 10), []string{"0"})
			})
		},
	},
	{
		name:        "names do not collide",
		explanation: "Rooms, users and sockets may be called anything.",
		run: func(c *rig) {
			for _, room := range names {
				for _, u := range names {
					if got := c.join(c.a, room, "socket of "+u, u); got[:min(6, len(got))] != "turned" {
						c.Fatalf("%q in %q: %s", u, room, got)
					}
				}
			}
			for _, room := range names {
				equal(c, room, c.list(c.b, room, 100), append(slices.Clone(names), fmt.Sprint(len(names))))
			}
			for i, room := range names {
				for n, u := range names {
					if got, want := c.leave(c.a, room, "socket of "+u, u), fmt.Sprint("turned, ", len(names)-n-1); got != want {
						c.Fatalf("%q out of %q (%d): %s, want %s", u, room, i, got, want)
					}
				}
			}
		},
	},
	{
		name:        "one turns",
		explanation: "Of a user's sockets that join at once just one makes the user come, and of those that leave one makes it go. The counts that are told are those at that moment: each number once.",
		run: func(c *rig) {
			const users, sockets = 8, 6
			for _, turn := range []struct {
				name string
				do   func(s chat.Store, room, socket, userID string) string
				want func(n int) string
			}{
				{"join", c.join, func(n int) string { return fmt.Sprint("turned, ", n+1) }},
				{"leave", c.leave, func(n int) string { return fmt.Sprint("turned, ", n) }},
			} {
				var mu sync.Mutex
				var wg sync.WaitGroup
				turns := make(map[string]int)
				for i := range users * sockets {
					s := c.a
					if i%2 == 1 {
						s = c.b
					}
					wg.Go(func() {
						got := turn.do(s, "r", fmt.Sprint("s", i), fmt.Sprint("u", i%users))
						mu.Lock()
						defer mu.Unlock()
						if got[0] == 't' {
							turns[got]++
						}
					})
				}
				wg.Wait()
				for n := range users {
					if turns[turn.want(n)] != 1 {
						c.Errorf("%s: %v", turn.name, turns)
						break
					}
				}
			}
		},
	},
}
