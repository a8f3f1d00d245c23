package admin

import (
	"context"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// Order has the goroutine that tells admins do something, in its turn.
func (a *Admin) Order(f func()) { a.order(f) }

// QueueSize is how much may wait for it.
const QueueSize = queueSize

// Hear is what another instance announces.
func (a *Admin) Hear(values ...any) error {
	args, err := packet.NewArgs(values...)
	if err != nil {
		return err
	}
	return a.hear(context.Background(), server.Args{Args: args})
}

// Waiting is how much waits for it.
func (a *Admin) Waiting() int {
	a.queue.mu.Lock()
	defer a.queue.mu.Unlock()
	return len(a.queue.list)
}
