//go:build linux

// Package deploy_test holds the files here to what they say: those that a program reads are read by it, and what
// they name exists.
package deploy_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/internal/wire"
)

// patience is how long a test waits for what never comes.
const patience = 30 * time.Second

var parlor string // the program, as goreleaser.yaml has it built

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "deploy")
	if err != nil {
		panic(err)
	}
	parlor = filepath.Join(dir, "parlor")
	code := 1
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags", ldflags(), "-o", parlor, "../../cmd/parlor").CombinedOutput(); err != nil {
		os.Stderr.Write(out)
	} else {
		code = m.Run()
	}
	os.RemoveAll(dir)
	os.Exit(code)
}

// ldflags are those of goreleaser.yaml; empty if it has none.
func ldflags() string {
	var release struct {
		Builds []struct{ Ldflags []string }
	}
	data, err := os.ReadFile("goreleaser.yaml")
	if err != nil || yaml.Unmarshal(data, &release) != nil || len(release.Builds) != 1 {
		return ""
	}
	return strings.ReplaceAll(strings.Join(release.Builds[0].Ldflags, " "), "{{ .Version }}", "v9.8.7")
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// program returns where one is that checks a file here.
func program(t *testing.T, name string) string {
	t.Helper()
	for _, path := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	t.Skipf("there is no %s here; on Debian: apt-get install %s", name, name)
	return ""
}

// A running is a process, which ends with the test.
type running struct {
	cmd        *exec.Cmd
	addr, ops  string // of parlor
	end        func()
	mu         sync.Mutex
	said       bytes.Buffer // guarded by mu
	lines, eof chan struct{}
}

func (r *running) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.String()
}

func run(t *testing.T, env []string, name string, args ...string) *running {
	t.Helper()
	r := &running{cmd: exec.Command(name, args...), lines: make(chan struct{}, 1), eof: make(chan struct{})}
	r.cmd.Env = append(os.Environ(), env...)
	out, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.eof)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			r.mu.Lock()
			r.said.WriteString(scanner.Text() + "\n")
			r.mu.Unlock()
			select {
			case r.lines <- struct{}{}:
			default:
			}
		}
	}()
	r.end = sync.OnceFunc(func() {
		_ = r.cmd.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(patience, func() { _ = r.cmd.Process.Kill() })
		defer late.Stop()
		<-r.eof
		_ = r.cmd.Wait()
	})
	t.Cleanup(r.end)
	return r
}

// serve starts the program.
func serve(t *testing.T, args ...string) *running {
	t.Helper()
	r := run(t, nil, parlor, append([]string{"serve", "--addr=127.0.0.1:0", "--ops-addr=127.0.0.1:0", "--trusted-proxy=127.0.0.1/32"}, args...)...)
	late := time.After(patience)
	for !strings.Contains(r.text(), "msg=operators") {
		select {
		case <-r.lines:
		case <-r.eof:
			t.Fatalf("it does not serve:\n%s", r.text())
		case <-late:
			t.Fatalf("it does not serve:\n%s", r.text())
		}
	}
	address := func(line string) string {
		return regexp.MustCompile(`msg=` + line + ` addr="([^"]+)"`).FindStringSubmatch(r.text())[1]
	}
	r.addr, r.ops = address("serving"), address("operators")
	return r
}

func get(url string) (status int, body string) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	response, err := client.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(data)
}

// until tries until it succeeds.
func until(t *testing.T, what string, try func() bool) {
	t.Helper()
	for begun := time.Now(); !try(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatalf("%s: not in %v", what, patience)
		}
	}
}

// The program says the version that a release gives it.
func TestVersion(t *testing.T) {
	out, err := exec.Command(parlor, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "parlor v9.8.7 ") {
		t.Errorf("%s, %v", out, err)
	}
}

