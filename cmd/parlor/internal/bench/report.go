package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/printable"
)

// Schema is the version of the report's form: it rises when a field changes its
// meaning, or goes.
const Schema = 1

// A Report is what a run came to. Its JSON is an interface that scripts rely on.
type Report struct {
	Schema      int       `json:"schema"`
	Version     string    `json:"version"`
	System      string    `json:"system"`
	Started     time.Time `json:"started"`
	Seconds     float64   `json:"seconds"`     // all of it
	Interrupted bool      `json:"interrupted"` // the figures are those until then

	Plan      Plan      `json:"plan"`
	Connect   Connect   `json:"connect"`
	Traffic   *Traffic  `json:"traffic"` // null for a load that sends nothing
	Server    *Server   `json:"server"`  // null if its cost is not known
	Generator Generator `json:"generator"`
	Remarks   []string  `json:"remarks"` // what is to be known before the figures are used
	Series    []Sample  `json:"series"`
}

// A Plan is what was asked for.
type Plan struct {
	Load        Load      `json:"load"`
	Targets     []string  `json:"targets"`
	Namespace   string    `json:"namespace"`
	Transport   Transport `json:"transport"`
	Connections int       `json:"connections"`
	Senders     int       `json:"senders"`
	Rooms       int       `json:"rooms"`
	Rate        float64   `json:"rate"`  // events a second by all senders; 0: as fast as they can
	Count       int       `json:"count"` // events a sender; 0: until the time is up
	Duration    float64   `json:"duration_s"`
	OpenLoop    bool      `json:"open_loop"`
	Event       string    `json:"event"`
	Expect      string    `json:"expect"`
	Size        int       `json:"size"`
}

// Connect is how connecting went.
type Connect struct {
	Attempted int     `json:"attempted"`
	Connected int     `json:"connected"` // each in its namespace and room
	Failed    int     `json:"failed"`
	Failures  []Cause `json:"failures"`
	Dropped   int     `json:"dropped"` // ended later by themselves
	Drops     []Cause `json:"drops"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_second"`
	Latency   Summary `json:"latency_ms"` // until the join is acknowledged
}

// Traffic is what became of the events.
type Traffic struct {
	Sent        int64   `json:"sent"`
	Expected    int64   `json:"expected"`
	Delivered   int64   `json:"delivered"` // each once a receiver
	Lost        int64   `json:"lost"`
	Duplicated  int64   `json:"duplicated"`
	OutOfOrder  int64   `json:"out_of_order"` // behind a later event of the same sender
	Misdirected int64   `json:"misdirected"`  // to a room that they were not sent to
	Refused     int64   `json:"refused"`      // errors that the server answered with
	Refusals    []Cause `json:"refusals"`
	Other       int64   `json:"other"` // events that are no part of the load
	Bytes       int64   `json:"bytes"` // of all that came
	Seconds     float64 `json:"seconds"`

	SentPerSecond      float64 `json:"sent_per_second"`
	DeliveredPerSecond float64 `json:"delivered_per_second"`
	Latency            Summary `json:"latency_ms"` // from when an event was to be sent
	Quantiles          []Point `json:"latency_quantiles"`
}

// Server is what the load cost the server.
type Server struct {
	Source           string   `json:"source"`              // /proc or metrics
	CPUPerConnection *float64 `json:"connect_cpu_us"`      // null if there were none
	CPUPerDelivery   *float64 `json:"cpu_us_per_delivery"` // null if there were none
	CPU              float64  `json:"cpu"`                 // processors, while it was under load
	MemoryBefore     float64  `json:"memory_before_kib"`
	MemoryConnected  float64  `json:"memory_connected_kib"`
	MemoryAfter      float64  `json:"memory_after_kib"`
	PerConnection    *float64 `json:"kib_per_connection"` // the slope from From connections on
	From             int      `json:"from"`
}

