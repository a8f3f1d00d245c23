package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A page says what was measured.
type page struct {
	store   *store
	machine machine
	peers   []*peer // all that there are
}

// write writes the page and its charts.
func (p *page) write(folder string) error {
	files := map[string]string{"compare.md": p.text(), "compare.svg": p.panels()}
	if p.store.Hold != nil {
		files["compare-hold.svg"] = p.holdChart()
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil { //nolint:gosec // it is there to be read
			return err
		}
	}
	return nil
}

// shown are the peers and loads of which there is something.
func (p *page) shown() (list []*peer, rows []*load) {
	for _, one := range p.peers {
		if slices.ContainsFunc(p.store.Records, func(r record) bool { return r.Peer == one.name }) {
			list = append(list, one)
		}
	}
	for i := range loads {
		if slices.ContainsFunc(p.store.Records, func(r record) bool { return r.Load == loads[i].name }) {
			rows = append(rows, &loads[i])
		}
	}
	return list, rows
}

func (p *page) text() string {
	var b bytes.Buffer
	b.WriteString("# Beside other servers\n\nWhat `make compare` has measured; it writes this page anew, and nothing in it by hand.\n\n")
	p.introduce(&b)
	list, rows := p.shown()
	if len(rows) > 0 {
		p.glance(&b, list, rows)
		p.bars(&b)
		p.behind(&b, list, rows)
		b.WriteString("\n## The loads, one by one\n\nThe median of the rounds, the least and the most; as a share of Node's; and for loads in which each event has its time, how late\nthe slowest one in a hundred was, in the median round.\n")
		for _, l := range rows {
			p.detail(&b, l, list)
		}
	}
	if p.store.Hold != nil {
		p.held(&b)
	}
	p.million(&b)
	if len(rows) > 0 {
		p.who(&b, list, rows)
	}
	b.WriteString(caveats)
	return b.String()
}

func (p *page) introduce(b *bytes.Buffer) {
	m := p.machine
	fmt.Fprintf(b, "On %s, %d processors, %s (%s), %s.", m.processor, m.cpus, cmp.Or(m.memory, "unknown memory"), m.system, p.date().Format("2 January 2006"))
	if len(p.store.Records) == 0 {
		b.WriteString("\n")
		return
	}
	var busy []float64
	for _, r := range p.store.Records {
		if r.Report != nil {
			busy = append(busy, r.Report.Generator.Machine)
		}
	}
	fmt.Fprintf(b, " Medians of %d rounds, and of every second of them for memory; each load of each round is against a\nfresh server on the same machine, over the loopback interface, by [`parlor bench`](bench.md). Less is better everywhere.\n"+
		"The machine was busy to %.0f %% meanwhile, with the servers, with who measured them and with all else that ran on it.\n", p.rounds(), 100*median(busy))
}

// date is when the last was measured.
func (p *page) date() (last time.Time) {
	for _, r := range p.store.Records {
		if r.At.After(last) {
			last = r.At
		}
	}
	if h := p.store.Hold; h != nil && h.At.After(last) {
		last = h.At
	}
	return last
}

// rounds are the most that a load was run against a peer.
func (p *page) rounds() (most int) {
	for _, r := range p.store.Records {
		most = max(most, r.Round)
	}
	return most
}

// glance is the table of shares of Node's.
func (p *page) glance(b *bytes.Buffer, list []*peer, rows []*load) {
	b.WriteString("\n## At a glance\n\n![A panel for each load, a bar for each server](compare.svg)\n\n")
	b.WriteString("CPU time and memory as a share of what Node's socket.io took in the same run:\n\n| |")
	for _, one := range list {
		fmt.Fprintf(b, " %s |", one.title)
	}
	b.WriteString("\n|---|" + strings.Repeat("---:|", len(list)) + "\n")
	for _, l := range rows {
		base, known := p.store.cell(l, nodeName).figure()
		fmt.Fprintf(b, "| %s |", l.name)
		for _, one := range list {
			c := p.store.cell(l, one.name)
			x, ok := c.figure()
			switch {
			case c.failed > 0:
				fmt.Fprintf(b, " [no](#%s) |", anchor(l.title))
			case !ok || !known:
				b.WriteString(" |")
			case one.name == parlorName:
				fmt.Fprintf(b, " **%s** |", share(x/base))
			default:
				fmt.Fprintf(b, " %s |", share(x/base))
			}
		}
		b.WriteString("\n")
	}
	var delivered, lost, doubled, late int64
	for _, r := range p.store.Records {
		if r.Report != nil && r.Report.Traffic != nil && (r.Peer == parlorName || r.Peer == singleName) {
			t := r.Report.Traffic
			delivered, lost, doubled, late = delivered+t.Delivered, lost+t.Lost, doubled+t.Duplicated, late+t.OutOfOrder
		}
	}
	failed := 0
	for _, r := range p.store.Records {
		if r.Problem != "" && (r.Peer == parlorName || r.Peer == singleName) {
			failed++
		}
	}
	fmt.Fprintf(b, "\nOf %s deliveries by Parlor %d were lost, %d came twice and %d out of order", grouped(delivered), lost, doubled, late)
	if failed > 0 {
		fmt.Fprintf(b, "; %d of its runs did not finish, and are not counted in that", failed)
	}
	b.WriteString(". A server has a figure only where all came, once and in order, in every round.\n")
}

