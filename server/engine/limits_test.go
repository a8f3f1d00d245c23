package engine_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

// TestLimits: connections in all and by address, handshakes and guesses.
func TestLimits(t *testing.T) {
	bubble(t, engine.Options{Limits: engine.Limits{Connections: 2}}, func(t *testing.T, f *fixture) {
		c, s := f.openWS()
		f.openPoll()
		if _, err := wire.OpenWS(f.addr, wire.Handshake{}); !refusedWith(err, http.StatusServiceUnavailable) {
			t.Errorf("the third: %v", err)
		}
		_ = c.Close()
		s.wantEnd(t, engine.TransportClose)
		synctest.Wait() // its place is free once its receiver has been told
		f.openWS()
	})
	bubble(t, engine.Options{Limits: engine.Limits{ConnectionsPerAddress: 1}}, func(t *testing.T, f *fixture) {
		f.openPoll()
		if _, err := wire.OpenPoll(f.addr, ""); !refusedWith(err, http.StatusTooManyRequests) {
			t.Errorf("the second: %v", err)
		}
	})
	bubble(t, engine.Options{Limits: engine.Limits{HandshakesPerSecond: 1, HandshakeBurst: 3}}, func(t *testing.T, f *fixture) {
		for range 3 {
			f.openWS()
		}
		if _, err := wire.OpenWS(f.addr, wire.Handshake{}); !refusedWith(err, http.StatusTooManyRequests) {
			t.Errorf("the fourth: %v", err)
		}
		time.Sleep(time.Second)
		f.openWS()
	})
}

// TestLimitsLinger: what an address holds beyond its limit, connections whose
// session has ended and those that try to take one over, it holds for seconds.
func TestLimitsLinger(t *testing.T) {
	const sessions, probes = 10, 16
	opts := engine.Options{Limits: engine.Limits{ConnectionsPerAddress: 1}}
	hold := func(t *testing.T, f *fixture, most int, longest time.Duration) {
		t.Helper()
		if n := engine.Conns(f.Server); n > most || n < most/2 {
			t.Errorf("%d connections, want up to %d", n, most)
		}
		time.Sleep(longest)
		synctest.Wait()
		if n := engine.Conns(f.Server); n != 0 {
			t.Errorf("%d connections are left after %v", n, longest)
		}
	}
	bubble(t, opts, func(t *testing.T, f *fixture) {
		for range sessions {
			c, s := f.openWS()
			ok(t, c.Send("nonsense"))
			s.wantEnd(t, engine.ParseError)
			synctest.Wait() // its place is free, its connection waits for an answer to the close frame
		}
		hold(t, f, sessions, 5*time.Second)
	})
	bubble(t, opts, func(t *testing.T, f *fixture) {
		for range sessions {
			p, s := f.openPoll()
			for range probes {
				_, err := p.DialUpgrade()
				ok(t, err)
			}
			if _, err := p.DialUpgrade(); err == nil {
				t.Fatal("one probe more")
			}
			_, _ = p.Post("nonsense")
			s.wantEnd(t, engine.ParseError)
			synctest.Wait()
		}
		hold(t, f, sessions*probes, 5*time.Second)
	})
	bubble(t, opts, func(t *testing.T, f *fixture) {
		p, _ := f.openPoll()
		for range probes {
			_, err := p.DialUpgrade()
			ok(t, err)
		}
		hold(t, f, probes, engine.DefaultUpgradeTimeout+5*time.Second)
	})
}

// TestAddresses: who counts as one client. An IPv6 client has a whole /64 to come
// from, and what X-Forwarded-For says counts from trusted proxies alone, as far as
// they vouch for it.
func TestAddresses(t *testing.T) {
	type peer struct{ addr, forwarded string }
	for name, tt := range map[string]struct {
		a, b peer
		same bool
	}{
		"same address":          {peer{"203.0.113.7:1", ""}, peer{"203.0.113.7:2", ""}, true},
		"another address":       {peer{"203.0.113.7:1", ""}, peer{"203.0.113.8:1", ""}, false},
		"same /64":              {peer{"[2001:db8::1]:1", ""}, peer{"[2001:db8::ffff:0:2]:1", ""}, true},
		"another /64":           {peer{"[2001:db8::1]:1", ""}, peer{"[2001:db8:0:1::1]:1", ""}, false},
		"link with a zone":      {peer{"[fe80::1%eth0]:1", ""}, peer{"[fe80::2%eth1]:1", ""}, true},
		"IPv4 within IPv6":      {peer{"[::ffff:203.0.113.7]:1", ""}, peer{"203.0.113.7:1", ""}, true},
		"forged":                {peer{"203.0.113.7:1", "192.0.2.1"}, peer{"203.0.113.7:1", "192.0.2.2"}, true},
		"proxied":               {peer{"10.0.0.1:1", "192.0.2.1"}, peer{"10.0.0.1:1", "192.0.2.2"}, false},
		"by two proxies":        {peer{"10.0.0.1:1", "192.0.2.1"}, peer{"10.0.0.2:1", "192.0.2.1, 10.0.0.9"}, true},
		"forged before a proxy": {peer{"10.0.0.1:1", "192.0.2.1, 203.0.113.7"}, peer{"10.0.0.1:1", "192.0.2.2, 203.0.113.7"}, true},
		"nonsense":              {peer{"10.0.0.1:1", "192.0.2.1, unknown"}, peer{"10.0.0.1:1", "192.0.2.2, unknown"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, engine.Options{
				TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
				Limits:         engine.Limits{ConnectionsPerAddress: 1},
			}, func(t *testing.T, f *fixture) {
				connect := func(p peer) int {
					r := httptest.NewRequest(http.MethodGet, "/?EIO=4&transport=polling", http.NoBody)
					r.RemoteAddr = p.addr
					if p.forwarded != "" {
						r.Header.Set("X-Forwarded-For", p.forwarded)
					}
					w := httptest.NewRecorder()
					f.ServeHTTP(w, r)
					return w.Code
				}
				if status := connect(tt.a); status != http.StatusOK {
					t.Fatalf("the first gets %d", status)
				}
				want := http.StatusOK
				if tt.same {
					want = http.StatusTooManyRequests
				}
				if status := connect(tt.b); status != want {
					t.Errorf("the second gets %d, want %d", status, want)
				}
			})
		})
	}
}

