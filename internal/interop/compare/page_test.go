package main

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata anew")

// The page and its charts, from results that have every case in them: a peer that did
// not finish, one that is missing, a row in which Parlor is behind, a bar that it
// breaks.
func TestPage(t *testing.T) {
	p := page{store: sampleStore(), peers: peers(), machine: machine{
		processor: "A Processor", cpus: 4, memory: "16 GiB of memory", system: "linux/amd64, kernel 6.1.0",
	}}
	folder := t.TempDir()
	if *update {
		folder = "testdata"
	}
	if err := p.write(folder); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"compare.md", "compare.svg", "compare-hold.svg"} {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s is not as in testdata; go test -update writes it:\n%s", name, got)
		}
		if strings.HasSuffix(name, ".svg") {
			wellFormed(t, got)
		}
	}
	want := `bar burst    at most 0.065 of Node's             0.050  ok
bar paced    at most 0.65 of Node's               0.70  not
bar echo     at most 0.50 of Node's          not known  not
bar memory   at most 7.00 KiB a connection        6.00  ok
bar hold     none dropped, memory flat: 0 of 18000, 117.2 to 117.3 MiB, +0.01 MiB a minute  ok`
	if said := strings.Join(p.verdicts(), "\n"); said != want {
		t.Errorf("verdicts:\n%s", said)
	}
}

func wellFormed(t *testing.T, text []byte) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(string(text)))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func sampleStore() *store {
	s := &store{Parlor: "parlor v1.2.3", Missing: map[string]string{"rust": "there is no cargo"}}
	add := func(load, peer, version string, figures ...float64) {
		for i, x := range figures {
			r := &report{Traffic: &traffic{Delivered: 1000, Latency: summary{P50: x, P99: 2 * x}}}
			r.Server.CPUPerDelivery, r.Server.PerConnection, r.Generator.Machine = &x, &x, 0.5
			one := record{Load: load, Peer: peer, Version: version, Round: i + 1, At: time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC), Report: r}
			if x < 0 {
				one.Problem, one.Report = "3 lost", nil
			}
			s.Records = append(s.Records, one)
		}
	}
	add("burst", parlorName, "parlor v1.2.3", 0.5, 0.4, 0.9)
	add("burst", singleName, "parlor v1.2.3", 0.45, 0.4, 0.5)
	add("burst", nodeName, "4.8.4 on Node.js 24.0.0", 10, 9, 11)
	add("burst", "python", "5.18.1 on uvicorn 0.54.0", 60, -1, 61)
	add("paced", parlorName, "parlor v1.2.3", 7, 7)
	add("paced", nodeName, "4.8.4 on Node.js 24.0.0", 10, 10)
	add("paced", "bun", "0.1.2 on Bun 1.4.5", 6.5, 6.6)
	add("echo", parlorName, "parlor v1.2.3", 7, -1)
	add("memory", parlorName, "parlor v1.2.3", 6, 6.2, 5.9)
	add("memory", nodeName, "4.8.4 on Node.js 24.0.0", 11, 12, 12)
	s.Hold = &held{Parlor: "parlor v1.2.3", Connections: 18_000, Duration: 600, CPU: 0.036, Kernel: 7.5}
	for i := range 500 {
		s.Hold.Samples = append(s.Hold.Samples, sample{At: 20 + float64(i)*1.2, Stage: "idle", Connected: 18_000, CPU: 0.03 + float64(i%3)/100, Memory: 120_000 + float64(i)/5})
	}
	return s
}

// A run goes on where it was; another measures anew what it names, and keeps the rest.
func TestStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder", "results.json")
	s, err := openStore(path)
	if err != nil {
		t.Fatal(err)
	}
	all := plan{"v1", 2, []string{"burst", "echo"}, []string{parlorName, nodeName}}
	if s.begin(all) {
		t.Error("an empty store goes on")
	}
	for _, load := range all.Loads {
		for _, peer := range all.Peers {
			s.Records = append(s.Records, record{Load: load, Peer: peer, Round: 1})
		}
	}
	if err := s.save(); err != nil {
		t.Fatal(err)
	}
	reopen := func() *store {
		t.Helper()
		s, err := openStore(path)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s = reopen(); !s.begin(all) || len(s.Records) != 4 || !s.has("burst", nodeName, 1) || s.has("burst", nodeName, 2) {
		t.Errorf("it does not go on: %+v", s)
	}
	for name, test := range map[string]struct {
		plan plan
		left int
	}{
		"another version": {plan{"v2", 2, all.Loads, all.Peers}, 0},
		"more rounds":     {plan{"v1", 3, all.Loads, all.Peers}, 0},
		"a part":          {plan{"v1", 2, []string{"burst"}, []string{nodeName}}, 3},
	} {
		if s = reopen(); s.begin(test.plan) || len(s.Records) != test.left {
			t.Errorf("%s: %d records are left, want %d", name, len(s.Records), test.left)
		}
	}
	if s = reopen(); s.Plan == nil {
		t.Fatal("there is no plan")
	}
	s.Plan = nil // it is complete
	if s.begin(all) || len(s.Records) != 0 {
		t.Error("what is complete is not measured anew")
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openStore(path); err == nil || !strings.Contains(err.Error(), "delete it") {
		t.Errorf("a broken file: %v", err)
	}
}

func TestChoose(t *testing.T) {
	for _, test := range []struct {
		loads, peers string
		rounds       int
		want         string
	}{
		{"echo, burst,hold", "node,parlor", 1, "[burst echo] [parlor node] true"},
		{"hold", "", 1, fmt.Sprint([]string{}, peerNames(), true)},
		{"", "", 1, fmt.Sprint(loadNames(), peerNames(), false)},
		{"bust", "", 1, `-loads: "bust" is none; there are burst`},
		{"", "nodejs", 1, `-peers: "nodejs" is none; there are parlor`},
		{"", "", 0, "-rounds: 0 is not a number of rounds"},
	} {
		o := options{rounds: test.rounds}
		err := o.choose(test.loads, test.peers)
		got := fmt.Sprint(o.loads, o.peers, o.holds)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, test.want) {
			t.Errorf("-loads=%s -peers=%s: %s, want %s", test.loads, test.peers, got, test.want)
		}
	}
}
