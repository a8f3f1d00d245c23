package admin_test

import (
	"fmt"
	"strings"
	"testing"
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
