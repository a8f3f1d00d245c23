package main

import (
	"bytes"
	"fmt"
	"strings"
)

// A verdict is whether Parlor keeps to a bar.
type verdict struct {
	load   *load
	figure float64
	known  bool // there is a figure
	ok     bool
}

func (p *page) judge() (list []verdict) {
	for i := range loads {
		l := &loads[i]
		if l.bar == 0 || len(p.store.of(l.name, parlorName)) == 0 {
			continue
		}
		v := verdict{load: l}
		v.figure, v.known = p.store.cell(l, parlorName).figure()
		if !l.absolute {
			base, ok := p.store.cell(l, nodeName).figure()
			v.known = v.known && ok
			if v.known {
				v.figure /= base
			}
		}
		v.ok = v.known && v.figure <= l.bar
		list = append(list, v)
	}
	return list
}

func (v verdict) bar() string {
	if v.load.absolute {
		return short(v.load.bar) + " " + v.load.unit
	}
	return share(v.load.bar) + " of Node's"
}

func (v verdict) result() string {
	switch {
	case !v.known:
		return "not known"
	case v.load.absolute:
		return short(v.figure)
	}
	return share(v.figure)
}

func (v verdict) answer() string {
	return map[bool]string{true: "ok", false: "not"}[v.ok]
}

// verdicts says in lines what the page says of the bars.
func (p *page) verdicts() (lines []string) {
	for _, v := range p.judge() {
		lines = append(lines, fmt.Sprintf("bar %-8s at most %-22s %10s  %s", v.load.name, v.bar(), v.result(), v.answer()))
	}
	if h := p.store.Hold; h != nil {
		first, last, slope := h.memory()
		lines = append(lines, fmt.Sprintf("bar %-8s none dropped, memory flat: %d of %d, %.1f to %.1f MiB, %+.2f MiB a minute  %s", "hold",
			h.Dropped, h.Connections, first/1024, last/1024, slope/1024, map[bool]string{true: "ok", false: "not"}[h.Dropped == 0 && h.flat()]))
	}
	return lines
}

// bars is the table of what Parlor is to keep to.
func (p *page) bars(b *bytes.Buffer) {
	list := p.judge()
	if len(list) == 0 {
		return
	}
	b.WriteString("\n## What Parlor is held to\n\n| | at most | is | |\n|---|---:|---:|---|\n")
	for _, v := range list {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", v.load.name, v.bar(), v.result(), v.answer())
	}
}

// behind says where Parlor is not ahead: of all as it comes, and with one processor of
// those that use one.
func (p *page) behind(b *bytes.Buffer, list []*peer, rows []*load) {
	b.WriteString("\n## Where Parlor is not ahead\n\n")
	var found, unfinished []string
	for _, l := range rows {
		for _, name := range []string{parlorName, singleName} {
			own := p.store.cell(l, name)
			x, ok := own.figure()
			if own.failed > 0 {
				unfinished = append(unfinished, fmt.Sprintf("- **%s**, %s: did not finish (%d of %d).", l.name, titleOf(list, name), own.failed, own.runs))
			}
			if !ok {
				continue
			}
			for _, one := range list {
				if one.name == parlorName || one.name == singleName || name == singleName && one.threads {
					continue
				}
				if y, ok := p.store.cell(l, one.name).figure(); ok && y <= x {
					found = append(found, fmt.Sprintf("- **%s**: %s %s, %s %s %s. %s", l.name, titleOf(list, name), short(x), one.title, short(y), l.unit, why(l, one)))
				}
			}
		}
	}
	found = append(unfinished, found...)
	if len(found) == 0 {
		b.WriteString("Nowhere: in each row whatever other server has a figure takes more than Parlor, and more than Parlor with one processor where it uses one itself.\n")
		return
	}
	b.WriteString("In every other row whatever other server has a figure takes more than Parlor, and more than Parlor with one processor where it uses one itself.\n\n")
	b.WriteString(strings.Join(found, "\n") + "\n")
}

func titleOf(list []*peer, name string) string {
	for _, one := range list {
		if one.name == name {
			return one.title
		}
	}
	return name
}

// why says what is known of a row in which Parlor is not ahead.
func why(l *load, one *peer) string {
	if text, ok := reasons[[2]string{l.name, one.name}]; ok {
		return text
	}
	return "Why is not known."
}

// reasons are what profiles have shown, by load and peer.
var reasons = map[[2]string]string{
	{"echo", "bun"}:  wakes,
	{"acks", "bun"}:  wakes,
	{"echo", "rust"}: oneByOne,
	{"acks", "rust"}: oneByOne,
	{"polling", "rust"}: "A message is two requests. Three quarters of what they take is the kernel's and Go's `net/http`'s, which reads headers into a map, " +
		"watches the connection meanwhile, and is kept because it is well kept; a fifth is Parlor's own, no part of it over 3 % but the chat. The other's requests go through hyper.",
	{"connect", "rust"}: "Parlor takes a handshake through Go's `net/http`, whose buffers it gives back afterwards, and the collector runs while memory grows; the other has none.",
}

const wakes = "With several processors Go wakes another one for an event that comes alone; what Parlor takes with one processor, as the other does, is in its row."

const oneByOne = "One event at a time shares no system call with others: they are a third of Parlor's time here. The rest is in decoding, in what its chat checks " +
	"of a message, which the other's handler does not, and in Go's scheduler and garbage collector."
