package bench

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A generator watches this process itself: whether what is measured is the server, or
// who measures.
type generator struct {
	mu     sync.Mutex
	behind *hdrhistogram.Histogram // how late it wakes to send, and to be asked
}

// wakeEvery is how often it is looked at how late a goroutine wakes.
const wakeEvery = 10 * time.Millisecond

// restart forgets how late it was before.
func (g *generator) restart() {
	g.mu.Lock()
	g.behind.Reset()
	g.mu.Unlock()
}

func newGenerator() *generator { return &generator{behind: newHistogram()} }

// late notes how long after its time an event was sent.
func (g *generator) late(d time.Duration) {
	g.mu.Lock()
	observe(g.behind, d)
	g.mu.Unlock()
}

// watch notes how late it wakes itself, until ctx is done.
func (g *generator) watch(ctx context.Context) {
	timer := time.NewTimer(wakeEvery)
	defer timer.Stop()
	for {
		due := time.Now().Add(wakeEvery)
		timer.Reset(wakeEvery)
		select {
		case <-timer.C:
			g.late(time.Since(due))
		case <-ctx.Done():
			return
		}
	}
}

// usage is what has been used of processors, in seconds.
type usage struct {
	own     float64 // by this process
	busy    float64 // by all of the machine
	elapsed float64 // that the machine had, on all processors; 0: not known
}

func readUsage() usage {
	u := usage{own: ownCPU()}
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return u // not Linux: it is not known
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for i, field := range strings.Fields(line) {
		ticks, err := strconv.ParseFloat(field, 64)
		if err != nil || i > 8 { // the name, and guests, which are counted as users already
			continue
		}
		u.elapsed += ticks / ticksPerSecond
		if i != 4 && i != 5 { // idle, and waiting for a disk
			u.busy += ticks / ticksPerSecond
		}
	}
	return u
}

// report says what this process took between two moments.
func (g *generator) report(from, to usage, elapsed time.Duration) Generator {
	cpus := runtime.GOMAXPROCS(0)
	g.mu.Lock()
	defer g.mu.Unlock()
	r := Generator{CPUs: cpus, Lateness: summary(g.behind)}
	if elapsed > 0 {
		r.CPU = round((to.own-from.own)/elapsed.Seconds()/float64(cpus), 3)
	}
	if all := to.elapsed - from.elapsed; all > 0 {
		r.Machine = round((to.busy-from.busy)/all, 3)
	}
	r.judge()
	return r
}

// What of its processors a generator may take, and how late it may be, before figures
// say more of it than of the server.
const (
	cpuBound  = 0.8
	lateBound = 10.0 // ms, of one in a hundred
	machine   = 0.95
)

func (g *Generator) judge() {
	if g.CPU > cpuBound {
		g.Bottleneck = true
		g.Remarks = append(g.Remarks, "the generator took "+percent(g.CPU)+" of its "+strconv.Itoa(g.CPUs)+
			" processors: it was the bottleneck; ask less of it, or give it a machine of its own")
	}
	if g.Lateness.P99 > lateBound {
		g.Bottleneck = true
		g.Remarks = append(g.Remarks, "the generator was woken "+milliseconds(g.Lateness.P99)+
			" late or more one time in a hundred: latencies have that in them, and are not the server's alone")
	}
	if g.Machine > machine {
		g.Remarks = append(g.Remarks, "the machine was busy to "+percent(g.Machine)+
			": what ran on it shared the processors, and latencies are longer for that")
	}
}
