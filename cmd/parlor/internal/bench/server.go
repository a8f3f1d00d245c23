package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// A meter reads what the server has used.
type meter interface {
	read(ctx context.Context) (cost, error)
	source() string
}

// cost is what a server has used so far, and holds.
type cost struct {
	cpu    float64 // seconds
	memory float64 // KiB
}

// newMeter makes the one that the options ask for; nil for none.
func newMeter(opts *Options) meter {
	switch {
	case len(opts.PIDs) > 0:
		return processes(opts.PIDs)
	case len(opts.Metrics) > 0:
		transport := &http.Transport{TLSClientConfig: opts.TLS}
		return &exporters{opts.Metrics, &http.Client{Timeout: 5 * time.Second, Transport: transport}}
	}
	return nil
}

// ticksPerSecond is the unit of Linux's times in /proc.
const ticksPerSecond = 100

// processes are those of this machine, in /proc.
type processes []int

func (processes) source() string { return "/proc" }

func (list processes) read(context.Context) (sum cost, err error) {
	for _, pid := range list {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return sum, fmt.Errorf("cannot read the CPU time of process %d: %w", pid, reason(err))
		}
		text := string(stat)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:]) // the name may hold anything
		if len(fields) < 22 {
			return sum, fmt.Errorf("/proc/%d/stat is not as Linux writes it", pid)
		}
		user, err1 := strconv.ParseFloat(fields[11], 64)
		system, err2 := strconv.ParseFloat(fields[12], 64)
		pages, err3 := strconv.ParseFloat(fields[21], 64)
		if err := errors.Join(err1, err2, err3); err != nil {
			return sum, fmt.Errorf("/proc/%d/stat is not as Linux writes it: %w", pid, err)
		}
		sum.cpu += (user + system) / ticksPerSecond
		sum.memory += pages * float64(os.Getpagesize()) / 1024
	}
	return sum, nil
}

// reason is an error without the path, which is said already.
func reason(err error) error {
	if failed, ok := errors.AsType[*os.PathError](err); ok {
		return failed.Err
	}
	return err
}

// exporters are addresses that answer in Prometheus' text format.
type exporters struct {
	urls   []*url.URL
	client *http.Client
}

func (*exporters) source() string { return "metrics" }

func (e *exporters) read(ctx context.Context) (sum cost, err error) {
	for _, u := range e.urls {
		one, err := e.fetch(ctx, u)
		if err != nil {
			return sum, fmt.Errorf("%s: %w", u.Redacted(), err)
		}
		sum.cpu += one.cpu
		sum.memory += one.memory
	}
	return sum, nil
}

func (e *exporters) fetch(ctx context.Context, u *url.URL) (c cost, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return c, err
	}
	response, err := e.client.Do(request)
	if err != nil {
		return c, networkCause(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return c, fmt.Errorf("status %d instead of metrics", response.StatusCode)
	}
	found := 0
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), " ")
		into := map[string]*float64{"process_cpu_seconds_total": &c.cpu, "process_resident_memory_bytes": &c.memory}[name]
		if into == nil {
			continue
		}
		value, _, _ := strings.Cut(strings.TrimSpace(rest), " ") // a time may follow
		if *into, err = strconv.ParseFloat(value, 64); err != nil {
			return c, fmt.Errorf("%s is not a number: %q", name, value)
		}
		found++
	}
	if found < 2 {
		return c, errors.New("there is no process_cpu_seconds_total, or no process_resident_memory_bytes")
	}
	c.memory /= 1024
	return c, nil
}

func (e *exporters) close() { e.client.CloseIdleConnections() }
