package adaptertest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/internal/failing"
	"github.com/seed3686fee0/parlor/server/packet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A faulty adapter is a good one but for what its fields replace.
type faulty struct {
	adapter.Adapter

	broadcast func(p *packet.Shared, t adapter.Target)
	withAck   func(ctx context.Context, p *packet.Shared, t adapter.Target, clients func(int), reply func(packet.Args, bool))
	join      func(id string, rooms ...string) bool
	within    func(most int, id string, rooms ...string) bool
	fetch     func(ctx context.Context, t adapter.Target) ([]adapter.SocketInfo, error)
	emit      func(args packet.Args) error
	closeIt   func() error
}

func (f *faulty) Broadcast(p *packet.Shared, t adapter.Target) {
	if f.broadcast == nil {
		f.Adapter.Broadcast(p, t)
		return
	}
	f.broadcast(p, t)
}

func (f *faulty) BroadcastWithAck(ctx context.Context, p *packet.Shared, t adapter.Target, clients func(int), reply func(packet.Args, bool)) {
	if f.withAck == nil {
		f.Adapter.BroadcastWithAck(ctx, p, t, clients, reply)
		return
	}
	f.withAck(ctx, p, t, clients, reply)
}

func (f *faulty) Join(id string, rooms ...string) bool {
	if f.join == nil {
		return f.Adapter.Join(id, rooms...)
	}
	return f.join(id, rooms...)
}

func (f *faulty) JoinWithin(most int, id string, rooms ...string) bool {
	if f.within == nil {
		return f.Adapter.JoinWithin(most, id, rooms...)
	}
	return f.within(most, id, rooms...)
}

func (f *faulty) FetchSockets(ctx context.Context, t adapter.Target) ([]adapter.SocketInfo, error) {
	if f.fetch == nil {
		return f.Adapter.FetchSockets(ctx, t)
	}
	return f.fetch(ctx, t)
}

func (f *faulty) ServerSideEmit(args packet.Args) error {
	if f.emit == nil {
		return f.Adapter.ServerSideEmit(args)
	}
	return f.emit(args)
}

func (f *faulty) Close() error {
	if f.closeIt == nil {
		return f.Adapter.Close()
	}
	return f.closeIt()
}

// A tellingHost tells room events in another way than it is told.
type tellingHost struct {
	adapter.Host

	tell func(h adapter.Host, events []adapter.RoomEvent)
}

func (h *tellingHost) RoomEvents(events []adapter.RoomEvent) { h.tell(h.Host, events) }

