// Package adaptertest is the conformance kit of [adapter.Adapter]: what every
// adapter has to do, whatever carries its messages between instances.
//
//	func TestMemory(t *testing.T) {
//		adaptertest.Run(t, []int{1}, func(_ testing.TB, hosts []adapter.Host) adaptertest.Cluster {
//			return adaptertest.Cluster{Adapters: []adapter.Adapter{adapter.NewMemory(hosts[0])}}
//		})
//	}
//
// The members are the kit's own and record what they are given. An adapter
// that reaches other instances is run with several: each case then spreads its
// members over them, and gives what is on its way the time that it takes.
package adaptertest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
)

// A Cluster is a set of adapters that serve one namespace together.
type Cluster struct {
	// Adapters, one for each host that was given, in that order. Each has seen
	// all others.
	Adapters []adapter.Adapter
	// Settle returns when whatever was done before has had its effect on all
	// instances. Nil: it always has at once.
	Settle func()
}

// A Maker makes the adapters of as many instances as there are hosts, with
// nothing shared with the clusters made before, and cleans up by t.Cleanup; the
// kit closes the adapters.
type Maker func(t testing.TB, hosts []adapter.Host) Cluster

// patience is how long the kit waits for what must come. It is a guard, far
// above what an adapter needs.
var patience = 30 * time.Second

// A testCase is something that an adapter has to do.
type testCase struct {
	name        string
	explanation string
	instances   int // at least; 0 means 1
	run         func(c *rig)
}

func cases() []testCase {
	return slices.Concat(roomCases, broadcastCases, ackCases, socketCases, serverCases, eventCases, propertyCases)
}

// Run checks adapters in clusters of the given sizes, 1 for an adapter that is
// alone.
func Run(t *testing.T, sizes []int, newCluster Maker) {
	t.Helper()
	for _, n := range sizes {
		for _, tc := range cases() {
			if n < tc.instances {
				continue
			}
			t.Run(fmt.Sprintf("instances=%d/%s", n, tc.name), func(t *testing.T) {
				t.Cleanup(func() {
					if t.Failed() {
						t.Log(tc.explanation)
					}
				})
				tc.run(newRig(t, n, newCluster))
			})
		}
	}
}

// A rig is a cluster under test.
type rig struct {
	testing.TB

	hosts    []*host
	adapters []adapter.Adapter
	settle   func()
}

func newRig(t testing.TB, n int, newCluster Maker) *rig {
	t.Helper()
	c := &rig{TB: t, settle: func() {}}
	hosts := make([]adapter.Host, n)
	for i := range hosts {
		h := &host{}
		c.hosts = append(c.hosts, h)
		hosts[i] = h
	}
	cluster := newCluster(t, hosts)
	if len(cluster.Adapters) != n {
		t.Fatalf("%d adapters for %d hosts", len(cluster.Adapters), n)
	}
	c.adapters = cluster.Adapters
	if cluster.Settle != nil {
		c.settle = cluster.Settle
	}
	t.Cleanup(func() {
		for i, a := range c.adapters {
			if err := a.Close(); err != nil {
				t.Errorf("instance %d: Close: %v", i, err)
			}
		}
	})
	return c
}

// add makes a member on an instance, in rooms.
func (c *rig) add(instance int, id string, rooms ...string) *member {
	c.Helper()
	m := newMember(id)
	c.adapters[instance].Add(m)
	if !c.adapters[instance].Join(id, rooms...) {
		c.Fatalf("Join(%q, %q) of a member reports that it is not known", id, rooms)
	}
	return m
}

// spread makes members with the same rooms, one on each instance: "a0", "a1"…
func (c *rig) spread(prefix string, rooms ...string) []*member {
	c.Helper()
	list := make([]*member, len(c.adapters))
	for i := range list {
		list[i] = c.add(i, fmt.Sprint(prefix, i), rooms...)
	}
	return list
}

// eventually waits for a condition. Where all is at once it is true already.
func (c *rig) eventually(what string, condition func() bool) {
	c.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			c.Fatalf("in vain: %s", what)
		}
	}
}

// got checks what has been delivered to members since the last check: to all of
// them exactly this.
func (c *rig) got(members []*member, want ...string) {
	c.Helper()
	c.settle()
	for _, m := range members {
		c.eventually(fmt.Sprintf("%s waits for %d packets", m.id, len(want)), func() bool { return m.count() >= len(want) })
		if got := m.take(); !slices.Equal(got, want) {
			c.Errorf("%s got %q, want %q", m.id, got, want)
		}
	}
}

// equal checks a list whose order does not matter.
func (c *rig) equal(what string, got, want []string) {
	c.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		c.Errorf("%s: %q, want %q", what, got, want)
	}
}
