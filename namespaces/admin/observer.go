package admin

import (
	"sync"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// An observer is what the server tells what happens, while somebody watches. It
// is called on the paths of the server's own work: it writes down what has
// happened and returns.
type observer struct {
	admin   *Admin
	budget  budget
	changed changed
}

// newObserver makes one of several servers that share what admins are shown.
func newObserver(a *Admin, servers int) *observer {
	o := &observer{admin: a, changed: changed{ready: make(chan struct{}, 1)}}
	o.budget.endless = a.opts.Load < 0
	o.budget.fill(a.perSecond(), servers)
	return o
}

var _ server.Observer = (*observer)(nil)

func (o *observer) push(e entry) { o.admin.queue.push(e) }

// Connected implements [server.Observer]. Of admins the namespace's own connect
// handler tells, so that what an admin is told first has an order.
func (o *observer) Connected(s *server.Socket) {
	if s.Namespace() != o.admin.ns {
		o.push(entry{kind: connected, at: time.Now(), socket: s, text: s.Transport()})
	}
}

// Disconnected implements [server.Observer].
func (o *observer) Disconnected(s *server.Socket, reason server.Reason) {
	o.push(entry{kind: disconnected, at: time.Now(), ns: s.Namespace().Name(), id: s.ID(), text: string(reason)})
}

// Upgraded implements [server.Observer].
func (o *observer) Upgraded(s *server.Socket) {
	o.push(entry{kind: upgraded, at: time.Now(), ns: s.Namespace().Name(), id: s.ID(), text: s.Transport()})
}

// DataChanged implements [server.Observer].
func (o *observer) DataChanged(s *server.Socket) { o.changed.add(s) }

// RoomEvents implements [server.Observer].
func (o *observer) RoomEvents(ns *server.Namespace, events []adapter.RoomEvent) {
	now := time.Now()
	for _, e := range events {
		k := roomJoined
		switch {
		case !shownRoom(e.Room):
			continue
		case e.Kind == adapter.RoomLeft:
			k = roomLeft
		case e.Kind != adapter.RoomJoined:
			continue
		}
		o.push(entry{kind: k, at: now, ns: ns.Name(), id: e.ID, text: e.Room})
	}
}

// Received implements [server.Observer].
func (o *observer) Received(s *server.Socket, args packet.Args) {
	if o.wanted(s, args) && o.allow() {
		o.event(entry{kind: received, at: time.Now(), ns: s.Namespace().Name(), id: s.ID(), text: readableArgs(args)})
	}
}

// Sent implements [server.Observer].
func (o *observer) Sent(s *server.Socket, args packet.Args) {
	if o.wanted(s, args) && o.allow() {
		o.event(entry{kind: sent, at: time.Now(), ns: s.Namespace().Name(), id: s.ID(), text: readableArgs(args)})
	}
}

// wanted reports whether an event is one to show. Those of admins are not, in
// whichever namespace: one of them is a session's id.
func (o *observer) wanted(s *server.Socket, args packet.Args) bool {
	if visitOf(s) != nil {
		return false
	}
	filter := o.admin.opts.EventFilter
	if filter == nil {
		return true
	}
	name, _ := args.At(0).Text()
	return filter(s.Namespace().Name(), name)
}

// allow says whether there is time for another event.
func (o *observer) allow() bool {
	if o.budget.event() {
		return true
	}
	o.admin.withheld.Add(1)
	return false
}

func (o *observer) event(e entry) {
	if !o.admin.queue.push(e) {
		o.admin.withheld.Add(1)
	}
}

// changed are the sockets whose data has changed, each once however often.
type changed struct {
	ready chan struct{} // has room for one: there are some again

	mu      sync.Mutex
	sockets map[*server.Socket]struct{}
}

func (c *changed) add(s *server.Socket) {
	c.mu.Lock()
	if c.sockets == nil {
		c.sockets = make(map[*server.Socket]struct{})
	}
	c.sockets[s] = struct{}{}
	c.mu.Unlock()
	select {
	case c.ready <- struct{}{}:
	default:
	}
}

// take takes at most so many, and reports whether there are more.
func (c *changed) take(most int) (list []*server.Socket, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.sockets {
		if len(list) == most {
			return list, true
		}
		list = append(list, s)
		delete(c.sockets, s)
	}
	return list, false
}
