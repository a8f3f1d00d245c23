package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// held is the section on many idle connections.
func (p *page) held(b *bytes.Buffer) {
	h := p.store.Hold
	first, last, slope := h.memory()
	fmt.Fprintf(b, "\n## %s idle connections for %s\n\n", grouped(int64(h.Connections)), minutes(h.Duration))
	fmt.Fprintf(b, "On one process of %s, over WebSocket, in a room each, with the heartbeat as it comes (a ping every 25 s, answered): **%d dropped**.\n\n", h.Parlor, h.Dropped)
	b.WriteString("![Memory and processors over time](compare-hold.svg)\n\n| | |\n|---|---:|\n")
	fmt.Fprintf(b, "| memory when all were connected | %.1f MiB |\n| memory at the end | %.1f MiB |\n| growth, by the line that fits best | %+.2f MiB a minute: %s |\n",
		first/1024, last/1024, slope/1024, map[bool]string{true: "flat", false: "not flat"}[h.flat()])
	fmt.Fprintf(b, "| processors | %.3f of %d: %.1f %% of one, %.2f µs a second a connection |\n", h.CPU, p.machine.cpus, 100*h.CPU, h.CPU*1e6/float64(max(1, h.Connections)))
}

// million is the sum for a million connections.
func (p *page) million(b *bytes.Buffer) {
	plain, ok1 := p.store.cell(loadNamed("memory"), parlorName).figure()
	browser, ok2 := p.store.cell(loadNamed("browser"), parlorName).figure()
	h := p.store.Hold
	if !ok1 && !ok2 && h == nil {
		return
	}
	const million = 1e6
	b.WriteString("\n## What a million would need\n\nA sum from the slopes above, not a measurement: a million idle connections, in a namespace and a room each.\n\n| | a connection | a million |\n|---|---:|---:|\n")
	row := func(name string, kib float64) {
		fmt.Fprintf(b, "| %s | %.2f KiB | %.1f GiB |\n", name, kib, kib*million/(1<<20))
	}
	if ok1 {
		row("memory of the process", plain)
	}
	if ok2 {
		row("the same, of browsers with cookies", browser)
	}
	if h != nil {
		if h.Kernel > 0 {
			row("the kernel's own, for both ends of a connection on one machine", h.Kernel)
		}
		each := h.CPU / float64(max(1, h.Connections))
		fmt.Fprintf(b, "| heartbeats | %.2f µs CPU a second | %.1f processors |\n", each*1e6, each*million)
	}
	b.WriteString("\nOne address and port of a server can have 64,000 connections from each address of a client or a proxy; file descriptors are one a connection (`ulimit -n`).\n")
}

// minutes says a duration in words.
func minutes(seconds float64) string {
	if n := int(seconds) / 60; n > 1 && float64(n*60) == seconds {
		return strconv.Itoa(n) + " minutes"
	}
	return strconv.FormatFloat(seconds, 'f', -1, 64) + " s"
}

// gibibytes takes KiB, in digits.
func gibibytes(kib string) string {
	n, err := strconv.ParseFloat(kib, 64)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%.0f GiB of memory", n/(1<<20))
}