// Generator is what the program that measures took itself.
type Generator struct {
	CPUs       int      `json:"cpus"`
	CPU        float64  `json:"cpu"`     // share of them
	Machine    float64  `json:"machine"` // share of all processors that was busy; 0: not known
	Lateness   Summary  `json:"lateness_ms"`
	Bottleneck bool     `json:"bottleneck"`
	Remarks    []string `json:"-"`
}

// A Cause is why something failed, and how often.
type Cause struct {
	Cause string `json:"cause"`
	Count int    `json:"count"`
}

// A Summary is of many times, in milliseconds.
type Summary struct {
	Count int64   `json:"count"`
	Min   float64 `json:"min"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p99_9"`
	Max   float64 `json:"max"`
}

// A Point says which latency so many percent do not exceed.
type Point struct {
	Percent float64 `json:"percent"`
	Latency float64 `json:"ms"`
}

// A Sample is the state at one time; rates and latencies are since that before it.
type Sample struct {
	At            float64 `json:"t"` // seconds since the start
	Stage         string  `json:"stage"`
	Connected     int     `json:"connected"`
	Sent          int64   `json:"sent"`
	Delivered     int64   `json:"delivered"`
	SentRate      float64 `json:"sent_per_second"`
	DeliveredRate float64 `json:"delivered_per_second"`
	P50           float64 `json:"p50_ms"`
	P99           float64 `json:"p99_ms"`
	Max           float64 `json:"max_ms"`
	ServerCPU     float64 `json:"server_cpu"` // processors
	ServerMemory  float64 `json:"server_memory_kib"`
	GeneratorCPU  float64 `json:"generator_cpu"`

	server, generator float64 // seconds
}

// Flawed says what was wrong with the server, or with the run, in one line; empty
// when nothing was.
func (r *Report) Flawed() string {
	var list []string
	add := func(n int64, what string) {
		if n > 0 {
			list = append(list, grouped(n)+" "+what)
		}
	}
	if r.Interrupted {
		list = append(list, "interrupted")
	}
	add(int64(r.Plan.Connections-r.Connect.Connected), "not connected")
	add(int64(r.Connect.Dropped), "dropped")
	if t := r.Traffic; t != nil {
		add(t.Lost, "lost")
		add(t.Duplicated, "doubled")
		add(t.OutOfOrder, "out of order")
		add(t.Misdirected, "to the wrong room")
		add(t.Refused, "refused")
	}
	return strings.Join(list, ", ")
}

// WriteJSON writes the report as JSON, with escapes for what is not printed.
func (r *Report) WriteJSON(w io.Writer) error {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return err
	}
	_, err := w.Write(printable.JSON(out.Bytes())) // a cause may be in the server's words
	return err
}

// summary returns that of a histogram of microseconds.
func summary(h *hdrhistogram.Histogram) Summary {
	if h == nil || h.TotalCount() == 0 {
		return Summary{}
	}
	return Summary{
		Count: h.TotalCount(),
		Min:   round(float64(h.Min())/1000, 3), Mean: round(h.Mean()/1000, 3),
		P50: quantile(h, 50), P90: quantile(h, 90), P99: quantile(h, 99), P999: quantile(h, 99.9),
		Max: round(float64(h.Max())/1000, 3),
	}
}

// points are of the curve of latencies: as many of the last hundredth as of the first
// half.
func points(h *hdrhistogram.Histogram) []Point {
	list := []Point{}
	if h.TotalCount() == 0 {
		return list
	}
	for _, p := range []float64{0, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.75, 99.9, 99.95, 99.975, 99.99, 99.995, 99.999} {
		if float64(h.TotalCount())*(100-p)/100 < 1 {
			break // fewer than one is above it
		}
		list = append(list, Point{p, quantile(h, p)})
	}
	return append(list, Point{100, round(float64(h.Max())/1000, 3)})
}

