package bench

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// plainEvery is the time between two lines where there is no terminal.
const plainEvery = 5 * time.Second

// A View shows how a run goes: on a terminal in place, elsewhere a line now and then, and when
// the load begins.
// Its methods are for one goroutine at a time.
type View struct {
	w     io.Writer
	width func() int // columns; nil: it is no terminal
	color bool

	lines   int // on the terminal, that are to be written over
	spoke   time.Duration
	stage   string
	rates   []float64 // deliveries a second, the latest last
	delays  []float64 // p99, likewise
	connect []float64 // connections
}

// NewView returns one that writes to w.
func NewView(w io.Writer) *View {
	v := &View{w: w, color: os.Getenv("NO_COLOR") == ""}
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" || runtime.GOOS == "windows" && os.Getenv("WT_SESSION") == "" {
		return v
	}
	v.width = func() int {
		columns, _, err := term.GetSize(int(file.Fd()))
		if err != nil || columns < 1 {
			return 80
		}
		return columns
	}
	return v
}

// Show shows the state of a run.
func (v *View) Show(p Progress) {
	if v.width == nil {
		v.plain(p)
		return
	}
	v.rates = kept(v.rates, p.Sample.DeliveredRate)
	v.delays = kept(v.delays, p.Sample.P99)
	v.connect = kept(v.connect, float64(p.Sample.Connected))
	var b strings.Builder
	v.up(&b)
	frame := v.frame(p)
	for _, line := range frame {
		line.write(&b, v.width()-1, v.color)
		b.WriteString("\x1b[K\n")
	}
	v.lines = len(frame)
	_, _ = io.WriteString(v.w, b.String()) // who does not see it has the report
}

// Close takes the view off the terminal: the report says the rest.
func (v *View) Close() {
	if v.lines == 0 {
		return
	}
	var b strings.Builder
	v.up(&b)
	_, _ = io.WriteString(v.w, b.String())
	v.lines = 0
}

// up goes to where the view begins, and clears what is there.
func (v *View) up(b *strings.Builder) {
	if v.lines > 0 {
		fmt.Fprintf(b, "\x1b[%dA\r\x1b[J", v.lines)
	}
}

func (v *View) plain(p Progress) {
	at := time.Duration(p.Sample.At * float64(time.Second))
	begins := p.Stage != v.stage && (p.Stage == sending || p.Stage == idle)
	if v.stage = p.Stage; at-v.spoke < plainEvery && !begins {
		return
	}
	v.spoke = at
	text := fmt.Sprintf("%6.1f s  %s: %s connected", p.Sample.At, p.Stage, grouped(int64(p.Sample.Connected)))
	if p.Plan.Load.sends() {
		text += fmt.Sprintf(", %s sent, %s delivered (%s/s), p50 %s, p99 %s", grouped(p.Sample.Sent), grouped(p.Sample.Delivered),
			grouped(int64(p.Sample.DeliveredRate)), milliseconds(p.Sample.P50), milliseconds(p.Sample.P99))
	}
	if n := p.Failed + p.Dropped; n > 0 {
		text += fmt.Sprintf(", %s failed or dropped", grouped(n))
	}
	_, _ = fmt.Fprintln(v.w, text)
}

// sparks is how many samples a spark line has.
const sparks = 30

func kept(list []float64, x float64) []float64 {
	if list = append(list, x); len(list) > sparks {
		list = list[len(list)-sparks:]
	}
	return list
}

// spark draws numbers as a row of bars.
func spark(list []float64) string {
	top := 0.0
	for _, x := range list {
		top = max(top, x)
	}
	bars := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, x := range list {
		i := 0
		if top > 0 {
			i = min(len(bars)-1, int(x/top*float64(len(bars))))
		}
		b.WriteRune(bars[i])
	}
	return b.String()
}

// A look is how text looks on a terminal: what its SGR sequence has in it.
type look string

const (
	plain  look = ""
	bold   look = "1"
	dim    look = "2"
	accent look = "36" // cyan, which is seen on black and on white
	bad    look = "31"
)

// A row is a line of the view.
type row []piece

type piece struct {
	look look
	text string
}

// write writes as much of a row as there are columns for.
func (r row) write(b *strings.Builder, columns int, color bool) {
	for _, p := range r {
		text := p.text
		if n := utf8.RuneCountInString(text); n > columns {
			text = string([]rune(text)[:max(0, columns)])
		}
		columns -= utf8.RuneCountInString(text)
		if p.look != plain && color && text != "" {
			text = "\x1b[" + string(p.look) + "m" + text + "\x1b[0m"
		}
		b.WriteString(text)
	}
}

// frame is what is shown of a state.
func (v *View) frame(p Progress) []row {
	s := p.Sample
	label := func(name string) piece { return piece{dim, fmt.Sprintf("  %-11s", name)} }
	number := func(n int64) piece { return piece{bold, fmt.Sprintf("%13s", grouped(n))} }
	wrong := func(n int64, what string) piece {
		if n > 0 {
			return piece{bad, fmt.Sprintf("   %s %s", what, grouped(n))}
		}
		return piece{dim, fmt.Sprintf("   %s 0", what)}
	}
	list := []row{
		{{bold, "  " + string(p.Plan.Load)}, {plain, fmt.Sprintf("  %s clients over %s to %s in %s", grouped(int64(p.Plan.Connections)), p.Plan.Transport, strings.Join(p.Plan.Targets, " "), p.Plan.Namespace)}},
		v.bar(p),
		{},
		{label("connected"), number(int64(s.Connected)), wrong(p.Failed, "failed"), wrong(p.Dropped, "dropped")},
	}
	if !p.Plan.Load.sends() {
		list[3] = append(list[3], piece{accent, "   " + spark(v.connect)})
	} else {
		list = append(list,
			row{label("sent"), number(s.Sent), {plain, fmt.Sprintf("%13s/s", grouped(int64(s.SentRate)))}},
			row{label("delivered"), number(s.Delivered), {plain, fmt.Sprintf("%13s/s   ", grouped(int64(s.DeliveredRate)))}, {accent, spark(v.rates)}},
			row{label("latency"), {plain, fmt.Sprintf("%13s p50%10s p99   ", milliseconds(s.P50), milliseconds(s.P99))}, {accent, spark(v.delays)}},
			row{label("wrong"), wrong(p.Duplicated, "doubled"), wrong(p.OutOfOrder, "out of order"), wrong(p.Misdirected, "to the wrong room"), wrong(p.Refused, "refused")},
		)
	}
	if p.Server {
		list = append(list, row{label("server"), {plain, fmt.Sprintf("%8.2f CPUs%15s", s.ServerCPU, kib(s.ServerMemory))}})
	}
	return append(list, row{label("generator"), {plain, fmt.Sprintf("%8.2f CPUs", s.GeneratorCPU)}})
}

// bar shows how far the stage is.
func (v *View) bar(p Progress) row {
	const size = 36
	name := piece{plain, fmt.Sprintf("  %-21s", p.Stage)}
	if p.Done < 0 {
		return row{name, {dim, fmt.Sprintf("%.1f s", p.Sample.At)}}
	}
	full := min(size, int(p.Done*size+0.5))
	left := ""
	if p.Left > 0 {
		left = fmt.Sprintf("   %.0f s left", p.Left.Seconds())
	}
	return row{name, {accent, strings.Repeat("█", full)}, {dim, strings.Repeat("░", size-full)}, {plain, fmt.Sprintf(" %3.0f %%%s", min(100, p.Done*100), left)}}
}