// Each metric that the dashboard and the rules ask for is there, of a server with all that there is.
func TestMetricsExist(t *testing.T) {
	r := serve(t, "--redis=redis://"+redistest.Start(t).Addr)
	if err := talks(r.addr, wire.Websocket); err != nil {
		t.Fatal(err)
	}
	var metrics map[string]bool
	until(t, "an event in the metrics, and Redis", func() bool {
		_, body := get("http://" + r.ops + "/metrics")
		metrics = map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^([a-z_]+)[{ ]`).FindAllStringSubmatch(body, -1) {
			metrics[m[1]] = true
		}
		return strings.Contains(body, `event="join"`) && metrics["parlor_redis_ping_seconds"]
	})
	for _, name := range []string{"dashboard.json", "alerts.yaml", "../../docs/operations.md"} {
		asked := regexp.MustCompile(`\b(parlor|go|process)_[a-z_]+`).FindAllString(read(t, name), -1)
		if len(asked) < 5 {
			t.Errorf("%s asks for %q", name, asked)
		}
		for _, metric := range asked {
			switch {
			case metrics[metric], metrics[metric+"_bucket"], strings.HasSuffix(metric, "_"), // go_*
				metric == "parlor_certificate_expires_timestamp_seconds": // with TLS
			default:
				t.Errorf("%s asks for %s, which there is not", name, metric)
			}
		}
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Type    string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "dashboard.json")), &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, panel := range dashboard.Panels {
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("the panel %q asks for nothing", panel.Title)
		}
	}
}

// Clients poll, upgrade and stay with their instance through a proxy, and go to another one when theirs ends.
func TestProxies(t *testing.T) {
	for name, start := range map[string]func(t *testing.T, addr, config string) *running{
		"haproxy.cfg": func(t *testing.T, addr, config string) *running {
			haproxy := program(t, "haproxy")
			file := write(t, "haproxy.cfg", strings.Replace(config, "bind :8080", "bind "+addr, 1))
			if out, err := exec.Command(haproxy, "-c", "-f", file).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			return run(t, nil, haproxy, "-db", "-f", file)
		},
		"Caddyfile": func(t *testing.T, addr, config string) *running {
			caddy, home := program(t, "caddy"), t.TempDir()
			file := write(t, "Caddyfile", "{\n\tadmin off\n}\n"+strings.Replace(config, "\n:8080 {", "\nhttp://"+addr+" {", 1))
			return run(t, []string{"HOME=" + home, "XDG_DATA_HOME=" + home, "XDG_CONFIG_HOME=" + home}, caddy, "run", "--adapter", "caddyfile", "--config", file)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := "127.0.0.1:" + redistest.FreePort(t)
			one, other := serve(t, "--instance=parlor1", "--drain-window=1m"), serve(t, "--instance=parlor2")
			config := strings.NewReplacer("127.0.0.1:3001", one.addr, "127.0.0.1:3002", other.addr).Replace(read(t, name))
			proxy := start(t, addr, config)
			until(t, "the proxy", func() bool {
				select {
				case <-proxy.eof:
					t.Fatalf("it has ended:\n%s", proxy.text())
				default:
				}
				status, _ := get("http://" + addr + "/readyz")
				return status == http.StatusOK
			})
			for _, transport := range wire.Transports() {
				for range 5 {
					if err := talks(addr, transport); err != nil {
						t.Errorf("%s: %v\n%s", transport, err, proxy.text())
					}
				}
			}
			drains(t, addr, one)
			until(t, "the other instance", func() bool { return talks(addr, wire.Upgraded) == nil })
			if status, body := get("http://" + other.addr + "/readyz"); status != http.StatusOK {
				t.Errorf("the other instance: %d %s", status, body)
			}
		})
	}
}

// drains ends the instance parlor1 with a client's session on it, which goes on through the proxy until its turn
// comes, while who is new is on the other instance.
func drains(t *testing.T, addr string, one *running) {
	t.Helper()
	var there []*wire.Poll // two: the turn of one of them comes at once
	until(t, "two sessions on the instance", func() bool {
		s, err := wire.OpenPoll(addr, "")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(s.SID(), "parlor1.") {
			_ = s.Send("1")
			_ = s.Close()
			return false
		}
		there = append(there, s)
		return len(there) == 2
	})
	for _, s := range there {
		defer s.Close()
		if err := enters(s); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		one.end()
	}()
	until(t, "the drain", func() bool { status, _ := get("http://" + one.addr + "/readyz"); return status != http.StatusOK })
	refused := 0
	for range 6 {
		if err := talks(addr, wire.Upgraded); err != nil {
			refused++
		}
	}
	if refused > 1 { // which a proxy may need to see that it is to go elsewhere
		t.Errorf("%d of 6 new clients are refused", refused)
	}
	time.Sleep(3 * time.Second) // until the proxy's own checks have found out too
	served := 0
	for _, s := range there {
		if joins(s) == nil {
			served++
		}
		_ = s.Send("1")
	}
	if served == 0 {
		t.Error("the proxy takes sessions from an instance that drains")
	}
	<-ended
}

// talks has a client connect and join a room.
func talks(addr, transport string) error {
	s, err := wire.Open(addr, transport)
	if err != nil {
		return err
	}
	defer s.Close()
	defer func() { _ = s.Send("1") }() // the session does not outlive it
	if err := enters(s); err != nil {
		return err
	}
	return joins(s)
}

func enters(s wire.Session) error {
	if err := s.Send("40"); err != nil {
		return err
	}
	return wire.Expect(s, `40{"sid":"*"}`, `42["connected",*`)
}

func joins(s wire.Session) error {
	if err := s.Send(`421["join","r"]`); err != nil {
		return err
	}
	return wire.Expect(s, `431[{"ok":true,*`)
}

func TestSystemd(t *testing.T) {
	analyze := program(t, "systemd-analyze")
	unit := write(t, "parlor.service", strings.ReplaceAll(read(t, "parlor.service"), "/usr/local/bin/parlor", parlor))
	out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput()
	if strings.Contains(string(out), "Failed to create /") { // no cgroups in a container
		t.Skipf("systemd-analyze does not work here: %s", out)
	}
	if err != nil || strings.Contains(string(out), "parlor.service") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The manifests give the program settings that it takes, ask it what it answers, and leave it the time that its
// end takes.
func TestKubernetes(t *testing.T) {
	type probe struct {
		HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
	}
	var object struct {
		Kind string
		Data map[string]string
		Spec struct {
			Template struct {
				Spec struct {
					Grace      int `yaml:"terminationGracePeriodSeconds"`
					Containers []struct {
						Args  []string
						Ports []struct {
							Name string
							Port int `yaml:"containerPort"`
						}
						Startup   probe `yaml:"startupProbe"`
						Live      probe `yaml:"livenessProbe"`
						Ready     probe `yaml:"readinessProbe"`
						Lifecycle struct {
							PreStop struct{ Sleep struct{ Seconds int } } `yaml:"preStop"`
						}
					}
				}
			}
		}
	}
	secret := write(t, "secret", "nQ2x7vJw0c9ZtR5yLk3HfP8sUdB1mEaG\n")
	documents := yaml.NewDecoder(strings.NewReader(read(t, "kubernetes.yaml")))
	kinds := map[string]bool{}
	settings := ""
	for {
		object.Kind, object.Data = "", nil
		if err := documents.Decode(&object); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		kinds[object.Kind] = true
		if text, ok := object.Data["parlor.yaml"]; ok {
			settings = text
		}
		if object.Kind != "Deployment" {
			continue
		}
		pod := object.Spec.Template.Spec
		c := pod.Containers[0]
		if pause := c.Lifecycle.PreStop.Sleep.Seconds; pause < 1 || pod.Grace < pause+window(settings)+30+5 {
			t.Errorf("%d seconds for a pause of %d, a window of %d, and an end of 30", pod.Grace, pause, window(settings))
		}
		if c.Args[0] != "serve" || c.Startup.HTTPGet.Path != "/healthz" || c.Live.HTTPGet.Path != "/healthz" || c.Ready.HTTPGet.Path != "/readyz" {
			t.Errorf("%+v", c)
		}
		for _, port := range c.Ports {
			if want := map[string]int{"clients": 3000, "ops": 9090}[port.Name]; port.Port != want {
				t.Errorf("the port %s is %d", port.Name, port.Port)
			}
		}
	}
	for _, kind := range []string{"ConfigMap", "Deployment", "Service", "PodDisruptionBudget"} {
		if !kinds[kind] {
			t.Errorf("there is no %s", kind)
		}
	}
	for _, want := range []string{`addr: ":3000"`, `ops-addr: ":9090"`} {
		if !strings.Contains(settings, want) {
			t.Errorf("the settings lack %s", want)
		}
	}
	file := write(t, "parlor.yaml", regexp.MustCompile(`/run/secrets/\S+`).ReplaceAllString(settings, secret))
	if out, err := exec.Command(parlor, "config", "check", "--config", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// window is how many seconds clients are moved away over.
func window(settings string) int {
	m := regexp.MustCompile(`(?m)^drain-window: (\d+)s$`).FindStringSubmatch(settings)
	if m == nil {
		return 0
	}
	seconds, _ := strconv.Atoi(m[1]) // digits
	return seconds
}

// What no program here reads is YAML at least, and asks the program what it answers.
func TestYAML(t *testing.T) {
	for name, want := range map[string]string{"traefik.yaml": "path: /readyz", "alerts.yaml": "alert: ", "goreleaser.yaml": "main: ./cmd/parlor"} {
		text := read(t, name)
		var document map[string]any
		if err := yaml.Unmarshal([]byte(text), &document); err != nil || !strings.Contains(text, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if promtool, err := exec.LookPath("promtool"); err == nil {
		if out, err := exec.Command(promtool, "check", "rules", "alerts.yaml").CombinedOutput(); err != nil {
			t.Errorf("promtool: %v\n%s", err, out)
		}
	}
}
