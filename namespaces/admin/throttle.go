package admin

import (
	"net/netip"
	"sync"
	"time"
)

const (
	failures      = 10               // of one address that are let through at once
	failureEvery  = 10 * time.Second // then one in so long
	maxAddresses  = 10_000           // that have failed lately and are known
	networkOfIPv6 = 64               // bits: who has one address has all of its network
)

// A throttle bounds how often an address may fail to log in.
type throttle struct {
	mu    sync.Mutex
	tries map[netip.Prefix]*tries
}

type tries struct {
	left float64
	at   time.Time
}

// take takes a try of an address; give gives it back if it was no failure.
func (t *throttle) take(addr netip.Addr) (ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tries == nil {
		t.tries = make(map[netip.Prefix]*tries)
	}
	now := time.Now()
	network := networkOf(addr)
	x := t.tries[network]
	if x == nil {
		if len(t.tries) >= maxAddresses {
			t.sweep(now)
		}
		x = &tries{left: failures, at: now}
		t.tries[network] = x
	}
	x.left = min(failures, x.left+float64(now.Sub(x.at))/float64(failureEvery))
	x.at = now
	if x.left < 1 {
		return false
	}
	x.left--
	return true
}

func (t *throttle) give(addr netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if x := t.tries[networkOf(addr)]; x != nil {
		x.left = min(failures, x.left+1)
	}
}

// sweep forgets those that may try as often as one that never has, and if
// all have failed lately some of them, so that there is room.
func (t *throttle) sweep(now time.Time) {
	for network, x := range t.tries {
		if x.left+float64(now.Sub(x.at))/float64(failureEvery) >= failures {
			delete(t.tries, network)
		}
	}
	for network := range t.tries {
		if len(t.tries) < maxAddresses*3/4 {
			return
		}
		delete(t.tries, network)
	}
}

func networkOf(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	if !addr.IsValid() {
		return netip.Prefix{}
	}
	bits := addr.BitLen()
	if addr.Is6() {
		bits = networkOfIPv6
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
