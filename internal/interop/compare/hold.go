package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A held is what came of holding many idle connections for a while, on Parlor alone.
type held struct {
	At          time.Time `json:"at"`
	Parlor      string    `json:"parlor"` // its version
	Connections int       `json:"connections"`
	Duration    float64   `json:"duration_s"`
	Dropped     int       `json:"dropped"`
	CPU         float64   `json:"cpu"`        // processors, while they were idle
	Kernel      float64   `json:"kernel_kib"` // what the kernel took for a connection, both its ends; 0: not known
	Samples     []sample  `json:"samples"`    // while they were idle
}

// measureHold connects, and stays. Heartbeats are as they come: a ping every 25 s.
func (c *comparison) measureHold(ctx context.Context) error {
	parlor := peers()[0]
	if err := prepareParlor(ctx, c.options, parlor); err != nil {
		return err
	}
	c.sayf("%d idle connections for %s", c.held, c.hold)
	s, err := start(ctx, c.options, parlor, false)
	if err != nil {
		return err
	}
	defer s.stop()
	h := &held{At: time.Now().UTC().Truncate(time.Second), Parlor: parlor.version, Duration: c.hold.Seconds()}
	slab := kernelMemory()
	kernel := make(chan float64, 1)
	halfway := time.AfterFunc(c.hold/2+holdSettle, func() { kernel <- kernelMemory() })
	r, err := s.bench(ctx, c.options, []string{
		"--load=idle", "--connections=" + strconv.Itoa(c.held), "--duration=" + c.hold.String(), "--settle=" + holdSettle.String(), "--timeout=1m",
	})
	if halfway.Stop() {
		err = cmp.Or(err, errors.New("it was over before its time"))
	}
	if err != nil {
		return fmt.Errorf("holding %d connections: %w", c.held, err)
	}
	h.Connections, h.Dropped, h.CPU = r.Connect.Connected, r.Connect.Dropped, r.Server.CPU
	h.Kernel = max(0, <-kernel-slab) / float64(max(1, h.Connections))
	for _, x := range r.Series {
		if x.Stage == "idle" {
			h.Samples = append(h.Samples, x)
		}
	}
	c.store.Hold = h
	first, last, slope := h.memory()
	c.sayf("hold: %d of %d dropped, memory %.0f MiB to %.0f MiB (%+.2f MiB a minute), %.3f processors",
		h.Dropped, h.Connections, first/1024, last/1024, slope/1024, h.CPU)
	return c.store.save()
}

// holdSettle is the time that connecting is given to be over with.
const holdSettle = 10 * time.Second

// memory is what the server held at first and at last, in KiB, and by how much it grew
// a minute: the slope of the line that fits the samples best.
func (h *held) memory() (first, last, slope float64) {
	n := float64(len(h.Samples))
	if n < 2 {
		return 0, 0, 0
	}
	var sumT, sumM float64
	for _, x := range h.Samples {
		sumT += x.At
		sumM += x.Memory
	}
	var above, below float64
	for _, x := range h.Samples {
		above += (x.At - sumT/n) * (x.Memory - sumM/n)
		below += (x.At - sumT/n) * (x.At - sumT/n)
	}
	if below > 0 {
		slope = above / below * 60
	}
	return h.Samples[0].Memory, h.Samples[len(h.Samples)-1].Memory, slope
}

// flat reports whether memory does not grow: over the whole time by less than two in a
// hundred, which is what a garbage collector's rhythm comes to.
func (h *held) flat() bool {
	first, _, slope := h.memory()
	return first > 0 && slope*h.Duration/60 < first/50
}

// kernelMemory is what the kernel has in its own objects, in KiB; 0: it does not say.
func kernelMemory() float64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "Slab:" {
			kib, _ := strconv.ParseFloat(fields[1], 64) // 0 for what is no number
			return kib
		}
	}
	return 0
}
