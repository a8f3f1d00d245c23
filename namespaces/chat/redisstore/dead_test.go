package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// TestG10Death lets an instance die that has 5,000 sockets. Two others make them
// leave, each once, within ten seconds of its last heartbeat.
func TestG10Death(t *testing.T) {
	t.Parallel()
	const sockets, rooms = 5000, 50
	server := redistest.Start(t)
	a := start(t, server.Addr, "/", Options{})
	others := []*instance{start(t, server.Addr, "/", Options{}), start(t, server.Addr, "/", Options{})}
	began := time.Now()
	var filling sync.WaitGroup
	for w := range 10 {
		filling.Go(func() {
			for n := w; n < sockets; n += 10 {
				id := fmt.Sprint("u", n)
				if n%2 == 0 { // half of them are anonymous, of the others two are one
					id = fmt.Sprint("s", n)
				} else if n%4 == 3 {
					id = fmt.Sprint("u", n-2)
				}
				a.connect(fmt.Sprint("s", n), id)
				a.join(fmt.Sprint("r", n/4%rooms), fmt.Sprint("s", n), id)
			}
		})
	}
	for r := range rooms { // who is elsewhere stays
		s := others[r%2]
		s.connect(fmt.Sprint("t", r), fmt.Sprint("v", r))
		s.join(fmt.Sprint("r", r), fmt.Sprint("t", r), fmt.Sprint("v", r))
	}
	filling.Wait()
	came := time.Since(began)
	if got := len(strings.Fields(list(others[0].Store, "r7"))); got != 1+1+sockets/4*3/rooms {
		t.Fatalf("%d words of r7: %s", got, list(others[0].Store, "r7"))
	}
	a.stop()
	died := time.Now()
	await(t, "dead", func() int64 { return server.Do("zcount", "{parlor#/}instances", "-inf", "(0").(int64) }, 1)
	dead := time.Since(died)
	await(t, "sockets", func() int64 { return server.Do("hlen", "{parlor#/}sockets").(int64) }, rooms)
	took := time.Since(died)
	t.Logf("they came within %v; it was dead after %v, and they have left after %v", came, dead, took)
	// A guard: on an idle machine it is a second, ten at most since the last heartbeat.
	if took-dead > 20*time.Second {
		t.Error("they have left too late")
	}
	for r := range rooms {
		room := fmt.Sprint("r", r)
		if got, want := list(others[0].Store, room), fmt.Sprint("1 v", r); got != want {
			t.Errorf("in %s are %s, want %s", room, got, want)
		}
	}
	// Each user has left once, and each room was told each number once.
	said := slices.Concat(others[0].heard(), others[1].heard())
	counts, users := make(map[string]bool), make(map[string]bool)
	for _, line := range said {
		room, rest, _ := strings.Cut(line, ": ")
		user, count, _ := strings.Cut(rest, ", ")
		if users[user] || counts[room+" "+count] {
			t.Errorf("again: %s", line)
		}
		users[user], counts[room+" "+count] = true, true
	}
	if len(said) != sockets/4*3 {
		t.Errorf("%d users have left, want %d", len(said), sockets/4*3)
	}
	await(t, "orphans", func() uint64 { return others[0].Stats().Orphans + others[1].Stats().Orphans }, sockets)
	t.Logf("shared as %d and %d", others[0].Stats().Orphans, others[1].Stats().Orphans)
	await(t, "instances", func() int64 { return server.Do("zcard", "{parlor#/}instances").(int64) }, 2)
}

// One that dies while it makes sockets leave is cleaned up after itself, and what
// it had taken over with it. One that cannot tell its rooms tries again.
func TestHeirsDie(t *testing.T) {
	server := redistest.Start(t)
	opts := Options{Heartbeat: quick}
	a, b := start(t, server.Addr, "/", opts), start(t, server.Addr, "/", opts)
	b.mu.Lock()
	b.refuse = errors.New("the rooms cannot be told")
	b.mu.Unlock()
	crew(a)
	await(t, "judging", func() bool { return judges(b) }, true)
	a.stop()
	await(t, "taken over", func() int64 { return server.Do("scard", b.key("instance", b.instance)).(int64) }, 3)
	c := start(t, server.Addr, "/", opts)
	c.mu.Lock()
	c.refuse = errors.New("nor by this one, now")
	c.mu.Unlock()
	b.stop()
	await(t, "taken over", func() int64 { return server.Do("scard", c.key("instance", c.instance)).(int64) }, 3)
	if got := sorted(c.Store, "r1"); got != crewInR1 {
		t.Errorf("nobody has left r1, where there are %s", got)
	}
	c.mu.Lock()
	c.refuse = nil
	c.mu.Unlock()
	await(t, "said", func() string { return strings.Join(c.heard(), "; ") }, "r1: ann, 1; r1: x, 0; r2: x, 0")
	if err := c.Close(); err == nil {
		c.stop()
	}
}

