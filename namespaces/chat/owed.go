package chat

import (
	"context"
	"sync"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

// owedRetry is how long a store is left alone that could not be told.
const owedRetry = 500 * time.Millisecond

// owed is what the store is still to be told: who has been taken out of a room by
// the application while it could not be reached. A client that leaves is answered
// with an error and is still there, but here nobody would try again. It is no more
// than what the sockets were in. Safe for concurrent use.
type owed struct {
	mu      sync.Mutex
	debtors map[string]*debtor // by socket
	due     chan struct{}      // there is something, perhaps
}

type debtor struct {
	socket *server.Socket
	client *client
	rooms  map[string]struct{}
}

func newOwed() *owed {
	return &owed{debtors: make(map[string]*debtor), due: make(chan struct{}, 1)}
}

// add notes that a socket has left a room, of which the store does not know.
func (o *owed) add(s *server.Socket, cl *client, room string) {
	o.mu.Lock()
	d := o.debtors[s.ID()]
	if d == nil {
		d = &debtor{s, cl, make(map[string]struct{})}
		o.debtors[s.ID()] = d
	}
	d.rooms[room] = struct{}{}
	o.mu.Unlock()
	select {
	case o.due <- struct{}{}:
	default:
	}
}

// settled notes that the store knows, or need not know.
func (o *owed) settled(socket, room string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d := o.debtors[socket]
	if d == nil {
		return
	}
	if delete(d.rooms, room); len(d.rooms) == 0 {
		delete(o.debtors, socket)
	}
}

// take returns the rooms of a socket that the store is to be told of now.
func (o *owed) take(socket string) (rooms []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if d := o.debtors[socket]; d != nil {
		for room := range d.rooms {
			rooms = append(rooms, room)
		}
		delete(o.debtors, socket)
	}
	return rooms
}

// any returns one of those that there are.
func (o *owed) any() (d *debtor, room string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range o.debtors {
		for room := range d.rooms {
			return d, room
		}
	}
	return nil, ""
}

// settle tells the store what it is owed, as soon as it can be told, until ctx
// ends.
func (c *Chat) settle(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.owed.due:
		}
		for {
			d, room := c.owed.any()
			if d == nil {
				break
			}
			if c.settleOne(ctx, d, room) == nil {
				continue
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(owedRetry):
			}
		}
	}
}

func (c *Chat) settleOne(ctx context.Context, d *debtor, room string) error {
	c.lanes.enter(room)
	defer c.lanes.exit(room)
	if !d.client.in(room) { // else it has come again
		if err := c.uncount(ctx, d.socket, d.client, room, true); err != nil {
			return err
		}
	}
	c.owed.settled(d.socket.ID(), room)
	return nil
}
