package e2e_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/server"
)

// A client of an instance that is drained gets the acknowledgement that it waits for, finds its connection closed
// and is on the next instance by itself. In front is what a load balancer does: sessions stay where they are, and
// new ones go to who takes them.
func TestDrainedClientsComeBack(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		release, started := make(chan struct{}), make(chan struct{})
		old := serve(t, func(io *server.Server) {
			io.Of("/").On("save", func(_ context.Context, _ *server.Socket, args server.Args) error {
				close(started)
				<-release
				return args.Ack("saved by the old one")
			})
		})
		next := newServer(t)
		next.Of("/").On("save", func(_ context.Context, _ *server.Socket, args server.Args) error {
			return args.Ack("saved by the new one")
		})
		old.Handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, known := old.Engine().Session(r.URL.Query().Get("sid"))
			if known || !old.Draining() {
				old.ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		}))
		c := d.Connected(old.URL, jstest.Options{Transports: use})
		reply := c.StartCall(jstest.Deadline, "save")
		<-started
		drained := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), jstest.Deadline)
			defer cancel()
			drained <- old.Drain(ctx, 10*time.Millisecond)
		}()
		for !old.Draining() {
			time.Sleep(time.Millisecond)
		}
		close(release)
		values, err := reply.Result()
		if err != nil {
			t.Fatal(err)
		}
		want(t, "the answer", values.String(), `["saved by the old one"]`)
		want(t, "the reason", c.WaitDisconnect(), "transport close")
		c.WaitConnect()
		want(t, "the next answer", c.Call("save").String(), `["saved by the new one"]`)
		if err := <-drained; err != nil {
			t.Error(err)
		}
	})
}