// What an instance has taken over it does not forget when the answer was lost.
func TestStrays(t *testing.T) {
	server := redistest.Start(t)
	opts := Options{Heartbeat: quick}
	a, b := start(t, server.Addr, "/", opts), open(t, server.Addr, "/", opts)
	crew(a)
	a.stop()
	if _, _, err := b.Members(background, "r1", 1); err != nil {
		t.Fatal(err)
	}
	server.Do("zadd", "{parlor#/}instances", "-1", a.instance)
	if _, err := b.send(background, b.gate.epoch, request{script: scriptAdopt, keys: b.fixed(), args: []any{100}}); err != nil {
		t.Fatal(err)
	}
	b.gate.mu.Lock()
	b.gate.whole = true
	b.gate.mu.Unlock()
	i := &instance{Store: b, t: t}
	i.stop = i.watch()
	await(t, "said", func() string { return strings.Join(i.heard(), "; ") }, "r1: ann, 1; r1: x, 0; r2: x, 0")
	i.stop()
}

// A socket that its instance has taken back is not made to leave by the heir.
func TestTakenBack(t *testing.T) {
	server := redistest.Start(t)
	a, b := open(t, server.Addr, "/", Options{}), open(t, server.Addr, "/", Options{})
	i := &instance{Store: a, t: t}
	crew(i)
	if _, _, err := b.Members(background, "r1", 1); err != nil {
		t.Fatal(err)
	}
	server.Do("zadd", "{parlor#/}instances", "-1", a.instance)
	server.Do("hdel", "{parlor#/}epochs", a.instance)
	if err := b.adopt(background); err != nil {
		t.Fatal(err)
	}
	orphans := b.watch.list()
	if len(orphans) != 3 {
		t.Fatalf("%+v", orphans)
	}
	slices.SortFunc(orphans, func(x, y chat.Orphan) int { return cmp.Compare(x.Socket, y.Socket) })
	want := chat.Orphan{Socket: "x", User: chat.User{ID: "x", Name: "name of x"}, Rooms: []string{"r1", "r2"}}
	slices.Sort(orphans[2].Rooms)
	if fmt.Sprint(orphans[2]) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", orphans[2], want)
	}
	if _, err := a.Connected(background, "ann"); err != nil { // it finds out
		t.Fatal(err)
	}
	heir := &instance{Store: b, t: t}
	for _, o := range orphans {
		if err := b.bury(background, o, heir.gone); err != nil {
			t.Error(err)
		}
	}
	if said := heir.heard(); len(said) > 0 {
		t.Errorf("%q have left", said)
	}
	if got := sorted(b, "r1"); got != crewInR1 {
		t.Errorf("r1: %s", got)
	}
}

// One that is closed hands over what it has left at once.
func TestCloseHandsOver(t *testing.T) {
	server := redistest.Start(t)
	a := start(t, server.Addr, "/", Options{Heartbeat: time.Hour})
	crew(a)
	a.stop()
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b := start(t, server.Addr, "/", Options{Heartbeat: time.Hour})
	await(t, "said", func() string { return strings.Join(b.heard(), "; ") }, "r1: ann, 1; r1: x, 0; r2: x, 0")
	b.stop()
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if left := dump(t, server); len(left) > 0 {
		t.Errorf("left is %q", left)
	}
}

// Watch is for one at a time.
func TestWatchTwice(t *testing.T) {
	server := redistest.Start(t)
	a := start(t, server.Addr, "/", Options{Heartbeat: quick})
	await(t, "up", func() bool { return a.Stats().Up }, true)
	if err := a.Watch(context.Background(), a.gone, a.returned); err == nil {
		t.Error("it is watched twice")
	}
}
