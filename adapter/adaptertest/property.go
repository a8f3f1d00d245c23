package adaptertest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/seed3686fee0/parlor/adapter"
)

// A model is what an adapter should hold, written as simply as can be.
type model struct {
	rooms map[string]map[string]bool // of each member
	at    map[string]int             // its instance
}

// means lists the members that a target means, seen from an instance.
func (m *model) means(instance int, t adapter.Target) []string {
	in := func(id string, rooms []string) bool {
		return slices.ContainsFunc(rooms, func(r string) bool { return m.rooms[id][r] })
	}
	var list []string
	for id := range m.rooms {
		if (len(t.Rooms) == 0 || in(id, t.Rooms)) && !in(id, t.Except) && (!t.Local || m.at[id] == instance) {
			list = append(list, id)
		}
	}
	return list
}

var propertyCases = []testCase{
	{
		name:        "random operations",
		explanation: "after any operations an adapter holds and reaches what a naive model says",
		run: func(c *rig) {
			seed := rand.Uint64()
			c.Logf("seed %d", seed)
			random(c, rand.New(rand.NewPCG(seed, 1)), 2000/len(c.adapters))
		},
	},
}

func random(c *rig, rnd *rand.Rand, steps int) {
	m := &model{rooms: make(map[string]map[string]bool), at: make(map[string]int)}
	members := make(map[string]*member)
	names := []string{"a", "b", "c", "d", "e", "f", "g", "h"} // ids and rooms
	some := func(n int) []string {
		list := make([]string, rnd.IntN(n))
		for i := range list {
			list[i] = names[rnd.IntN(len(names))]
		}
		return list
	}
	settled := true // all that was done has had its effect everywhere
	for step := range steps {
		id, rooms, instance := names[rnd.IntN(len(names))], some(4), rnd.IntN(len(c.adapters))
		target := adapter.Target{Rooms: some(3), Except: some(3), Local: rnd.IntN(2) == 0}
		if at, ok := m.at[id]; ok {
			instance = at
		}
		a := c.adapters[instance]
		var done string
		op := rnd.IntN(9)
		if op >= 6 && !settled && !target.Local { // others are meant, and have to know where members are
			c.settle()
		}
		settled = op >= 6
		switch op {
		case 0, 1:
			done = fmt.Sprint("add ", id)
			if _, ok := m.at[id]; !ok {
				members[id] = newMember(id)
				a.Add(members[id])
				m.rooms[id], m.at[id] = map[string]bool{id: true}, instance
			}
		case 2:
			done = fmt.Sprint("remove ", id)
			a.Remove(id)
			delete(m.rooms, id)
			delete(m.at, id)
		case 3, 4:
			done = fmt.Sprint("join ", id, rooms)
			if _, known := m.at[id]; a.Join(id, rooms...) != known {
				c.Fatalf("step %d, %s: known is %v", step, done, !known)
			}
			for _, r := range rooms {
				if m.rooms[id] != nil {
					m.rooms[id][r] = true
				}
			}
		case 5:
			done = fmt.Sprint("leave ", id, rooms)
			a.Leave(id, rooms...)
			for _, r := range rooms {
				delete(m.rooms[id], r)
			}
		case 6:
			done = fmt.Sprintf("sockets join %+v %q", target, rooms)
			for _, x := range m.means(instance, target) {
				for _, r := range rooms {
					m.rooms[x][r] = true
				}
			}
			a.SocketsJoin(target, rooms...)
		case 7:
			done = fmt.Sprintf("sockets leave %+v %q", target, rooms)
			for _, x := range m.means(instance, target) {
				for _, r := range rooms {
					delete(m.rooms[x], r)
				}
			}
			a.SocketsLeave(target, rooms...)
		case 8:
			done = fmt.Sprintf("broadcast %+v", target)
			want := m.means(instance, target)
			a.Broadcast(event("e", step), target)
			c.settle()
			for x, member := range members {
				meant := slices.Contains(want, x)
				if meant {
					c.eventually(x+" gets the broadcast", func() bool { return member.count() > 0 })
				}
				if got := member.take(); len(got) != map[bool]int{true: 1}[meant] {
					c.Fatalf("step %d, %s: %s got %q, meant: %v", step, done, x, got, meant)
				}
			}
		}
		if op >= 6 {
			c.settle()
		}
		compare(c, m, names, fmt.Sprintf("step %d, %s", step, done))
	}
}

// compare checks every instance against the model.
func compare(c *rig, m *model, names []string, done string) {
	c.Helper()
	for i, a := range c.adapters {
		count, occupied := 0, make(map[string]int)
		for id, rooms := range m.rooms {
			if m.at[id] != i {
				continue
			}
			count++
			for r := range rooms {
				occupied[r]++
			}
			got, ok := a.RoomsOf(id)
			slices.Sort(got)
			if want := slices.Sorted(maps.Keys(rooms)); !ok || !slices.Equal(got, want) {
				c.Fatalf("%s: %s is in %q (known: %v), want %q", done, id, got, ok, want)
			}
		}
		if a.Count() != count {
			c.Fatalf("%s: Count %d, want %d", done, a.Count(), count)
		}
		for _, name := range names {
			if a.Len(name) != occupied[name] {
				c.Fatalf("%s: Len(%q) %d, want %d", done, name, a.Len(name), occupied[name])
			}
		}
		if got, want := slices.Sorted(slices.Values(a.RoomNames())), slices.Sorted(maps.Keys(occupied)); !slices.Equal(got, want) {
			c.Fatalf("%s: RoomNames %q, want %q", done, got, want)
		}
	}
}
