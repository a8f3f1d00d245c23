package app

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// An error is one line, which does not write to the terminal as a server likes.
func TestComplain(t *testing.T) {
	var stderr strings.Builder
	complain(&stderr, errors.Join(errors.New("refused: \x1b[2Jgone"), errors.New("and more")))
	if want := "parlor: refused: \ufffd[2Jgone; and more\n"; stderr.String() != want {
		t.Errorf("got %q, want %q", stderr.String(), want)
	}
}

// A load on the command itself: its report is what was asked for, and the exit code
// says whether all is well.
func TestBench(t *testing.T) {
	server, log, pipe, addr := serving(t, "--log-level=info")
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, log)
		pipe.Close()
	}()
	t.Cleanup(func() {
		_ = server.Process.Kill()
		<-ended
		_ = server.Wait()
	})
	page := filepath.Join(t.TempDir(), "report.html")
	for _, test := range []struct {
		name           string
		args           []string
		code           int
		stdout, stderr string
	}{
		{"all is well", []string{"-n", "10", "--count=3", "--settle=0s", "--json", "--html=" + page}, 0, `"delivered": 30,`, ""},
		{"a text", []string{"--load=storm", "-n", "10", "--settle=0s"}, 0, "10 of 10 in", ""},
		{"more than the chat takes", []string{"--load=flood", "-n", "1", "--count=50", "--settle=0s", "--timeout=3s"}, 3, "rate_limited", "not all is well: "},
		{"a bad load", []string{"--load=x"}, 2, "", `parlor: --load: "x" is none; use one of [storm idle`},
		{"a bad payload", []string{"--payload=x"}, 2, "", "parlor: --payload: "},
		{"a namespace that is not there", []string{"--namespace=/none"}, 1, "", "the server has no namespace /none (--namespace)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cmd := command(t, nil, append([]string{"bench", "http://" + addr}, test.args...)...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if code := exitCode(t, cmd.Run()); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.Contains(stdout.String(), test.stdout) || !strings.Contains(stderr.String(), test.stderr) {
				t.Errorf("stdout: %s\nstderr: %s", &stdout, &stderr)
			}
		})
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), "<svg") {
		t.Errorf("the page: %v", err)
	}
	t.Run("interrupted", func(t *testing.T) {
		cmd := command(t, nil, "bench", "http://"+addr, "--load=idle", "-n", "5", "--duration=1m", "--settle=0s", "--json")
		var stdout bytes.Buffer
		cmd.Stdout = &stdout
		progress, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewReader(progress)
		waitFor(t, lines, "idle: ")
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, lines)
		if code := exitCode(t, cmd.Wait()); code != exitPartial {
			t.Errorf("exit code %d", code)
		}
		var report struct {
			Interrupted bool
			Seconds     float64
		}
		if err := json.Unmarshal(stdout.Bytes(), &report); err != nil || !report.Interrupted || report.Seconds > 30 {
			t.Errorf("%v, %+v", err, report)
		}
	})
}
