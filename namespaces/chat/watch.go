package chat

import (
	"context"
	"errors"
	"sync"

	"github.com/seed3686fee0/parlor/server"
)

// Watch makes the sockets of instances that have died leave, as far as it is this
// instance's turn, and tells their rooms, until ctx ends. When this instance was
// taken for dead itself and is back, its rooms are told who is. And it tells the
// store what could not be told when the application took somebody out of a room.
// It is for a [Store] that is a [Watcher]; with another there is nothing to do,
// and it returns nil at once.
//
// Mount starts nothing. Whoever calls Watch, in a goroutine of its own, waits for
// it after the end of ctx, which comes with that of the server:
//
//	var watching sync.WaitGroup
//	watching.Go(func() { err = c.Watch(ctx) })
func (c *Chat) Watch(ctx context.Context) error {
	w, ok := c.store.(Watcher)
	if !ok {
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	var settling sync.WaitGroup
	defer settling.Wait()
	defer cancel()
	settling.Go(func() { c.settle(ctx) })
	return w.Watch(ctx, c.bury, c.welcomeBack)
}

// bury does for a socket what its own instance would have done at its end. What
// it has done before it fails it finds done when it is called again.
func (c *Chat) bury(ctx context.Context, o Orphan) error {
	var errs []error
	for _, room := range o.Rooms {
		errs = append(errs, c.buryIn(ctx, room, o))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	c.users.enter(o.User.ID)
	defer c.users.exit(o.User.ID)
	standing, err := c.store.Remove(ctx, o.Socket, o.User.ID)
	if err != nil || !standing.Changed {
		return err
	}
	return c.tellRooms(c.ns.To, o.User, standing.Rooms, standing.Status)
}

func (c *Chat) buryIn(ctx context.Context, room string, o Orphan) error {
	c.lanes.enter(room)
	defer c.lanes.exit(room)
	change, err := c.store.Leave(ctx, room, o.Socket, o.User.ID)
	if err != nil || !change.Turned {
		return err
	}
	return c.ns.To(room).Emit("user_left", turned{room, o.User, change.Count})
}

// welcomeBack tells the rooms of a socket that were told that its user has left
// that the user is there. What the socket has left meanwhile, or if it is gone,
// nobody need be told.
func (c *Chat) welcomeBack(ctx context.Context, r Returned) error {
	s, ok := c.ns.Socket(r.Socket)
	if !ok {
		return nil
	}
	cl, ok := s.Data().(*client)
	if !ok { // not the chat's any more
		return nil
	}
	var errs []error
	for _, room := range r.Rooms {
		errs = append(errs, c.welcomeBackTo(ctx, s, cl, room))
	}
	if r.Changed {
		errs = append(errs, c.tellStatus(ctx, s, cl))
	}
	return errors.Join(errs...)
}

func (c *Chat) welcomeBackTo(ctx context.Context, s *server.Socket, cl *client, room string) error {
	c.lanes.enter(room)
	defer c.lanes.exit(room)
	if !cl.in(room) {
		return nil
	}
	// It is in the room: this says how many are, and how present it is.
	u := cl.who()
	change, err := c.store.Join(ctx, room, s.ID(), u, -1)
	if err != nil {
		return err
	}
	return c.tellJoined(s, room, u, change)
}

// tellStatus tells the rooms of a socket's user how present the user is.
func (c *Chat) tellStatus(ctx context.Context, s *server.Socket, cl *client) error {
	u := cl.who()
	defer c.presenceOf(s, u)()
	status, there := cl.status()
	if !there {
		return nil
	}
	standing, err := c.store.SetStatus(ctx, s.ID(), u.ID, status) // as it is
	if err != nil {
		return err
	}
	return c.tellPresence(s, cl, standing)
}
