package chat

import (
	"time"

	"github.com/seed3686fee0/parlor/server"
)

// MountAt is Mount with a clock.
func MountAt(ns *server.Namespace, opts Options, now func() time.Time) *Chat {
	return mount(ns, opts, now)
}

// Empty reports whether the chat keeps nothing of any room or user, but for
// history, and nobody is at work.
func (c *Chat) Empty() bool {
	m, ok := c.store.(*Memory)
	return (!ok || !c.alone || m.Empty()) && c.lanes.idle() && c.users.idle()
}

// Empty reports whether there is nobody.
func (m *Memory) Empty() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.rooms) == 0 && len(m.people) == 0
}
