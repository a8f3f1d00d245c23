package admin

import (
	"sync"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

const (
	queueSize   = 8192          // entries: what happens in a second or so on a busy server
	queueEvents = queueSize / 4 // the length from which events of clients are left out
)

// An entry is something that has happened, or that the reader of the queue is
// to do.
type entry struct {
	kind   kind
	at     time.Time
	socket *server.Socket // of connected
	ns, id string
	text   string // transport, room, reason, or the arguments as JSON
	run    func() // of order
}

type kind uint8

const (
	order kind = iota // something to do
	connected
	disconnected
	upgraded
	roomJoined
	roomLeft
	received
	sent
)

// A queue is where those who tell what happens leave it, without waiting, for
// the one goroutine that tells admins. It keeps the order. When it is full,
// events of clients are left out first; anything else that is lost is known to be.
type queue struct {
	ready chan struct{} // has room for one: there is something

	mu   sync.Mutex
	list []entry
	lost bool // something other than events since the last take
}

func newQueue() *queue { return &queue{ready: make(chan struct{}, 1)} }

// push reports whether there was room. There always is for an order.
func (q *queue) push(e entry) bool {
	q.mu.Lock()
	switch {
	case e.kind == order:
	case len(q.list) >= queueSize:
		q.lost = q.lost || e.kind < received
		q.mu.Unlock()
		return false
	case e.kind >= received && len(q.list) >= queueEvents:
		q.mu.Unlock()
		return false
	}
	q.list = append(q.list, e)
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
	return true
}

// take takes all there is, and reports whether something was lost after it.
func (q *queue) take() (list []entry, lost bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	list, lost = q.list, q.lost
	q.list, q.lost = nil, false
	return list, lost
}
