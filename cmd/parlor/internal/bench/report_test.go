package bench

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sample is a report with something in each field.
func sample() *Report {
	f := func(x float64) *float64 { return &x }
	return &Report{
		Schema: Schema, Version: "parlor v1", System: "linux/amd64, 4 CPUs", Started: time.Unix(1_700_000_000, 0).UTC(), Seconds: 12.5,
		Plan: Plan{
			Load: Broadcast, Targets: []string{"http://localhost:3000/socket.io/"}, Namespace: "/chat", Transport: WebSocket, Connections: 500, Senders: 2, Rooms: 1,
			Rate: 40, Count: 200, Duration: 10, OpenLoop: true, Event: "message", Expect: "<message>", Size: 64,
		},
		Connect: Connect{
			Attempted: 500, Connected: 499, Failed: 1, Failures: []Cause{{"no answer in time", 1}}, Dropped: 1, Drops: []Cause{{"<b>bye</b>", 1}},
			Seconds: 0.5, PerSecond: 998, Latency: Summary{499, 1, 2, 2, 3, 4, 5, 6},
		},
		Traffic: &Traffic{
			Sent: 400, Expected: 199_600, Delivered: 199_000, Lost: 600, Duplicated: 1, OutOfOrder: 2, Misdirected: 3, Refused: 4,
			Refusals: []Cause{{"rate_limited: Rate limit exceeded", 4}}, Other: 5, Bytes: 1 << 20, Seconds: 10, SentPerSecond: 40, DeliveredPerSecond: 19_900,
			Latency: Summary{199_000, 0.2, 1, 0.9, 2, 5, 9, 12}, Quantiles: []Point{{0, 0.2}, {50, 0.9}, {99, 5}, {99.9, 9}, {100, 12}},
		},
		Server: &Server{
			Source: "/proc", CPUPerConnection: f(90), CPUPerDelivery: f(0.4), CPU: 0.8,
			MemoryBefore: 15_000, MemoryConnected: 17_000, MemoryAfter: 18_000, PerConnection: f(4), From: 100,
		},
		Generator: Generator{CPUs: 4, CPU: 0.2, Machine: 0.5, Lateness: Summary{1000, 0.1, 0.2, 0.2, 0.3, 0.4, 0.5, 0.6}},
		Remarks:   []string{"the machine was busy"},
		Series: []Sample{
			{At: 1, Stage: "sending", Connected: 499, Sent: 40, Delivered: 19_900, SentRate: 40, DeliveredRate: 19_900, P50: 0.9, P99: 5, Max: 12, ServerCPU: 0.8, ServerMemory: 17_500, GeneratorCPU: 0.4},
			{At: 2, Stage: "sending", Connected: 499, Sent: 80, Delivered: 39_800, SentRate: 40, DeliveredRate: 19_900, P50: 0.8, P99: 4, Max: 11, ServerCPU: 0.7, ServerMemory: 17_600, GeneratorCPU: 0.4},
		},
	}
}

// The JSON is an interface: what is in it changes on purpose alone.
func TestJSON(t *testing.T) {
	var out bytes.Buffer
	if err := sample().WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.json", out.Bytes())

	var run bytes.Buffer // a real one has the same fields
	opts := plan(serve(t, theChat), Broadcast)
	opts.Count, opts.PIDs = 3, []int{os.Getpid()}
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("there is no /proc")
	}
	if err := do(t, opts).WriteJSON(&run); err != nil {
		t.Fatal(err)
	}
	if got, want := fields(t, run.Bytes()), fields(t, out.Bytes()); !slices.Equal(got, want) {
		t.Errorf("a run's fields are\n%s\nwant\n%s", got, want)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what is written now (go test -update writes it anew):\n%s", name, got)
	}
}

// fields are the names of a JSON text's objects, lists taken for one of their members;
// lists that may be empty are not looked into.
func fields(t *testing.T, text []byte) (names []string) {
	t.Helper()
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch value := value.(type) {
		case map[string]any:
			for name, member := range value {
				names = append(names, path+"."+name)
				walk(path+"."+name, member)
			}
		case []any:
			if len(value) > 0 && path == ".series" {
				walk(path+"[]", value[0])
			}
		}
	}
	walk("", root)
	slices.Sort(names)
	return names
}

