package bench

import (
	"fmt"
	"html"
	web "html/template"
	"math"
	"strconv"
	"strings"
)

// A chart is lines over a common axis.
type chart struct {
	Title  string
	Unit   string // of y, behind the numbers
	x      axis
	y      axis
	Series []series
}

// A series is a line.
type series struct {
	Name   string
	Color  int // one of those of the page, from 1 on
	points []xy
}

type xy struct{ x, y float64 }

// An axis maps values to a place between 0 and 1.
type axis struct {
	low, high float64
	log       bool
	ticks     []tick
}

type tick struct {
	at   float64
	text string
}

func (a *axis) place(v float64) float64 {
	low, high := a.low, a.high
	if a.log {
		v, low, high = math.Log10(max(v, a.low)), math.Log10(low), math.Log10(high)
	}
	if high <= low {
		return 0
	}
	return min(1, max(0, (v-low)/(high-low)))
}

// linear is an axis from 0 to what is at least high, with a handful of round ticks.
func linear(high float64, unit string) axis {
	if high <= 0 {
		high = 1
	}
	step := math.Pow10(int(math.Floor(math.Log10(high / 5))))
	for _, m := range []float64{2, 2.5, 2} { // 1, 2, 5, 10
		if high/step > 5 {
			step *= m
		}
	}
	a := axis{high: math.Ceil(high/step-1e-9) * step}
	for i := 0; float64(i)*step <= a.high+step/2; i++ {
		a.ticks = append(a.ticks, tick{float64(i) * step, short3(float64(i)*step) + unit})
	}
	return a
}

// decades is a logarithmic axis with a tick each power of ten, of milliseconds.
func decades(low, high float64) axis {
	first := math.Floor(math.Log10(max(low, 0.001)))
	last := max(first+1, math.Ceil(math.Log10(max(high, 0.002))))
	a := axis{low: math.Pow(10, first), high: math.Pow(10, last), log: true}
	for e := first; e <= last; e++ {
		a.ticks = append(a.ticks, tick{math.Pow(10, e), briefly(math.Pow(10, e))})
	}
	return a
}

// briefly is a power of ten of milliseconds.
func briefly(ms float64) string {
	switch {
	case ms < 0.9:
		return fmt.Sprintf("%.0f µs", ms*1000)
	case ms < 900:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.0f s", ms/1000)
}

// short3 is a number in few digits: 12k, 1.5M.
func short3(x float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if math.Abs(x) >= unit.size {
			return strconv.FormatFloat(round(x/unit.size, 2), 'f', -1, 64) + unit.name
		}
	}
	return strconv.FormatFloat(round(x, 3), 'f', -1, 64)
}

// Where in the picture the lines are.
const (
	chartWidth, chartHeight = 520.0, 220.0
	marginLeft, marginRight = 56.0, 12.0
	marginTop, marginBottom = 10.0, 26.0
)

// SVG draws the chart. Colours are classes, which the page has for light and dark.
func (c *chart) SVG() web.HTML {
	var b strings.Builder
	width, height := chartWidth-marginLeft-marginRight, chartHeight-marginTop-marginBottom
	px := func(v float64) float64 { return marginLeft + c.x.place(v)*width }
	py := func(v float64) float64 { return marginTop + (1-c.y.place(v))*height }
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" role="img" aria-label="%s">`, chartWidth, chartHeight, html.EscapeString(c.Title))
	for _, t := range c.y.ticks {
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f"/>`, marginLeft, chartWidth-marginRight, py(t.at), py(t.at))
		fmt.Fprintf(&b, `<text class="tick" text-anchor="end" x="%.1f" y="%.1f">%s</text>`, marginLeft-6, py(t.at)+3.5, html.EscapeString(t.text))
	}
	for _, t := range c.x.ticks {
		fmt.Fprintf(&b, `<text class="tick" text-anchor="middle" x="%.1f" y="%.1f">%s</text>`, px(t.at), chartHeight-8, html.EscapeString(t.text))
	}
	for _, s := range c.Series {
		var path strings.Builder
		for i, p := range s.points {
			verb := 'L'
			if i == 0 {
				verb = 'M'
			}
			fmt.Fprintf(&path, "%c%.1f %.1f", verb, px(p.x), py(p.y))
		}
		fmt.Fprintf(&b, `<path class="line c%d" d="%s"><title>%s</title></path>`, s.Color, path.String(), html.EscapeString(s.Name))
	}
	b.WriteString(`</svg>`)
	return web.HTML(b.String()) //nolint:gosec // numbers, and texts that are escaped
}

