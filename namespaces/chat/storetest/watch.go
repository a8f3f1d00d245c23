package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// guard is how long is waited for what has to come.
const guard = 30 * time.Second

// A WatcherMaker makes two handles on an empty state of their own, and cleans up
// by t.Cleanup. One that does not watch is dead within a second or so.
type WatcherMaker func(t testing.TB) []chat.Watcher

type watchCase struct {
	name        string
	explanation string
	run         func(c *rig, a, b chat.Watcher)
}

// RunWatch checks a store that is a [chat.Watcher], beside [Run].
func RunWatch(t *testing.T, newWatchers WatcherMaker) {
	t.Helper()
	for _, tc := range watchCases {
		t.Run(tc.name, func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Log(tc.explanation)
				}
			})
			tc.start(t, newWatchers, guard)
		})
	}
}

func (tc *watchCase) start(tb testing.TB, newWatchers WatcherMaker, guard time.Duration) {
	tb.Helper()
	var watchers []chat.Watcher
	c := newRig(tb, func(tb testing.TB, _ chat.MemoryOptions) []chat.Store {
		tb.Helper()
		var stores []chat.Store
		for _, w := range newWatchers(tb) {
			watchers, stores = append(watchers, w), append(stores, w)
		}
		return stores
	})
	c.guard = guard
	tc.run(c, watchers[0], watchers[1])
}

var watchCases = []watchCase{
	{
		name:        "the dead",
		explanation: "Each socket of an instance that has died is given to one that watches, with its rooms, until it has left.",
		run: func(c *rig, a, b chat.Watcher) {
			c.set(a, "s1", "ann", chat.Online)
			c.set(a, "x", "x", chat.Online)
			c.set(b, "s2", "ann", chat.Away)
			c.join(a, "r1", "s1", "ann")
			c.join(a, "r1", "x", "x")
			c.join(a, "r2", "x", "x")
			c.join(b, "r2", "s2", "ann")
			heir := c.watch(b)
			heir.fail(2)
			await(c, "gone", heir.gone, "s1 of ann in r1; x of x in r1 r2")
			equal(c, "r1", c.list(b, "r1", 10), []string{"0"})
			equal(c, "r2", c.list(b, "r2", 10), []string{"ann away", "1"})
			equal(c, "connected", c.connected(b, "x"), false)
			equal(c, "back", heir.back(), "")
		},
	},
	{
		name:        "the dead who return",
		explanation: "An instance that was taken for dead has its sockets in the lists again, and is told whose users others have seen go, or less present.",
		run: func(c *rig, a, b chat.Watcher) {
			first, heir := c.watch(a), c.watch(b)
			c.set(a, "s1", "ann", chat.Away)
			c.set(a, "x", "x", chat.Online)
			c.set(a, "s3", "bob", chat.Online)
			c.set(b, "s2", "ann", chat.Offline)
			c.set(b, "s4", "bob", chat.Online)
			for _, room := range []string{"r1", "r2"} {
				c.join(a, room, "s1", "ann")
			}
			c.join(a, "r1", "x", "x")
			c.join(a, "r1", "s3", "bob")
			c.join(b, "r1", "s4", "bob")
			c.join(b, "r2", "s2", "ann")
			heir.forget()
			first.stop()
			await(c, "gone", heir.gone, "s1 of ann in r1 r2; s3 of bob in r1; x of x in r1")
			equal(c, "r1", c.list(b, "r1", 10), []string{"bob", "1"})
			equal(c, "r2", c.list(b, "r2", 10), []string{"ann offline", "1"})
			again := c.watch(a)
			again.fail(1)
			await(c, "back", again.back, "s1 changed in r1; x in r1")
			in := c.list(b, "r1", 10)
			slices.Sort(in)
			equal(c, "r1", in, []string{"3", "ann away", "bob", "x"})
			equal(c, "r2", c.list(b, "r2", 10), []string{"ann away", "1"})
			equal(c, "gone", again.gone(), "")
			equal(c, "back elsewhere", heir.back(), "")
			heir.forget()
			again.stop()
			await(c, "gone again", heir.gone, "s1 of ann in r1 r2; s3 of bob in r1; x of x in r1")
		},
	},
}

// An observer is a chat that watches, as far as a store knows.
type observer struct {
	c    *rig
	w    chat.Watcher
	stop func() // once

	mu       sync.Mutex
	failures int
	orphans  []string
	returned []string
}

func (c *rig) watch(w chat.Watcher) *observer {
	c.Helper()
	o := &observer{c: c, w: w}
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() {
		if err := w.Watch(ctx, o.bury, o.welcome); err != nil {
			c.Errorf("Watch: %v", err)
		}
	})
	o.stop = sync.OnceFunc(func() {
		cancel()
		watching.Wait()
	})
	c.Cleanup(o.stop)
	return o
}

// fail lets the next calls fail. They are to come again.
func (o *observer) fail(calls int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failures = calls
}

var errRefused = errors.New("not now")

func (o *observer) refused() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failures--
	return o.failures >= 0
}

func (o *observer) bury(ctx context.Context, x chat.Orphan) error {
	if o.refused() {
		return errRefused
	}
	for _, room := range x.Rooms {
		if _, err := o.w.Leave(ctx, room, x.Socket, x.User.ID); err != nil {
			return err
		}
	}
	if _, err := o.w.Remove(ctx, x.Socket, x.User.ID); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	slices.Sort(x.Rooms)
	o.orphans = append(o.orphans, fmt.Sprintf("%s of %s in %s", x.Socket, x.User.ID, strings.Join(x.Rooms, " ")))
	return nil
}

func (o *observer) welcome(_ context.Context, r chat.Returned) error {
	if o.refused() {
		return errRefused
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	text := r.Socket
	if r.Changed {
		text += " changed"
	}
	slices.Sort(r.Rooms)
	o.returned = append(o.returned, text+" in "+strings.Join(r.Rooms, " "))
	return nil
}

// gone and back return what the store has said.
func (o *observer) gone() string { return o.text(&o.orphans) }
func (o *observer) back() string { return o.text(&o.returned) }

func (o *observer) text(list *[]string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(slices.Sorted(slices.Values(*list)), "; ")
}

// forget begins anew.
func (o *observer) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.orphans, o.returned = nil, nil
}

// await waits until something is as it should be.
func await(c *rig, what string, got func() string, want string) {
	c.Helper()
	deadline := time.Now().Add(c.guard)
	for got() != want {
		if time.Now().After(deadline) {
			c.Fatalf("%s: %s, want %s", what, got(), want)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
