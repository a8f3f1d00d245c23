package admin_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/adapter/redisadapter"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/server"
)

// TestAllocNobodyWatches: while no admin is there, events cost what they cost
// without the admin namespace.
func TestAllocNobodyWatches(t *testing.T) {
	cost := func(mount bool) float64 {
		io := server.New()
		if mount {
			a, err := admin.Mount(io, admin.Options{Auth: admin.Insecure()})
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
		}
		to := io.Of("/").To("room")
		return testing.AllocsPerRun(1000, func() { _ = to.Emit("event", 1) })
	}
	if without, with := cost(false), cost(true); with != without {
		t.Errorf("%v allocations an event, and %v without the admin namespace", with, without)
	}
}

// TestWatchExpires: an instance that says no more that somebody watches there has
// ended; one that has lost something has the lists asked for again, now and then.
func TestWatchExpires(t *testing.T) {
	bubble(t, everything, func(r *rig) {
		watched := func() bool {
			synctest.Wait()
			return r.admin.Stats().Watched
		}
		for _, junk := range [][]any{{}, {1, true}, {"far"}, {"far", "yes"}, {strings.Repeat("x", 1000), true}} {
			r.must(r.admin.Hear(junk...))
		}
		if watched() {
			t.Error("junk is taken for a watcher")
		}
		for range 5 {
			r.must(r.admin.Hear("far", true, false))
			if !watched() {
				t.Error("a watcher is not heard")
			}
			time.Sleep(5 * time.Second)
		}
		if time.Sleep(2 * time.Second); watched() {
			t.Error("a watcher is watching after 7 s without a word")
		}
		r.must(r.admin.Hear("far", true, false))
		if r.must(r.admin.Hear("far", false, false)); watched() {
			t.Error("a watcher that has gone is watching")
		}
		a, _ := r.login("")
		for range 10 {
			r.must(r.admin.Hear("far", true, true))
			time.Sleep(100 * time.Millisecond)
		}
		lists := 0
		for _, name := range names(slices.Concat(a.until(), a.until())) {
			if name == "all_sockets" {
				lists++
			}
		}
		if lists < 1 || lists > 2 {
			t.Errorf("when another instance has lost something ten times in a second an admin is told %d lists, want one or two", lists)
		}
	})
}

// TestWatch: an instance tells what happens on it while an admin watches, here or
// at another instance, and not otherwise.
func TestWatch(t *testing.T) {
	redis := redistest.Start(t)
	start := func(watch admin.Watch) *rig {
		rdb := redis.Client()
		t.Cleanup(func() { rdb.Close() })
		return serve(t, admin.Options{Auth: admin.Insecure(), Watch: watch, ServerID: fmt.Sprint(watch, rdb)}, server.WithAdapter(redisadapter.PubSub(rdb)))
	}
	near, far, local, always := start(admin.Cluster), start(admin.Cluster), start(admin.Local), start(admin.Always)
	watched := func(want ...bool) {
		t.Helper()
		var got []bool
		for deadline := time.Now().Add(2 * patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			got = nil
			for _, r := range []*rig{near, far, local, always} {
				got = append(got, r.admin.Stats().Watched)
			}
			if fmt.Sprint(got) == fmt.Sprint(want) {
				return
			}
		}
		t.Fatalf("near, far, local, always: %v, want %v", got, want)
	}
	for _, r := range []*rig{near, far, local, always} {
		for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			n, err := r.Of("/").Adapter().ServerCount(t.Context())
			if n == 4 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d servers are counted (%v), want 4", n, err)
			}
		}
	}
	watched(false, false, false, true)
	a := near.dial(wire.Handshake{})
	a.join("/admin", "")
	watched(true, true, false, true)

	// What happens there is told here.
	told := func(r *rig, name string) {
		t.Helper()
		c := r.client("/")
		r.must(r.socket(c, "/").Emit("hello", name))
		var m message
		for !strings.Contains(m.String(), fmt.Sprintf(`["hello",%q]`, name)) {
			m = a.wait("event_sent")
		}
	}
	told(far, "far")
	told(always, "always")

	a.send("41/admin,")
	watched(false, false, false, true)
}