// report puts the figures together. Nothing of the run goes on any more.
func (m *measurement) report() *Report {
	r, o := m.run, m.run.opts
	c := r.recorder.counts()
	out := &Report{
		Schema: Schema, Version: o.Version,
		System:  fmt.Sprintf("%s/%s, %d CPUs", runtime.GOOS, runtime.GOARCH, runtime.NumCPU()),
		Started: r.begun.UTC().Truncate(time.Second), Seconds: round(r.now().Seconds(), 3),
		Interrupted: m.interrupted,
		Plan:        o.plan(),
		Connect: Connect{
			Attempted: m.attempted, Failed: r.failures.count(), Failures: r.failures.list(),
			Connected: m.attempted - r.failures.count(), Dropped: r.drops.count(), Drops: r.drops.list(),
			Seconds: round(m.connecting.Seconds(), 3), Latency: summary(m.opening),
		},
		Remarks: append([]string{}, m.remarks...),
		Series:  m.series,
	}
	if s := m.connecting.Seconds(); s > 0 {
		out.Connect.PerSecond = round(float64(out.Connect.Connected)/s, 1)
	}
	if o.Load.sends() {
		out.Traffic = m.traffic(c)
	}
	if r.meter != nil {
		out.Server = m.server(out.Connect.Connected, c.delivered)
	}
	out.Generator = r.generator.report(m.before.usage, m.after.usage, m.after.at-m.before.at)
	if m.start > 0 {
		out.Generator = r.generator.report(m.connected.usage, m.after.usage, m.after.at-m.connected.at)
	}
	out.Remarks = append(out.Remarks, out.Generator.Remarks...)
	return out
}

func (o *Options) plan() Plan {
	p := Plan{
		Load: o.Load, Namespace: o.Namespace, Transport: o.Transport, Connections: o.Connections,
		Rate: o.Rate, Count: o.Count, Duration: round(o.Duration.Seconds(), 3), OpenLoop: o.openLoop(),
		Event: o.Event, Expect: o.Expect, Size: o.Size,
	}
	for _, u := range o.Targets {
		p.Targets = append(p.Targets, u.Redacted())
	}
	if o.Load.sends() {
		p.Senders, p.Rooms = o.senders(o.Connections), o.Connections
		if o.Load == Broadcast {
			p.Rooms = min(o.Rooms, o.Connections)
		}
	}
	return p
}

func (m *measurement) traffic(c counts) *Traffic {
	took := m.end - m.start
	t := &Traffic{
		Sent: m.run.sent(), Expected: m.expected, Delivered: c.delivered, Lost: max(0, m.expected-c.delivered),
		Duplicated: c.duplicates, OutOfOrder: c.late, Misdirected: c.misdirected,
		Refused: c.refused, Refusals: m.run.refusals.list(), Other: c.other, Bytes: c.bytes,
		Seconds: round(took.Seconds(), 3), Latency: summary(m.total), Quantiles: points(m.total),
	}
	if took > 0 {
		t.SentPerSecond = round(float64(t.Sent)/took.Seconds(), 1)
		t.DeliveredPerSecond = round(float64(t.Delivered)/took.Seconds(), 1)
	}
	return t
}

func (m *measurement) server(connected int, delivered int64) *Server {
	s := &Server{
		Source:       m.run.meter.source(),
		MemoryBefore: round(m.before.cost.memory, 0), MemoryConnected: round(m.connected.cost.memory, 0),
		MemoryAfter: round(m.after.cost.memory, 0),
		From:        m.fromCount,
	}
	share := func(of float64, n int64, digits int) *float64 {
		if n <= 0 {
			return nil
		}
		x := round(of/float64(n), digits)
		return &x
	}
	s.CPUPerConnection = share((m.connected.cost.cpu-m.before.cost.cpu)*1e6, int64(connected), 1)
	base := m.before
	if m.fromCount > 0 {
		base = m.from
	}
	s.PerConnection = share(m.connected.cost.memory-base.cost.memory, int64(connected-m.fromCount), 2)
	used := m.after.cost.cpu - m.connected.cost.cpu
	if m.run.opts.Load.sends() {
		s.CPUPerDelivery = share(used*1e6, delivered, 2)
	}
	if took := (m.after.at - m.connected.at).Seconds(); took > 0 {
		s.CPU = round(used/took, 3)
	}
	return s
}
