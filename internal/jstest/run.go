package jstest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// Deadline bounds every single wait, and a whole script of [Run]. It is far above what any takes, so that a
// loaded machine fails no test: it only ends the wait for what never comes.
const Deadline = time.Minute

// Run runs a script to its end and returns the lines of JSON that it printed. A relative path is one below
// the calling package's directory. The test fails when the script exits with an error, prints anything else
// on stdout, or takes longer than [Deadline].
func Run(t testing.TB, script string, args ...string) []json.RawMessage {
	t.Helper()
	return RunFor(t, Deadline, script, args...)
}

// RunFor is Run with another deadline, for a script that has to wait for time to pass.
func RunFor(t testing.TB, deadline time.Duration, script string, args ...string) []json.RawMessage {
	t.Helper()
	lines, err := run(t, deadline, script, args...)
	if err != nil {
		t.Fatalf("run %s: %v", script, err)
	}
	return lines
}

func run(t testing.TB, deadline time.Duration, script string, args ...string) ([]json.RawMessage, error) {
	t.Helper()
	path, err := filepath.Abs(script)
	if err != nil {
		return nil, err
	}
	p := startProcess(t, path, args...)
	late := time.AfterFunc(deadline, p.kill)
	defer late.Stop()
	defer p.stdin.Close()

	var lines []json.RawMessage
	var bad error
	r := bufio.NewReader(p.stdout)
	for err == nil {
		var line []byte
		line, err = r.ReadBytes('\n')
		switch {
		case len(line) == 0:
		case json.Valid(line):
			lines = append(lines, line)
		case bad == nil:
			bad = fmt.Errorf("printed a line that is not JSON: %s", line)
		}
	}
	switch err := p.wait(); {
	case err == nil:
		return lines, bad
	case !late.Stop():
		return lines, fmt.Errorf("not done within %v, killed\n%s", deadline, p.stderr)
	default:
		return lines, fmt.Errorf("%w\n%s", err, p.stderr)
	}
}
