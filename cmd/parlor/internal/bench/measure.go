package bench

import (
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A measurement gathers what a run's report is made of.
type measurement struct {
	run *run

	// Owned by the run's goroutine.
	before, from, connected, after moment // of which from has no usage of the server without a slope
	fromCount                      int
	attempted                      int
	connecting                     time.Duration // how long it took
	start, end                     time.Duration // of the traffic
	expected                       int64
	interrupted                    bool

	// Owned by the sampler, until it has ended.
	total  *hdrhistogram.Histogram // latencies
	series []Sample

	mu      sync.Mutex
	opening *hdrhistogram.Histogram // connections: how long each took
	remarks []string
}

// A moment is what has been used at one time.
type moment struct {
	at    time.Duration
	cost  cost
	usage usage
}

// mark takes the moment.
func (m *measurement) mark(ctx context.Context, into *moment) error {
	into.usage = readUsage()
	if m.run.meter != nil {
		c, err := m.run.meter.read(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
		into.cost = c
	}
	into.at = m.run.now()
	return nil
}

// check remarks on what could not be measured.
func (m *measurement) check(err error) {
	if err == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if text := err.Error(); !slices.Contains(m.remarks, text) && len(m.remarks) < tallyCauses {
		m.remarks = append(m.remarks, text)
	}
}

// opened notes how long a connection took.
func (m *measurement) opened(took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.opening == nil {
		m.opening = newHistogram()
	}
	observe(m.opening, took)
}

// maxSamples is how many are kept; of more, every second is left out.
const maxSamples = 1200

// sample takes a sample now and then until ctx is done, and a last one then.
func (m *measurement) sample(ctx context.Context) {
	every := m.run.opts.Every
	if every <= 0 {
		every = 250 * time.Millisecond
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	before := Sample{At: m.before.at.Seconds(), server: m.before.cost.cpu, generator: m.before.usage.own}
	fresh := newHistogram()
	step, n := 1, 0
	for done := false; !done; {
		select {
		case <-ticker.C:
			if m.run.now().Seconds()-before.At < every.Seconds()/2 {
				continue // the one before it was late: rates over so short a time say nothing
			}
		case <-ctx.Done():
			done = true
		}
		m.run.recorder.take(fresh)
		now, c := m.now(ctx, &before, fresh, done)
		m.progress(now, c, done)
		if n++; n%step != 0 && !done {
			continue
		}
		before = now
		m.total.Merge(fresh)
		fresh.Reset()
		if m.series = append(m.series, now); len(m.series) == maxSamples {
			m.series, step = halved(m.series), 2*step
		}
	}
}

// halved leaves out every second sample; of two, rates are the mean.
func halved(list []Sample) []Sample {
	for i := range len(list) / 2 {
		a, b := list[2*i], list[2*i+1]
		b.SentRate, b.DeliveredRate = (a.SentRate+b.SentRate)/2, (a.DeliveredRate+b.DeliveredRate)/2
		b.ServerCPU, b.GeneratorCPU = (a.ServerCPU+b.ServerCPU)/2, (a.GeneratorCPU+b.GeneratorCPU)/2
		b.P50, b.P99, b.Max = max(a.P50, b.P50), max(a.P99, b.P99), max(a.Max, b.Max)
		list[i] = b
	}
	return list[:len(list)/2]
}

// now takes a sample: rates are since that before it.
func (m *measurement) now(ctx context.Context, before *Sample, fresh *hdrhistogram.Histogram, last bool) (Sample, counts) {
	c := m.run.recorder.counts()
	s := Sample{
		At:        round(m.run.now().Seconds(), 3),
		Stage:     m.run.stage.Load().name,
		Connected: int(m.run.connected.Load()),
		Sent:      m.run.sent(),
		Delivered: c.delivered,
		P50:       quantile(fresh, 50), P99: quantile(fresh, 99),
		generator: ownCPU(),
	}
	if fresh.TotalCount() > 0 {
		s.Max = round(float64(fresh.Max())/1000, 3)
	}
	if m.run.meter != nil && !last { // at the end the run has read it
		cost, err := m.run.meter.read(ctx)
		if ctx.Err() == nil {
			m.check(err)
		}
		s.server, s.ServerMemory = cost.cpu, round(cost.memory, 0)
	} else {
		s.server, s.ServerMemory = before.server, before.ServerMemory
	}
	if gap := s.At - before.At; gap > 0 {
		s.SentRate = round(float64(s.Sent-before.Sent)/gap, 1)
		s.DeliveredRate = round(float64(s.Delivered-before.Delivered)/gap, 1)
		s.GeneratorCPU = round((s.generator-before.generator)/gap, 3)
		if before.server > 0 {
			s.ServerCPU = round(max(0, s.server-before.server)/gap, 3)
		}
	}
	return s, c
}

// sent is how many events have been.
func (r *run) sent() (n int64) {
	if list := r.senders.Load(); list != nil {
		for _, s := range *list {
			n += s.sent.Load()
		}
	}
	return n
}

// quantile is one of a histogram of microseconds, in milliseconds; 0 when it is empty.
func quantile(h *hdrhistogram.Histogram, percent float64) float64 {
	if h == nil || h.TotalCount() == 0 {
		return 0
	}
	return round(float64(h.ValueAtPercentile(percent))/1000, 3)
}

// round keeps so many digits behind the point; what is no number is 0.
func round(x float64, digits int) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	unit := math.Pow10(digits)
	return math.Round(x*unit) / unit
}

func (t *tally) list() []Cause {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := []Cause{}
	for _, what := range slices.Sorted(maps.Keys(t.by)) {
		list = append(list, Cause{what, t.by[what]})
	}
	slices.SortStableFunc(list, func(a, b Cause) int { return b.Count - a.Count })
	return list
}