// TestFaults shows that the kit notices: each of these faults fails the case
// that is about it.
func TestFaults(t *testing.T) {
	before := patience
	patience = 300 * time.Millisecond
	t.Cleanup(func() { patience = before })
	type broken func(a adapter.Adapter, h adapter.Host) *faulty
	tests := []struct {
		fault, by string
		instances int
		adapter   broken
		host      func(h adapter.Host, events []adapter.RoomEvent)
	}{
		{fault: "broadcasts room by room", by: "broadcast", adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			return &faulty{Adapter: a, broadcast: func(p *packet.Shared, t adapter.Target) {
				for _, r := range t.Rooms {
					one := t
					one.Rooms = []string{r}
					a.Broadcast(p, one)
				}
				if len(t.Rooms) == 0 {
					a.Broadcast(p, t)
				}
			}}
		}},
		{fault: "ignores Except", by: "broadcast", adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			return &faulty{Adapter: a, broadcast: func(p *packet.Shared, t adapter.Target) {
				t.Except = nil
				a.Broadcast(p, t)
			}}
		}},
		{fault: "changes the target", by: "the target is the caller's", adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			return &faulty{Adapter: a, broadcast: func(p *packet.Shared, t adapter.Target) {
				_ = append(t.Except, "own")
				a.Broadcast(p, t)
			}}
		}},
		{fault: "ignores Local", by: "local", instances: 2, adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			return &faulty{Adapter: a, broadcast: func(p *packet.Shared, t adapter.Target) {
				t.Local = false
				a.Broadcast(p, t)
			}}
		}},
		{fault: "drops flags", by: "flags", adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			return &faulty{Adapter: a, broadcast: func(p *packet.Shared, t adapter.Target) {
				t.Flags.Volatile = false
				a.Broadcast(p, t)
			}}
		}},
		{fault: "lets packets overtake", by: "order", adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			var before sync.Mutex
			var held *packet.Shared
			return &faulty{Adapter: a, broadcast: func(p *packet.Shared, t adapter.Target) {
				before.Lock()
				first := held
				held = p
				if first != nil {
					held = nil
				}
				before.Unlock()
				if first != nil { // every other packet is overtaken
					a.Broadcast(p, t)
					a.Broadcast(first, t)
				}
			}}
		}},
		{fault: "joins anybody", by: "remove", adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			return &faulty{Adapter: a, join: func(id string, rooms ...string) bool {
				a.Join(id, rooms...)
				return true
			}}
		}},
		{fault: "joins as many as it may", by: "join within a limit", adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			return &faulty{Adapter: a, within: func(most int, id string, rooms ...string) bool {
				within := true
				for _, r := range rooms {
					within = a.JoinWithin(most, id, r) && within
				}
				return within
			}}
		}},
		{fault: "cuts names at a separator", by: "names do not collide", adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			return &faulty{Adapter: a, join: func(id string, rooms ...string) bool {
				cut := slices.Clone(rooms)
				for i, r := range rooms {
					cut[i], _, _ = strings.Cut(r, "#")
				}
				return a.Join(id, cut...)
			}}
		}},
		{fault: "never ends a question", by: "the end of the wait", adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			return &faulty{Adapter: a, withAck: func(_ context.Context, p *packet.Shared, t adapter.Target, clients func(int), reply func(packet.Args, bool)) {
				a.BroadcastWithAck(context.Background(), p, t, clients, reply)
			}}
		}},
		{fault: "forgets before it asks", by: "a wait that is over before it begins", adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			return &faulty{Adapter: a, withAck: func(ctx context.Context, p *packet.Shared, t adapter.Target, clients func(int), reply func(packet.Args, bool)) {
				if ctx.Err() != nil {
					ctx = context.Background()
				}
				a.BroadcastWithAck(ctx, p, t, clients, reply)
			}}
		}},
		{fault: "tells no number when it is 0", by: "acknowledgements of nobody", adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			return &faulty{Adapter: a, withAck: func(ctx context.Context, p *packet.Shared, t adapter.Target, clients func(int), reply func(packet.Args, bool)) {
				a.BroadcastWithAck(ctx, p, t, func(n int) {
					if n > 0 {
						clients(n)
					}
				}, reply)
			}}
		}},
		{fault: "passes another's id on", by: "questions of two instances", instances: 2, adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			return &faulty{Adapter: a, withAck: func(ctx context.Context, p *packet.Shared, t adapter.Target, clients func(int), reply func(packet.Args, bool)) {
				for _, x := range append(a.(*node).peers, a.(*node)) {
					x.Memory.BroadcastWithAck(ctx, p, t, clients, reply)
				}
			}}
		}},
		{fault: "fetches no rooms", by: "fetch sockets", adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			return &faulty{Adapter: a, fetch: func(ctx context.Context, t adapter.Target) ([]adapter.SocketInfo, error) {
				infos, err := a.FetchSockets(ctx, t)
				for i := range infos {
					infos[i].Rooms = nil
				}
				return infos, err
			}}
		}},
		{fault: "hears itself", by: "server-side emit", adapter: func(a adapter.Adapter, h adapter.Host) *faulty {
			return &faulty{Adapter: a, emit: func(args packet.Args) error {
				h.ServerSideEvent(args, nil)
				return a.ServerSideEmit(args)
			}}
		}},
		{fault: "closes once", by: "close", adapter: func(a adapter.Adapter, _ adapter.Host) *faulty {
			closed := false
			return &faulty{Adapter: a, closeIt: func() error {
				if closed {
					return errors.New("closed already")
				}
				closed = true
				return a.Close()
			}}
		}},
		{fault: "tells of a room after its member", by: "room events", host: func(h adapter.Host, events []adapter.RoomEvent) {
			events = slices.Clone(events)
			slices.Reverse(events)
			h.RoomEvents(events)
		}},
		{fault: "tells events at once", by: "room events of many", host: func() func(h adapter.Host, events []adapter.RoomEvent) {
			var mu sync.Mutex
			var held []adapter.RoomEvent
			return func(h adapter.Host, events []adapter.RoomEvent) {
				mu.Lock() // what is told next overtakes
				events, held = held, events
				mu.Unlock()
				h.RoomEvents(events)
			}
		}()},
	}
	for _, test := range tests {
		t.Run(test.fault, func(t *testing.T) {
			cluster := func(t testing.TB, hosts []adapter.Host) Cluster {
				if test.host != nil {
					for i, h := range hosts {
						hosts[i] = &tellingHost{h, test.host}
					}
				}
				c := newNodes(t, hosts)
				if test.adapter != nil {
					for i, a := range c.Adapters {
						t.Cleanup(func() { _ = a.Close() })
						c.Adapters[i] = test.adapter(a, hosts[i])
					}
				}
				return c
			}
			i := slices.IndexFunc(cases(), func(tc testCase) bool { return tc.name == test.by })
			if i < 0 {
				t.Fatalf("no case %q", test.by)
			}
			if !failing.Fails(t, func(t testing.TB) { cases()[i].run(newRig(t, max(1, test.instances), cluster)) }) {
				t.Errorf("the case %q passes", test.by)
			}
		})
	}
}
