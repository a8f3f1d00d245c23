package e2e_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

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
				d := jstest.Start(t)
				var connects atomic.Int64
				s := serve(t, func(io *server.Server) {
					io.Of("/").OnConnect(func(context.Context, *server.Socket) error {
						connects.Add(1)
						return nil
					})
					fence(io.Of("/"))
				})
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
				control.Call("fence")
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

// Clients that are disconnected at whatever moment of their upgrade are told too: a client that has begun to
// move polls no more, and must find what it missed on the WebSocket.
func TestDisconnectedWhileUpgradingAreTold(t *testing.T) {
	const clients, spread = 100, 20 * time.Millisecond // about as long as an upgrade takes
	d := jstest.Start(t)
	var nth, early atomic.Int64
	s := serve(t, func(io *server.Server) {
		ns := io.Of("/")
		ns.OnConnect(func(_ context.Context, s *server.Socket) error {
			after := time.Duration(nth.Add(1)%20) * spread / 20
			time.AfterFunc(after, func() {
				if s.Transport() == "polling" {
					early.Add(1)
				}
				s.Disconnect(true)
			})
			return nil
		})
	})
	for range clients / 10 {
		var all []*jstest.Client
		for range 10 {
			all = append(all, d.Connect(s.URL, jstest.Options{Transports: jstest.Upgrade, NoReconnect: true}))
		}
		for _, c := range all {
			c.WaitConnect()
			want(t, "the client's reason", c.WaitDisconnect(), "io server disconnect")
		}
	}
	t.Logf("%d of %d were disconnected before their upgrade was over", early.Load(), clients)
}
