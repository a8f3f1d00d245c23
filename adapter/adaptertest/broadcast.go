package adaptertest

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/seed3686fee0/parlor/adapter"
)

var broadcastCases = []testCase{
	{
		name:        "broadcast",
		explanation: "a broadcast reaches every member of every instance that it means, once, however many of the rooms it is in",
		run: func(c *rig) {
			one, two, both, none := c.spread("one", "r1"), c.spread("two", "r2"), c.spread("both", "r1", "r2"), c.spread("none")
			all := slices.Concat(one, two, both, none)
			c.settle()
			for _, step := range []struct {
				target adapter.Target
				want   []*member
			}{
				{adapter.Target{}, all},
				{adapter.Target{Rooms: []string{}, Except: []string{}}, all},
				{adapter.Target{Rooms: []string{"r1"}}, slices.Concat(one, both)},
				{adapter.Target{Rooms: []string{"r1", "r2"}}, slices.Concat(one, two, both)},
				{adapter.Target{Rooms: []string{"r1", "r1", "x"}}, slices.Concat(one, both)},
				{adapter.Target{Rooms: []string{"x"}}, nil},
				{adapter.Target{Except: []string{"r1"}}, slices.Concat(two, none)},
				{adapter.Target{Except: []string{"r1", "r2", "x"}}, none},
				{adapter.Target{Rooms: []string{"r1", "r2"}, Except: []string{"r2"}}, one},
				{adapter.Target{Rooms: []string{"r1"}, Except: []string{"r1"}}, nil},
				{adapter.Target{Rooms: []string{"r1"}, Except: []string{"one0"}}, slices.Concat(one[1:], both)},
				{adapter.Target{Rooms: []string{"one0", "none0"}}, []*member{one[0], none[0]}},
				{adapter.Target{Rooms: []string{"one0", "r1"}}, slices.Concat(one, both)},
			} {
				for i, a := range c.adapters {
					a.Broadcast(event("e", i), step.target)
					c.got(step.want, fmt.Sprintf(`"e" %d`, i))
					for _, m := range all {
						if !slices.Contains(step.want, m) && m.count() > 0 {
							c.Errorf("%+v: %s got %q", step.target, m.id, m.take())
						}
					}
				}
			}
		},
	},
	{
		name:        "the target is the caller's",
		explanation: "a target and its slices may be used again: an adapter neither changes nor keeps them",
		run: func(c *rig) {
			m := c.spread("m", "r1")
			c.settle()
			rooms := append(make([]string, 0, 8), "r1")
			except := append(make([]string, 0, 8), "x")
			target := adapter.Target{Rooms: rooms, Except: except}
			c.adapters[0].Broadcast(event("e"), target)
			if rooms[0] != "r1" || except[0] != "x" || rooms[:2][1] != "" || except[:2][1] != "" {
				c.Errorf("rooms %q, except %q", rooms[:2], except[:2])
			}
			rooms[0], except[0] = "changed", "r1"
			c.got(m, `"e"`)
		},
	},
	{
		name:        "local",
		explanation: "a local broadcast reaches this instance only",
		run: func(c *rig) {
			members := c.spread("m", "r")
			c.settle()
			for i, a := range c.adapters {
				a.Broadcast(event("all"), adapter.Target{Local: true})
				a.Broadcast(event("room"), adapter.Target{Rooms: []string{"r"}, Local: true})
				c.got(members[i:i+1], `"all"`, `"room"`)
			}
			c.got(members)
		},
	},
	{
		name:        "flags",
		explanation: "the flags of a broadcast come with it to every member",
		run: func(c *rig) {
			members := c.spread("m")
			flags := []adapter.Flags{{}, {Volatile: true}, {NoCompress: true}, {Volatile: true, NoCompress: true}}
			for _, f := range flags {
				c.adapters[0].Broadcast(event("e"), adapter.Target{Flags: f})
			}
			for _, m := range members {
				c.eventually(m.id+" gets all", func() bool { return m.count() == len(flags) })
				m.mu.Lock()
				if !slices.Equal(m.flags, flags) {
					c.Errorf("%s: %v, want %v", m.id, m.flags, flags)
				}
				m.mu.Unlock()
			}
		},
	},
	{
		name:        "arguments",
		explanation: "arguments arrive as they were, attachments among them",
		run: func(c *rig) {
			members := c.spread("m")
			c.adapters[0].Broadcast(event("e", []byte{0, 1, 0xff}, map[string]any{"n": []any{1, -2.5, true}}, nil, "<&> ä"), adapter.Target{})
			c.got(members, `"e" <0001ff> {"n":[1,-2.5,true]} null "<&> ä"`)
		},
	},
	{
		name:        "flush",
		explanation: "a member that asks for it is flushed once, when the broadcast has reached everyone; the others are not",
		run: func(c *rig) {
			slow, fast := newMember("slow"), newMember("fast")
			slow.behind = true
			c.adapters[0].Add(slow)
			c.adapters[0].Add(fast)
			c.adapters[0].Broadcast(event("e"), adapter.Target{})
			if slow.flushes != 1 || fast.flushes != 0 {
				c.Errorf("flushed %d and %d times", slow.flushes, fast.flushes)
			}
			c.adapters[0].BroadcastWithAck(background(c), c.question(0, "q"), adapter.Target{}, func(int) {}, func(packetArgs, bool) {})
			if slow.flushes != 2 || fast.flushes != 0 {
				c.Errorf("after a question: flushed %d and %d times", slow.flushes, fast.flushes)
			}
		},
	},
	{
		name:        "order",
		explanation: "broadcasts from one instance reach the members of an instance in one order, and what one goroutine sends arrives in its order everywhere",
		run: func(c *rig) {
			const senders, each = 4, 100
			members := slices.Concat(c.spread("a", "r"), c.spread("b", "r"), c.spread("c", "r", "x"))
			c.settle()
			var sending sync.WaitGroup
			for i, a := range c.adapters {
				for s := range senders {
					sending.Go(func() {
						for n := range each {
							a.Broadcast(event(fmt.Sprint(i), s, n), adapter.Target{Rooms: []string{"r"}})
						}
					})
				}
			}
			sending.Wait()
			c.settle()
			total := len(c.adapters) * senders * each
			orders := make(map[string][]string) // what came from one instance to one instance
			for k, m := range members {
				c.eventually(fmt.Sprintf("%s gets %d packets", m.id, total), func() bool { return m.count() >= total })
				got := m.take()
				if len(got) != total {
					c.Fatalf("%s got %d packets, want %d", m.id, len(got), total)
				}
				next := make(map[string]int)
				for _, e := range got {
					f := strings.Fields(e) // instance, sender, number
					if want := next[f[0]+f[1]]; f[2] != fmt.Sprint(want) {
						c.Fatalf("%s: packet %s of sender %s of instance %s where %d is due", m.id, f[2], f[1], f[0], want)
					}
					next[f[0]+f[1]]++
				}
				for i := range c.adapters {
					from := fmt.Sprintf("%q", fmt.Sprint(i))
					order := slices.DeleteFunc(slices.Clone(got), func(e string) bool { return !strings.HasPrefix(e, from+" ") })
					key := fmt.Sprint(i, " to ", k%len(c.adapters))
					if first, ok := orders[key]; !ok {
						orders[key] = order
					} else if !slices.Equal(first, order) {
						c.Fatalf("%s got the broadcasts from instance %d in another order than its neighbour", m.id, i)
					}
				}
			}
		},
	},
	{
		name:        "broadcasts and changes at once",
		explanation: "members come, move and go while others broadcast: one that stays misses nothing, and nothing is given twice",
		run: func(c *rig) {
			const each = 200
			stays := c.spread("stays", "r")
			c.settle()
			var work sync.WaitGroup
			for i, a := range c.adapters {
				work.Go(func() {
					for n := range each {
						a.Broadcast(event(fmt.Sprint(i), n), adapter.Target{Rooms: []string{"r", "s"}})
					}
				})
				for k := range 3 {
					work.Go(func() {
						for n := range each {
							id := fmt.Sprint("moves ", i, k, n)
							m := newMember(id)
							a.Add(m)
							a.Join(id, "r", "s")
							a.Leave(id, "r")
							a.Remove(id)
							got := m.take()
							if slices.Sort(got); len(slices.Compact(got)) != len(got) {
								c.Errorf("%s got something twice: %q", id, got)
							}
						}
					})
				}
			}
			work.Wait()
			c.settle()
			for _, m := range stays {
				c.eventually(m.id+" gets all", func() bool { return m.count() >= each*len(c.adapters) })
				if n := len(m.take()); n != each*len(c.adapters) {
					c.Errorf("%s got %d packets, want %d", m.id, n, each*len(c.adapters))
				}
			}
			for i, a := range c.adapters {
				if a.Count() != 1 || a.Len("r") != 1 || a.Len("s") != 0 {
					c.Errorf("instance %d: Count %d, Len %d and %d", i, a.Count(), a.Len("r"), a.Len("s"))
				}
			}
		},
	},
}
