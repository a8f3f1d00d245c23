package bench

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A ledger finds what is missing, doubled and late, whatever the order.
func TestLedger(t *testing.T) {
	for _, test := range []struct {
		come string // a digit each
		want string // i: in order, l: late, d: duplicate
		gaps string
	}{
		{"01234", "iiiii", "[]"},
		{"0134", "iiii", "[{2 3}]"},
		{"04321", "iilll", "[]"},
		{"0412", "iill", "[{3 4}]"},
		{"0632", "iill", "[{1 2} {4 6}]"},
		{"0011", "idid", "[]"},
		{"04334", "iildd", "[{1 3}]"},
		{"5", "i", "[{0 5}]"},
	} {
		var l ledger
		got := ""
		for _, c := range test.come {
			got += string("ild"[l.take(uint32(c-'0'))])
		}
		if got != test.want || fmt.Sprint(l.gaps) != test.gaps {
			t.Errorf("%s: %s %v, want %s %s", test.come, got, l.gaps, test.want, test.gaps)
		}
	}
}

// Of numbers in any order, each twice, one of the two is a duplicate, and none is missing.
func TestLedgerRandom(t *testing.T) {
	var l ledger
	numbers := append(rand.Perm(1000), rand.Perm(1000)...)
	duplicates := 0
	for _, n := range numbers {
		if l.take(uint32(n)) == duplicate {
			duplicates++
		}
	}
	if l.seen != 1000 || duplicates != 1000 || len(l.gaps) != 0 {
		t.Errorf("%d seen, %d duplicates, gaps %v", l.seen, duplicates, l.gaps)
	}
}

func TestStamp(t *testing.T) {
	want := stamp{sender: 7, seq: 1 << 30, due: time.Hour}
	data := appendStamp(nil, mark(0xdeadbeef), want, 100)
	if len(data) != 100 {
		t.Errorf("%d bytes", len(data))
	}
	packet := []byte(`["m",{"a":"~dead","text":"` + string(data) + `"}]`)
	if got, ok := findStamp(packet, mark(0xdeadbeef)); !ok || got != want {
		t.Errorf("%+v %v", got, ok)
	}
	for name, packet := range map[string][]byte{"another run's": packet, "cut off": []byte("~00000001123"), "no digits": []byte("~00000001" + strings.Repeat("x", 40))} {
		if got, ok := findStamp(packet, mark(1)); ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTemplate(t *testing.T) {
	tmpl, err := parseTemplate("payload", `{"r":"{{room}}","n":{{ seq }},"c":[{{client}}]},"{{data}}"`)
	if err != nil {
		t.Fatal(err)
	}
	got := string(tmpl.append(nil, values{room: "r1", client: 2, seq: 3, data: []byte("xyz")}))
	if want := `{"r":"r1","n":3,"c":[2]},"xyz"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for text, want := range map[string]string{
		`"{{rom}}"`:  "payload: {{rom}}\" is no field; there are {{room}}, {{client}}, {{seq}}, {{data}}",
		`"{{room"`:   "payload: {{room\" is no field",
		`{{room}}`:   "payload: is not JSON once its fields are filled in, as in r; a text has quotes",
		`{"a":1`:     "payload: is not JSON",
		`] , "x", [`: "payload: is not JSON",
	} {
		if _, err := parseTemplate("payload", text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Options that make no sense are refused before there is a connection.
func TestOptions(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"load: ":                   func(o *Options) { o.Load = "x" },
		"transport: ":              func(o *Options) { o.Transport = "x" },
		"connections: ":            func(o *Options) { o.Connections = 0 },
		"senders: ":                func(o *Options) { o.Load, o.Senders = Broadcast, 0 },
		"rooms: ":                  func(o *Options) { o.Load, o.Rooms = Broadcast, 0 },
		"size: ":                   func(o *Options) { o.Size = MinSize - 1 },
		"from: ":                   func(o *Options) { o.From = 10 },
		"rate: ":                   func(o *Options) { o.Load, o.Rate = Flood, 1 },
		"event: ":                  func(o *Options) { o.Event = "" },
		"duration: ":               func(o *Options) { o.Duration = 0 },
		"timeout: ":                func(o *Options) { o.Timeout = 0 },
		"payload: has no {{data}}": func(o *Options) { o.Payload = `"x"` },
		"join-payload: ":           func(o *Options) { o.JoinPayload = `x` },
	} {
		opts := plan(&url.URL{Scheme: "http", Host: "127.0.0.1:1"}, Echo)
		change(&opts)
		_, err := Run(t.Context(), opts)
		if _, ok := errors.AsType[*OptionError](err); !ok || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// Its cost is read from a server's metrics, or from its process.
func TestMeters(t *testing.T) {
	text := ""
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }))
	defer web.Close()
	u := endpointOf(t, web.URL)
	m := &exporters{[]*url.URL{u, u}, web.Client()}
	text = "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1.5\nprocess_resident_memory_bytes 2.097152e+06 1700000000000\n"
	if c, err := m.read(t.Context()); err != nil || c != (cost{3, 4096}) {
		t.Errorf("%+v %v", c, err)
	}
	for _, text = range []string{"", "process_cpu_seconds_total 1\n", "process_cpu_seconds_total x\n"} {
		if c, err := m.read(t.Context()); err == nil {
			t.Errorf("%q: %+v", text, c)
		}
	}
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	if c, err := (processes{os.Getpid()}).read(t.Context()); err != nil || c.memory < 1024 {
		t.Errorf("%+v %v", c, err)
	}
	if _, err := (processes{1 << 30}).read(t.Context()); err == nil || !strings.Contains(err.Error(), "process 1073741824: no such file") {
		t.Error(err)
	}
}

// Who measures says when it was he.
func TestBottleneck(t *testing.T) {
	for _, test := range []struct {
		cpu, late float64
		want      string
	}{
		{0.5, 1, ""},
		{0.9, 1, "took 90 % of its 4 processors: it was the bottleneck"},
		{0.5, 25, "was woken 25.0 ms late"},
	} {
		g := Generator{CPUs: 4, CPU: test.cpu, Lateness: Summary{P99: test.late}}
		g.judge()
		if g.Bottleneck != (test.want != "") || !strings.Contains(strings.Join(g.Remarks, "; "), test.want) {
			t.Errorf("%+v", g)
		}
	}
}
