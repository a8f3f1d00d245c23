package redisstore

import (
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

var background = context.Background()

// crew is an instance with three sockets in two rooms.
func crew(i *instance) {
	i.t.Helper()
	i.connect("s1", "ann")
	i.connect("s2", "ann")
	i.connect("x", "x")
	i.join("r1", "s1", "ann")
	i.join("r1", "s2", "ann")
	i.join("r1", "x", "x")
	i.join("r2", "x", "x")
	if _, err := i.SetStatus(background, "s1", "ann", chat.Away); err != nil {
		i.t.Fatal(err)
	}
	if _, err := i.SetStatus(background, "s2", "ann", chat.Offline); err != nil {
		i.t.Fatal(err)
	}
}

// sorted is list without an order.
func sorted(s *Store, room string) string {
	words := strings.Split(strings.ReplaceAll(list(s, room), " away", ":away"), " ")
	slices.Sort(words)
	return strings.Join(words, " ")
}

const (
	crewInR1 = "2 ann:away x"
	crewInR2 = "1 x"
)

func awaitCrew(t *testing.T, s *Store) {
	t.Helper()
	await(t, "r1", func() string { return sorted(s, "r1") }, crewInR1)
	await(t, "r2", func() string { return sorted(s, "r2") }, crewInR2)
}

// A Redis that has lost everything is told again, by those who are there.
func TestG12MemoryLost(t *testing.T) {
	for name, lose := range map[string]func(s *redistest.Server){
		"FLUSHALL": func(s *redistest.Server) { s.Do("flushall") },
		"kill -9": func(s *redistest.Server) {
			s.Kill()
			s.Restart()
		},
		"script flush": func(s *redistest.Server) { s.Do("script", "flush") },
		"client kill": func(s *redistest.Server) {
			rdb := s.Client()
			defer rdb.Close()
			_ = rdb.Do(background, "client", "kill", "type", "normal").Err() // its own is among them
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			a := start(t, server.Addr, "/", Options{Heartbeat: quick})
			b := start(t, server.Addr, "/", Options{Heartbeat: quick})
			crew(a)
			b.connect("s9", "bob")
			b.join("r2", "s9", "bob")
			before := withoutOrder(dump(t, server, a.Store, b.Store))
			lose(server)
			await(t, "all", func() string { return withoutOrder(dump(t, server, a.Store, b.Store)) }, before)
			if said := slices.Concat(a.heard(), b.heard()); len(said) > 0 {
				t.Errorf("%q have left", said)
			}
			await(t, "up", func() bool { return a.Stats().Up && b.Stats().Up }, true)
			if nobody := a.Store.watch.takeBack(time.Now().Add(time.Hour)); len(nobody)+len(a.welcomed()) > 0 {
				t.Errorf("%v and %q are back, who have not left", nobody, a.welcomed())
			}
		})
	}
}

// withoutOrder drops what may differ: epochs, times and the order of coming.
func withoutOrder(lines []string) string {
	var kept []string
	for _, line := range lines {
		if strings.Contains(line, "}instances ") {
			words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(`[], "`, r) })
			slices.Sort(words)
			line = strings.Join(words, " ")
		} else if strings.Contains(line, "}room:") {
			words := strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(`[], "0123456789`, r) })
			slices.Sort(words)
			line = strings.Join(words, " ")
		}
		kept = append(kept, epoch.ReplaceAllString(line, "epoch"))
	}
	return strings.Join(kept, "\n")
}

// While Redis does nothing, nothing waits for it for long; and nobody is taken
// for dead because of it.
func TestRedisStops(t *testing.T) {
	server := redistest.Start(t)
	opts := Options{Heartbeat: quick, Timeout: time.Second}
	a, b := start(t, server.Addr, "/", opts), start(t, server.Addr, "/", opts)
	crew(a)
	await(t, "judging", func() bool { return judges(a) && judges(b) }, true)

	server.Stop()
	stopped := time.Now()
	var calls sync.WaitGroup
	for n := range 20 { // also those that wait for one another
		calls.Go(func() {
			begun := time.Now()
			_, err := a.Join(background, "r3", fmt.Sprint("late", n), chat.User{ID: "late"}, -1)
			if took := time.Since(begun); err == nil || took > 10*time.Second { // one after another they take twice that
				t.Errorf("%v after %v", err, took)
			}
		})
	}
	calls.Wait()
	begun := time.Now()
	for range 100 {
		if _, err := a.SetStatus(background, "x", "x", chat.Away); err == nil {
			t.Error("a status is noted by nobody")
		}
		if time.Since(stopped) > 3*a.dead() {
			break
		}
	}
	if _, err := a.Connected(background, "x"); err == nil {
		t.Error("x is connected, as nobody says")
	}
	t.Logf("up to 101 calls took %v", time.Since(begun))
	for time.Since(stopped) < 2*a.dead() {
		time.Sleep(quick)
	}
	server.Continue()

	awaitCrew(t, b.Store)
	await(t, "r3", func() string { return list(b.Store, "r3") }, "0")
	await(t, "sockets that never came", func() int64 { return server.Do("hlen", "{parlor#/}sockets").(int64) }, 3)
	if said := slices.Concat(a.heard(), b.heard()); len(said) > 0 {
		t.Errorf("%q have left", said)
	}
}

