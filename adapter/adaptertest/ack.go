package adaptertest

import (
	"context"
	"slices"
	"sync"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/packet"
)

type packetArgs = packet.Args

// answers records what comes back from BroadcastWithAck.
type answers struct {
	mu       sync.Mutex
	clients  []int
	replies  []string
	gone     int
	early    bool // a reply came before any number of clients
	within   bool
	overlaps bool
}

func (a *answers) told(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.clients = append(a.clients, n)
}

// reply gives mu back in its middle, so that calls which overlap are noticed.
func (a *answers) reply(args packet.Args, ok bool) {
	a.mu.Lock()
	a.overlaps = a.overlaps || a.within
	a.within = true
	a.early = a.early || len(a.clients) == 0
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.within = false
		a.mu.Unlock()
	}()
	a.mu.Lock()
	defer a.mu.Unlock()
	if ok {
		a.replies = append(a.replies, text(args))
	} else {
		a.gone++
	}
}

// counts returns how many instances have told their number, the sum, how many
// have replied, and how many are gone.
func (a *answers) counts() (instances, clients, replies, gone int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range a.clients {
		clients += n
	}
	return len(a.clients), clients, len(a.replies), a.gone
}

func (a *answers) check(c *rig) {
	c.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.early {
		c.Error("a reply came before any instance had told how many it asks")
	}
	if a.overlaps {
		c.Error("reply was called concurrently with itself")
	}
}

func (c *rig) ask(ctx context.Context, instance int, t adapter.Target) *answers {
	a := &answers{}
	c.adapters[instance].BroadcastWithAck(ctx, c.question(instance, "q"), t, a.told, a.reply)
	return a
}

