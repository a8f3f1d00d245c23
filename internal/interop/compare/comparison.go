package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A comparison measures what its options ask for.
type comparison struct {
	*options

	store *store
	peers []*peer // those that can be had
}

// measureAll runs the rounds, and the hold. Whatever has been measured is saved at once.
func (c *comparison) measureAll(ctx context.Context) error {
	if len(c.loads) > 0 {
		if err := c.prepare(ctx); err != nil {
			return err
		}
		if c.install {
			return nil
		}
		if err := c.rounds(ctx); err != nil {
			return err
		}
	}
	if c.holds && !c.install {
		return c.measureHold(ctx)
	}
	return nil
}

// prepare installs and builds the peers, and begins or goes on with the plan.
func (c *comparison) prepare(ctx context.Context) error {
	parlor := peers()[0]
	if err := prepareParlor(ctx, c.options, parlor); err != nil {
		return err
	}
	if !c.install && c.store.begin(plan{parlor.version, c.options.rounds, c.loads, c.options.peers}) {
		c.sayf("going on with the run that was interrupted")
	}
	delete(c.store.Missing, redisName)
	if _, err := exec.LookPath("redis-server"); err != nil && slices.Contains(c.loads, "redis") {
		c.sayf("missing: redis-server")
		c.store.Missing[redisName] = "there is no redis-server"
		c.loads = slices.DeleteFunc(c.loads, func(name string) bool { return loadNamed(name).cluster })
	}
	for _, p := range peers() {
		if !slices.Contains(c.options.peers, p.name) {
			continue
		}
		c.sayf("preparing %s", p.title)
		err := p.prepare(ctx, c.options, p)
		if ctx.Err() != nil {
			return errInterrupted
		}
		if err != nil {
			c.sayf("missing: %s: %v", p.title, err)
			c.store.Missing[p.name] = err.Error()
			continue
		}
		delete(c.store.Missing, p.name)
		c.peers = append(c.peers, p)
	}
	if len(c.peers) == 0 {
		return errors.New("none of the peers can be had")
	}
	return c.store.save()
}

var errInterrupted = errors.New("interrupted; with the same flags it goes on where it was")

func (c *comparison) rounds(ctx context.Context) error {
	c.sayf("%d rounds, about %s", c.options.rounds, c.left().Round(time.Minute))
	for round := 1; round <= c.options.rounds; round++ {
		for i := range loads {
			for _, p := range c.peers {
				if c.due(&loads[i], p, round) {
					c.store.Records = append(c.store.Records, c.measure(ctx, &loads[i], p, round))
					if ctx.Err() != nil { // what has just been measured says nothing
						return errInterrupted
					}
					if err := c.store.save(); err != nil {
						return err
					}
				}
			}
		}
		if left := c.left(); left > 0 {
			c.sayf("round %d of %d is done; about %s to go", round, c.options.rounds, left.Round(time.Minute))
		}
	}
	c.store.Plan = nil
	return c.store.save()
}

// due reports whether a load is to be run against a peer in a round. After two rounds
// that did not finish there is no third: it may take long not to.
func (c *comparison) due(l *load, p *peer, round int) bool {
	return slices.Contains(c.loads, l.name) && l.runs(p) && (!l.rare || round%2 == 1) &&
		!c.store.has(l.name, p.name, round) && c.store.cell(l, p.name).failed < 2
}

// left is about how long what is still to be measured takes: as long as it did in the
// rounds before.
func (c *comparison) left() time.Duration {
	sum := 0.0
	for i := range loads {
		l := &loads[i]
		for _, p := range c.peers {
			one := l.seconds
			if list := c.store.of(l.name, p.name); len(list) > 0 {
				one = list[len(list)-1].Seconds
			}
			for round := 1; round <= c.options.rounds; round++ {
				if c.due(l, p, round) {
					sum += one
				}
			}
		}
	}
	return time.Duration(sum * float64(time.Second))
}

// measure runs a load once, against a fresh server, and says what it came to.
func (c *comparison) measure(ctx context.Context, l *load, p *peer, round int) record {
	begun := time.Now()
	out := record{Load: l.name, Peer: p.name, Version: p.version, Round: round, At: begun.UTC().Truncate(time.Second)}
	r, err := bench(ctx, c.options, l, p)
	out.Seconds = time.Since(begun).Seconds()
	out.Report = r
	if err == nil && l.figure(r) == nil {
		err = errors.New("there is no figure")
	}
	said := "did not finish: "
	if err != nil {
		out.Problem, out.Report = err.Error(), nil
		said += out.Problem
	} else {
		said = fmt.Sprintf("%8.2f %s", *l.figure(r), l.unit)
		if r.Generator.Bottleneck {
			said += "  (the generator was late, or busy)"
		}
	}
	if ctx.Err() == nil {
		c.sayf("%d/%d %-8s %-24s %s", round, c.options.rounds, l.name, p.title, said)
	}
	return out
}

// runLimit is how long a run may take: what takes longer does not finish.
const runLimit = 2 * time.Minute

// bench runs a load. Its error says what of it has failed.
func bench(ctx context.Context, o *options, l *load, p *peer) (*report, error) {
	ctx, cancel := context.WithTimeout(ctx, runLimit)
	defer cancel()
	s, err := start(ctx, o, p, l.cluster)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	args := []string{"--timeout=40s"}
	if l.browser {
		for _, line := range browserHeaders(s.urls[0]) {
			args = append(args, "--header="+line)
		}
	}
	r, err := s.bench(ctx, o, append(args, l.args...))
	if err == nil {
		r.Series = nil
	}
	return r, err
}

// bench runs parlor bench on what serves.
func (r *running) bench(ctx context.Context, o *options, args []string) (*report, error) {
	args = append(append([]string{"bench"}, r.urls...), append(args, "--json")...)
	for _, pid := range r.pids {
		args = append(args, "--pid="+strconv.Itoa(pid))
	}
	out, err := exec.CommandContext(ctx, o.parlor, args...).Output() //nolint:gosec // it is the command that was named
	if ctx.Err() != nil {
		return nil, fmt.Errorf("it was not done in %s", runLimit)
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
		return nil, errors.New(strings.TrimPrefix(lines[len(lines)-1], "parlor: "))
	}
	if err != nil {
		return nil, err
	}
	result := &report{}
	return result, json.Unmarshal(out, result)
}