// A message that was answered with an error is not found when it comes again.
func TestPostUndone(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.Addr, "/", Options{Timeout: time.Second})
	at := time.Now()
	first := chat.Post{Room: "r", ID: chat.MakeMessageID(at, 1, 7), Text: []byte("1"), UserID: "ann", Key: "1"}
	if _, err := s.Post(background, first); err != nil {
		t.Fatal(err)
	}
	second := chat.Post{Room: "r", ID: chat.MakeMessageID(at, 2, 7), Text: []byte("22"), UserID: "ann", Key: "2"}
	server.Stop()
	if _, err := s.Post(background, second); err == nil {
		t.Error("it is noted by nobody")
	}
	server.Continue()
	await(t, "up", func() bool { _, _, err := s.Recall(background, "ann", "1"); return err == nil }, true)
	if _, ok, err := s.Recall(background, "ann", "2"); ok || err != nil {
		t.Errorf("it is remembered: %v", err)
	}
	q := chat.Query{Room: "r", Bound: chat.LastMessageID, Limit: 10, Bytes: 100}
	if page, err := s.History(background, q); err != nil || !slices.Equal(page.Messages, []string{"1"}) {
		t.Errorf("kept is %q, %v", page.Messages, err)
	}
	weight := server.Do("get", "{parlor#/}history-total")
	second.ID = chat.MakeMessageID(at, 3, 7)
	if r, err := s.Post(background, second); err != nil || r.Outcome != chat.Accepted {
		t.Errorf("%+v, %v", r, err)
	}
	if want := fmt.Sprint(historyOf("r", 1)); weight != want {
		t.Errorf("the total was %v, want %s", weight, want)
	}
}

func historyOf(room string, texts ...int) int {
	total := 512 + len(room)
	for _, n := range texts {
		total += n + 128
	}
	return total
}

// Who cannot be made to leave in time leaves when Redis is back, and the rooms
// are told.
func TestLeavesFail(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	opts := Options{Heartbeat: quick, Timeout: time.Second}
	a, b := start(t, proxy.Addr, "/", opts), start(t, server.Addr, "/", opts)
	crew(a)
	await(t, "judging", func() bool { return judges(a) }, true)
	proxy.Hole(true)
	for socket, user := range map[string]string{"s2": "ann", "x": "x"} {
		for _, room := range []string{"r1", "r2"} {
			if _, err := a.Leave(background, room, socket, user); err == nil {
				t.Error("it has left a room that cannot be reached")
			}
		}
		if _, err := a.Remove(background, socket, user); err == nil {
			t.Error("it is removed from where it is not")
		}
	}
	proxy.Hole(false)
	proxy.Cut()
	await(t, "r1", func() string { return sorted(b.Store, "r1") }, "1 ann:away")
	await(t, "r2", func() string { return sorted(b.Store, "r2") }, "0")
	await(t, "said", func() string { return strings.Join(a.heard(), "; ") }, "r1: x, 1; r2: x, 0")
	await(t, "sockets", func() int64 { return server.Do("hlen", "{parlor#/}sockets").(int64) }, 1)
	if ids := a.mirror.ids(); !slices.Equal(ids, []string{"s1"}) {
		t.Errorf("the mirror has %q", ids)
	}
}

// TestG09Partition keeps an instance from Redis until it is taken for dead.
func TestG09Partition(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	opts := Options{Heartbeat: quick, Timeout: time.Second}
	a := start(t, proxy.Addr, "/", opts)
	b, c := start(t, server.Addr, "/", opts), start(t, server.Addr, "/", opts)
	crew(a)
	b.connect("s9", "ann")
	b.join("r1", "s9", "ann")
	before := withoutOrder(dump(t, server, a.Store, b.Store, c.Store))
	proxy.Hole(true)
	await(t, "r1", func() string { return sorted(b.Store, "r1") }, "1 ann")
	await(t, "r2", func() string { return sorted(b.Store, "r2") }, "0")
	await(t, "said", func() string {
		return strings.Join(slices.Sorted(slices.Values(slices.Concat(b.heard(), c.heard()))), "; ")
	}, "r1: x, 1; r2: x, 0")
	await(t, "sockets", func() int64 { return server.Do("hlen", "{parlor#/}sockets").(int64) }, 1)
	for _, room := range []string{"r1", "r2"} { // meanwhile, there
		_, _, err := a.Members(background, room, 1)
		if err == nil {
			t.Error("there is no partition")
		}
	}
	proxy.Hole(false)
	proxy.Cut()
	healed := time.Now()
	await(t, "all", func() string { return withoutOrder(dump(t, server, a.Store, b.Store, c.Store)) }, before)
	t.Logf("right %v after the partition", time.Since(healed))
	if said := a.heard(); len(said) > 0 {
		t.Errorf("%q have left by the one that was away", said)
	}
	// Ann was there all along, by her other socket.
	await(t, "back", func() string { return strings.Join(a.welcomed(), "; ") }, "r1: x; r2: x")
	if back := slices.Concat(b.welcomed(), c.welcomed()); len(back) > 0 {
		t.Errorf("%q are back where they have not been", back)
	}
	if a.Stats().Reconciled < 3 {
		t.Errorf("%+v", a.Stats())
	}
}

