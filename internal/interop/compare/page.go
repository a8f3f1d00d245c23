package main

import (
	"fmt"
	"html"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// write writes the page and its chart.
func (c *comparison) write() error {
	peers, t := c.peers, c.table
	var b strings.Builder
	b.WriteString("# Beside other servers\n\nWhat `make compare` has measured; it writes this page anew.\n\n")
	fmt.Fprintf(&b, "On %s, with %d processors (%s/%s), %s: the median of %d rounds, and the least and the most. Each load of each round is against a\nfresh server on the same machine, over the loopback interface, by `parlor bench`. Less is better.\n",
		processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, time.Now().UTC().Format("2 January 2006"), c.rounds)
	fmt.Fprintf(&b, "The machine was busy to %.0f %% meanwhile, with all that ran on it.\n\n", 100*median(c.busy))
	b.WriteString("![CPU time and memory, as a share of what Node's socket.io takes](compare.svg)\n\n| |")
	for _, p := range peers {
		fmt.Fprintf(&b, " %s |", p.name)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(peers)) + "\n")
	for _, l := range loads {
		if len(t[l.name]) == 0 {
			continue
		}
		fmt.Fprintf(&b, "| %s, %s |", l.name, l.unit)
		for _, p := range peers {
			fmt.Fprintf(&b, " %s |", cell(t[l.name], p.name))
		}
		b.WriteString("\n")
	}
	b.WriteString("\nThe loads:\n\n")
	for _, l := range loads {
		if len(t[l.name]) > 0 {
			fmt.Fprintf(&b, "- **%s**: %s (`parlor bench %s`)\n", l.name, l.what, strings.Join(l.args, " "))
		}
	}
	fmt.Fprintf(&b, "\nWho: %s", c.version)
	for _, p := range peers {
		if p.version != "" {
			fmt.Fprintf(&b, "; %s %s", p.name, p.version)
		}
	}
	b.WriteString(". Each as it comes, Parlor with `--chat-rate=0 --chat-history=0`; what the servers do is the part of\nParlor's chat that the loads use, join and message.\n")
	for _, m := range c.missing {
		fmt.Fprintf(&b, "Missing: %s.\n", m)
	}
	b.WriteString(`
What the figures are not: they are of small messages on one machine, where the server and who measures it share processors and no network is in between.
CPU time a delivery is what a server takes, not how soon something arrives; a server that uses several processors may be done earlier and have taken as
much. Memory is what the system says is resident, which a runtime may hold on to. A cell without a figure had a round of which not all came, once and in order, in the time that
there was.
`)
	if err := os.WriteFile(c.out, []byte(b.String()), 0o644); err != nil { //nolint:gosec // it is there to be read
		return err
	}
	return os.WriteFile(c.picture, []byte(chart(peers, t)), 0o644) //nolint:gosec // the same
}

// cell is a median with its range, and as a share of Node's.
func cell(row map[string][]float64, name string) string {
	list := slices.Sorted(slices.Values(row[name]))
	if len(list) == 0 {
		return "–"
	}
	text := fmt.Sprintf("**%s** (%s to %s)", short(median(list)), short(list[0]), short(list[len(list)-1]))
	if base := row[nodeName]; len(base) > 0 && name != nodeName {
		text += fmt.Sprintf(" ×%.2f", median(list)/median(base))
	}
	return text
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	if n == 0 {
		return 0
	}
	return (list[(n-1)/2] + list[n/2]) / 2
}

func short(x float64) string {
	switch {
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	case x < 100:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}

// processor is what the machine says of itself.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "a machine"
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "a machine"
}

// chart draws each figure as a share of Node's, a bar each.
func chart(peers []peer, t table) string {
	const left, width, bar, gap = 90.0, 520.0, 13.0, 16.0
	top := 1.0
	type line struct {
		label string
		y     float64
	}
	var labels []line
	var bars strings.Builder
	for _, l := range loads {
		for _, p := range peers {
			if base := median(t[l.name][nodeName]); base > 0 {
				top = max(top, median(t[l.name][p.name])/base)
			}
		}
	}
	top = min(top, 5) // what is longer has its number
	y := 44.0
	for _, l := range loads {
		base := median(t[l.name][nodeName])
		if base <= 0 {
			continue
		}
		labels = append(labels, line{l.name, y})
		for i, p := range peers {
			list := t[l.name][p.name]
			if len(list) == 0 {
				continue
			}
			share := median(list) / base
			w := max(1, min(share, top)/top*(width-70))
			fmt.Fprintf(&bars, `<rect class="p%d" x="%.0f" y="%.1f" width="%.1f" height="%.0f" rx="2"/><text class="v" x="%.1f" y="%.1f">×%.2f</text>`, i, left, y, w, bar-2, left+w+5, y+bar-4, share)
			y += bar
		}
		y += gap
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="system-ui, sans-serif" font-size="12">`, left+width+20, y)
	b.WriteString(`<style>.bg{fill:#fff}text{fill:#1b1b1a}.v{fill:#5f5e5b;font-size:10px}.p0{fill:#2a6fdb}.p1{fill:#8fb6ef}.p2{fill:#8a8984}.p3{fill:#d9622b}` +
		`@media(prefers-color-scheme:dark){.bg{fill:#161615}text{fill:#f1f0ec}.v{fill:#aaa8a2}.p0{fill:#5c9bf5}.p1{fill:#35588c}.p2{fill:#8f8e88}.p3{fill:#f08a55}}</style>`)
	fmt.Fprintf(&b, `<rect class="bg" width="%.0f" height="%.0f"/>`, left+width+20, y)
	x := left
	for i, p := range peers {
		fmt.Fprintf(&b, `<rect class="p%d" x="%.0f" y="14" width="10" height="10" rx="2"/><text x="%.0f" y="23">%s</text>`, i, x, x+15, html.EscapeString(p.name))
		x += 32 + 6.6*float64(len(p.name))
	}
	for _, l := range labels {
		fmt.Fprintf(&b, `<text x="%.0f" y="%.1f" text-anchor="end">%s</text>`, left-10, l.y+bar, html.EscapeString(l.label))
	}
	return b.String() + bars.String() + "</svg>\n"
}
