package engine

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound what clients may take before they are known. A field of zero
// means its default, a negative one no limit. Addresses are counted one by
// one in IPv4 and by /64 in IPv6. The defaults are far above what an office
// behind one address needs.
//
// What counts is sessions. Open connections can be more: that of a session which
// has ended waits 5 seconds for the peer to answer the close frame, and up to 16 at
// a time try to upgrade one session, for Options.UpgradeTimeout and those 5 seconds.
// Who wants few of an address limits its handshakes too.
type Limits struct {
	// Connections is the number of sessions in all; over it: 503. Default: no limit.
	Connections int
	// ConnectionsPerAddress; over it: 429. Default 20,000.
	ConnectionsPerAddress int
	// HandshakesPerSecond by address; over it: 429. Default 2,000.
	HandshakesPerSecond float64
	// HandshakeBurst is how many may come at once. Default 20,000.
	HandshakeBurst int
	// UnknownSessionsPerSecond by address: requests that name a session that
	// is not there, ten seconds' worth of them at once; over it: 429.
	// Default 100.
	UnknownSessionsPerSecond float64
}

func (l Limits) withDefaults() Limits {
	def(&l.ConnectionsPerAddress, 20_000)
	def(&l.HandshakesPerSecond, 2_000)
	def(&l.HandshakeBurst, 20_000)
	def(&l.UnknownSessionsPerSecond, 100)
	return l
}

// handshakes is the budget of handshakes, which is full; nil when there is no limit.
func (l Limits) handshakes() *rate.Limiter {
	if l.HandshakesPerSecond <= 0 || l.HandshakeBurst <= 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(l.HandshakesPerSecond), l.HandshakeBurst)
}

// guesses is the budget of requests that name a session that is not there.
func (l Limits) guesses() (rate.Limit, int) {
	return rate.Limit(l.UnknownSessionsPerSecond), max(1, int(10*l.UnknownSessionsPerSecond))
}

// gate counts by address. An address is forgotten when it holds nothing and
// its budgets have filled up again.
type gate struct {
	mu     sync.Mutex
	limits Limits
	total  int
	peers  map[netip.Addr]*peer
	sweep  int // the size of peers at which idle ones are looked for
}

type peer struct {
	sessions   int
	handshakes *rate.Limiter // nil: no limit
	unknown    *rate.Limiter // nil: it has named none
}

func newGate(l Limits) *gate {
	return &gate{limits: l, peers: make(map[netip.Addr]*peer), sweep: 1024}
}

// set puts other limits in the place of those that hold. What an address has used
// up of its budgets it has used up of the new ones.
func (g *gate) set(l Limits) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limits = l
	for _, p := range g.peers {
		handshakes := l.handshakes()
		if handshakes != nil && p.handshakes != nil {
			p.handshakes.SetLimit(handshakes.Limit())
			p.handshakes.SetBurst(handshakes.Burst())
		} else {
			p.handshakes = handshakes
		}
		if p.unknown != nil {
			limit, burst := l.guesses()
			p.unknown.SetLimit(limit)
			p.unknown.SetBurst(burst)
		}
	}
}

// peer returns the entry of an address. The caller holds g.mu.
func (g *gate) peer(a netip.Addr) *peer {
	p := g.peers[a]
	if p == nil {
		if len(g.peers) >= g.sweep {
			g.forget()
		}
		p = &peer{handshakes: g.limits.handshakes()}
		g.peers[a] = p
	}
	return p
}

func (g *gate) forget() {
	for a, p := range g.peers {
		full := p.handshakes == nil || p.handshakes.Tokens() >= float64(p.handshakes.Burst())
		if p.sessions == 0 && full && (p.unknown == nil || p.unknown.Tokens() >= float64(p.unknown.Burst())) {
			delete(g.peers, a)
		}
	}
	g.sweep = max(1024, 2*len(g.peers))
}

// enter takes a place for a new session of an address; nil means there is one.
func (g *gate) enter(a netip.Addr) *refusal {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limits.Connections > 0 && g.total >= g.limits.Connections {
		return refuseFull
	}
	p := g.peer(a)
	if g.limits.ConnectionsPerAddress > 0 && p.sessions >= g.limits.ConnectionsPerAddress {
		return refuseAddress
	}
	if p.handshakes != nil && !p.handshakes.Allow() {
		return refuseRate
	}
	p.sessions++
	g.total++
	return nil
}

func (g *gate) leave(a netip.Addr) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if p := g.peers[a]; p != nil {
		p.sessions--
	}
}

// guess reports whether an address may go on naming sessions that are not there.
func (g *gate) guess(a netip.Addr) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limits.UnknownSessionsPerSecond < 0 {
		return true
	}
	p := g.peer(a)
	if p.unknown == nil {
		p.unknown = rate.NewLimiter(g.limits.guesses())
	}
	return p.unknown.AllowN(time.Now(), 1)
}

// bucket is the address under which a client is counted.
func bucket(a netip.Addr) netip.Addr {
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// ClientAddr is the address of a request's client: the connection's, or, when
// that is a trusted proxy, the last one in X-Forwarded-For that is not. It is
// the zero Addr when the connection has none.
func (s *Server) ClientAddr(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	addr = addr.Unmap()
	if !s.trusted(addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, text := range slices.Backward(hops) {
		hop, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil {
			break
		}
		if addr = hop.Unmap(); !s.trusted(addr) {
			break
		}
	}
	return addr
}

func (s *Server) trusted(a netip.Addr) bool {
	for _, p := range s.opts.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