// What a dead instance has sent before it was dead, and that comes late, is not
// done.
func TestStale(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.Addr, "/", Options{})
	if _, err := s.SetStatus(background, "s1", "ann", chat.Online); err != nil {
		t.Fatal(err)
	}
	r := request{script: scriptJoin, keys: s.keys("s1", "ann", "r"), args: []any{"r", "s1", "ann", "Ann", 0}}
	old := s.gate.epoch
	server.Do("hdel", "{parlor#/}epochs", s.instance)
	if _, err := s.send(background, old, r); err == nil || !isStale(err) {
		t.Errorf("%v", err)
	}
	if _, err := s.Connected(background, "ann"); err != nil {
		t.Errorf("the caller hears of it: %v", err)
	}
	if _, err := s.send(background, old, r); err == nil || !isStale(err) {
		t.Errorf("%v", err)
	}
	if got := list(s, "r"); got != "0" {
		t.Errorf("in the room are %s", got)
	}
}

// When Redis is full nobody comes, and whoever wants to goes.
func TestG12MemoryFull(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.Addr, "/", Options{})
	i := &instance{Store: s, t: t}
	crew(i)
	before := dump(t, server)
	server.Do("config", "set", "maxmemory", "1")
	at := chat.MakeMessageID(time.Now(), 1, 7)
	for name, f := range map[string]func() error{
		"Join":      func() error { _, err := s.Join(background, "r3", "s1", chat.User{ID: "ann"}, -1); return err },
		"SetStatus": func() error { _, err := s.SetStatus(background, "s1", "ann", chat.Online); return err },
		"Rename":    func() error { return s.Rename(background, []string{"r1"}, chat.User{ID: "x", Name: "X"}) },
		"Post": func() error {
			_, err := s.Post(background, chat.Post{Room: "r1", ID: at, Text: []byte("1"), UserID: "ann", Key: "k"})
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), "OOM") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after := dump(t, server); !slices.Equal(before, after) {
		t.Errorf("before\n%s\nafter\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
	if got := sorted(s, "r1"); got != crewInR1 {
		t.Errorf("r1: %s", got)
	}
	for _, o := range []chat.Orphan{
		{Socket: "s1", User: chat.User{ID: "ann"}, Rooms: []string{"r1"}},
		{Socket: "s2", User: chat.User{ID: "ann"}, Rooms: []string{"r1"}},
		{Socket: "x", User: chat.User{ID: "x"}, Rooms: []string{"r1", "r2"}},
	} {
		if err := i.gone(background, o); err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if left := dump(t, server); len(left) > 0 {
		t.Errorf("left is %q", left)
	}
}

// Other faults of Redis: an error while they last, and right after.
func TestG12Faults(t *testing.T) {
	t.Run("read-only", func(t *testing.T) {
		server := redistest.Start(t)
		a := start(t, server.Addr, "/", Options{Heartbeat: quick})
		crew(a)
		server.Do("replicaof", "127.0.0.1", "1")
		if _, err := a.Join(background, "r3", "s1", chat.User{ID: "ann"}, -1); err == nil {
			t.Error("a replica was written to")
		}
		server.Do("replicaof", "no", "one")
		awaitCrew(t, a.Store)
		await(t, "r3", func() string { return list(a.Store, "r3") }, "0")
	})
}

// A store that is closed, or cannot be made, says so.
func TestClosed(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.Addr, "/", Options{})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := s.Members(background, "r", 1); !errors.Is(err, ErrClosed) {
		t.Errorf("Members: %v", err)
	}
	if err := s.Watch(background, nil, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Watch: %v", err)
	}
	ended, cancel := context.WithCancel(background)
	cancel()
	if _, err := s.Connected(ended, "ann"); !errors.Is(err, context.Canceled) {
		t.Errorf("Connected: %v", err)
	}
}
