package engine_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
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