// TestSetLimits: other limits hold for those that are there too. Nobody has to go,
// and what an address has used up stays used up.
func TestSetLimits(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		refused := func(why string, status int) {
			t.Helper()
			if _, err := wire.OpenWS(f.addr, wire.Handshake{}); !refusedWith(err, status) {
				t.Errorf("%s: %v", why, err)
			}
		}
		a, s := f.openWS()
		b, _ := f.openWS()
		f.SetLimits(engine.Limits{Connections: 1})
		refused("connections in all", http.StatusServiceUnavailable)
		f.SetLimits(engine.Limits{ConnectionsPerAddress: 2})
		refused("connections of an address", http.StatusTooManyRequests)
		_ = a.Close()
		s.wantEnd(t, engine.TransportClose)
		synctest.Wait() // its place is free once its receiver has been told
		f.openWS()
		ok(t, b.Send("4still there"))

		f.SetLimits(engine.Limits{HandshakesPerSecond: 1, HandshakeBurst: 2})
		time.Sleep(time.Hour) // its budget had been a larger one
		f.openWS()
		f.openWS()
		refused("handshakes", http.StatusTooManyRequests)
		f.SetLimits(engine.Limits{HandshakesPerSecond: 100, HandshakeBurst: 2})
		refused("used up", http.StatusTooManyRequests)
		time.Sleep(20 * time.Millisecond)
		f.openWS()
		f.openWS()
		refused("handshakes, faster", http.StatusTooManyRequests)
		f.SetLimits(engine.Limits{HandshakesPerSecond: -1})
		f.openWS()
		f.SetLimits(engine.Limits{HandshakesPerSecond: 1, HandshakeBurst: 1})
		f.openWS()
		refused("a limit where there was none", http.StatusTooManyRequests)
	})
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		guesses := func() (n int) {
			t.Helper()
			for range 100 {
				r, err := wire.Exchange(f.addr, "GET /socket.io/?EIO=4&transport=polling&sid=none HTTP/1.1\r\nHost: x\r\n\r\n")
				ok(t, err)
				if r.Status == http.StatusBadRequest {
					n++
				}
			}
			return n
		}
		if n := guesses(); n != 100 {
			t.Errorf("%d guesses were answered, want all", n)
		}
		f.SetLimits(engine.Limits{UnknownSessionsPerSecond: 1})
		if n := guesses(); n != 10 {
			t.Errorf("%d guesses were answered, want 10", n)
		}
		f.SetLimits(engine.Limits{UnknownSessionsPerSecond: -1})
		if n := guesses(); n != 100 {
			t.Errorf("%d guesses were answered without a limit, want all", n)
		}
	})
}

// TestSetAllowedOrigins: other origins hold for whoever asks next, on both transports
// and with CORS headers; a WebSocket that is open stays so.
func TestSetAllowedOrigins(t *testing.T) {
	const one, other = "https://one.example", "https://other.example"
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		f.onText = echo
		may := func(origin string, want bool, cors string) {
			t.Helper()
			r, err := wire.Exchange(f.addr, "GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nOrigin: "+origin+"\r\n\r\n")
			ok(t, err)
			if (r.Status == http.StatusOK) != want || r.Header.Get("Access-Control-Allow-Origin") != cors {
				t.Errorf("%s gets %d with CORS for %q", origin, r.Status, r.Header.Get("Access-Control-Allow-Origin"))
			}
			c, err := wire.OpenWS(f.addr, wire.Handshake{Header: []string{"Origin: " + origin}})
			if (err == nil) != want {
				t.Errorf("%s, WebSocket: %v", origin, err)
			}
			if err == nil {
				_ = c.Close()
			}
		}
		may(one, true, "")
		f.SetAllowedOrigins(one)
		may(one, true, one)
		may(other, false, "")
		c, err := wire.OpenWS(f.addr, wire.Handshake{Header: []string{"Origin: " + one}})
		ok(t, err)
		defer c.Close()
		f.SetAllowedOrigins(other)
		may(one, false, "")
		may(other, true, other)
		if f.Lists(one) || !f.Lists(other) {
			t.Error("the list is the one from before")
		}
		ok(t, c.Send("4still"))
		wantNext(t, c, "4still")
		f.SetAllowedOrigins()
		may(one, true, "")
	})
}
