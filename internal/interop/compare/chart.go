package main

import (
	"fmt"
	"html"
	"strings"
)

// chartStyle is for paper and for screens in the dark.
const chartStyle = `<style>.bg{fill:#fff}text{fill:#1b1b1a}.s{fill:#5f5e5b}.b{fill:#9a9994}.o{fill:#2a6fdb}.o2{fill:#8fb6ef}.r{stroke:#1b1b1a;stroke-width:1}.g{stroke:#dddcd8;stroke-width:1}.l{fill:none;stroke:#2a6fdb;stroke-width:2}.m{fill:none;stroke:#d9622b;stroke-width:2}.mt{fill:#d9622b}.lt{fill:#2a6fdb}` +
	`@media(prefers-color-scheme:dark){.bg{fill:#161615}text{fill:#f1f0ec}.s{fill:#aaa8a2}.b{fill:#6f6e69}.o{fill:#5c9bf5}.o2{fill:#35588c}.r{stroke:#f1f0ec}.g{stroke:#3a3936}.l{stroke:#5c9bf5}.m{stroke:#f08a55}.mt{fill:#f08a55}.lt{fill:#5c9bf5}}</style>`

func openChart(width, height float64, title string) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="system-ui, sans-serif" font-size="12" role="img"><title>%s</title>%s<rect class="bg" width="%.0f" height="%.0f"/>`,
		width, height, html.EscapeString(title), chartStyle, width, height) + "\n"
}

// Measures of the panels.
const (
	panelWidth  = 440.0
	panelMargin = 20.0
	labelWidth  = 150.0
	barHeight   = 17.0
	panelHead   = 44.0
)

// panels draws a panel for each load, two in a row, with a bar for each peer.
func (p *page) panels() string {
	list, rows := p.shown()
	var b strings.Builder
	y := panelMargin
	for i := 0; i < len(rows); i += 2 {
		height := 0.0
		for j, l := range rows[i:min(i+2, len(rows))] {
			height = max(height, p.panel(&b, l, list, panelMargin+float64(j)*(panelWidth+panelMargin), y))
		}
		y += height + panelMargin
	}
	return openChart(2*panelWidth+3*panelMargin, y, "What each load costs each server") + b.String() + "</svg>\n"
}

// panel draws one, and returns how high it is.
func (p *page) panel(b *strings.Builder, l *load, list []*peer, x, y float64) float64 {
	top := 0.0
	for _, one := range list {
		if c := p.store.cell(l, one.name); len(c.figures) > 0 {
			top = max(top, c.figures[len(c.figures)-1])
		}
	}
	fmt.Fprintf(b, `<text x="%.0f" y="%.0f" font-weight="600">%s</text><text class="s" x="%.0f" y="%.0f" font-size="11">%s</text>`+"\n",
		x, y+12, html.EscapeString(l.title), x, y+28, html.EscapeString(l.unit))
	at := y + panelHead
	room := panelWidth - labelWidth - 60 // for the number behind the longest
	for _, one := range list {
		c := p.store.cell(l, one.name)
		if c.runs == 0 {
			continue
		}
		fmt.Fprintf(b, `<text x="%.0f" y="%.1f" text-anchor="end" font-size="11">%s</text>`, x+labelWidth-8, at+10, html.EscapeString(one.title))
		from := x + labelWidth
		if value, ok := c.figure(); ok {
			class := map[string]string{parlorName: "o", singleName: "o2"}[one.name]
			if class == "" {
				class = "b"
			}
			least, most := c.figures[0]/top*room, c.figures[len(c.figures)-1]/top*room
			fmt.Fprintf(b, `<rect class="%s" x="%.0f" y="%.1f" width="%.1f" height="12" rx="2"/>`, class, from, at, max(1, value/top*room))
			if most-least > 1 {
				fmt.Fprintf(b, `<path class="r" d="M%.1f %.1fH%.1f"/>`, from+least, at+6, from+most)
			}
			fmt.Fprintf(b, `<text class="s" x="%.1f" y="%.1f" font-size="11">%s</text>`+"\n", from+max(most, value/top*room)+5, at+10, short(value))
		} else {
			fmt.Fprintf(b, `<text class="s" x="%.0f" y="%.1f" font-size="11">did not finish</text>`+"\n", from, at+10)
		}
		at += barHeight
	}
	return at - y
}

// holdChart draws memory and processors over the time of the hold.
func (p *page) holdChart() string {
	const width, height, left, top = 900.0, 300.0, 70.0, 50.0
	h := p.store.Hold
	var b strings.Builder
	b.WriteString(openChart(width, height, "Memory and processors while connections are idle"))
	if len(h.Samples) < 2 {
		return b.String() + "</svg>\n"
	}
	begin, end := h.Samples[0].At, h.Samples[len(h.Samples)-1].At
	memory, cpu := 0.0, 0.0
	steps := thinned(h.Samples)
	for _, s := range steps {
		memory, cpu = max(memory, s.Memory), max(cpu, s.CPU)
	}
	memory, cpu = max(1, memory*1.15), max(0.01, cpu*3) // the one above, the other below
	line := func(class string, of func(sample) float64) {
		fmt.Fprintf(&b, `<path class="%s" d="`, class)
		for i, s := range steps {
			fmt.Fprintf(&b, "%s%.1f %.1f", map[bool]string{true: "M", false: "L"}[i == 0],
				left+(s.At-begin)/(end-begin)*(width-2*left), top+(1-of(s))*(height-top-40))
		}
		b.WriteString(`"/>` + "\n")
	}
	for i := range 5 {
		y := top + float64(i)/4*(height-top-40)
		share := 1 - float64(i)/4
		fmt.Fprintf(&b, `<path class="g" d="M%.0f %.1fH%.0f"/><text class="s" x="%.0f" y="%.1f" text-anchor="end" font-size="11">%.0f MiB</text><text class="s" x="%.0f" y="%.1f" font-size="11">%.2f</text>`+"\n",
			left, y, width-left, left-6, y+4, share*memory/1024, width-left+6, y+4, share*cpu)
	}
	line("l", func(s sample) float64 { return s.Memory / memory })
	line("m", func(s sample) float64 { return s.CPU / cpu })
	fmt.Fprintf(&b, `<text class="lt" x="%.0f" y="24" font-weight="600">memory, MiB</text><text class="mt" x="%.0f" y="24" text-anchor="end" font-weight="600">processors</text>`, left, width-left)
	fmt.Fprintf(&b, `<text class="s" x="%.0f" y="%.0f" font-size="11">0</text><text class="s" x="%.0f" y="%.0f" text-anchor="end" font-size="11">%s</text></svg>`+"\n",
		left, height-20, width-left, height-20, minutes(h.Duration))
	return b.String()
}

// thinned are at most two hundred samples: of as many as there are in each, the means.
func thinned(list []sample) []sample {
	step := (len(list) + 199) / 200
	var out []sample
	for i := 0; i < len(list); i += step {
		group := list[i:min(i+step, len(list))]
		var sum sample
		for _, s := range group {
			sum.At += s.At
			sum.CPU += s.CPU
			sum.Memory += s.Memory
		}
		n := float64(len(group))
		out = append(out, sample{At: sum.At / n, CPU: sum.CPU / n, Memory: sum.Memory / n})
	}
	return out
}
