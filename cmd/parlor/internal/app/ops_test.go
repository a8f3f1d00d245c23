package app

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/health"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/metrics"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/internal/wire"
)

// opsAddr is where a member's operators are served.
func (m *member) opsAddr(t *testing.T) string {
	t.Helper()
	m.log.wait(t, "msg=operators", 1)
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	return regexp.MustCompile(`msg=operators addr="([^"]+)"`).FindStringSubmatch(m.log.text.String())[1]
}

// A scrape is what Prometheus would read: the value of each series, by its name
// and labels, and of histograms how often.
type scrape map[string]float64

func scrapes(t *testing.T, addr string) scrape {
	t.Helper()
	response, body := get(t, "http://"+addr+"/metrics")
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", response.Status, body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	values := scrape{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			series := name
			for _, label := range m.GetLabel() {
				series += fmt.Sprintf(" %s=%s", label.GetName(), label.GetValue())
			}
			values[series] = value(m)
		}
	}
	return values
}

func value(m *dto.Metric) float64 {
	switch {
	case m.GetGauge() != nil:
		return m.GetGauge().GetValue()
	case m.GetCounter() != nil:
		return m.GetCounter().GetValue()
	case m.GetHistogram() != nil:
		return float64(m.GetHistogram().GetSampleCount())
	}
	return m.GetUntyped().GetValue()
}

// reaches scrapes until the values are there: what a client sees is counted a
// moment later, or before.
func (m *member) reaches(t *testing.T, addr string, want scrape) scrape {
	t.Helper()
	var got scrape
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(10 * time.Millisecond) {
		got = scrapes(t, addr)
		missing := 0
		for series, value := range want {
			if got[series] != value {
				missing++
			}
		}
		if missing == 0 {
			return got
		}
	}
	for series, value := range want {
		if got[series] != value {
			t.Errorf("%s is %v, want %v", series, got[series], value)
		}
	}
	return got
}

// registered are the events that the chat handles, and the others as one.
var registered = regexp.MustCompile(`^parlor_handler_duration_seconds event=(join|message|connect|disconnecting|disconnect|other) namespace=/(chat)?$`)

// What clients do is in the metrics, and nothing that they say is in a label.
func TestMetrics(t *testing.T) {
	t.Parallel()
	m := startMember(t, "--ops-addr=127.0.0.1:0")
	addr := m.opsAddr(t)
	before := scrapes(t, addr)
	ada, grace := m.enters(t, wire.Websocket, "", ""), m.enters(t, wire.Polling, "/chat,", "")
	linus := m.enters(t, wire.Upgraded, "", "")
	ada.asks(`["join","r"]`, `[{"ok":true,*`)
	linus.asks(`["join","r"]`, `[{"ok":true,*`)
	ada.asks(`["message",{"room":"r","text":"hi"}]`, `[{"ok":true,*`)
	if response, _ := get(t, "http://"+m.addr+"/socket.io/?EIO=3&transport=polling"); response.StatusCode != http.StatusBadRequest {
		t.Errorf("EIO=3: %s", response.Status)
	}
	got := m.reaches(t, addr, scrape{
		"parlor_connections transport=websocket":                      2,
		"parlor_connections transport=polling":                        1,
		"parlor_connections_opened_total":                             3,
		"parlor_sockets namespace=/":                                  2,
		"parlor_sockets namespace=/chat":                              1,
		"parlor_upgrades_begun_total":                                 1,
		"parlor_upgrades_total outcome=done":                          1,
		"parlor_requests_refused_total cause=protocol_version":        1,
		"parlor_chat_messages_total kind=message namespace=/":         1,
		"parlor_handler_duration_seconds event=join namespace=/":      2,
		"parlor_handler_duration_seconds event=message namespace=/":   1,
		"parlor_events_waiting":                                       0,
		"parlor_connections_closed_total reason=server_shutting_down": 0,
	})
	for _, series := range []string{"parlor_packets_total direction=in", "parlor_payload_bytes_total direction=out", "parlor_rooms namespace=/", "go_goroutines", "process_open_fds"} {
		if got[series] <= 0 {
			t.Errorf("%s is %v", series, got[series])
		}
	}
	if got["parlor_events_total direction=in"] != 3 {
		t.Errorf("%v events", got["parlor_events_total direction=in"])
	}
	for i := range 50 {
		ada.sends(fmt.Sprintf(`42["event %d",{}]`, i))
		ada.asks(fmt.Sprintf(`["join","room %d"]`, i), `[{"ok":true,*`)
	}
	_ = ada.Close()
	hangUp(linus.Session)
	hangUp(grace.Session)
	after := m.reaches(t, addr, scrape{
		"parlor_connections transport=websocket": 0, "parlor_connections transport=polling": 0, "parlor_sockets namespace=/": 0, "parlor_rooms namespace=/": 0,
		"parlor_connections_closed_total reason=transport_close": 3,
	})
	for series := range after {
		if _, ok := before[series]; !ok && !registered.MatchString(series) && strings.HasPrefix(series, "parlor_") {
			t.Errorf("a client has made the series %s", series)
		}
	}
}

