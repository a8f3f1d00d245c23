package chat

import (
	"context"
	"errors"
)

// Watch makes the sockets of instances that have died leave, as far as it is this
// instance's turn, and tells their rooms, until ctx ends. It is for a [Store] that
// is a [Watcher]; with another there is nothing to do, and it returns nil at once.
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
	return w.Watch(ctx, c.bury)
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