// detail is the table of a load.
func (p *page) detail(b *bytes.Buffer, l *load, list []*peer) {
	fmt.Fprintf(b, "\n### %s\n\n%s: %s.\n\n| | %s | least to most | × Node |", l.title, l.name, l.what, l.unit)
	b.WriteString(map[bool]string{true: " p50, ms | p99, ms |"}[l.latency] + "\n|---|---:|---:|---:|" + strings.Repeat("---:|", map[bool]int{true: 2}[l.latency]) + "\n")
	base, known := p.store.cell(l, nodeName).figure()
	for _, one := range list {
		c := p.store.cell(l, one.name)
		if c.runs == 0 {
			continue
		}
		x, ok := c.figure()
		if !ok {
			fmt.Fprintf(b, "| %s | did not finish (%d of %d) | | |%s\n", one.title, c.failed, c.runs, map[bool]string{true: " | |"}[l.latency])
			continue
		}
		ratio := ""
		if known {
			ratio = share(x / base)
		}
		fmt.Fprintf(b, "| %s | **%s** | %s to %s | %s |", one.title, short(x), short(c.figures[0]), short(c.figures[len(c.figures)-1]), ratio)
		if l.latency {
			fmt.Fprintf(b, " %s | %s |", short(c.p50), short(c.p99))
		}
		b.WriteString("\n")
	}
}

// who says what was compared, and how.
func (p *page) who(b *bytes.Buffer, list []*peer, rows []*load) {
	b.WriteString("\n## Who\n\n| | version | how |\n|---|---|---|\n")
	for _, one := range list {
		var versions []string
		for _, r := range p.store.Records {
			if r.Peer == one.name && !slices.Contains(versions, r.Version) {
				versions = append(versions, r.Version)
			}
		}
		how := one.setup
		if one.threads {
			how += "; uses all processors"
		} else {
			how += "; uses one processor"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", one.title, strings.Join(versions, ", "), how)
	}
	b.WriteString("\nEach does the part of Parlor's chat that the loads use, join and message; what they run is in `internal/interop/compare/peers`.\n")
	for _, one := range p.peers {
		if problem, ok := p.store.Missing[one.name]; ok {
			fmt.Fprintf(b, "Missing, because it could not be had here: %s (%s).\n", one.title, problem)
		}
	}
	if problem, ok := p.store.Missing[redisName]; ok {
		fmt.Fprintf(b, "Two instances over Redis are missing (%s).\n", problem)
	}
	b.WriteString("Centrifugo is not among them: its clients speak a protocol of its own, so that the same load cannot be put on it.\n")
	b.WriteString("\nThe loads:\n\n")
	for _, l := range rows {
		fmt.Fprintf(b, "- **%s**: `%s`\n", l.name, l.command())
	}
}

const caveats = `
## What the figures are not

- They are of small messages on one machine, where the servers and who measures them share processors, and no network is in between.
- CPU time a delivery is what a server takes, not how soon something arrives: a server that uses several processors may be done earlier and have
  taken as much. That is why Parlor is there with one processor too, beside those that use one.
- Latency is with both ends on one machine: under a load that fills it, it is how long the queue was, and whose turn it was.
- Memory is what the system says is resident, which a runtime may hold on to. The kernel's own memory for a connection is not in it.
- Two instances over Redis: what Redis takes is not counted.
- "Did not finish" says in how many rounds not all came, once and in order, or not in the time that there was: 40 s for what is outstanding, two minutes
  for all. After two such rounds there is no third. On another machine that may be otherwise.
- They say nothing of an application: what its handlers do is most of what it takes.

## To repeat it

` + "```console\n" + `$ make compare                                      # five rounds; what is missing of Node.js, Redis and peers is installed or left out
$ make compare COMPARE="-install"                   # installs and builds the peers alone
$ make compare ROUNDS=3
$ make compare COMPARE="-loads=burst,echo -peers=parlor,node"   # these anew, beside what there is of the others
$ make compare COMPARE="-loads=hold"                # 18,000 idle connections for ten minutes; needs ulimit -n 18100 or more
$ make compare COMPARE="-page"                      # the page alone, from what has been measured
` + "```\n" + `
Peers are installed and built in ` + "`.tmp/compare`" + `, where what was measured is kept too: ` + "`results.json`" + `. A run that was interrupted goes on where it was when it is
started again with the same flags. Nothing else should run on the machine.
`

// anchor is that of a heading.
func anchor(title string) string { return strings.ReplaceAll(strings.ToLower(title), " ", "-") }

// share is a ratio.
func share(x float64) string {
	switch {
	case x < 0.1:
		return fmt.Sprintf("%.3f", x)
	case x < 10:
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%.1f", x)
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

// grouped writes thousands apart.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
