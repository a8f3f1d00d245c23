package chat

import (
	"context"
	"sync"
	"time"
)

// A Memory is the [Store] of a single instance. What it keeps is gone with it.
type Memory struct {
	receipts receipts
	logs     logs

	mu     sync.Mutex
	rooms  map[string]*crowd
	people people
}

var _ Store = (*Memory)(nil)

// MemoryOptions are how much a [Memory] keeps, as in [Options], which have the
// defaults: here zero is none. The others' zero is time.Now.
type MemoryOptions struct {
	// History is how many messages of a room are kept.
	History int
	// HistoryBytes is how many bytes of a room's messages are kept.
	HistoryBytes int
	// HistoryTotal is how many bytes of all rooms' messages are kept.
	HistoryTotal int
	// Remembered is how many messages with a key are remembered.
	Remembered int
	// Now is the time.
	Now func() time.Time
}

// NewMemory makes a store.
func NewMemory(opts MemoryOptions) *Memory {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	m := &Memory{rooms: make(map[string]*crowd), people: make(people)}
	m.receipts.init(opts.Remembered, opts.Now)
	m.logs.init(opts.History, opts.HistoryBytes, opts.HistoryTotal)
	return m
}

// Join implements [Store].
func (m *Memory) Join(_ context.Context, room, socket string, u User, atMost int) (Change, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.rooms[room]
	if c == nil {
		c = &crowd{}
		m.rooms[room] = c
	}
	change := Change{}
	if p := c.find(u.ID); p != nil {
		p.add(socket)
	} else {
		c.add(u, socket)
		change.Turned = true
		if socket != u.ID {
			m.people.enter(room, u.ID)
		}
	}
	change.Count, change.Status = c.count, m.people[u.ID].status()
	if atMost >= 0 {
		change.Members = m.list(c, atMost)
	}
	return change, nil
}

// Leave implements [Store].
func (m *Memory) Leave(_ context.Context, room, socket, userID string) (Change, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.rooms[room]
	if c == nil {
		return Change{}, nil
	}
	change := Change{Status: m.people[userID].status()}
	if p := c.find(userID); p != nil && p.remove(socket) {
		c.remove(p)
		change.Turned = true
		m.people.exit(room, userID)
		if c.count == 0 {
			delete(m.rooms, room)
		}
	}
	change.Count = c.count
	return change, nil
}

// Rename implements [Store].
func (m *Memory) Rename(_ context.Context, rooms []string, u User) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, room := range rooms {
		c := m.rooms[room]
		if c == nil {
			continue
		}
		if p := c.find(u.ID); p != nil {
			p.user.Name = u.Name
		}
	}
	return nil
}

// Members implements [Store].
func (m *Memory) Members(_ context.Context, room string, atMost int) (members []Member, count int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.rooms[room]
	if c == nil {
		return nil, 0, nil
	}
	return m.list(c, atMost), c.count, nil
}

func (m *Memory) list(c *crowd, atMost int) []Member {
	members := make([]Member, 0, min(c.count, atMost))
	for p := c.first; p != nil && len(members) < atMost; p = p.next {
		members = append(members, Member{p.user, m.people[p.user.ID].status()})
	}
	return members
}

// SetStatus implements [Store].
func (m *Memory) SetStatus(_ context.Context, socket, userID string, s Status) (Standing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.people.set(socket, userID, s), nil
}

// Remove implements [Store].
func (m *Memory) Remove(_ context.Context, socket, userID string) (Standing, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.people.remove(socket, userID), nil
}

// Connected implements [Store].
func (m *Memory) Connected(_ context.Context, userID string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.people.connected(userID), nil
}

// Post implements [Store].
func (m *Memory) Post(_ context.Context, p Post) (Receipt, error) {
	if p.Text == nil {
		return m.note(p), nil
	}
	m.logs.mu.Lock()
	defer m.logs.mu.Unlock()
	if newest, ok := m.logs.newest(p.Room); ok && newest.Compare(p.ID) >= 0 {
		return Receipt{Late, newest}, nil
	}
	r := m.note(p)
	if r.Outcome == Accepted {
		m.logs.add(p.Room, p.ID, p.Text)
	}
	return r, nil
}

// note remembers a message that has a key.
func (m *Memory) note(p Post) Receipt {
	if p.Key == "" {
		return Receipt{Accepted, p.ID}
	}
	if first, repeated := m.receipts.remember(p.UserID, p.Key, p.ID); repeated {
		return Receipt{Repeated, first}
	}
	return Receipt{Accepted, p.ID}
}

// Recall implements [Store].
func (m *Memory) Recall(_ context.Context, userID, key string) (MessageID, bool, error) {
	id, ok := m.receipts.recall(userID, key)
	return id, ok, nil
}

// History implements [Store].
func (m *Memory) History(_ context.Context, q Query) (Page, error) { return m.logs.page(q), nil }
