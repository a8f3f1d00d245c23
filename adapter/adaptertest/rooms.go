package adaptertest

import (
	"slices"

	"github.com/seed3686fee0/parlor/adapter"
)

var roomCases = []testCase{
	{
		name:        "members",
		explanation: "a member that was added is known, is in the room of its own id, and in no other",
		run: func(c *rig) {
			a := c.adapters[0]
			m := c.add(0, "m")
			if got, ok := a.Member("m"); !ok || got != adapter.Member(m) {
				c.Errorf("Member: %v, %v", got, ok)
			}
			if got, ok := a.Member("x"); ok || got != nil {
				c.Errorf("Member of an unknown id: %v, %v", got, ok)
			}
			if rooms, ok := a.RoomsOf("m"); !ok || !slices.Equal(rooms, []string{"m"}) {
				c.Errorf("RoomsOf: %q, %v", rooms, ok)
			}
			if _, ok := a.RoomsOf("x"); ok {
				c.Error("RoomsOf knows an unknown id")
			}
			if !a.In("m", "m") || a.In("m", "x") || a.In("x", "x") {
				c.Error("In is wrong")
			}
			if a.Count() != 1 || a.Len("m") != 1 || a.Len("x") != 0 {
				c.Errorf("Count %d, Len of its own room %d, of another %d", a.Count(), a.Len("m"), a.Len("x"))
			}
			c.equal("RoomNames", a.RoomNames(), []string{"m"})
		},
	},
	{
		name:        "members are local",
		explanation: "what is asked about members and rooms is answered for this instance alone",
		instances:   2,
		run: func(c *rig) {
			c.spread("m", "r")
			for i, a := range c.adapters {
				if a.Count() != 1 || a.Len("r") != 1 || len(a.Members(adapter.Target{})) != 1 {
					c.Errorf("instance %d: Count %d, Len %d, %d members", i, a.Count(), a.Len("r"), len(a.Members(adapter.Target{})))
				}
			}
		},
	},
	{
		name:        "join",
		explanation: "joining puts a member into each room once, however often it joins; its own room comes first",
		run: func(c *rig) {
			a := c.adapters[0]
			c.add(0, "m")
			c.add(0, "n", "r1")
			if !a.Join("m", "r1", "r2", "r1") || !a.Join("m", "r1") || !a.Join("m") {
				c.Error("Join of a member reports that it is not known")
			}
			rooms, _ := a.RoomsOf("m")
			c.equal("RoomsOf", rooms, []string{"m", "r1", "r2"})
			if rooms[0] != "m" {
				c.Errorf("RoomsOf: %q begins with another's room", rooms)
			}
			if a.Len("r1") != 2 || a.Len("r2") != 1 || !a.In("m", "r1") || a.In("n", "r2") {
				c.Error("Len or In is wrong")
			}
			c.equal("RoomNames", a.RoomNames(), []string{"m", "n", "r1", "r2"})
			a.Broadcast(event("e"), adapter.Target{Rooms: []string{"r2"}})
			m, _ := a.Member("m")
			c.got([]*member{m.(*member)}, `"e"`)
		},
	},
	{
		name:        "join within a limit",
		explanation: "of a limited number of rooms beside its own a member joins all that it asks for, or none",
		run: func(c *rig) {
			a := c.adapters[0]
			c.add(0, "m", "r1")
			for _, step := range []struct {
				most  int
				rooms []string
				ok    bool
				in    []string
			}{
				{3, []string{"r2", "r2", "m", "r1"}, true, []string{"m", "r1", "r2"}},
				{3, []string{"r3", "r4"}, false, []string{"m", "r1", "r2"}},
				{3, []string{"r3", "r3", "r3"}, true, []string{"m", "r1", "r2", "r3"}},
				{3, []string{"r4"}, false, []string{"m", "r1", "r2", "r3"}},
				{2, []string{"r1", "m"}, true, []string{"m", "r1", "r2", "r3"}},
				{0, []string{"r4"}, false, []string{"m", "r1", "r2", "r3"}},
				{0, nil, true, []string{"m", "r1", "r2", "r3"}},
			} {
				if ok := a.JoinWithin(step.most, "m", step.rooms...); ok != step.ok {
					c.Errorf("JoinWithin(%d, %q) reports %v", step.most, step.rooms, ok)
				}
				rooms, _ := a.RoomsOf("m")
				c.equal("RoomsOf", rooms, step.in)
			}
			if !a.JoinWithin(0, "x", "r1") || a.Len("r1") != 1 {
				c.Error("JoinWithin of a member that is not known does something")
			}
		},
	},
	{
		name:        "leave",
		explanation: "leaving takes a member out of the rooms that it is in, and a room ends with its last member",
		run: func(c *rig) {
			a := c.adapters[0]
			m, n := c.add(0, "m", "r1", "r2"), c.add(0, "n", "r1")
			a.Leave("m", "r1", "r2", "r3")
			a.Leave("m", "r1")
			a.Leave("x", "r1")
			if a.In("m", "r1") || !a.In("n", "r1") || a.Len("r1") != 1 || a.Len("r2") != 0 {
				c.Error("In or Len is wrong")
			}
			c.equal("RoomNames", a.RoomNames(), []string{"m", "n", "r1"})
			a.Broadcast(event("e"), adapter.Target{Rooms: []string{"r1", "r2"}})
			c.got([]*member{m})
			c.got([]*member{n}, `"e"`)
		},
	},
	{
		name:        "own room",
		explanation: "the room of a member's id is left and joined like any other; the member stays known",
		run: func(c *rig) {
			a := c.adapters[0]
			m := c.add(0, "m", "r")
			a.Leave("m", "m")
			if a.In("m", "m") || a.Len("m") != 0 || a.Count() != 1 {
				c.Errorf("after Leave: In %v, Len %d, Count %d", a.In("m", "m"), a.Len("m"), a.Count())
			}
			rooms, ok := a.RoomsOf("m")
			if !ok || !slices.Equal(rooms, []string{"r"}) {
				c.Errorf("RoomsOf: %q, %v", rooms, ok)
			}
			a.Broadcast(event("own"), adapter.Target{Rooms: []string{"m"}})
			a.Broadcast(event("except"), adapter.Target{Except: []string{"m"}})
			a.Broadcast(event("all"), adapter.Target{})
			c.got([]*member{m}, `"except"`, `"all"`)
			a.Join("m", "m")
			a.Broadcast(event("own"), adapter.Target{Rooms: []string{"m"}})
			c.got([]*member{m}, `"own"`)
		},
	},
	{
		name:        "remove",
		explanation: "a member that was removed is in no room, gets nothing, and cannot join again",
		run: func(c *rig) {
			a := c.adapters[0]
			m, n, o := c.add(0, "m", "r1", "r2"), c.add(0, "n", "r1"), c.add(0, "o", "r1", "r2")
			a.Remove("m")
			a.Remove("m")
			a.Remove("x")
			if a.Join("m", "r1") {
				c.Error("Join after Remove reports success")
			}
			if a.Count() != 2 || a.Len("r1") != 2 || a.Len("r2") != 1 || a.Len("m") != 0 || a.In("m", "r1") {
				c.Errorf("Count %d, Len %d %d %d", a.Count(), a.Len("r1"), a.Len("r2"), a.Len("m"))
			}
			c.equal("RoomNames", a.RoomNames(), []string{"n", "o", "r1", "r2"})
			a.Broadcast(event("rooms"), adapter.Target{Rooms: []string{"r1", "r2", "m"}})
			a.Broadcast(event("all"), adapter.Target{})
			c.got([]*member{m})
			c.got([]*member{n, o}, `"rooms"`, `"all"`)
		},
	},
	{
		name:        "a room named like a member",
		explanation: "a room may have the name of another member's id: who joins it gets what that member gets, and stays when it goes",
		run: func(c *rig) {
			a := c.adapters[0]
			m, n := c.add(0, "m"), c.add(0, "n", "m")
			if a.Len("m") != 2 || !a.In("n", "m") || a.In("m", "n") {
				c.Errorf("Len %d, In %v %v", a.Len("m"), a.In("n", "m"), a.In("m", "n"))
			}
			c.equal("RoomNames", a.RoomNames(), []string{"m", "n"})
			a.Broadcast(event("to"), adapter.Target{Rooms: []string{"m", "n"}})
			c.got([]*member{m, n}, `"to"`)
			a.Broadcast(event("except"), adapter.Target{Except: []string{"m"}})
			c.got([]*member{m, n})
			a.Remove("m")
			a.Broadcast(event("to"), adapter.Target{Rooms: []string{"m"}})
			c.got([]*member{m})
			c.got([]*member{n}, `"to"`)
			again := c.add(0, "m")
			a.Broadcast(event("to"), adapter.Target{Rooms: []string{"m"}})
			c.got([]*member{again, n}, `"to"`)
		},
	},
	{
		name:        "names do not collide",
		explanation: "every string is a room's name, and two names are two rooms, whatever characters they share with channels, patterns and separators",
		run: func(c *rig) {
			names := []string{
				"", "#", "##", "a", "a#", "a#b", "a#b#", "#a", "a,b", "a:b", "a b", "a_b", "a/b", "/a", "a*", "*", "a?", "[a]", "{a}", "{a", "\\a",
				"a\x1eb", "a\x00", "a\x00b", "a\r\nb", "\r\n", "\n", "%", "%23", "ä", "a\u0308", "kit", "/kit", "/kit#", "/kit#a", "/kit#a#",
			}
			members := make([]*member, len(names))
			for i, name := range names {
				members[i] = c.add(i%len(c.adapters), "member "+string(rune('A'+i)), name)
			}
			c.settle()
			for i, name := range names {
				c.adapters[0].Broadcast(event("to", i), adapter.Target{Rooms: []string{name}})
			}
			for i, m := range members {
				c.got([]*member{m}, text(event("to", i).Packet().Args))
			}
			for _, name := range names {
				c.adapters[0].Broadcast(event("e"), adapter.Target{Except: []string{name}})
			}
			for i, m := range members {
				c.settle()
				c.eventually("packets for all but one", func() bool { return m.count() >= len(names)-1 })
				if n := len(m.take()); n != len(names)-1 {
					c.Errorf("of %d broadcasts that leave out a room each, the one in %q got %d", len(names), names[i], n)
				}
			}
		},
	},
}
