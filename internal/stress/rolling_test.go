package stress

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A room is what its members have been told of it.
type room struct {
	name string

	mu       sync.Mutex
	acked    map[string]string // clientMsgId → id
	relayed  map[string]string // the same, of what members have received
	repeated []string          // what has two ids
}

func (r *room) acknowledged(name, id string) { r.note(r.acked, name, id) }

func (r *room) delivered(m message) { r.note(r.relayed, m.ClientMsgID, m.ID) }

func (r *room) note(ids map[string]string, name, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if first, ok := ids[name]; ok && first != id {
		r.repeated = append(r.repeated, fmt.Sprintf("%s is %s and %s", name, first, id))
	}
	ids[name] = id
}

// A crowd is the clients, in their rooms, and how large it is.
type crowd struct {
	size, room          int
	every               time.Duration // of a client's messages
	window, failTimeout time.Duration
	backoff             backoff

	members [][]*client
	rooms   []*room
}

// Three instances behind nginx are restarted one after the other while clients on
// both transports talk. No message that was acknowledged is missing at any member,
// live or in the history, none is there twice, and all clients are back at the end.
func TestRollingRestart(t *testing.T) {
	c := &crowd{
		size: 100, room: 10, every: time.Second, window: time.Second, failTimeout: time.Second,
		backoff: backoff{100 * time.Millisecond, 500 * time.Millisecond},
	}
	if os.Getenv("STRESS") != "" { // as socket.io-client and nginx.conf have it
		c = &crowd{
			size: 2000, room: 20, every: 10 * time.Second, window: 10 * time.Second, failTimeout: 5 * time.Second,
			backoff: backoff{time.Second, 5 * time.Second},
		}
	}
	cluster := startCluster(t, c.window, c.failTimeout)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	quiet, transport := make(chan struct{}), &http.Transport{MaxIdleConnsPerHost: c.size}
	defer transport.CloseIdleConnections()
	defer running.Wait()
	defer cancel()
	for n := range c.size {
		if n%c.room == 0 {
			c.rooms = append(c.rooms, &room{name: fmt.Sprintf("room%d", n/c.room), acked: make(map[string]string), relayed: make(map[string]string)})
			c.members = append(c.members, nil)
		}
		name := fmt.Sprintf("user%d", n)
		member := &client{
			name: name, token: cluster.token(name), addr: cluster.addr,
			room: c.rooms[n/c.room], backoff: c.backoff, every: c.every, quiet: quiet, seen: make(map[string]bool),
		}
		if n%2 == 1 {
			member.http = &http.Client{Transport: transport}
		}
		c.members[n/c.room] = append(c.members[n/c.room], member)
		running.Go(func() { member.run(ctx) })
		if n%100 == 99 { // not all in one moment
			c.wait(t, "clients join", func(m *client) bool { return m.joined })
		}
	}

	time.Sleep(c.every)
	var restarts []time.Time
	for _, i := range cluster.instances {
		restarts = append(restarts, time.Now())
		i.restart()
		t.Logf("%s is ready again after %v", i.addr, time.Since(restarts[len(restarts)-1]).Round(time.Millisecond))
		time.Sleep(2 * c.failTimeout) // until nginx sends clients there again
		c.wait(t, "clients are back", func(m *client) bool { return m.joined })
	}
	close(quiet)
	c.wait(t, "all is acknowledged", func(m *client) bool { return m.idle })
	c.wait(t, "all is delivered", c.hasAll)
	c.report(t, restarts)
}

// hasAll reports whether a client has seen what was acknowledged in its room.
func (c *crowd) hasAll(m *client) bool {
	m.room.mu.Lock()
	defer m.room.mu.Unlock()
	for _, id := range m.room.acked {
		if !m.seen[id] {
			return false
		}
	}
	return true
}

// wait waits until all clients are as they should be. That they are not is an
// error, and for report to count.
func (c *crowd) wait(t *testing.T, what string, is func(*client) bool) {
	t.Helper()
	for late := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		missing := 0
		for m := range c.clients {
			m.set(func() {
				if !is(m) {
					missing++
				}
			})
		}
		if missing == 0 {
			return
		}
		if time.Now().After(late) {
			t.Errorf("%s: %d clients are not", what, missing)
			return
		}
	}
}

func (c *crowd) clients(yield func(*client) bool) {
	for _, members := range c.members {
		for _, m := range members {
			if !yield(m) {
				return
			}
		}
	}
}

// report counts, and says how it went.
func (c *crowd) report(t *testing.T, restarts []time.Time) {
	acked, lost, again, late := 0, 0, 0, 0
	for _, r := range c.rooms {
		r.mu.Lock()
		acked += len(r.acked)
		for name, id := range r.acked {
			if got, ok := r.relayed[name]; ok && got != id {
				t.Errorf("%s was acknowledged as %s and is %s", name, id, got)
			}
		}
		for _, repeated := range r.repeated {
			t.Errorf("sent twice: %s", repeated)
		}
		r.mu.Unlock()
	}
	var away []time.Duration
	spread := make([][]int, len(restarts)) // seconds after the signal → reconnects
	for m := range c.clients {
		m.room.mu.Lock()
		m.mu.Lock()
		again, late = again+m.again, late+m.late
		for _, id := range m.room.acked {
			if !m.seen[id] {
				lost++
			}
		}
		for _, wrong := range m.wrong {
			t.Error(wrong)
		}
		for _, trip := range m.trips {
			away = append(away, trip.back.Sub(trip.gone))
			n, found := slices.BinarySearchFunc(restarts, trip.gone, time.Time.Compare)
			if !found {
				n--
			}
			second := int(trip.back.Sub(restarts[max(0, n)]) / time.Second)
			for len(spread[max(0, n)]) <= second {
				spread[max(0, n)] = append(spread[max(0, n)], 0)
			}
			spread[max(0, n)][second]++
		}
		m.mu.Unlock()
		m.room.mu.Unlock()
	}
	t.Logf("%d clients in rooms of %d: %d messages acknowledged, lost %d of %d deliveries; %d sent again, %d deliveries by the history",
		c.size, c.room, acked, lost, acked*c.room, again, late)
	if lost > 0 || acked == 0 {
		t.Errorf("%d deliveries of %d acknowledged messages are missing", lost, acked)
	}
	if len(away) < c.size*2/3 { // each client is on one of three, wherever it has come back to
		t.Errorf("only %d times was a client away", len(away))
	}
	slices.Sort(away)
	if n := len(away); n > 0 {
		t.Logf("%d times was a client away: median %v, 99 %% %v, longest %v", n, round(away[n/2]), round(away[n*99/100]), round(away[n-1]))
	}
	for n, seconds := range spread {
		t.Logf("clients back after the end of instance %d began, by second: %s", n+1, strings.Trim(fmt.Sprint(seconds), "[]"))
	}
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
