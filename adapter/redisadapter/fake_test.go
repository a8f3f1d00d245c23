package redisadapter

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/packet"
)

// Patient is for clusters of which nothing is to be lost or missed: by default what
// has waited for a second or two is given up, which a busy machine can bring about.
func Patient(c *config) { c.publishTimeout, c.maxAge, c.requestTimeout = guard, guard, guard }

// Asked calls end when an instance has counted the others and published something,
// which is the question of whoever asks next.
func Asked(t testing.TB, stats func() Stats, end func()) {
	before := stats().Published
	go func() {
		for stats().Published == before && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		end()
	}()
}

// A host is a namespace without a server.
type host struct {
	acks  atomic.Uint64
	event func(args packet.Args, reply func(packet.Args))
}

func (h *host) Namespace() string              { return "/g" }
func (h *host) Logger() *slog.Logger           { return slog.New(slog.DiscardHandler) }
func (h *host) WantsRoomEvents() bool          { return false }
func (h *host) RoomEvents([]adapter.RoomEvent) {}
func (h *host) NextAckID() uint64              { return h.acks.Add(1) }
func (h *host) ServerSideEvent(args packet.Args, reply func(packet.Args)) {
	if h.event != nil {
		h.event(args, reply)
	}
}

// A member records what it is given: the arguments of events, as JSON.
type member struct {
	id string

	mu    sync.Mutex
	got   []string
	ended int
	asked []func(packet.Args, bool)
}

func (m *member) ID() string { return m.id }

func (m *member) Deliver(p *packet.Shared, _ adapter.Flags) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got = append(m.got, text(p.Packet().Args))
	return false
}

func (m *member) Flush() {}

func (m *member) Ask(p *packet.Shared, f adapter.Flags, reply func(packet.Args, bool)) bool {
	m.mu.Lock()
	m.asked = append(m.asked, reply)
	m.mu.Unlock()
	return m.Deliver(p, f)
}

func (m *member) Forget(uint64) {}

func (m *member) Disconnect(bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended++
}

func (m *member) Describe() adapter.SocketInfo {
	return adapter.SocketInfo{ID: m.id, Handshake: adapter.Handshake{Headers: map[string]string{"cookie": "secret", "host": "h"}}}
}

func (m *member) take() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	got := m.got
	m.got = nil
	return got
}

func (m *member) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.got)
}

func text(a packet.Args) string {
	var list []string
	for _, arg := range a.All() {
		list = append(list, string(arg.AppendJSON(nil)))
	}
	return strings.Join(list, " ")
}

func event(values ...any) *packet.Shared {
	a, err := packet.NewArgs(values...)
	if err != nil {
		panic(err)
	}
	return packet.NewShared(packet.Packet{Type: packet.Event, Namespace: "/g", Args: a})
}

// start makes an adapter with one member, "m0" and so on, in the room "r". It
// does not wait for Redis.
func start(t testing.TB, i int, c *Cluster) (*node, *member) {
	t.Helper()
	n := c.Adapter(&host{}).(*node)
	t.Cleanup(func() { n.Close() })
	m := &member{id: fmt.Sprint("m", i)}
	n.Add(m)
	n.Join(m.id, "r")
	return n, m
}

// startAll makes several and waits until each sees all others.
func startAll(t testing.TB, count int, newCluster func() *Cluster) ([]*node, []*member) {
	t.Helper()
	var nodes []*node
	var members []*member
	for i := range count {
		n, m := start(t, i, newCluster())
		nodes, members = append(nodes, n), append(members, m)
	}
	complete(t, nodes)
	return nodes, members
}

// reaches waits until a broadcast of one instance reaches all members.
func reaches(t testing.TB, from *node, members []*member) {
	t.Helper()
	word := newID()
	eventually(t, "a broadcast reaches all", func() bool {
		from.Broadcast(event(word), adapter.Target{Rooms: []string{"r"}})
		for range 50 {
			all := true
			for _, m := range members {
				m.mu.Lock()
				all = all && strings.Contains(strings.Join(m.got, ","), word)
				m.mu.Unlock()
			}
			if all {
				return true
			}
			time.Sleep(time.Millisecond)
		}
		return false
	})
	for _, m := range members {
		m.take()
	}
}

// inOrder checks numbers, which may have gaps but neither repetitions nor
// inversions, and returns how many there are.
func inOrder(t testing.TB, what string, got []string) int {
	t.Helper()
	last := -1
	for _, s := range got {
		n, err := strconv.Atoi(strings.Trim(s, `"()`))
		if err != nil {
			t.Fatalf("%s: %q", what, s)
		}
		if n <= last {
			t.Fatalf("%s: %d after %d", what, n, last)
		}
		last = n
	}
	return len(got)
}
