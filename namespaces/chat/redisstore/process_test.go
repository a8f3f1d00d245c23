package redisstore

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// asProcess is the variable with the address of Redis, for an instance that is a
// process of its own: this program, called so.
const asProcess = "REDISSTORE_TEST_INSTANCE"

// process is what such an instance does: it has three sockets until it is killed,
// or its standard input ends.
func process(addr string) error {
	rdb := redistest.Client(addr)
	s, err := New(rdb, "/", Options{Heartbeat: 4 * quick})
	if err != nil {
		return err
	}
	for _, x := range []struct{ socket, user, room string }{{"s1", "ann", "r1"}, {"x", "x", "r1"}, {"y", "y", "r2"}} {
		if _, err := s.SetStatus(background, x.socket, x.user, chat.Online); err != nil {
			return err
		}
		if _, err := s.Join(background, x.room, x.socket, chat.User{ID: x.user}, -1); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(background)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	fmt.Println("ready")
	return s.Watch(ctx, func(_ context.Context, o chat.Orphan) error {
		fmt.Println("gone:", o.Socket)
		return nil
	}, func(_ context.Context, r chat.Returned) error {
		fmt.Println("back:", r.Socket, r.Rooms, r.Changed)
		return nil
	})
}
