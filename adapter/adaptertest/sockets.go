package adaptertest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/seed3686fee0/parlor/adapter"
)

// ids fetches the sockets that are meant, and returns their ids.
func (c *rig) ids(instance int, t adapter.Target) []string {
	c.Helper()
	infos, err := c.adapters[instance].FetchSockets(background(c), t)
	if err != nil {
		c.Fatalf("FetchSockets(%+v): %v", t, err)
	}
	ids := make([]string, len(infos))
	for i, info := range infos {
		ids[i] = info.ID
	}
	return ids
}

var socketCases = []testCase{
	{
		name:        "fetch sockets",
		explanation: "sockets are described with all that is known of them, wherever they are",
		run: func(c *rig) {
			var want []string
			for i := range c.adapters {
				m := newMember(fmt.Sprint("m", i))
				m.data = args(map[string]any{"user": i}).At(0)
				c.adapters[i].Add(m)
				c.adapters[i].Join(m.id, "r", "s")
				want = append(want, m.id)
			}
			c.settle()
			infos, err := c.adapters[0].FetchSockets(background(c), adapter.Target{})
			if err != nil || len(infos) != len(want) {
				c.Fatalf("%d sockets, %v; want %d", len(infos), err, len(want))
			}
			described := newMember("").Describe().Handshake
			for _, info := range infos {
				i := slices.Index(want, info.ID)
				if i < 0 {
					c.Fatalf("a socket %q, or one twice", info.ID)
				}
				want[i] = "seen"
				c.equal("rooms of "+info.ID, info.Rooms, []string{info.ID, "r", "s"})
				if data := string(info.Data.AppendJSON(nil)); data != fmt.Sprintf(`{"user":%d}`, i) {
					c.Errorf("%s: data %s", info.ID, data)
				}
				h := info.Handshake
				if !maps.Equal(h.Headers, described.Headers) || !maps.Equal(h.Query, described.Query) ||
					h.Time != described.Time || h.Address != described.Address || h.XDomain != described.XDomain ||
					h.Secure != described.Secure || h.Issued != described.Issued || h.URL != described.URL ||
					string(h.Auth.AppendJSON(nil)) != string(described.Auth.AppendJSON(nil)) {
					c.Errorf("%s: handshake %+v, want %+v", info.ID, h, described)
				}
			}
		},
	},
	{
		name:        "fetch some sockets",
		explanation: "a target picks sockets as it does for a broadcast",
		run: func(c *rig) {
			c.spread("m", "r")
			c.spread("n", "r", "s")
			c.settle()
			var m, all []string
			for i := range c.adapters {
				m = append(m, fmt.Sprint("m", i))
				all = append(all, fmt.Sprint("m", i), fmt.Sprint("n", i))
			}
			c.equal("all", c.ids(0, adapter.Target{}), all)
			c.equal("room", c.ids(0, adapter.Target{Rooms: []string{"r", "s"}}), all)
			c.equal("except", c.ids(0, adapter.Target{Except: []string{"s"}}), m)
			c.equal("nobody", c.ids(0, adapter.Target{Rooms: []string{"x"}}), nil)
			c.equal("one", c.ids(0, adapter.Target{Rooms: []string{"n0"}}), []string{"n0"})
			c.equal("local", c.ids(len(c.adapters)-1, adapter.Target{Local: true}), all[len(all)-2:])
		},
	},
	{
		name:        "move sockets",
		explanation: "sockets are put into rooms and taken out of them wherever they are",
		run: func(c *rig) {
			c.spread("m", "r")
			c.spread("n")
			c.settle()
			c.adapters[0].SocketsJoin(adapter.Target{Rooms: []string{"r"}, Except: []string{"x"}}, "s", "t")
			c.settle()
			for i, a := range c.adapters {
				m, n := fmt.Sprint("m", i), fmt.Sprint("n", i)
				c.eventually(m+" is in s and t", func() bool { return a.In(m, "s") && a.In(m, "t") })
				if a.In(n, "s") || a.Len("s") != 1 {
					c.Errorf("instance %d: %d in s", i, a.Len("s"))
				}
			}
			c.adapters[0].SocketsLeave(adapter.Target{Rooms: []string{"s"}}, "s", "r", "x")
			c.settle()
			for i, a := range c.adapters {
				c.eventually("s and r are empty", func() bool { return a.Len("s") == 0 && a.Len("r") == 0 })
				if a.Len("t") != 1 {
					c.Errorf("instance %d: %d in t", i, a.Len("t"))
				}
			}
			c.adapters[0].SocketsJoin(adapter.Target{Local: true}, "u")
			c.settle()
			for i, a := range c.adapters {
				if want := map[bool]int{true: 2}[i == 0]; a.Len("u") != want {
					c.Errorf("instance %d: %d in u, want %d", i, a.Len("u"), want)
				}
			}
		},
	},
	{
		name:        "disconnect sockets",
		explanation: "sockets are disconnected once, wherever they are, with the connection under them or without",
		run: func(c *rig) {
			for i, step := range []struct {
				target    adapter.Target
				closeConn bool
			}{{adapter.Target{Rooms: []string{"r", "s"}}, false}, {adapter.Target{Rooms: []string{"r"}}, true}} {
				gone, stays := c.spread(fmt.Sprint("gone", i), "r", "s"), c.spread(fmt.Sprint("stays", i))
				c.settle()
				c.adapters[0].DisconnectSockets(step.target, step.closeConn)
				c.settle()
				for k, m := range gone {
					c.eventually(m.id+" is disconnected", func() bool { return len(m.disconnects()) > 0 })
					if got := m.disconnects(); !slices.Equal(got, []bool{step.closeConn}) {
						c.Errorf("%s: disconnected %v, want once with %v", m.id, got, step.closeConn)
					}
					c.adapters[k].Remove(m.id)
				}
				for _, m := range stays {
					if len(m.disconnects()) > 0 {
						c.Errorf("%s is disconnected", m.id)
					}
				}
			}
			local := c.spread("local", "l")
			c.settle()
			c.adapters[0].DisconnectSockets(adapter.Target{Rooms: []string{"l"}, Local: true}, false)
			c.settle()
			for i, m := range local {
				if n := len(m.disconnects()); n != map[bool]int{true: 1}[i == 0] {
					c.Errorf("%s: disconnected %d times", m.id, n)
				}
			}
		},
	},
	{
		name:        "a fetch that is not waited for",
		explanation: "an ended context ends the wait for other instances at once; what this instance knows is there",
		run: func(c *rig) {
			c.spread("m")
			c.settle()
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			infos, err := c.adapters[0].FetchSockets(ctx, adapter.Target{})
			if err == nil && len(infos) != len(c.adapters) {
				c.Errorf("%d sockets of %d, and no error", len(infos), len(c.adapters))
			}
			if !slices.ContainsFunc(infos, func(s adapter.SocketInfo) bool { return s.ID == "m0" }) {
				c.Error("this instance's own is missing")
			}
		},
	},
}
