package e2e_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// The server pings: the first time an interval after the connection was opened, then an interval after each
// pong. Who does not answer in time is gone.
func TestBehaviour28_heartbeat(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		const interval = 400 * time.Millisecond
		s := serve(t, func(io *server.Server) { fence(io.Of("/")) },
			server.WithPingInterval(interval), server.WithPingTimeout(jstest.Deadline))
		began := time.Now()
		c := d.Connected(s.URL, jstest.Options{Transports: use})
		if upgrades(use) {
			c.WaitManager("upgrade")
		}
		for n := 1; n <= 4; n++ {
			c.WaitManager("ping")
			if took := time.Since(began); took < time.Duration(n)*interval {
				t.Errorf("ping %d came after %v, at an interval of %v", n, took, interval)
			}
		}

		// Time itself is the input here: a client that is asleep for several intervals finds one ping, and the
		// next comes an interval after it has answered that.
		d.Pause()
		time.Sleep(4 * interval)
		began = time.Now()
		d.Resume()
		c.WaitManager("ping")
		c.WaitManager("ping")
		if took := time.Since(began); took < interval {
			t.Errorf("the ping after a late pong came after %v, before the interval of %v", took, interval)
		}
		c.Call("fence")
		if n := c.ManagerEvents("close"); n > 0 {
			t.Error("the connection did not live on")
		}
	})
}

// A polling session is closed by a close packet on its poll, the parked one or the next.
func TestBehaviour35_close_of_polling(t *testing.T) {
	t.Run("the parked poll", func(t *testing.T) {
		d := jstest.Start(t)
		s := serve(t, func(io *server.Server) { fence(io.Of("/")) })
		c := d.Connected(s.URL, jstest.Options{Transports: jstest.Polling, NoReconnect: true})
		c.Call("fence")
		shutdown(t, s.Server)
		reason, description := c.WaitDisconnectDetails()
		want(t, "the client's reason", reason, "transport close")
		want(t, "what its transport says", description, "transport closed by the server")
	})
	t.Run("the next poll", func(t *testing.T) {
		gone := make(chan struct{})
		s := serve(t, func(io *server.Server) {
			ns := io.Of("/")
			ns.OnConnect(func(_ context.Context, s *server.Socket) error {
				s.Disconnect(true)
				return nil
			})
			ns.OnDisconnect(func(context.Context, *server.Socket, server.Reason) { close(gone) })
		})
		p, err := wire.OpenPoll(s.Addr, "")
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if res, err := p.Post("40"); err != nil || res.Status != http.StatusOK {
			t.Fatalf("CONNECT: %v, %v", res, err)
		}
		receive(t, "the socket's end", gone)
		for i, want := range []string{"200 \"40*\\x1e41\"", "200 \"1\"", "400 *"} {
			res, err := p.Get()
			if err != nil {
				t.Fatal(err)
			}
			if !wire.Match(want, res.String()) {
				t.Errorf("poll %d: got %s, want %s", i+1, res, want)
			}
		}
	})
}

// An upgrade that fails leaves the polling session as it is, whether the WebSocket is refused or never answers;
// an upgrade that takes too long costs the WebSocket alone.
func TestBehaviour36_failed_upgrade(t *testing.T) {
	front := func(t *testing.T, d *jstest.Driver, webSocket http.HandlerFunc) (*site, *jstest.Client) {
		s := serve(t, func(io *server.Server) { io.Of("/").On("echo", echo) })
		s.Handle(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("transport") == "websocket" {
				webSocket(w, r)
				return
			}
			s.ServeHTTP(w, r)
		}))
		return s, d.Connected(s.URL, jstest.Options{Transports: jstest.Upgrade})
	}
	t.Run("refused", func(t *testing.T) {
		d := jstest.Start(t)
		_, c := front(t, d, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
		c.WaitManager("upgrade_error")
		want(t, "an echo", c.Call("echo", 1), "[1]")
		want(t, "the transport", c.State().Transport, "polling")
	})
	t.Run("never answered", func(t *testing.T) {
		d := jstest.Start(t)
		asked, end := make(chan struct{}), make(chan struct{})
		defer close(end)
		_, c := front(t, d, func(_ http.ResponseWriter, _ *http.Request) {
			close(asked)
			<-end
		})
		receive(t, "the WebSocket's request", asked)
		want(t, "an echo", c.Call("echo", 1), "[1]")
		want(t, "the transport", c.State().Transport, "polling")
	})
	t.Run("too late", func(t *testing.T) {
		s := serve(t, func(io *server.Server) { io.Of("/").On("echo", echo) }, server.WithUpgradeTimeout(2*time.Second))
		p, err := wire.OpenPoll(s.Addr, "")
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		defer p.Leave()
		if _, err := wire.Join(p, "/"); err != nil {
			t.Fatal(err)
		}
		for name, dial := range map[string]func() (*wire.WS, error){"silent": p.DialUpgrade, "probed": p.Probe} {
			ws, err := dial()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _, err := ws.WaitClose(); err != nil {
				t.Errorf("%s: the WebSocket's end: %v", name, err)
			}
			ws.Close()
			if err := p.Send(`420["echo",1]`); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := wire.Expect(p, `430[1]`); err != nil {
				t.Errorf("%s: the polling session: %v", name, err)
			}
		}
	})
	t.Run("disconnected meanwhile", func(t *testing.T) {
		gone := make(chan struct{})
		s := serve(t, func(io *server.Server) {
			ns := io.Of("/")
			ns.On("kick", func(_ context.Context, s *server.Socket, _ server.Args) error {
				s.Disconnect(true)
				return nil
			})
			ns.OnDisconnect(func(context.Context, *server.Socket, server.Reason) { close(gone) })
		})
		p, err := wire.OpenPoll(s.Addr, "")
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if _, err := wire.Join(p, "/"); err != nil {
			t.Fatal(err)
		}
		// A client that has seen 3probe polls no more, so all that it can be told is told behind its 5.
		ws, err := p.Probe()
		if err != nil {
			t.Fatal(err)
		}
		defer ws.Close()
		if err := p.Send(`42["kick"]`); err != nil {
			t.Fatal(err)
		}
		receive(t, "the socket's end", gone)
		if err := ws.Send("5"); err != nil {
			t.Fatal(err)
		}
		if err := wire.Expect(ws, "41"); err != nil {
			t.Errorf("on the WebSocket: %v", err)
		}
		if _, err := ws.WaitClose(); err != nil {
			t.Errorf("its end: %v", err)
		}
	})
}
