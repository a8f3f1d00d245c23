// Command compare puts the same loads on Parlor and on other Socket.IO servers, with
// `parlor bench`, and writes a page with what they cost. `make compare` runs it.
//
// Each load of each round is against a fresh server. A peer that is not to be had is
// said to be missing; a load of which not all came has no figure. What is measured is
// kept in a file: a run that was interrupted goes on where it was when it is started
// again with the same flags, and -loads and -peers measure parts anew, beside what
// there is of the others.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	o := options{log: os.Stderr}
	flag.StringVar(&o.parlor, "parlor", "../../bin/parlor", "the parlor command, to be compared and to measure with")
	flag.StringVar(&o.docs, "docs", "../../docs", "where compare.md and its charts are written")
	flag.StringVar(&o.cache, "cache", "../../.tmp/compare", "where peers are installed and built, and results are kept")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each load is run")
	loadList := flag.String("loads", "", "run these alone, with commas between: "+strings.Join(loadNames(), ", ")+", or hold")
	peerList := flag.String("peers", "", "run these alone: "+strings.Join(peerNames(), ", "))
	flag.DurationVar(&o.hold, "hold", 10*time.Minute, "how long the load hold lasts: 18,000 idle connections")
	flag.IntVar(&o.held, "held", 18_000, "how many connections it is of")
	flag.BoolVar(&o.install, "install", false, "install and build the peers, and measure nothing")
	flag.BoolVar(&o.page, "page", false, "measure nothing: write the page from what there is")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := o.choose(*loadList, *peerList)
	if err == nil {
		err = run(ctx, &o)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

type options struct {
	parlor, docs, cache string
	rounds, held        int
	hold                time.Duration
	page, install       bool
	log                 io.Writer

	// Of -loads and -peers.
	loads []string
	peers []string
	holds bool
}

// sayf says how it goes on, in a line.
func (o *options) sayf(format string, args ...any) {
	_, _ = fmt.Fprintf(o.log, format+"\n", args...) // there is nobody else to tell
}

// choose takes the lists of what is to be run; an empty one is all, but for the hold.
func (o *options) choose(loadList, peerList string) (err error) {
	if o.rounds < 1 {
		return fmt.Errorf("-rounds: %d is not a number of rounds; give 1 or more", o.rounds)
	}
	names := append(loadNames(), "hold")
	if loadList == "" {
		names = loadNames()
	}
	if o.loads, err = chosen("-loads", loadList, names); err != nil {
		return err
	}
	if o.peers, err = chosen("-peers", peerList, peerNames()); err != nil {
		return err
	}
	o.holds = slices.Contains(o.loads, "hold")
	o.loads = slices.DeleteFunc(o.loads, func(name string) bool { return name == "hold" })
	return nil
}

// chosen returns those of all that a list names, in their order.
func chosen(option, list string, all []string) ([]string, error) {
	if list == "" {
		return all, nil
	}
	names := strings.Split(list, ",")
	for i, name := range names {
		if names[i] = strings.TrimSpace(name); !slices.Contains(all, names[i]) {
			return nil, fmt.Errorf("%s: %q is none; there are %s", option, names[i], strings.Join(all, ", "))
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !slices.Contains(names, name) }), nil
}

func loadNames() (names []string) {
	for _, l := range loads {
		names = append(names, l.name)
	}
	return names
}

func peerNames() (names []string) {
	for _, p := range peers() {
		names = append(names, p.name)
	}
	return names
}

func run(ctx context.Context, o *options) error {
	s, err := openStore(filepath.Join(o.cache, "results.json"))
	if err != nil {
		return err
	}
	c := &comparison{options: o, store: s}
	if !o.page {
		if err := c.measureAll(ctx); err != nil || o.install {
			return err
		}
	}
	if len(s.Records) == 0 && s.Hold == nil {
		return errors.New("nothing has been measured yet")
	}
	p := page{store: s, machine: thisMachine(), peers: peers()}
	if err := p.write(o.docs); err != nil {
		return err
	}
	for _, line := range p.verdicts() {
		o.sayf("%s", line)
	}
	o.sayf("written: %s", filepath.Join(o.docs, "compare.md"))
	return nil
}