// The page is well-formed, whatever servers answer with, and asks nobody for anything.
func TestHTML(t *testing.T) {
	storm := sample()
	storm.Traffic, storm.Server, storm.Series, storm.Plan.Load = nil, nil, nil, Storm
	for name, r := range map[string]*Report{"broadcast": sample(), "storm": storm, "nothing": {}} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if err := r.WriteHTML(&out); err != nil {
				t.Fatal(err)
			}
			text := out.String()
			d := xml.NewDecoder(&out)
			for {
				token, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%v\n%s", err, text)
				}
				if e, ok := token.(xml.StartElement); ok {
					for _, a := range e.Attr {
						if n := a.Name.Local; n == "src" || n == "href" || e.Name.Local == "script" {
							t.Errorf("<%s %s=%q>", e.Name.Local, n, a.Value)
						}
					}
				}
			}
			if name != "broadcast" {
				return
			}
			for _, want := range []string{"199,000", "&lt;b&gt;bye&lt;/b&gt;", "Not all is well: 1 not connected, 1 dropped, 600 lost", "The machine was busy.", "0.4 µs", "prefers-color-scheme: dark"} {
				if !strings.Contains(text, want) {
					t.Errorf("there is no %q", want)
				}
			}
			if n := strings.Count(text, "<svg"); n != 6 {
				t.Errorf("%d plots", n)
			}
			if strings.Contains(text, "NaN") || strings.Contains(text, "ZgotmplZ") {
				t.Error("there is what is no number")
			}
		})
	}
}

func TestText(t *testing.T) {
	var out bytes.Buffer
	if err := sample().WriteText(&out); err != nil {
		t.Fatal(err)
	}
	golden(t, "report.txt", out.Bytes())
}

// What a server says does not write to the terminal as it likes.
func TestTextOfServers(t *testing.T) {
	r := sample()
	r.Connect.Failures[0].Cause = "refused: \x1b[2Jno\nservice"
	r.Remarks = []string{"\u009b2Jno metrics"}
	var out bytes.Buffer
	if err := r.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "refused: \ufffd[2Jno\ufffdservice\n") || strings.ContainsAny(out.String(), "\x1b\u009b") {
		t.Errorf("got %q", out.String())
	}
	out.Reset()
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), `"refused: \u001b[2Jno\nservice"`) || !strings.Contains(out.String(), `"\u009b2Jno metrics"`) {
		t.Errorf("got %q", out.String())
	}
}

// state is that of a broadcast load.
func state() Progress {
	r := sample()
	return Progress{Plan: r.Plan, Stage: "sending", Done: 0.62, Left: 3800 * time.Millisecond, Sample: r.Series[1], Duplicated: 2, Server: true}
}

// On a terminal the view is written over itself, no line is wider than it is, and
// nothing is left of it.
func TestTerminal(t *testing.T) {
	var out strings.Builder
	columns := 100
	v := &View{w: &out, width: func() int { return columns }}
	v.Show(state())
	golden(t, "terminal.txt", []byte(strings.ReplaceAll(out.String(), "\x1b[K", "")))
	lines := strings.Count(out.String(), "\n")
	out.Reset()
	columns = 30
	v.Show(state())
	if want := fmt.Sprintf("\x1b[%dA\r\x1b[J", lines); !strings.HasPrefix(out.String(), want) {
		t.Errorf("%q does not begin with %q", out.String(), want)
	}
	for line := range strings.Lines(out.String()) {
		if n := len([]rune(escapes.ReplaceAllString(line, ""))); n > 30 {
			t.Errorf("%d columns: %q", n, line)
		}
	}
	out.Reset()
	if v.Close(); out.String() != fmt.Sprintf("\x1b[%dA\r\x1b[J", lines) {
		t.Errorf("%q", out.String())
	}
	out.Reset()
	v.color = true
	if v.Show(state()); !strings.Contains(out.String(), "\x1b[31m   doubled 2\x1b[0m") {
		t.Errorf("%q", out.String())
	}
}

// Elsewhere there is a line every five seconds.
func TestLines(t *testing.T) {
	var out strings.Builder
	v := NewView(&out)
	for at := range 12 {
		p := state()
		p.Sample.At = float64(at)
		v.Show(p)
	}
	v.Close()
	line := "%6.1f s  sending: 499 connected, 80 sent, 39,800 delivered (19,900/s), p50 800 µs, p99 4.00 ms\n"
	want := fmt.Sprintf(line+line+line, 0.0, 5.0, 10.0)
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}

// escapes are the sequences that the view uses.
var escapes = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]|\r")

// inHTML shows what a terminal would.
func inHTML(text string) string {
	looks := map[string]string{"1": "font-weight:bold;color:#fff", "2": "color:#8b949e", "36": "color:#56d4dd", "31": "color:#ff7b72"}
	text = html.EscapeString(text)
	return regexp.MustCompile("\x1b\\[([0-9]*)m|\x1b\\[K").ReplaceAllStringFunc(text, func(escape string) string {
		switch code := strings.Trim(escape, "\x1b[mK"); code {
		case "":
			return ""
		case "0":
			return "</span>"
		default:
			return `<span style="` + looks[code] + `">`
		}
	})
}
