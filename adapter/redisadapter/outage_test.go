//go:build unix

package redisadapter

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/internal/redistest"
)

// Longer than every run can wait for: go test -run G02G03 -outage 10s
var outage = flag.Duration("outage", 3*time.Second, "for how long TestG02G03 is without Redis")

// numbered sends numbered events to the room until stop, at about a rate a second.
func numbered(n *node, rate int, stop <-chan struct{}) (sent int, slowest time.Duration) {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return sent, slowest
		case <-tick.C:
			before := time.Now()
			// In parentheses a number is found in a payload of each form.
			n.Broadcast(event(fmt.Sprintf("(%d)", sent)), adapter.Target{Rooms: []string{"r"}})
			slowest = max(slowest, time.Since(before))
			sent++
		}
	}
}

// A ledger stands before the driver of who sends numbered events, and writes down
// what became of each at Redis.
type ledger struct {
	link.Driver

	mu       sync.Mutex
	outcomes map[int]link.Outcome
	doomed   map[int]bool // the last that Redis answered before it was killed
	last     []int        // the batch before
}

// Listen is called again when the subscriptions' connection has ended, which may be
// found out before a batch fails: none is tried until it is back.
func (l *ledger) Listen(ctx context.Context) (link.Listener, error) {
	l.mu.Lock()
	l.doom(l.last)
	l.mu.Unlock()
	return l.Driver.Listen(ctx)
}

func (l *ledger) Publish(ctx context.Context, batch []link.Outgoing) ([]link.Outcome, error) {
	outcomes, err := l.Driver.Publish(ctx, batch)
	l.mu.Lock()
	defer l.mu.Unlock()
	var numbers []int
	for i, m := range batch {
		_, rest, _ := bytes.Cut(m.Payload, []byte("("))
		digits, _, _ := bytes.Cut(rest, []byte(")"))
		if n, err := strconv.Atoi(string(digits)); err == nil {
			l.outcomes[n] = outcomes[i]
			numbers = append(numbers, n)
		}
	}
	if err != nil {
		l.doom(l.last)
		l.doom(numbers)
	}
	l.last = numbers
	return outcomes, err
}

func (l *ledger) doom(numbers []int) {
	for _, n := range numbers {
		if l.outcomes[n] >= 0 {
			l.doomed[n] = true
		}
	}
}

// TestG02G03: Redis is killed while an instance sends, and is back later. Its own
// clients lose nothing and no call waits. What others lose lies between the kill
// and the reconnection, and is what Redis was not given or did not answer, as the
// counts say.
func TestG02G03(t *testing.T) { inForms(t, faultsG02G03) }

func faultsG02G03(t *testing.T, on clusters) {
	server := redistest.Start(t)
	newCluster := on(t, server.Addr, WithMaxAge(2*time.Second))
	book := &ledger{outcomes: make(map[int]link.Outcome), doomed: make(map[int]bool)}
	first := true
	nodes, members := startAll(t, 3, func() *Cluster {
		c := newCluster()
		if first {
			first = false
			book.Driver = c.open()
			c.open = func() link.Driver { return book }
		}
		return c
	})
	stop := make(chan struct{})
	done := make(chan struct{})
	var sent int
	var slowest time.Duration
	go func() {
		defer close(done)
		sent, slowest = numbered(nodes[0], 1000, stop)
	}()
	far := func() int { return min(members[1].count(), members[2].count()) }
	eventually(t, "events arrive", func() bool { return far() > 100 })
	before := far() // what both have when it is killed
	server.Kill()
	time.Sleep(*outage) // longer than anything waits to be published
	server.Restart()
	back := time.Now()
	eventually(t, "all listen again", func() bool {
		return !slices.ContainsFunc(nodes, func(n *node) bool {
			s := n.cluster.Stats()
			return !s.Up || s.Connects < 2
		})
	})
	after := members[0].count() // what is sent from here on arrives
	t.Logf("all listened again within %v of Redis' return", time.Since(back).Round(time.Millisecond))
	at := far()
	eventually(t, "events arrive again", func() bool { return far() > at+100 })
	close(stop)
	<-done
	if slowest > 5*time.Second { // a guard: it is microseconds
		t.Errorf("a broadcast took %v", slowest)
	}
	if n := inOrder(t, "own client", members[0].take()); n != sent {
		t.Errorf("an own client got %d of %d", n, sent)
	}
	settle(t, nodes)

	book.mu.Lock()
	defer book.mu.Unlock()
	var dropped, unanswered uint64
	for n := range sent {
		switch o, given := book.outcomes[n]; {
		case !given, o == link.Unsent:
			dropped++
		case o == link.Unanswered:
			unanswered++
		}
	}
	if s := nodes[0].cluster.Stats(); s.Dropped != dropped || s.Unanswered != unanswered || dropped == 0 {
		t.Errorf("%d were dropped and %d unanswered; %+v", dropped, unanswered, s)
	}
	for _, m := range members[1:] {
		got := m.take()
		inOrder(t, m.id, got)
		there := make([]bool, sent)
		for _, s := range got {
			n, _ := strconv.Atoi(strings.Trim(s, `"()`))
			there[n] = true
		}
		lost := 0
		for n := range sent {
			o, given := book.outcomes[n]
			switch {
			case there[n] && (!given || o == link.Unsent || o == 0):
				t.Errorf("%s got %d, which Redis gave to nobody: %d", m.id, n, o)
			case there[n]:
				continue
			case n < before || n > after:
				t.Errorf("%s lost %d; Redis was away from after %d to before %d", m.id, n, before, after)
			case given && int(o) >= len(nodes) && !book.doomed[n]:
				// Redis answers a PUBLISH before it writes to who has subscribed: what
				// it is killed between nobody has, and no sender can know of it.
				t.Errorf("%s lost %d, which Redis gave to %d", m.id, n, o)
			}
			lost++
		}
		t.Logf("%s lost %d of %d; %d were dropped and %d unanswered", m.id, lost, sent, dropped, unanswered)
	}
}
