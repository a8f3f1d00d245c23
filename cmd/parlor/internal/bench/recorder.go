package bench

import (
	"runtime"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A recorder counts what arrives, from all readers. They are dealt out to shards, so
// that they rarely meet.
type recorder struct {
	shards []shard
}

type shard struct {
	mu sync.Mutex
	counts
	fresh *hdrhistogram.Histogram // latencies since the last sample
	_     [64]byte                // so that two shards share no cache line
}

// counts are of events at their receivers.
type counts struct {
	delivered   int64 // each once
	duplicates  int64
	late        int64         // behind a later event of the same sender
	refused     int64         // errors that the server answered with
	misdirected int64         // to a room that they were not sent to
	other       int64         // events that are no part of the load
	bytes       int64         // of all packets
	last        time.Duration // when the last delivery was
}

func (c *counts) add(d counts) {
	c.delivered += d.delivered
	c.duplicates += d.duplicates
	c.late += d.late
	c.refused += d.refused
	c.misdirected += d.misdirected
	c.other += d.other
	c.bytes += d.bytes
	c.last = max(c.last, d.last)
}

// longest is the longest latency that is told from longer ones.
const longest = 5 * time.Minute

// newHistogram makes one of microseconds, exact to two digits and a half.
func newHistogram() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, longest.Microseconds(), 3)
}

func newRecorder() *recorder {
	r := &recorder{shards: make([]shard, min(32, 2*runtime.GOMAXPROCS(0)))}
	for i := range r.shards {
		r.shards[i].fresh = newHistogram()
	}
	return r
}

// shard returns that of a client.
func (r *recorder) shard(client int) *shard { return &r.shards[client%len(r.shards)] }

// record adds what one packet came to; latency counts with a delivery alone.
func (s *shard) record(c counts, latency time.Duration) {
	s.mu.Lock()
	s.add(c)
	if c.delivered > 0 {
		observe(s.fresh, latency)
	}
	s.mu.Unlock()
}

// observe records a duration, within what a histogram can hold.
func observe(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d, time.Microsecond), longest).Microseconds())
}

// counts returns the sums.
func (r *recorder) counts() (sum counts) {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		sum.add(s.counts)
		s.mu.Unlock()
	}
	return sum
}

// take moves the latencies since the last call to into.
func (r *recorder) take(into *hdrhistogram.Histogram) {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		if s.fresh.TotalCount() > 0 {
			into.Merge(s.fresh)
			s.fresh.Reset()
		}
		s.mu.Unlock()
	}
}

// A tally counts things by their cause.
type tally struct {
	mu sync.Mutex
	by map[string]int
	n  int
}

// tallyCauses is how many causes are told apart: servers may put what they like in them.
const tallyCauses = 16

func (t *tally) add(what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by == nil {
		t.by = map[string]int{}
	}
	if _, known := t.by[what]; !known && len(t.by) >= tallyCauses {
		what = "other"
	}
	t.by[what]++
	t.n++
}

func (t *tally) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}
