package jstest

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRunCollectsLines(t *testing.T) {
	lines := Run(t, "testdata/lines.mjs", "a", "b c")
	if len(lines) != 2 {
		t.Fatalf("got %d lines: %s", len(lines), lines)
	}
	if got, want := strings.TrimSpace(string(lines[0])), `{"args":["a","b c"]}`; got != want {
		t.Errorf("first line: got %s, want %s", got, want)
	}
}

func TestRunReportsFailures(t *testing.T) {
	for name, tc := range map[string]struct {
		script   string
		deadline time.Duration
		want     string
	}{
		"an exception":     {"testdata/throws.mjs", Deadline, "thrown on purpose"},
		"text, not JSON":   {"testdata/chatters.mjs", Deadline, "not JSON"},
		"over the time":    {"testdata/hangs.mjs", 300 * time.Millisecond, "killed"},
		"no such a script": {"testdata/absent.mjs", Deadline, "absent.mjs"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := run(t, tc.deadline, tc.script); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want one with %q", err, tc.want)
			}
		})
	}
}

// A client that finds nobody says so and tries again; the driver tells both, and ends with its clients still
// trying.
func TestDriverWithoutServer(t *testing.T) {
	d := Start(t)
	c := d.Connect("http://127.0.0.1:1", Options{Transports: WebSocket})
	if e := c.WaitConnectError(); e.Message != "websocket error" {
		t.Errorf("got %q", e.Message)
	}
	c.WaitManager("reconnect_attempt")
	if s := c.State(); s.Connected || !s.Active {
		t.Errorf("got %+v, want a client that is active and not connected", s)
	}
	if _, err := c.StartCall(10*time.Millisecond, "x").Result(); err == nil || err.Error() != "operation has timed out" {
		t.Errorf("a call that nobody can answer: got %v", err)
	}
}

func TestDriverPauseAndKill(t *testing.T) {
	d := Start(t)
	d.Pause()
	d.Resume()
	c := d.Connect("http://127.0.0.1:1", Options{NoReconnect: true, Transports: Polling})
	if e := c.WaitConnectError(); e.Message != "xhr poll error" {
		t.Errorf("got %q", e.Message)
	}
	d.Kill()
}

func TestValues(t *testing.T) {
	const want = `[{"$bin":"AQI="},{"a":[{"$bin":""}],"n":1}]`
	v := []any{[]byte{1, 2}, map[string]any{"n": 1, "a": []any{[]byte{}}}}
	if got := JSON(v); got != want {
		t.Errorf("got %s", got)
	}
	if got := Values(nil).String(); got != "[]" {
		t.Errorf("no values: got %s", got)
	}
	u := unwrap([]any{map[string]any{"$bin": "AQI="}, map[string]any{"$bin": "AQI=", "n": 1.0}}).([]any)
	if b, ok := u[0].([]byte); !ok || string(b) != "\x01\x02" {
		t.Errorf("got %v", u[0])
	}
	if _, ok := u[1].(map[string]any); !ok {
		t.Errorf("an object with another key besides: got %v", u[1])
	}
}