// The address for clients tells nobody more than whether clients are to come.
func TestOpsPaths(t *testing.T) {
	t.Parallel()
	secret := newSecret()
	open := startMember(t, "--ops-addr=127.0.0.1:0")
	guarded := startMember(t, "--ops-addr=127.0.0.1:0", "--ops-token-file="+keyFile(t, secret+" \n"))
	public := startMember(t, "--ops-addr=0.0.0.0:0")
	_, port, _ := strings.Cut(public.opsAddr(t), "]:")
	everybody := "127.0.0.1:" + port
	for _, test := range []struct {
		addr, path, token string
		want              int
	}{
		{open.addr, "/healthz", "", 200},
		{open.addr, "/readyz", "", 200},
		{open.addr, "/metrics", "", 404},
		{open.addr, "/debug/pprof/", "", 404},
		{open.opsAddr(t), "/healthz", "", 200},
		{open.opsAddr(t), "/metrics", "", 200},
		{open.opsAddr(t), "/debug/pprof/goroutine?debug=1", "", 200},
		{open.opsAddr(t), "/debug/pprof/cmdline", "", 404},
		{open.opsAddr(t), "/", "", 404},
		{guarded.opsAddr(t), "/readyz", "", 200},
		{guarded.opsAddr(t), "/metrics", "", 401},
		{guarded.opsAddr(t), "/metrics", "Bearer " + secret + "x", 401},
		{guarded.opsAddr(t), "/metrics", "Basic " + secret, 401},
		{guarded.opsAddr(t), "/metrics", "Bearer " + secret, 200},
		{guarded.opsAddr(t), "/debug/pprof/", "", 401},
		{guarded.opsAddr(t), "/debug/pprof/", "bearer " + secret, 200},
		{everybody, "/metrics", "", 200},
		{everybody, "/debug/pprof/", "", 404},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+test.addr+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", test.token)
		request.Close = true
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != test.want {
			t.Errorf("%s with %q: %s, want %d", test.path, test.token, response.Status, test.want)
		}
	}
	public.log.wait(t, "metrics are for everybody", 1)
}

// Without a token the address is for who is on this machine, which the pages in their
// browser are not: a page may ask any address, and give its own name to this one.
func TestOpsPages(t *testing.T) {
	t.Parallel()
	m := startMember(t, "--ops-addr=127.0.0.1:0")
	addr := m.opsAddr(t)
	_, port, _ := strings.Cut(addr, ":")
	for _, test := range []struct {
		path, host, site string
		want             int
	}{
		{"/metrics", "localhost:" + port, "", 200},
		{"/metrics", "[::1]", "none", 200},
		{"/metrics", "evil.example:" + port, "same-origin", 403},
		{"/debug/pprof/", "evil.example", "", 403},
		{"/debug/pprof/goroutine", "", "cross-site", 403},
		{"/debug/pprof/", "", "same-origin", 200},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host, request.Close = test.host, true
		request.Header.Set("Sec-Fetch-Site", test.site)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != test.want {
			t.Errorf("%s of %q, %s: %s, want %d", test.path, test.host, test.site, response.Status, test.want)
		}
	}
}