// charts are those that a report has figures for.
func (r *Report) charts() (list []chart) {
	over := func(title, unit string, lines ...func(Sample) float64) chart {
		c := chart{Title: title, Unit: unit, x: linear(r.last(), " s")}
		for range lines {
			c.Series = append(c.Series, series{Color: len(c.Series) + 1})
		}
		top := 0.0
		for _, s := range r.open() {
			for i, value := range lines {
				y := value(s)
				top = max(top, y)
				c.Series[i].points = append(c.Series[i].points, xy{s.At, y})
			}
		}
		c.x.high = r.last()
		c.x.ticks = within(c.x.ticks, c.x.high)
		c.y = linear(top, unit)
		return c
	}
	named := func(c chart, names ...string) chart {
		for i, name := range names {
			c.Series[i].Name = name
		}
		return c
	}
	if t := r.Traffic; t != nil && t.Delivered > 0 {
		list = append(list, r.percentiles(), r.delays())
		delivered := func(s Sample) float64 { return s.DeliveredRate }
		if t.Delivered > 3*t.Sent { // what is sent would lie on the ground
			list = append(list, named(over("Deliveries a second", "", delivered), "delivered"))
		} else {
			list = append(list, named(over("Events a second", "", delivered, func(s Sample) float64 { return s.SentRate }), "delivered", "sent"))
		}
	}
	list = append(list, named(over("Connections", "", func(s Sample) float64 { return float64(s.Connected) }), "connected"))
	generator := func(s Sample) float64 { return s.GeneratorCPU }
	if r.Server == nil {
		return append(list, named(over("Processors", "", generator), "generator"))
	}
	return append(list,
		named(over("Processors", "", func(s Sample) float64 { return s.ServerCPU }, generator), "server", "generator"),
		named(over("Memory of the server", " MiB", func(s Sample) float64 { return s.ServerMemory / 1024 }), "resident"))
}

// last is the time of the last sample.
func (r *Report) last() float64 {
	list := r.open()
	if len(list) == 0 {
		return 1
	}
	return list[len(list)-1].At
}

// open are the samples from before all was closed, which is no part of the load.
func (r *Report) open() []Sample {
	n := len(r.Series)
	for n > 0 && r.Series[n-1].Stage == closing {
		n--
	}
	return r.Series[:n]
}

func within(ticks []tick, high float64) (list []tick) {
	for _, t := range ticks {
		if t.at <= high {
			list = append(list, t)
		}
	}
	return list
}

// percentiles is the curve of latencies, the last hundredth as wide as the rest.
func (r *Report) percentiles() chart {
	t := r.Traffic
	c := chart{Title: "Latency by percentile", Series: []series{{Name: "latency", Color: 1}}}
	nines := func(percent float64) float64 { return -math.Log10(1 - percent/100) }
	for _, p := range t.Quantiles {
		x := nines(p.Percent)
		if p.Percent >= 100 { // the one that is above all others
			x = math.Log10(float64(t.Latency.Count))
		}
		c.x.high = max(c.x.high, x)
		c.Series[0].points = append(c.Series[0].points, xy{x, p.Latency})
	}
	for _, p := range []float64{0, 90, 99, 99.9, 99.99, 99.999} {
		c.x.ticks = append(c.x.ticks, tick{nines(p), strconv.FormatFloat(p, 'f', -1, 64) + " %"})
	}
	c.x.ticks = within(c.x.ticks, c.x.high)
	c.y = decades(t.Latency.Min, t.Latency.Max)
	return c
}

// delays are latencies over time.
func (r *Report) delays() chart {
	c := chart{Title: "Latency over time", x: linear(r.last(), " s"), Series: []series{{Name: "p50", Color: 1}, {Name: "p99", Color: 2}, {Name: "max", Color: 3}}}
	low, high := math.Inf(1), 0.0
	for _, s := range r.open() {
		if s.Max == 0 { // nothing came then
			continue
		}
		low, high = min(low, s.P50), max(high, s.Max)
		for i, y := range []float64{s.P50, s.P99, s.Max} {
			c.Series[i].points = append(c.Series[i].points, xy{s.At, y})
		}
	}
	c.x.high = r.last()
	c.x.ticks = within(c.x.ticks, c.x.high)
	c.y = decades(low, high)
	return c
}
