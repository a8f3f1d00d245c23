package bench

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/printable"
)

// WriteText writes the report for a person.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&b, "%s\n", r.Title())
	c := r.Connect
	row("connections", "%s of %s in %s (%s/s)%s", grouped(int64(c.Connected)), grouped(int64(r.Plan.Connections)), seconds(c.Seconds), grouped(int64(c.PerSecond)), atEnd(c.Dropped, "dropped"))
	causes(row, c.Failures, "failed")
	causes(row, c.Drops, "dropped")
	if c.Latency.Count > 0 {
		row("connecting", "%s", c.Latency)
	}
	if t := r.Traffic; t != nil {
		row("sent", "%s (%s/s)", grouped(t.Sent), grouped(int64(t.SentPerSecond)))
		row("delivered", "%s of %s in %s (%s/s)", grouped(t.Delivered), grouped(t.Expected), seconds(t.Seconds), grouped(int64(t.DeliveredPerSecond)))
		row("wrong", "lost %s, doubled %s, out of order %s%s%s", grouped(t.Lost), grouped(t.Duplicated), grouped(t.OutOfOrder), atEnd(int(t.Misdirected), "to the wrong room"), atEnd(int(t.Refused), "refused"))
		causes(row, t.Refusals, "refused")
		if t.Latency.Count > 0 {
			row("latency", "%s", t.Latency)
		}
	}
	if s := r.Server; s != nil {
		r.server(row, s)
	}
	g := r.Generator
	row("generator", "%s of %d CPUs, late by %s (p99)", percent(g.CPU), g.CPUs, milliseconds(g.Lateness.P99))
	for _, remark := range r.Remarks {
		for i, line := range wrapped(remark, 100) {
			row([]string{"!", ""}[min(i, 1)], "%s", printable.Text(line))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// wrapped is a text in lines.
func wrapped(text string, columns int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > columns {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

func (r *Report) server(row func(name, format string, args ...any), s *Server) {
	var costs []string
	add := func(value *float64, format string) {
		if value != nil {
			costs = append(costs, fmt.Sprintf(format, *value))
		}
	}
	add(s.CPUPerDelivery, "%.2f µs CPU a delivery")
	add(s.CPUPerConnection, "%.0f µs CPU a connect")
	from := ""
	if s.From > 0 {
		from = fmt.Sprintf(" (from %s on)", grouped(int64(s.From)))
	}
	add(s.PerConnection, "%.1f KiB a connection"+from)
	row("server", "%s", strings.Join(costs, ", "))
	row("", "%.2f CPUs under load, memory %s before, %s connected, %s after", s.CPU, kib(s.MemoryBefore), kib(s.MemoryConnected), kib(s.MemoryAfter))
}

// Title is what was run, in one line.
func (r *Report) Title() string {
	p := r.Plan
	title := fmt.Sprintf("%s: %s connections over %s to %s in %s", p.Load, grouped(int64(p.Connections)), p.Transport, strings.Join(p.Targets, " "), p.Namespace)
	if r.Interrupted {
		title += " (interrupted)"
	}
	return title
}

func causes(row func(name, format string, args ...any), list []Cause, name string) {
	for _, c := range list { // a cause may be in the server's words
		row(name, "%s: %s", grouped(int64(c.Count)), printable.Text(c.Cause))
	}
}

func atEnd(n int, what string) string {
	if n == 0 {
		return ""
	}
	return ", " + grouped(int64(n)) + " " + what
}

func (s Summary) String() string {
	return fmt.Sprintf("p50 %s  p90 %s  p99 %s  p99.9 %s  max %s",
		milliseconds(s.P50), milliseconds(s.P90), milliseconds(s.P99), milliseconds(s.P999), milliseconds(s.Max))
}

// grouped is a number with its thousands apart.
func grouped(n int64) string {
	digits := strconv.FormatInt(max(n, -n), 10)
	var b strings.Builder
	if n < 0 {
		b.WriteByte('-')
	}
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

func milliseconds(ms float64) string {
	switch {
	case ms < 1:
		return fmt.Sprintf("%.0f µs", ms*1000)
	case ms < 10:
		return fmt.Sprintf("%.2f ms", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 10_000:
		return fmt.Sprintf("%.0f ms", ms)
	}
	return fmt.Sprintf("%.1f s", ms/1000)
}

func seconds(s float64) string {
	if s < 10 {
		return fmt.Sprintf("%.2f s", s)
	}
	return fmt.Sprintf("%.1f s", s)
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", share*100) }

func kib(n float64) string {
	switch {
	case n < 1024:
		return fmt.Sprintf("%.0f KiB", n)
	case n < 1024*1024:
		return fmt.Sprintf("%.1f MiB", n/1024)
	}
	return fmt.Sprintf("%.2f GiB", n/1024/1024)
}
