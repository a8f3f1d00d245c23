package chat

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A client is what the chat keeps of one socket, as its data. There is one for
// every idle connection, so it is small; what only those need who write is made
// when they do. Safe for concurrent use.
type client struct {
	anonymous bool // static: the user may say another name

	mu       sync.Mutex
	user     User
	rooms    []string // sorted; where the socket is counted as a socket of its user
	gone     bool     // the socket is closed: it enters no room any more
	said     Status   // how present the socket is
	messages *rate.Limiter
	signals  *rate.Limiter
}

// clientOf returns the client of a socket that an event came from. The data is
// the chat's: an application that attaches its own has switched the chat off for
// this socket.
func clientOf(s *server.Socket) (*client, error) {
	if c, ok := s.Data().(*client); ok {
		return c, nil
	}
	return nil, errInternal
}

// who returns the socket's user.
func (c *client) who() User {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user
}

// AppendJSON makes the user known to other instances, as the socket's data.
func (c *client) AppendJSON(dst []byte) ([]byte, error) {
	u := c.who()
	dst = appendField(append(dst, '{'), "userId", u.ID)
	dst = appendField(append(dst, ','), "user", u.Name)
	return append(dst, '}'), nil
}

var _ packet.Appender = (*client)(nil)

// in reports whether the socket is in a room.
func (c *client) in(room string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, found := slices.BinarySearch(c.rooms, room)
	return found
}

// only returns the socket's room if it is in just one.
func (c *client) only() (room string, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.rooms) != 1 {
		return "", false
	}
	return c.rooms[0], true
}

// full reports whether the socket is in as many rooms as it may be.
func (c *client) full(limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.rooms) >= limit
}

// enter notes that the socket is in a room. It reports false, and does nothing,
// when the socket is closed.
func (c *client) enter(room string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return false
	}
	if i, found := slices.BinarySearch(c.rooms, room); !found {
		if c.rooms == nil {
			c.rooms = make([]string, 0, 1) // one is what most are in
		}
		c.rooms = slices.Insert(c.rooms, i, room)
	}
	return true
}

// exit notes that the socket is not in a room any more. Whoever gets true from
// it, and nobody else, takes the socket out of the store.
func (c *client) exit(room string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, found := slices.BinarySearch(c.rooms, room)
	if found {
		c.rooms = slices.Delete(c.rooms, i, i+1)
	}
	return found
}

// close is exit for all rooms, for good.
func (c *client) close() (rooms []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rooms, c.rooms, c.gone = c.rooms, nil, true
	return rooms
}

// say notes how present the socket is.
func (c *client) say(s Status) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = s
}

// status returns how present the socket is, unless it is closed.
func (c *client) status() (s Status, there bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.said, !c.gone
}

// list returns the rooms that the socket is in.
func (c *client) list() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.rooms)
}

// rename gives an anonymous user another name.
func (c *client) rename(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.user.Name = name
}

// spend takes an event from one of the socket's budgets, and reports whether
// there was any. which is &c.messages or &c.signals.
func (c *client) spend(which **rate.Limiter, now time.Time, perSecond float64, burst int) bool {
	if perSecond >= noLimit {
		return true
	}
	c.mu.Lock()
	limiter := *which
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Limit(perSecond), burst)
		*which = limiter
	} else if limiter.Limit() != rate.Limit(perSecond) || limiter.Burst() != burst { // there is another
		limiter.SetLimitAt(now, rate.Limit(perSecond))
		limiter.SetBurstAt(now, burst)
	}
	c.mu.Unlock()
	return limiter.AllowN(now, 1)
}
