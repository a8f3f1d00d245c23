package chat

import (
	"time"

	"github.com/seed3686fee0/parlor/server"
)

// MountAt is Mount with a clock.
func MountAt(ns *server.Namespace, opts Options, now func() time.Time) *Chat {
	return mount(ns, opts, now)
}

// Empty reports whether the chat keeps nothing of any room.
func (c *Chat) Empty() bool {
	m := c.store.(*memory)
	m.mu.Lock()
	defer m.mu.Unlock()
	c.lanes.mu.Lock()
	defer c.lanes.mu.Unlock()
	return len(m.rooms) == 0 && len(c.lanes.busy) == 0
}
