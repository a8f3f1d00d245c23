package redisstore

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// TestLikeMemory does the same to a Memory and to two instances, at random, and
// expects the same answers; in between Redis forgets everything now and then, or
// one of the instances is taken for dead.
func TestLikeMemory(t *testing.T) {
	server := redistest.Start(t)
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			namespace := fmt.Sprint("/", seed)
			m := &model{
				t: t, r: rand.New(rand.NewPCG(seed, 0)), memory: chat.NewMemory(chat.MemoryOptions{}),
				stores: []*Store{open(t, server.Addr, namespace, Options{}), open(t, server.Addr, namespace, Options{})},
			}
			for m.step = range 1500 {
				if m.r.IntN(60) == 0 {
					m.fault(server)
				}
				m.act()
				if t.Failed() {
					return
				}
			}
		})
	}
}

type model struct {
	t      *testing.T
	r      *rand.Rand
	step   int
	memory *chat.Memory
	stores []*Store
	there  [12]bool
	in     [12][3]bool
	lost   bool // the order in which users came is not what it was
}

func (m *model) fault(server *redistest.Server) {
	switch m.r.IntN(3) {
	case 0:
		server.Do("flushall")
		m.lost = true
	case 1: // what it has, and nothing else, is told again
		s := m.stores[m.r.IntN(2)]
		s.gate.mu.Lock()
		s.gate.whole = true
		s.gate.mu.Unlock()
	case 2: // another begins to take it over
		n := m.r.IntN(2)
		dead, heir := m.stores[n], m.stores[1-n]
		server.Do("zadd", dead.base+"instances", "-1", dead.instance)
		server.Do("hdel", dead.base+"epochs", dead.instance)
		if err := heir.adopt(background); err != nil {
			m.t.Fatal(err)
		}
	}
	for _, s := range m.stores { // as the next heartbeat would, for what both have
		if _, err := s.Connected(background, ""); err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *model) act() {
	// Sockets 0 to 3 are anonymous, of the others three are one user; all of them
	// are at one instance.
	n, room := m.r.IntN(len(m.there)), m.r.IntN(3)
	socket, s := fmt.Sprint("s", n), m.stores[n%2]
	u := chat.User{ID: socket, Name: "name"}
	if n >= 4 {
		u.ID = fmt.Sprint("u", n%3)
	}
	rooms := []string{"a", "b", "c"}
	var got, want any
	var err error
	switch action := m.r.IntN(6); {
	case !m.there[n] || action == 0:
		status := chat.Status(m.r.IntN(3))
		got, err = s.SetStatus(background, socket, u.ID, status)
		want, _ = m.memory.SetStatus(background, socket, u.ID, status)
		m.there[n] = true
	case action == 1:
		for k, room := range rooms {
			if m.in[n][k] {
				m.compare(s.Leave(background, room, socket, u.ID))(m.memory.Leave(background, room, socket, u.ID))
			}
		}
		m.in[n], m.there[n] = [3]bool{}, false
		got, err = s.Remove(background, socket, u.ID)
		want, _ = m.memory.Remove(background, socket, u.ID)
	case action == 2:
		got, err = s.Leave(background, rooms[room], socket, u.ID)
		want, _ = m.memory.Leave(background, rooms[room], socket, u.ID)
		m.in[n][room] = false
	case action == 3:
		got, err = m.stores[m.r.IntN(2)].Connected(background, u.ID)
		want, _ = m.memory.Connected(background, u.ID)
	default:
		atMost := 100
		if m.lost {
			atMost = -1
		}
		got, err = s.Join(background, rooms[room], socket, u, atMost)
		want, _ = m.memory.Join(background, rooms[room], socket, u, atMost)
		m.in[n][room] = true
	}
	if err != nil {
		m.t.Errorf("step %d: %v", m.step, err)
	}
	m.equal(got, want)
	list, count, err := m.stores[m.r.IntN(2)].Members(background, rooms[room], 100)
	wanted, wantedCount, _ := m.memory.Members(background, rooms[room], 100)
	if err != nil || count != wantedCount || len(list) != len(wanted) {
		m.t.Errorf("step %d: %d in the room, want %d: %v", m.step, count, wantedCount, err)
	}
	for _, x := range list {
		if !slices.Contains(wanted, x) {
			m.t.Errorf("step %d: %+v in %+v", m.step, x, wanted)
		}
	}
}

func (m *model) compare(got chat.Change, err error) func(want chat.Change, _ error) {
	if err != nil {
		m.t.Error(err)
	}
	return func(want chat.Change, _ error) { m.equal(got, want) }
}

// equal compares answers, but for what a store may leave out.
func (m *model) equal(got, want any) {
	m.t.Helper()
	if g, ok := got.(chat.Standing); ok {
		w := want.(chat.Standing)
		slices.Sort(g.Rooms)
		slices.Sort(w.Rooms)
		if len(g.Rooms)*len(w.Rooms) == 0 {
			g.Rooms, w.Rooms = nil, nil
		}
		got, want = g, w
	}
	if g, ok := got.(chat.Change); ok && g.Count == 0 { // nobody is told
		g.Status = chat.Online
		got = g
		if w := want.(chat.Change); w.Count == 0 {
			w.Status = chat.Online
			want = w
		}
	}
	if !reflect.DeepEqual(got, want) {
		m.t.Errorf("step %d: %+v, want %+v", m.step, got, want)
	}
}