var ackCases = []testCase{
	{
		name:        "acknowledgements",
		explanation: "each instance tells once how many it asks, each member's answer comes once, and whoever is not meant is not asked",
		run: func(c *rig) {
			n := len(c.adapters)
			asked, others := slices.Concat(c.spread("m", "r"), c.spread("n", "r", "s")), c.spread("o")
			for _, m := range slices.Concat(asked, others) {
				m.answer = true
			}
			c.settle()
			a := c.ask(background(c), 0, adapter.Target{Rooms: []string{"r", "s"}})
			c.eventually("all answers come", func() bool {
				instances, clients, replies, _ := a.counts()
				return instances == n && clients == 2*n && replies == 2*n
			})
			c.settle()
			instances, clients, replies, gone := a.counts()
			if instances != n || clients != 2*n || replies != 2*n || gone != 0 {
				c.Errorf("%d instances, %d clients, %d replies, %d gone", instances, clients, replies, gone)
			}
			var want []string
			for _, m := range asked {
				want = append(want, text(args(m.id)))
			}
			c.equal("replies", a.replies, want)
			a.check(c)
			c.got(asked, `"q"`)
			c.got(others)
		},
	},
	{
		name:        "acknowledgements of nobody",
		explanation: "where nobody is meant each instance tells that it asks no one",
		run: func(c *rig) {
			c.spread("m")
			c.settle()
			a := c.ask(background(c), 0, adapter.Target{Rooms: []string{"x"}})
			c.eventually("all instances tell", func() bool {
				instances, _, _, _ := a.counts()
				return instances == len(c.adapters)
			})
			if _, clients, replies, gone := a.counts(); clients != 0 || replies != 0 || gone != 0 {
				c.Errorf("%d clients, %d replies, %d gone", clients, replies, gone)
			}
		},
	},
	{
		name:        "local acknowledgements",
		explanation: "a local question is asked on this instance only, and no other tells a number",
		run: func(c *rig) {
			members := c.spread("m")
			c.settle()
			a := c.ask(background(c), 0, adapter.Target{Local: true})
			members[0].reply(true)
			c.settle()
			if instances, clients, replies, _ := a.counts(); instances != 1 || clients != 1 || replies != 1 {
				c.Errorf("%d instances, %d clients, %d replies", instances, clients, replies)
			}
		},
	},
	{
		name:        "acknowledgements of members that go",
		explanation: "a member that is gone before it has answered is told as gone, so that nobody waits for it",
		run: func(c *rig) {
			members := c.spread("m")
			c.settle()
			a := c.ask(background(c), 0, adapter.Target{})
			for _, m := range members {
				c.eventually(m.id+" is asked", func() bool { return m.outstanding() == 1 })
				m.reply(false)
			}
			c.eventually("all are told as gone", func() bool {
				_, _, replies, gone := a.counts()
				return replies == 0 && gone == len(members)
			})
			a.check(c)
		},
	},
	{
		name:        "the end of the wait",
		explanation: "when the context ends, members are told to forget the question, and an answer that comes later is not passed on",
		run: func(c *rig) {
			members := c.spread("m")
			c.settle()
			ctx, cancel := context.WithCancel(context.Background())
			a := c.ask(ctx, 0, adapter.Target{Timeout: patience})
			var late []func(packet.Args, bool)
			for _, m := range members {
				c.eventually(m.id+" is asked", func() bool { return m.outstanding() == 1 })
				m.mu.Lock()
				for _, f := range m.pending {
					late = append(late, f)
				}
				m.mu.Unlock()
			}
			cancel()
			c.eventually("the member on the asking instance forgets", func() bool { return members[0].outstanding() == 0 })
			for _, f := range late {
				f(args("late"), true)
			}
			c.settle()
			if _, _, replies, gone := a.counts(); replies != 0 || gone != 0 {
				c.Errorf("%d replies and %d gone after the end", replies, gone)
			}
		},
	},
	{
		name:        "a wait that is over before it begins",
		explanation: "a question whose context has ended already leaves nothing behind: it is forgotten, not only after it was asked",
		run: func(c *rig) {
			members := make([]*member, 200) // so many that asking them takes a while
			for i := range members {
				members[i] = c.add(0, "m"+string(rune(0x100+i)))
			}
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			c.ask(ctx, 0, adapter.Target{Local: true})
			for _, m := range members {
				c.eventually(m.id+" forgets", func() bool { return m.outstanding() == 0 })
			}
		},
	},
	{
		name:        "questions of two instances",
		explanation: "a member that several instances ask at once can tell the questions apart: each goes out with an id of the member's instance",
		run: func(c *rig) {
			members := c.spread("m")
			c.settle()
			asked := make([]*answers, len(c.adapters))
			for i := range c.adapters {
				asked[i] = c.ask(background(c), i, adapter.Target{})
			}
			for _, m := range members {
				c.eventually(m.id+" is asked by all", func() bool {
					m.mu.Lock()
					defer m.mu.Unlock()
					return m.asked == len(c.adapters)
				})
				if m.collided || m.outstanding() != len(c.adapters) {
					c.Errorf("%s: two questions have one id", m.id)
				}
				m.reply(true)
			}
			for i, a := range asked {
				c.eventually("each question gets its answers", func() bool {
					_, _, replies, _ := a.counts()
					return replies >= len(members)
				})
				if _, clients, replies, gone := a.counts(); clients != len(members) || replies != len(members) || gone != 0 {
					c.Errorf("instance %d: %d clients, %d replies, %d gone", i, clients, replies, gone)
				}
			}
		},
	},
	{
		name:        "answers at once",
		explanation: "answers that come at the same time are passed on one after another",
		run: func(c *rig) {
			var members []*member
			for i := range 20 {
				members = append(members, c.add(i%len(c.adapters), "m"+string(rune('A'+i))))
			}
			c.settle()
			a := c.ask(background(c), 0, adapter.Target{})
			for _, m := range members {
				c.eventually(m.id+" is asked", func() bool { return m.outstanding() == 1 })
			}
			var replying sync.WaitGroup
			for _, m := range members {
				replying.Go(func() { m.reply(true) })
			}
			replying.Wait()
			c.eventually("all answers come", func() bool {
				_, _, replies, _ := a.counts()
				return replies == len(members)
			})
			a.check(c)
		},
	},
}
