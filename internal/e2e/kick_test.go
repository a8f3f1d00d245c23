package e2e_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/server"
)

// Of 100 clients that the server disconnects, 100 are told so, and none comes back: a client that only found
// its connection closed would, for ever.
func TestDisconnectedByTheServerAreTold(t *testing.T) {
	const clients = 100
	for _, tr := range transports[:2] {
		for _, closeConn := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/close=%v", tr.name, closeConn), func(t *testing.T) {
				var connects atomic.Int64
				s := serve(t, func(io *server.Server) {
					io.Of("/").OnConnect(func(context.Context, *server.Socket) error {
						connects.Add(1)
						return nil
					})
				})
				d := jstest.Start(t)
				var all []*jstest.Client
				for range clients {
					all = append(all, d.Connect(s.URL, jstest.Options{Transports: tr.use}))
				}
				for _, c := range all {
					c.WaitConnect()
				}
				for socket := range s.Of("/").Sockets() {
					socket.Disconnect(closeConn)
				}
				told := 0
				for _, c := range all {
					if reason := c.WaitDisconnect(); reason == "io server disconnect" {
						told++
					} else {
						t.Errorf("a client was told %q", reason)
					}
				}
				if told != clients {
					t.Fatalf("%d of %d clients were told", told, clients)
				}
				for _, c := range all {
					if st := c.State(); st.Active || st.Reconnecting {
						t.Errorf("a client wants to come back: %+v", st)
					}
				}

				// One that loses its connection does come back, after the same delay: by then the others would have.
				control := d.Connected(s.URL, jstest.Options{Transports: tr.use})
				control.SendMessage("not a packet")
				want(t, "the control's reason", control.WaitDisconnect(), "transport close")
				control.WaitManager("reconnect")
				control.WaitConnect()
				if n := connects.Load(); n != clients+2 {
					t.Errorf("%d connects in all, want %d and the control's two", n, clients)
				}
				for _, c := range all {
					if n := c.ManagerEvents("reconnect_attempt"); n > 0 {
						t.Errorf("a client tried %d times to come back", n)
					}
				}
			})
		}
	}
}
