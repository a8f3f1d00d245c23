package bench

import (
	_ "embed"
	"fmt"
	web "html/template"
	"io"
	"unicode"
	"unicode/utf8"
)

//go:embed report.html
var pageText string

// page is written as XML, so that it can be checked as such, and asks for nothing
// from anywhere.
var page = web.Must(web.New("report").Funcs(web.FuncMap{
	"grouped": grouped, "ms": milliseconds, "percent": percent, "kib": kib, "seconds": seconds,
	"int": func(x float64) int64 { return int64(x) }, "sentence": sentence, "count": func(n int) string { return grouped(int64(n)) },
}).Parse(pageText))

// sentence is a remark as one.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:] + "."
}

// A tile is a figure that is shown large.
type tile struct {
	Name, Value, More string
	Bad               bool
}

// WriteHTML writes the report as a page with plots, in one file.
func (r *Report) WriteHTML(w io.Writer) error {
	return page.Execute(w, struct {
		*Report
		Flaws  string
		Tiles  []tile
		Charts []chart
	}{r, r.Flawed(), r.tiles(), r.charts()})
}

func (r *Report) tiles() (list []tile) {
	c := r.Connect
	list = append(list, tile{"connected", grouped(int64(c.Connected)), "of " + grouped(int64(r.Plan.Connections)), c.Connected < r.Plan.Connections})
	if t := r.Traffic; t != nil {
		list = append(list,
			tile{"delivered", grouped(t.Delivered), grouped(int64(t.DeliveredPerSecond)) + " a second", false},
			tile{"lost", grouped(t.Lost), "of " + grouped(t.Expected), t.Lost > 0},
			tile{"latency, median", milliseconds(t.Latency.P50), "p99 " + milliseconds(t.Latency.P99), false})
	} else {
		list = append(list, tile{"connecting, median", milliseconds(c.Latency.P50), "p99 " + milliseconds(c.Latency.P99), false},
			tile{"connections a second", grouped(int64(c.PerSecond)), "in " + seconds(c.Seconds), false},
			tile{"dropped", grouped(int64(c.Dropped)), "", c.Dropped > 0})
	}
	if s := r.Server; s != nil {
		if s.CPUPerDelivery != nil {
			list = append(list, tile{"CPU a delivery", fmt.Sprintf("%.2f µs", *s.CPUPerDelivery), "of the server", false})
		}
		if s.PerConnection != nil {
			list = append(list, tile{"memory a connection", fmt.Sprintf("%.1f KiB", *s.PerConnection), "of the server", false})
		}
	}
	return list
}
