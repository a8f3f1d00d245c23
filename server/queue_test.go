package server_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Where events may be dropped a client that does not take them stays, and only
// events are dropped: without an acknowledgement it is let go.
func TestDropWhenFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t, server.WithDropWhenFull(true), server.WithMaxQueue(10_000))
		ended := make(chan server.Reason, 1)
		r.Of("/").OnDisconnect(func(_ context.Context, _ *server.Socket, reason server.Reason) { ended <- reason })
		r.Of("/").On("call", func(_ context.Context, _ *server.Socket, args server.Args) error {
			return args.Ack(strings.Repeat("x", 5000))
		})
		p, err := wire.OpenPoll(r.addr, "")
		r.must(err)
		defer p.Close()
		_, err = wire.Join(p, "/")
		r.must(err)
		var socket *server.Socket
		for s := range r.Of("/").Sockets() {
			socket = s
		}
		text := strings.Repeat("x", 1000)
		for range 100 { // nobody polls
			r.must(r.Of("/").Emit("all", text))
			r.must(socket.Emit("one", text))
		}
		if n := r.Stats().QueueDropped; n != 191 || len(ended) > 0 {
			t.Errorf("%d events were dropped, %d sockets have ended", n, len(ended))
		}
		r.must(p.Send(`421["call"]`))
		if reason := <-ended; reason != server.SlowConsumer {
			t.Errorf("the end is %q", reason)
		}
	})
}
