package adaptertest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/packet"
)

var serverCases = []testCase{
	{
		name:        "server count",
		explanation: "every instance counts all, itself included",
		run: func(c *rig) {
			for i, a := range c.adapters {
				if n, err := a.ServerCount(background(c)); n != len(c.adapters) || err != nil {
					c.Errorf("instance %d counts %d, %v; want %d", i, n, err, len(c.adapters))
				}
			}
		},
	},
	{
		name:        "server-side emit",
		explanation: "an event to the servers reaches each of the others once, in order, and never the one that emits it",
		run: func(c *rig) {
			for n := range 3 {
				if err := c.adapters[0].ServerSideEmit(args("e", n, []byte{1})); err != nil {
					c.Fatal(err)
				}
			}
			c.settle()
			want := []string{`"e" 0 <01>`, `"e" 1 <01>`, `"e" 2 <01>`}
			for i, h := range c.hosts[1:] {
				c.eventually(fmt.Sprintf("instance %d is told", i+1), func() bool { return len(h.serverEvents()) >= len(want) })
				if got := h.serverEvents(); !slices.Equal(got, want) {
					c.Errorf("instance %d: %q, want %q", i+1, got, want)
				}
			}
			if got := c.hosts[0].serverEvents(); got != nil {
				c.Errorf("the emitter is told %q", got)
			}
		},
	},
	{
		name:        "server-side ask",
		explanation: "the answers of all other instances come back; alone there is nobody to wait for",
		run: func(c *rig) {
			var want []string
			for i, h := range c.hosts {
				h.answer = func(reply func(packet.Args)) { go reply(args("answer", i)) }
				if i > 0 {
					want = append(want, fmt.Sprintf(`"answer" %d`, i))
				}
			}
			answers, err := c.adapters[0].ServerSideAsk(background(c), args("q"))
			if err != nil {
				c.Fatal(err)
			}
			var got []string
			for _, a := range answers {
				got = append(got, text(a))
			}
			c.equal("answers", got, want)
			if got := c.hosts[0].serverEvents(); got != nil {
				c.Errorf("the one that asks is told %q", got)
			}
		},
	},
	{
		name:        "server-side ask without all answers",
		explanation: "when the context ends before all have answered, those that have are returned with an error",
		instances:   3,
		run: func(c *rig) {
			c.hosts[1].answer = func(reply func(packet.Args)) { reply(args(1)) }
			ctx, cancel := context.WithCancel(context.Background())
			c.hosts[2].answer = func(func(packet.Args)) { // all but it have answered, give or take
				time.AfterFunc(100*time.Millisecond, cancel)
			}
			answers, err := c.adapters[0].ServerSideAsk(ctx, args("q"))
			if err == nil {
				c.Errorf("%d answers of %d, and no error", len(answers), len(c.adapters)-1)
			}
			if len(answers) >= len(c.adapters)-1 {
				c.Errorf("%d answers", len(answers))
			}
		},
	},
	{
		name:        "close",
		explanation: "an adapter that was closed is told nothing more of other instances, which go on; closing again does nothing",
		run: func(c *rig) {
			members := c.spread("m")
			c.settle()
			last := len(c.adapters) - 1
			for range 2 {
				if err := c.adapters[last].Close(); err != nil {
					c.Fatal(err)
				}
			}
			if last == 0 {
				return
			}
			c.settle()
			c.adapters[0].Broadcast(event("e"), adapter.Target{})
			if err := c.adapters[0].ServerSideEmit(args("e")); err != nil {
				c.Error(err)
			}
			c.got(members[:last], `"e"`)
			c.got(members[last:])
			if got := c.hosts[last].serverEvents(); got != nil {
				c.Errorf("after Close: %q", got)
			}
		},
	},
}
