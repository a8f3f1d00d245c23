package chat

import (
	"context"
	"sync"
	"time"
)

// memory is the store of a single instance.
type memory struct {
	receipts receipts

	mu    sync.Mutex
	rooms map[string]*crowd
}

var _ store = (*memory)(nil)

func newMemory(remembered int, now func() time.Time) *memory {
	m := &memory{rooms: make(map[string]*crowd)}
	m.receipts.init(remembered, now)
	return m
}

// A crowd is the users of a room, in the order in which they came: a list, and
// an index once there are more than a few. Most rooms have few, and there may be
// as many rooms as sockets.
type crowd struct {
	first, last *member
	count       int
	index       map[string]*member
}

// few is how many users are looked for one by one.
const few = 8

type member struct {
	user       User
	sockets    int
	prev, next *member
}

func (c *crowd) find(userID string) *member {
	if c.index != nil {
		return c.index[userID]
	}
	for m := c.first; m != nil; m = m.next {
		if m.user.ID == userID {
			return m
		}
	}
	return nil
}

func (c *crowd) add(m *member) {
	if m.prev = c.last; m.prev != nil {
		m.prev.next = m
	} else {
		c.first = m
	}
	c.last = m
	c.count++
	switch {
	case c.index != nil:
		c.index[m.user.ID] = m
	case c.count > few:
		c.index = make(map[string]*member, 2*few)
		for x := c.first; x != nil; x = x.next {
			c.index[x.user.ID] = x
		}
	}
}

func (c *crowd) remove(m *member) {
	if m.prev != nil {
		m.prev.next = m.next
	} else {
		c.first = m.next
	}
	if m.next != nil {
		m.next.prev = m.prev
	} else {
		c.last = m.prev
	}
	c.count--
	delete(c.index, m.user.ID)
	if c.count <= few/2 {
		c.index = nil // a map keeps the size that it once had
	}
}

func (m *memory) join(_ context.Context, room, _ string, u User) (change, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.rooms[room]
	if c == nil {
		c = &crowd{}
		m.rooms[room] = c
	}
	if x := c.find(u.ID); x != nil {
		x.sockets++
		return change{count: c.count}, nil
	}
	c.add(&member{user: u, sockets: 1})
	return change{turned: true, count: c.count}, nil
}

func (m *memory) leave(_ context.Context, room, _, userID string) (change, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.rooms[room]
	if c == nil {
		return change{}, nil
	}
	x := c.find(userID)
	if x == nil {
		return change{count: c.count}, nil
	}
	if x.sockets--; x.sockets > 0 {
		return change{count: c.count}, nil
	}
	c.remove(x)
	if c.count == 0 {
		delete(m.rooms, room)
	}
	return change{turned: true, count: c.count}, nil
}

func (m *memory) rename(_ context.Context, room string, u User) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.rooms[room]; c != nil {
		if x := c.find(u.ID); x != nil {
			x.user.Name = u.Name
		}
	}
	return nil
}

func (m *memory) members(_ context.Context, room string, atMost int) (users []User, count int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.rooms[room]
	if c == nil {
		return nil, 0, nil
	}
	users = make([]User, 0, min(c.count, atMost))
	for x := c.first; x != nil && len(users) < atMost; x = x.next {
		users = append(users, x.user)
	}
	return users, c.count, nil
}

func (m *memory) recall(_ context.Context, userID, clientMsgID string) (messageID, bool, error) {
	id, ok := m.receipts.recall(userID, clientMsgID)
	return id, ok, nil
}

func (m *memory) remember(_ context.Context, userID, clientMsgID string, id messageID) (messageID, bool, error) {
	first, repeated := m.receipts.remember(userID, clientMsgID, id)
	return first, repeated, nil
}
