package chat

import "slices"

// A crowd is the users of a room, in the order in which they came: a list, and
// an index once there are more than a few. Most rooms have few, and there may be
// as many rooms as sockets.
type crowd struct {
	first, last *present
	count       int
	index       map[string]*present
}

// few is how many users are looked for one by one.
const few = 8

// A present is a user in a room. There may be one for every idle connection.
type present struct {
	user       User
	sockets    *[]string // nil: just the one with the user's id
	prev, next *present
}

// add adds a socket, and reports whether it was not there.
func (p *present) add(socket string) bool {
	if p.has(socket) {
		return false
	}
	if p.sockets == nil {
		p.sockets = &[]string{p.user.ID}
	}
	*p.sockets = append(*p.sockets, socket)
	return true
}

func (p *present) has(socket string) bool {
	if p.sockets == nil {
		return socket == p.user.ID
	}
	return slices.Contains(*p.sockets, socket)
}

// remove takes a socket away, and reports whether it was the last.
func (p *present) remove(socket string) bool {
	if !p.has(socket) {
		return false
	}
	if p.sockets == nil {
		return true
	}
	i := slices.Index(*p.sockets, socket)
	*p.sockets = slices.Delete(*p.sockets, i, i+1)
	return len(*p.sockets) == 0
}

func (c *crowd) find(userID string) *present {
	if c.index != nil {
		return c.index[userID]
	}
	for p := c.first; p != nil; p = p.next {
		if p.user.ID == userID {
			return p
		}
	}
	return nil
}

func (c *crowd) add(u User, socket string) {
	p := &present{user: u}
	if socket != u.ID {
		p.sockets = &[]string{socket}
	}
	if p.prev = c.last; p.prev != nil {
		p.prev.next = p
	} else {
		c.first = p
	}
	c.last = p
	c.count++
	switch {
	case c.index != nil:
		c.index[u.ID] = p
	case c.count > few:
		c.index = make(map[string]*present, 2*few)
		for x := c.first; x != nil; x = x.next {
			c.index[x.user.ID] = x
		}
	}
}

func (c *crowd) remove(p *present) {
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		c.first = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	} else {
		c.last = p.prev
	}
	c.count--
	delete(c.index, p.user.ID)
	if c.count <= few/2 {
		c.index = nil // a map keeps the size that it once had
	}
}