// A20: who sends a body slowly has no connection for it here either, with or without
// the token.
func TestA20SlowBodyToOps(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	cfg := parse(t, "--ops-addr=127.0.0.1:0", "--ops-token-file="+keyFile(t, newSecret()))
	o, err := openOps(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	defer o.close()
	if o.bodyTimeout != bodyTimeout {
		t.Errorf("bodies have %v", o.bodyTimeout)
	}
	o.bodyTimeout = 100 * time.Millisecond
	server := newSocketServer(cfg, &keyring{}, nil, nil, o, log, nil)
	defer func() { _ = server.Shutdown(t.Context()) }()
	o.start(cfg, server, health.New(), nil, metrics.Sources{})
	for _, path := range []string{"/healthz", "/metrics", "/nothing"} {
		response, _ := exchange(t, o.listener.Addr().String(), "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx")
		if response.StatusCode < 400 {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
}

func TestOpsFlags(t *testing.T) {
	short := keyFile(t, "short")
	for args, want := range map[string]string{
		"--ops-addr=127.0.0.1:0 --ops-token-file=" + short: "--ops-token-file (PARLOR_OPS_TOKEN_FILE): \"" + short + "\" has a token of fewer than 16 characters",
		"--ops-addr=192.0.2.1:1":                           "cannot listen on 192.0.2.1:1: ",
		"--ops-token-file=x":                               "--ops-token-file (PARLOR_OPS_TOKEN_FILE): has no effect without an address",
		"--ops-addr=9090":                                  `--ops-addr (PARLOR_OPS_ADDR): "9090" is not an address to listen on`,
		"--ready-needs-redis":                              "--ready-needs-redis (PARLOR_READY_NEEDS_REDIS): has no effect without a Redis",
		"--max-connections=-1":                             "--max-connections (PARLOR_MAX_CONNECTIONS): -1 is out of range",
	} {
		code, _, stderr := run(t, "", append([]string{"--addr=127.0.0.1:0"}, strings.Fields(args)...)...)
		if code == exitOK || !strings.Contains(stderr, want) {
			t.Errorf("%s: %d\n got %s\nwant %s", args, code, stderr, want)
		}
	}
}

func until(t *testing.T, what string, try func() bool) {
	t.Helper()
	for begun := time.Now(); !try(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatalf("%s: not in %v", what, patience)
		}
	}
}

// becomes asks /readyz until it says something.
func becomes(t *testing.T, addr, want string, status int) {
	t.Helper()
	var got string
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(10 * time.Millisecond) {
		response, body := get(t, "http://"+addr+"/readyz")
		if got = fmt.Sprint(response.StatusCode, " ", body); got == fmt.Sprint(status, " ", want, "\n") {
			return
		}
	}
	t.Errorf("/readyz: %s, want %d %s", got, status, want)
}

// G01, G02: /readyz says that Redis is away, and sends clients elsewhere only if
// it is told to; /healthz has nothing against it.
func TestReadyWithRedis(t *testing.T) {
	t.Parallel()
	rdb := redistest.Start(t)
	one := startMember(t, "--redis=redis://"+rdb.Addr, "--ops-addr=127.0.0.1:0")
	other := startMember(t, "--redis=redis://"+rdb.Addr, "--ready-needs-redis")
	for range 2 {
		becomes(t, one.addr, "ready", 200)
		becomes(t, other.addr, "ready", 200)
		one.reaches(t, one.opsAddr(t), scrape{"parlor_redis_up": 1, "parlor_store_up namespace=/": 1})
		until(t, "a ping", func() bool { return scrapes(t, one.opsAddr(t))["parlor_redis_ping_seconds"] > 0 })
		rdb.Kill()
		until(t, "no ping", func() bool { _, ok := scrapes(t, one.opsAddr(t))["parlor_redis_ping_seconds"]; return !ok })
		becomes(t, one.addr, "degraded: redis", 200)
		becomes(t, other.addr, "degraded: redis", 503)
		one.reaches(t, one.opsAddr(t), scrape{"parlor_redis_up": 0, "parlor_store_up namespace=/": 0})
		if response, body := get(t, "http://"+other.addr+"/healthz"); response.StatusCode != http.StatusOK || body != "ok\n" {
			t.Errorf("/healthz: %s %s", response.Status, body)
		}
		rdb.Restart()
	}
}

// E03: who is full says so, and serves again when there is room.
func TestE03Overload(t *testing.T) {
	t.Parallel()
	m := startMember(t, "--max-connections=2")
	becomes(t, m.addr, "ready", 200)
	ada, grace := m.enters(t, wire.Websocket, "", ""), m.enters(t, wire.Polling, "", "")
	becomes(t, m.addr, "overloaded: connections", 503)
	for _, transport := range []string{wire.Websocket, wire.Polling} {
		_, err := wire.Open(m.addr, transport)
		if refusal := wire.Refusal(err); refusal == nil || refusal.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: %v", transport, err)
		}
	}
	ada.asks(`["join","r"]`, `[{"ok":true,*`)
	_ = ada.Close()
	becomes(t, m.addr, "ready", 200)
	m.enters(t, wire.Websocket, "", "")
	hangUp(grace.Session)
}

// Of an address that has as many as it may, or comes too often, no more are let in,
// and others are.
func TestE02AddressLimits(t *testing.T) {
	t.Parallel()
	m := startMember(t, "--max-connections-per-address=1", "--trusted-proxy=127.0.0.0/8")
	from := func(m *member, address string) int {
		t.Helper()
		s, err := wire.OpenWS(m.addr, wire.Handshake{Header: []string{"X-Forwarded-For: " + address}})
		if refusal := wire.Refusal(err); refusal != nil {
			return refusal.Status
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return http.StatusSwitchingProtocols
	}
	for _, step := range []struct {
		address string
		want    int
	}{
		{"192.0.2.1", http.StatusSwitchingProtocols},
		{"192.0.2.1", http.StatusTooManyRequests},
		{"192.0.2.2", http.StatusSwitchingProtocols},
		{"2001:db8::1", http.StatusSwitchingProtocols},
		{"2001:db8::2", http.StatusTooManyRequests}, // the same network
	} {
		if got := from(m, step.address); got != step.want {
			t.Errorf("%s: status %d, want %d", step.address, got, step.want)
		}
	}
	m = startMember(t, "--handshake-rate=1", "--max-connections-per-address=0", "--trusted-proxy=127.0.0.0/8")
	n := 0 // ten seconds' worth, and what there is for the time that it takes
	for n < 100 && from(m, "192.0.2.1") == http.StatusSwitchingProtocols {
		n++
	}
	if n < 10 || n == 100 {
		t.Errorf("%d connections of one address at once, of one a second", n)
	}
	if got := from(m, "192.0.2.2"); got != http.StatusSwitchingProtocols {
		t.Errorf("another address: status %d", got)
	}
}

// H01: the moment that the end begins, clients are to be sent elsewhere; what
// operators see goes on until it is over. While clients are moved away, balancers
// see it where they look.
func TestH01ReadyWhileDraining(t *testing.T) {
	t.Parallel()
	for _, window := range []string{"0s", "20s"} {
		cmd, log, _, addr := serving(t, "--ops-addr=127.0.0.1:0", "--drain-window="+window)
		ops := regexp.MustCompile(`addr="([^"]+)"`).FindStringSubmatch(waitFor(t, log, "msg=operators"))[1]
		becomes(t, ops, "ready", http.StatusOK)
		poll := open(t, addr, wire.Polling) // who does not poll again holds the end up
		connects(t, poll, "40", `40{"sid":"*"}`, `42["connected",*`)
		send(t, cmd, syscall.SIGTERM)
		waitFor(t, log, "shutting down")
		becomes(t, ops, "draining", http.StatusServiceUnavailable)
		if window != "0s" {
			becomes(t, addr, "draining", http.StatusServiceUnavailable)
		}
		if got := scrapes(t, ops); len(got) == 0 {
			t.Error("no metrics")
		}
		send(t, cmd, syscall.SIGTERM) // now
		if code := exitCode(t, cmd.Wait()); code != 1 {
			t.Errorf("exit code %d", code)
		}
	}
}

// H07: who scrapes as fast as can be does not take the server from its clients.
func TestH07Scrapes(t *testing.T) {
	t.Parallel()
	m := startMember(t, "--ops-addr=127.0.0.1:0", "--chat-rate=0")
	addr := m.opsAddr(t)
	ada := m.enters(t, wire.Websocket, "", "")
	ada.asks(`["join","r"]`, `[{"ok":true,*`)
	var scraping sync.WaitGroup
	var served, refused atomic.Int64
	for range 10 {
		scraping.Go(func() {
			for range 20 {
				response, err := http.Get("http://" + addr + "/metrics")
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				switch response.StatusCode {
				case http.StatusOK:
					served.Add(1)
				case http.StatusServiceUnavailable:
					refused.Add(1)
				default:
					t.Errorf("/metrics: %s", response.Status)
				}
			}
		})
	}
	for range 20 {
		ada.asks(`["message",{"room":"r","text":"hi"}]`, `[{"ok":true,*`)
	}
	scraping.Wait()
	if served.Load() == 0 {
		t.Errorf("%d scrapes were refused, and none served", refused.Load())
	}
	ada.asks(`["message",{"room":"r","text":"hi"}]`, `[{"ok":true,*`)
	http.DefaultClient.CloseIdleConnections()
}
