package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"
)

// A store keeps what was measured in a file, so that a run that was interrupted goes
// on where it was, and parts can be measured again.
type store struct {
	path string

	// Plan is that of a run which is not complete; nil when none is.
	Plan    *plan             `json:"plan,omitempty"`
	Parlor  string            `json:"parlor"` // its version
	Missing map[string]string `json:"missing,omitempty"`
	Records []record          `json:"records"`
	Hold    *held             `json:"hold,omitempty"`
}

// A plan is what a run is to measure.
type plan struct {
	Parlor string   `json:"parlor"`
	Rounds int      `json:"rounds"`
	Loads  []string `json:"loads"`
	Peers  []string `json:"peers"`
}

// A record is one run of one load against one peer.
type record struct {
	Load    string    `json:"load"`
	Peer    string    `json:"peer"`
	Version string    `json:"version"`
	Round   int       `json:"round"`
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`           // with starting the peer
	Problem string    `json:"problem,omitempty"` // why there is no figure
	Report  *report   `json:"report,omitempty"`
}

// openStore reads what there is; a file that is not there is empty.
func openStore(path string) (*store, error) {
	s := &store{path: path, Missing: map[string]string{}}
	text, err := os.ReadFile(path) //nolint:gosec // it is the one that was named
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(text, s)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; delete it to begin anew", path, err)
	}
	if s.Missing == nil {
		s.Missing = map[string]string{}
	}
	return s, nil
}

// save replaces the file at once: whoever is interrupted leaves the old or the new one.
func (s *store) save() error {
	text, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o750); err != nil {
		return err
	}
	if err := os.WriteFile(s.path+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(s.path+".new", s.path)
}

// begin makes the store ready for a plan: the same plan goes on where it was, another
// one measures what it names anew. It reports whether it goes on.
func (s *store) begin(p plan) bool {
	if s.Plan != nil && reflect.DeepEqual(*s.Plan, p) {
		return true
	}
	s.Plan, s.Parlor = &p, p.Parlor
	s.Records = slices.DeleteFunc(s.Records, func(r record) bool {
		return slices.Contains(p.Loads, r.Load) && slices.Contains(p.Peers, r.Peer)
	})
	return false
}

func (s *store) has(load, peer string, round int) bool {
	return slices.ContainsFunc(s.Records, func(r record) bool {
		return r.Load == load && r.Peer == peer && r.Round == round
	})
}

// of returns the records of a load and a peer.
func (s *store) of(load, peer string) (list []record) {
	for _, r := range s.Records {
		if r.Load == load && r.Peer == peer {
			list = append(list, r)
		}
	}
	return list
}

// A cell is what the runs of a load against a peer came to.
type cell struct {
	runs, failed int
	figures      []float64 // sorted; none if a run failed
	p50, p99     float64   // median of the runs, ms
}

func (s *store) cell(l *load, peer string) cell {
	var c cell
	var p50, p99 []float64
	for _, r := range s.of(l.name, peer) {
		c.runs++
		if r.Problem != "" || l.figure(r.Report) == nil {
			c.failed++
			continue
		}
		c.figures = append(c.figures, *l.figure(r.Report))
		latency := r.Report.Connect.Latency
		if r.Report.Traffic != nil {
			latency = r.Report.Traffic.Latency
		}
		p50, p99 = append(p50, latency.P50), append(p99, latency.P99)
	}
	if c.failed > 0 {
		return cell{runs: c.runs, failed: c.failed}
	}
	slices.Sort(c.figures)
	c.p50, c.p99 = median(p50), median(p99)
	return c
}

// figure is the median, and whether there is one.
func (c cell) figure() (float64, bool) { return median(c.figures), len(c.figures) > 0 }

// median is 0 of nothing.
func median(list []float64) float64 {
	n := len(list)
	if n == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	return (list[(n-1)/2] + list[n/2]) / 2
}
