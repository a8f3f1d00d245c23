//go:build linux

package soak

import (
	"slices"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
)

// batch is how many events an instance publishes in one go at most: one of them is on
// its way when Redis dies.
const batch = 512

// An outage is a time without Redis, from and to after the beginning of the run.
type outage struct {
	killed   bool // else stopped, with its connections open
	from, to time.Duration
}

// A window is what of each speaker can be lost in an outage: from, and up to,
// exclusive.
type window struct{ lost map[int]gap }

// outages has Redis away by a plan, and notes when.
func (r *run) outages(t *testing.T, redis *redistest.Server, plan []outage) {
	for _, o := range plan {
		time.Sleep(time.Until(r.began.Add(o.from)))
		w := window{lost: make(map[int]gap)}
		for id, s := range r.speakers { // what all have heard
			from := s.said.Load()
			for _, l := range r.listeners {
				if tr := l.heard[id]; tr != nil {
					from = min(from, tr.next.Load())
				}
			}
			w.lost[id] = gap{from: from}
		}
		connects := make([]uint64, len(r.instances))
		for i, in := range r.instances {
			connects[i] = in.cluster.Stats().Connects
		}
		if o.killed {
			redis.Kill()
			r.died(t)
		} else {
			redis.Stop()
		}
		time.Sleep(time.Until(r.began.Add(o.to)))
		published := make([]uint64, len(r.instances))
		for i, in := range r.instances {
			published[i] = in.cluster.Stats().Published
		}
		if o.killed {
			redis.Restart()
		} else {
			redis.Continue()
		}
		back := time.Now()
		for i, in := range r.instances {
			eventually(t, in.name+" is connected again", func() bool {
				s := in.cluster.Stats()
				return s.Up && s.Published > published[i] && (!o.killed || s.Connects > connects[i])
			})
		}
		for id, s := range r.speakers {
			w.lost[id] = gap{w.lost[id].from, s.said.Load()}
		}
		r.windows = append(r.windows, w)
		t.Logf("%5.1fs: Redis was %s for %v; all listened again within %v", time.Since(r.began).Seconds(), map[bool]string{true: "killed", false: "stopped"}[o.killed],
			o.to-o.from, time.Since(back).Round(time.Millisecond))
	}
}

// died notes, for each instance, what of it has died with Redis: it answers a PUBLISH
// before it writes to who has subscribed, so that no sender can know of it.
func (r *run) died(t *testing.T) {
	for _, in := range r.instances {
		settled := time.Now()
		last := in.lag()
		eventually(t, "nothing more comes of a dead Redis", func() bool {
			if now := in.lag(); now != last || in.cluster.Stats().Up || in.peer.cluster.Stats().Up {
				last, settled = now, time.Now()
			}
			return time.Since(settled) > 500*time.Millisecond
		})
		in.lags = append(in.lags, last)
	}
}

// lag is how much more Redis has taken of an instance than the other one has got.
func (in *instance) lag() int64 {
	return int64(in.cluster.Stats().Published) - int64(in.peer.cluster.Stats().Received)
}

// account checks that what an instance has said and the other one has not heard is
// what its counts say.
func (r *run) account(t *testing.T, in *instance) {
	s, far := in.cluster.Stats(), in.peer.cluster.Stats()
	said := in.said.Load()
	if got := s.Published + s.Dropped + s.Unanswered + s.Refused; int64(got) != said || s.Refused > 0 {
		t.Errorf("%s has said %d, and counts %+v", in.name, said, s)
	}
	if far.Malformed+far.Overflowed > 0 {
		t.Errorf("%s: %+v", in.peer.name, far)
	}
	lost := r.lost(t, in)
	if want := said - int64(far.Received); lost != want {
		t.Errorf("%s has received %d of %d of %s, and its clients miss %d", in.peer.name, far.Received, said, in.name, lost)
	}
	// What has died with Redis, less what was not answered and has arrived all the same.
	died, before := int64(0), int64(0)
	for _, lag := range in.lags {
		if lag-before > batch {
			t.Errorf("%s: Redis died with %d of its events", in.name, lag-before)
		}
		died, before = died+max(0, lag-before), lag
	}
	late := in.late()
	if rest := in.lag() - before; rest > late {
		t.Errorf("%s: %d that Redis had taken are lost, and it has not died", in.name, rest)
	}
	if least := int64(s.Dropped); lost < least || lost > least+died+int64(s.Unanswered)+late {
		t.Errorf("%s: %d are lost; %d were dropped, %d unanswered and %d died with Redis", in.name, lost, s.Dropped, s.Unanswered, died)
	}
	r.lostTo = append(r.lostTo, row{in.name + " to " + in.peer.name, lost, said, int64(s.Dropped), int64(s.Unanswered), died, s.Connects})
}

// late is how much an instance may have said when it listened again after the last
// outage and the other one did not: it waits for it, but not longer than a second,
// which a busy machine may take.
func (in *instance) late() int64 {
	own, other := in.up.Load(), in.peer.up.Load()
	if other.at.Sub(own.at) < 500*time.Millisecond {
		return 0
	}
	in.t.Logf("%s was connected %v after %s", in.peer.name, other.at.Sub(own.at), in.name)
	return other.peer - own.own
}

// lost is how many events of an instance's speakers its peer's clients have missed:
// all of them the same, and within outages.
func (r *run) lost(t *testing.T, in *instance) (n int64) {
	for id, s := range r.speakers {
		if s.at != in {
			continue
		}
		var first *track
		for _, l := range r.listeners {
			if l.at != in.peer {
				continue
			}
			tr := l.heard[id]
			if first == nil {
				first, n = tr, n+tr.lost()
			}
			if !slices.Equal(tr.gaps, first.gaps) {
				t.Errorf("%s has missed %v of %d, and another one %v", l.name, tr.gaps, id, first.gaps)
			}
			for _, g := range tr.gaps {
				if !slices.ContainsFunc(r.windows, func(w window) bool { return w.lost[id].from <= g.from && g.to <= w.lost[id].to }) {
					t.Errorf("%s has missed %v of %d; Redis was away in %v", l.name, g, id, r.windows)
				}
			}
		}
	}
	return n
}

func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for late := time.Now().Add(patience); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatalf("%s: not after %v", what, patience)
		}
	}
}
