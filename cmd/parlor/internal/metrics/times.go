package metrics

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed3686fee0/parlor/server"
)

// other is the label for what has a name that a client may have made up.
const other = "other"

// buckets are those of durations, in seconds: close enough that a quantile, which is interpolated within one, is off
// by a factor of 2.5 at the most, but for what takes under a millisecond or over a second.
var buckets = []float64{.0001, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

// Times are how long handlers take and clients have acknowledgements wait, and how
// often either fails.
type Times struct {
	handlers, acks *prometheus.HistogramVec
	errors         *prometheus.CounterVec
	names          []string // of the namespaces that are told apart; static

	// The histograms of handlers that have been asked for, which is cheaper here
	// than in handlers: few, and the same ones for each event. Replaced under mu.
	mu    sync.Mutex
	found atomic.Pointer[map[series]prometheus.Observer]
}

// A series is one of the histograms of handlers.
type series struct{ namespace, event string }

// NewTimes makes the counts for namespaces with these names; all others are one.
func NewTimes(names ...string) *Times {
	t := &Times{
		names: names,
		handlers: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    prefix + "handler_duration_seconds",
			Help:    "Time that the handlers of an event took, by event; its count is that of the events that were handled.",
			Buckets: buckets,
		}, []string{"namespace", "event"}),
		acks: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    prefix + "ack_duration_seconds",
			Help:    "Time that clients took to acknowledge what they were asked to, and that was waited for those that did not.",
			Buckets: buckets,
		}, []string{"namespace"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: prefix + "handler_errors_total",
			Help: "Events whose handlers returned an error, a client's own mistakes among them, or panicked.",
		}, []string{"namespace"}),
	}
	t.found.Store(&map[series]prometheus.Observer{})
	return t
}

// Options have a server tell its times. A nil Times has none.
func (t *Times) Options() []server.Option {
	if t == nil {
		return nil
	}
	for _, name := range append(slices.Clone(t.names), other) { // there from the start
		t.acks.WithLabelValues(name)
		t.errors.WithLabelValues(name)
	}
	return []server.Option{
		server.WithHandlerTime(t.handled),
		server.WithAckTime(t.acked),
	}
}

// handled counts an event. It has no name where no handler of its own is registered.
func (t *Times) handled(namespace, event string, d time.Duration, err error) {
	namespace = t.known(namespace)
	t.handler(series{namespace, cmp.Or(event, other)}).Observe(d.Seconds())
	if err != nil {
		t.errors.WithLabelValues(namespace).Inc()
	}
}

func (t *Times) handler(s series) prometheus.Observer {
	if o, ok := (*t.found.Load())[s]; ok {
		return o
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s.event = strings.Clone(s.event) // of a packet, which is not to be kept
	found := maps.Clone(*t.found.Load())
	o := t.handlers.WithLabelValues(s.namespace, s.event)
	found[s] = o
	t.found.Store(&found)
	return o
}

func (t *Times) acked(namespace, _ string, d time.Duration, _ error) {
	t.acks.WithLabelValues(t.known(namespace)).Observe(d.Seconds())
}

func (t *Times) known(namespace string) string {
	if slices.Contains(t.names, namespace) {
		return namespace
	}
	return other
}
