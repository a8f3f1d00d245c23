package adaptertest

import (
	"fmt"
	"strings"
	"sync"

	"github.com/seed3686fee0/parlor/adapter"
)

var eventCases = []testCase{
	{
		name:        "room events",
		explanation: "a room is created before it is joined and deleted after it was left; each change is told once, on the instance where it happens",
		run: func(c *rig) {
			h, a := c.hosts[0], c.adapters[0]
			for _, h := range c.hosts {
				h.wants.Store(true)
			}
			for _, step := range []struct {
				name string
				do   func()
				want []string
			}{
				{"add", func() { a.Add(newMember("m")) }, []string{"create-room m", "join-room m m"}},
				{"add again", func() { a.Add(newMember("m")) }, nil},
				{"join", func() { a.Join("m", "r", "r") }, []string{"create-room r", "join-room r m"}},
				{"join again", func() { a.Join("m", "r") }, nil},
				{"join unknown", func() { a.Join("x", "r") }, nil},
				{"a second", func() { a.Add(newMember("n")); a.Join("n", "r") }, []string{"create-room n", "join-room n n", "join-room r n"}},
				{"leave", func() { a.Leave("m", "r") }, []string{"leave-room r m"}},
				{"leave again", func() { a.Leave("m", "r") }, nil},
				{"leave as the last", func() { a.Leave("n", "r") }, []string{"leave-room r n", "delete-room r"}},
				{"leave the own room", func() { a.Leave("m", "m") }, []string{"leave-room m m", "delete-room m"}},
				{"join the own room", func() { a.Join("m", "m") }, []string{"create-room m", "join-room m m"}},
				{"join another's", func() { a.Join("n", "m") }, []string{"join-room m n"}},
				{"remove", func() { a.Remove("m") }, []string{"leave-room m m"}},
				{"remove again", func() { a.Remove("m") }, nil},
				{"leave the other's", func() { a.Leave("n", "m") }, []string{"leave-room m n", "delete-room m"}},
				{"sockets join", func() { a.SocketsJoin(adapter.Target{Local: true}, "s") }, []string{"create-room s", "join-room s n"}},
				{"sockets leave", func() { a.SocketsLeave(adapter.Target{Local: true}, "s") }, []string{"leave-room s n", "delete-room s"}},
				{"join for the end", func() { a.Join("n", "z") }, []string{"create-room z", "join-room z n"}},
				{"remove the last", func() { a.Remove("n") }, []string{"leave-room n n", "delete-room n", "leave-room z n", "delete-room z"}},
			} {
				step.do()
				if got := h.takeEvents(); fmt.Sprint(got) != fmt.Sprint(step.want) {
					c.Errorf("%s: %q, want %q", step.name, got, step.want)
				}
			}
			c.settle()
			for i, h := range c.hosts[1:] {
				if got := h.takeEvents(); got != nil {
					c.Errorf("instance %d is told %q", i+1, got)
				}
			}
		},
	},
	{
		name:        "room events nobody wants",
		explanation: "while nobody wants room events none are told",
		run: func(c *rig) {
			c.add(0, "m", "r")
			c.adapters[0].Remove("m")
			if got := c.hosts[0].takeEvents(); got != nil {
				c.Errorf("told %q", got)
			}
			c.hosts[0].wants.Store(true)
			c.add(0, "n")
			if got := c.hosts[0].takeEvents(); len(got) != 2 {
				c.Errorf("told %q after they were wanted", got)
			}
		},
	},
	{
		name:        "room events of many",
		explanation: "what several goroutines do is told one call at a time and in the order in which it happened: who follows the events knows the rooms",
		run: func(c *rig) {
			h, a := c.hosts[0], c.adapters[0]
			h.wants.Store(true)
			var work sync.WaitGroup
			for i := range 8 {
				work.Go(func() {
					id := fmt.Sprint("m", i)
					for range 200 {
						a.Add(newMember(id))
						a.Join(id, "r")
						a.Leave(id, "r")
						a.Remove(id)
					}
				})
			}
			work.Wait()
			c.eventually("the last events are told", func() bool {
				h.mu.Lock()
				defer h.mu.Unlock()
				return !h.telling
			})
			if h.overlapped {
				c.Error("RoomEvents was called concurrently with itself")
			}
			rooms := make(map[string]map[string]bool)
			for n, e := range h.takeEvents() {
				kind, rest, _ := strings.Cut(e, " ")
				room, id, _ := strings.Cut(rest, " ")
				members, exists := rooms[room]
				ok := exists
				switch adapter.RoomEventKind(kind) {
				case adapter.RoomCreated:
					ok = !exists
					rooms[room] = make(map[string]bool)
				case adapter.RoomJoined:
					ok = ok && !members[id]
					if exists {
						members[id] = true
					}
				case adapter.RoomLeft:
					ok = ok && members[id]
					delete(members, id)
				case adapter.RoomDeleted:
					ok = ok && len(members) == 0
					delete(rooms, room)
				}
				if !ok {
					c.Fatalf("event %d, %q, does not follow from those before", n, e)
				}
			}
			if len(rooms) != 0 {
				c.Errorf("rooms remain: %v", rooms)
			}
		},
	},
	{
		name:        "room events that change rooms",
		explanation: "who is told of an event may use the adapter; what comes of that is told afterwards",
		run: func(c *rig) {
			h, a := c.hosts[0], c.adapters[0]
			h.wants.Store(true)
			h.onEvent = func(e adapter.RoomEvent) {
				if e.Kind == adapter.RoomJoined && e.Room == "r" {
					a.Join(e.ID, "follow")
				}
			}
			c.add(0, "m", "r")
			want := "[create-room m join-room m m create-room r join-room r m create-room follow join-room follow m]" //nolint:dupword // m is in the room m
			if got := fmt.Sprint(h.takeEvents()); got != want {
				c.Errorf("told %s, want %s", got, want)
			}
		},
	},
}
