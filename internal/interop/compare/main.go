// Command compare puts the same loads on Parlor and on other Socket.IO servers, with
// `parlor bench`, and writes a page with what they cost. `make compare` runs it.
//
// Each load of each round is against a fresh server. A peer that is not to be had is
// said to be missing; a load of which not all came has no figure.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.parlor, "parlor", "../../bin/parlor", "the parlor command, to be compared and to measure with")
	flag.StringVar(&o.modules, "modules", "../../adapter/redisadapter/testdata/node/node_modules", "where Node's socket.io is installed")
	flag.StringVar(&o.out, "out", "../../docs/compare.md", "the page")
	flag.StringVar(&o.picture, "picture", "../../docs/compare.svg", "the chart")
	flag.IntVar(&o.rounds, "rounds", 5, "how often each load is run")
	flag.StringVar(&o.only, "only", "", "run the loads whose names have this in them alone")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

type options struct {
	parlor, modules, out, picture, only string
	rounds                              int
}

// A load is a row of the page.
type load struct {
	name, what string
	args       []string
	figure     func(*result) *float64
	unit       string
}

// A result is what is used of a report of `parlor bench --json`.
type result struct {
	Server struct {
		CPUPerConnection *float64 `json:"connect_cpu_us"`
		CPUPerDelivery   *float64 `json:"cpu_us_per_delivery"`
		PerConnection    *float64 `json:"kib_per_connection"`
	} `json:"server"`
	Generator struct {
		Bottleneck bool    `json:"bottleneck"`
		Machine    float64 `json:"machine"`
	} `json:"generator"`
}

func delivery(r *result) *float64   { return r.Server.CPUPerDelivery }
func connection(r *result) *float64 { return r.Server.CPUPerConnection }
func memory(r *result) *float64     { return r.Server.PerConnection }

const deliveryUnit = "µs CPU a delivery"

var loads = []load{
	{"burst", "2,000 messages to a room of 200, at once", []string{"--load=broadcast", "--connections=200", "--rate=0", "--count=2000"}, delivery, deliveryUnit},
	{"paced", "40 messages a second to a room of 500, for 5 s", []string{"--load=broadcast", "--connections=500", "--rate=40", "--duration=5s"}, delivery, deliveryUnit},
	{"echo", "100 clients, each sends to itself 200 times, one at a time", []string{"--load=echo", "--connections=100", "--rate=0", "--count=200"}, delivery, deliveryUnit},
	{"flood", "50 clients, each sends 1,000 to itself without waiting", []string{"--load=flood", "--connections=50", "--count=1000"}, delivery, deliveryUnit},
	{"polling", "the echo over long polling, 50 clients, 100 times", []string{"--load=echo", "--connections=50", "--rate=0", "--count=100", "--transport=polling"}, delivery, deliveryUnit},
	{"connect", "2,000 clients connect at once and join a room each", []string{"--load=storm", "--connections=2000"}, connection, "µs CPU a connection"},
	{"memory", "slope from 1,000 to 5,000 idle connections", []string{"--load=idle", "--connections=5000", "--from=1000", "--settle=3s", "--duration=1s"}, memory, "KiB a connection"},
}

// A table has the figures of each load, by peer.
type table map[string]map[string][]float64

func run(ctx context.Context, o options) error {
	version, err := exec.CommandContext(ctx, o.parlor, "version").Output()
	if err != nil {
		return fmt.Errorf("%s: %w; make build makes it", o.parlor, err)
	}
	peers, missing, clean, err := available(ctx, o)
	if err != nil {
		return err
	}
	defer clean()
	c := comparison{options: o, version: strings.TrimSpace(string(version)), peers: peers, missing: missing, table: table{}}
	for c.rounds = 0; c.rounds < o.rounds && ctx.Err() == nil; c.rounds++ {
		for _, l := range loads {
			for _, p := range peers {
				if strings.Contains(l.name, o.only) && ctx.Err() == nil {
					c.run(ctx, l, p)
				}
			}
		}
	}
	if ctx.Err() != nil {
		c.rounds-- // it is not complete
	}
	if c.rounds < 1 {
		return errors.New("interrupted before a round was complete")
	}
	return c.write()
}

// A comparison is what there is so far.
type comparison struct {
	options

	version string
	peers   []peer
	missing []string
	rounds  int
	table   table
	busy    []float64 // share of the machine's processors
}

// run runs a load once, and says what it came to. A peer that has failed in it has no
// figure, whatever it does later.
func (c *comparison) run(ctx context.Context, l load, p peer) {
	row := c.table[l.name]
	if row == nil {
		row = map[string][]float64{}
		c.table[l.name] = row
	}
	if c.rounds > 0 && len(row[p.name]) == 0 {
		return
	}
	r, err := measure(ctx, c.options, l, p)
	if ctx.Err() != nil {
		return // it says nothing of the peer
	}
	var x *float64
	if err == nil {
		x = l.figure(r)
	}
	if x == nil {
		fmt.Fprintf(os.Stderr, "%-8s %-24s no figure: %v\n", l.name, p.name, err)
		delete(row, p.name)
		return
	}
	row[p.name] = append(row[p.name], *x)
	c.busy = append(c.busy, r.Generator.Machine)
	note := ""
	if r.Generator.Bottleneck {
		note = "  (the generator was late, or busy)"
	}
	fmt.Fprintf(os.Stderr, "%d/%d %-8s %-24s %8.2f %s%s\n", c.rounds+1, c.options.rounds, l.name, p.name, *x, l.unit, note)
}

// measure runs a load against a fresh server.
func measure(ctx context.Context, o options, l load, p peer) (*result, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	s, err := start(ctx, p)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	args := append([]string{"bench", s.url, "--json", "--timeout=1m", "--pid=" + strconv.Itoa(s.pid)}, l.args...)
	out, err := exec.CommandContext(ctx, o.parlor, args...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		lines := strings.Split(strings.TrimSpace(string(exit.Stderr)), "\n")
		return nil, errors.New(lines[len(lines)-1])
	}
	if err != nil {
		return nil, err
	}
	r := &result{}
	return r, json.Unmarshal(out, r)
}
