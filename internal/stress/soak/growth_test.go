//go:build linux

package soak

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A sample is what the process has at a moment.
type sample struct {
	at         time.Duration
	goroutines int
	heap       int // bytes in use, after a collection
	rss        int // bytes
}

// take takes a sample.
func take(began time.Time) sample {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return sample{time.Since(began), goroutines(), int(m.HeapAlloc), rss()}
}

// goroutines is how many there are, but for those of a server's that only wait for
// work: they are kept, up to a number, once they have been needed.
func goroutines() (n int) {
	_, blocks, _ := strings.Cut(profile(), "\n") // behind the sum
	for block := range strings.SplitSeq(blocks, "\n\n") {
		count, stack, _ := strings.Cut(block, " @ ")
		c, err := strconv.Atoi(count)
		if err != nil || strings.Contains(stack, "(*workers).work") && !strings.Contains(stack, "job.run") {
			continue
		}
		n += c
	}
	return n
}

// profile has a number and a stack for all that are at the same place.
func profile() string {
	var b bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&b, 1) // never fails
	return b.String()
}

// rss is the memory of the process.
func rss() int {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.Atoi(strings.Fields(string(text))[1]) // it is a number
	return pages * os.Getpagesize()
}

// A line is what samples come closest to, by least squares.
type line struct{ mean, slope float64 } // slope: per second

func fit(samples []sample, of func(sample) int) (l line) {
	var at float64
	n := float64(len(samples))
	for _, s := range samples {
		at += s.at.Seconds() / n
		l.mean += float64(of(s)) / n
	}
	var above, below float64
	for _, s := range samples {
		d := s.at.Seconds() - at
		above += d * (float64(of(s)) - l.mean)
		below += d * d
	}
	if below > 0 {
		l.slope = above / below
	}
	return l
}

// A measure is one of what samples have, and how much of its mean it may grow by over
// a run in which as many clients are there at the end as at the beginning. These are
// far above what waves of upgrades and outages make of a line, and far below one
// goroutine, or a few kilobytes, for each client that has come and gone; the end of
// the run looks for the single one. The race detector has memory of its own, which
// grows with all that it has ever seen.
var measures = []struct {
	name   string
	of     func(sample) int
	unit   int
	share  float64
	judged bool
}{
	{"goroutines", func(s sample) int { return s.goroutines }, 1, 0.25, true},
	{"KiB of heap", func(s sample) int { return s.heap }, 1 << 10, 0.4, true},
	{"KiB of memory", func(s sample) int { return s.rss }, 1 << 10, 0.25, !raceEnabled},
}

// growth fits lines to what was sampled after a warm-up, and judges them if there is
// enough of it.
func growth(t *testing.T, samples []sample, length, warm time.Duration, judge bool) (lines []string) {
	for len(samples) > 0 && samples[0].at < warm {
		samples = samples[1:]
	}
	for _, m := range measures {
		l := fit(samples, m.of)
		grown := l.slope * length.Seconds()
		lines = append(lines, fmt.Sprintf("%.0f %s, %+.1f a second: %+.1f %% over the run", l.mean/float64(m.unit), m.name, l.slope/float64(m.unit), 100*grown/l.mean))
		if judge && m.judged && grown > m.share*l.mean {
			t.Errorf("%s grow by %.0f over the run, from %.0f", m.name, grown/float64(m.unit), l.mean/float64(m.unit))
		}
	}
	return lines
}

// TestFit is the arithmetic of slopes.
func TestFit(t *testing.T) {
	var samples []sample
	for i := range 10 {
		samples = append(samples, sample{at: time.Duration(i) * time.Second, goroutines: 100 + 7*i + i%2})
	}
	l := fit(samples, func(s sample) int { return s.goroutines })
	if l.slope < 6.9 || l.slope > 7.2 || l.mean < 131 || l.mean > 133 {
		t.Errorf("%+v", l)
	}
}
