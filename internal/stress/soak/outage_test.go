//go:build linux

package soak

import (
	"slices"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
)

// An outage is a time without Redis, from and to after the beginning of the run.
type outage struct {
	killed   bool // else stopped, with its connections open
	from, to time.Duration
}

// A window is what of each speaker can be lost in an outage: from, and up to,
// exclusive.
type window map[int]gap

// open begins a window: nothing that the other instance has heard is lost.
func (r *run) open() window {
	w := make(window)
	for id, s := range r.speakers {
		from := s.said.Load()
		for _, l := range r.listeners {
			if tr := l.heard[id]; tr != nil {
				from = min(from, tr.next.Load())
			}
		}
		w[id] = gap{from: from}
	}
	return w
}

// close ends a window, when what is said arrives again.
func (r *run) close(w window) {
	for id, s := range r.speakers {
		w[id] = gap{w[id].from, s.said.Load()}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.windows = append(r.windows, w)
}

// state is told when an instance loses the others, or is back. On a machine that is
// too busy that happens without an outage as well.
func (r *run) state(in *instance, up bool) {
	select {
	case <-r.settled:
	default:
		return
	}
	switch {
	case !up && in.alone == nil:
		in.alone = r.open()
	case up && in.alone != nil:
		in.peer.note()
		r.close(in.alone)
		in.alone = nil
	}
}

// outages has Redis away by a plan, and notes when.
func (r *run) outages(t *testing.T, redis *redistest.Server, plan []outage) {
	for _, o := range plan {
		time.Sleep(time.Until(r.began.Add(o.from)))
		w := r.open()
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
		for _, in := range r.instances { // what was on its way when the other one was back is counted by now
			in.note()
		}
		r.close(w)
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
		in.note()
	}
}

// note notes what Redis has taken of an instance and the other one has not got, when
// that can be seen: it is away, or the other one hears it again.
func (in *instance) note() { in.done.raise("taken", in.lag()) }

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
	dropped, unanswered, taken := int64(s.Dropped), int64(s.Unanswered), in.done.get("taken")
	if lost < dropped || lost > dropped+unanswered+taken {
		t.Errorf("%s: %d are lost; %d were dropped, %d unanswered, and %d taken by Redis and lost with it", in.name, lost, dropped, unanswered, taken)
	}
	r.lostTo = append(r.lostTo, row{in.name + " to " + in.peer.name, lost, said, dropped, unanswered, taken, s.Connects})
}

// lost is how many events of an instance's speakers its peer's clients have missed:
// all of them the same, and within outages.
func (r *run) lost(t *testing.T, in *instance) (n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
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
		}
		for _, g := range first.gaps {
			for number := g.from; number < g.to; number++ {
				if !slices.ContainsFunc(r.windows, func(w window) bool { return w[id].from <= number && number < w[id].to }) {
					t.Errorf("%s has missed %d of speaker %d, and not in an outage", in.peer.name, number, id)
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
