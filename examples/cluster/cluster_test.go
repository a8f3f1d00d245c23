//go:build linux

// Package cluster_test runs the example: what make cluster starts is one chat, and it ends with all that it has
// started.
package cluster_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
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

	"github.com/seed3686fee0/parlor/internal/jstest"
)

const patience = 40 * time.Second // above the 30 that the script takes at most to end

// A running is the example, as its script has started it.
type running struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	port   int
	pids   []int
	tmp    string
}

// needs fails where something is missing that make deps installs.
func needs(t *testing.T) {
	t.Helper()
	for _, program := range []string{"redis-server", "/usr/sbin/nginx"} {
		if _, err := exec.LookPath(program); err != nil {
			if _, err := exec.LookPath(filepath.Base(program)); err != nil {
				t.Fatalf("the example needs %s; run: make deps", filepath.Base(program))
			}
		}
	}
}

// freePorts returns the first of four ports that nobody uses.
func freePorts(t *testing.T) int {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		first := l.Addr().(*net.TCPAddr).Port
		free := true
		for port := first + 1; port <= first+3; port++ {
			next, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
			if err != nil {
				free = false
				break
			}
			next.Close()
		}
		l.Close()
		if free {
			return first
		}
	}
	t.Fatal("no four free ports in a row")
	return 0
}

func build(t *testing.T) (parlor string) {
	t.Helper()
	parlor = filepath.Join(t.TempDir(), "parlor")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", parlor, "../../cmd/parlor").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return parlor
}

func start(t *testing.T, parlor string) *running {
	t.Helper()
	r := &running{cmd: exec.Command("./run.sh", "--log-level=debug"), port: freePorts(t), tmp: t.TempDir()}
	r.cmd.Env = append(os.Environ(), "PARLOR="+parlor, "PORT="+strconv.Itoa(r.port), "TMPDIR="+r.tmp)
	r.cmd.Stderr = &r.stderr
	stdout, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	process := regexp.MustCompile(`process (\d+)$`)
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		t.Log(lines.Text())
		if m := process.FindStringSubmatch(lines.Text()); m != nil {
			pid, _ := strconv.Atoi(m[1]) // digits
			r.pids = append(r.pids, pid)
		}
		if strings.Contains(lines.Text(), "Ctrl-C") {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return r
		}
	}
	t.Fatalf("the script ended: %v\n%s", r.cmd.Wait(), &r.stderr)
	return nil
}

// end tells the script to end, and waits until it has.
func (r *running) end(t *testing.T) {
	t.Helper()
	late := time.AfterFunc(patience, func() { _ = r.cmd.Process.Kill() })
	defer late.Stop()
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("the script's end: %v", err)
	}
	if r.stderr.Len() > 0 {
		t.Errorf("it complains: %s", &r.stderr)
	}
}

// instance returns which one serves whom a cookie names.
func (r *running) instance(t *testing.T, cookie string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", r.port), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", cookie)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Set-Cookie") != "" {
		t.Errorf("/ with a cookie: %s, %v", res.Status, res.Header)
	}
	return res.Header.Get("X-Instance")
}

// Two people on two instances, behind nginx, talk to each other, by each transport; one of the instances ends, and
// its person comes back on another. With Ctrl-C all is gone.
func TestCluster(t *testing.T) {
	needs(t)
	r := start(t, build(t))
	end := sync.OnceFunc(func() { r.end(t) })
	defer end()

	const ada = "parlor_route=ada"
	at := r.instance(t, ada)
	grace, elsewhere := "", at
	for i := 0; elsewhere == at; i++ {
		if i == 1000 {
			t.Fatalf("all are on %s", at)
		}
		grace = fmt.Sprintf("parlor_route=grace%d", i)
		elsewhere = r.instance(t, grace)
	}
	d := jstest.Start(t)
	for room, transports := range map[string][]string{"upgrade": jstest.Upgrade, "polling": jstest.Polling} {
		one, two := r.enters(d, transports, ada), r.enters(d, transports, grace)
		talk(t, one, two, room)
		one.Disconnect()
		two.Wait("user_left")
		two.Disconnect()
	}
	one, two := r.enters(d, jstest.WebSocket, ada), r.enters(d, jstest.WebSocket, grace)
	talk(t, one, two, "websocket")

	port, err := strconv.Atoi(at[strings.LastIndexByte(at, ':')+1:])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(r.pids[port-r.port], syscall.SIGKILL); err != nil { // Redis is the first of them
		t.Fatal(err)
	}
	one.WaitDisconnect()
	one.WaitConnect() // through nginx, to another instance
	one.Call("join", "websocket")
	two.Wait("user_joined")
	says(t, one, "websocket", "back", one, two)

	end()
	if len(r.pids) != 5 {
		t.Errorf("it has started %d programs", len(r.pids))
	}
	r.gone(t)
}

// enters connects somebody through nginx.
func (r *running) enters(d *jstest.Driver, transports []string, cookie string) *jstest.Client {
	return d.Connected(fmt.Sprintf("http://127.0.0.1:%d", r.port), jstest.Options{
		Transports: transports,
		Headers:    map[string]string{"Cookie": cookie},
	})
}

func talk(t *testing.T, one, two *jstest.Client, room string) {
	t.Helper()
	one.Call("join", map[string]any{"room": room, "username": "Ada"})
	two.Call("join", map[string]any{"room": room, "username": "Grace"})
	one.Wait("user_joined")
	says(t, one, room, "hello", one, two)
	says(t, two, room, "hello to you", one, two)
}

func says(t *testing.T, one *jstest.Client, room, text string, all ...*jstest.Client) {
	t.Helper()
	one.Call("message", map[string]any{"room": room, "text": text})
	for _, to := range all {
		if got := jstest.JSON(to.Wait("message").Args[0]); !strings.Contains(got, `"text":"`+text+`"`) {
			t.Errorf("%s: got %s", room, got)
		}
	}
}

// gone checks that nothing is left of it.
func (r *running) gone(t *testing.T) {
	t.Helper()
	for _, pid := range r.pids {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("process %d runs still", pid)
		}
	}
	for port := r.port; port <= r.port+3; port++ {
		if conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			conn.Close()
			t.Errorf("port %d is in use still", port)
		}
	}
	if left, err := os.ReadDir(r.tmp); err != nil || len(left) > 0 {
		t.Errorf("it has left %v, %v", left, err)
	}
}

// What it cannot do it says in a line, and starts nothing.
func TestRefuses(t *testing.T) {
	needs(t)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	port := busy.Addr().(*net.TCPAddr).Port
	for name, test := range map[string]struct {
		env  []string
		want string
	}{
		"port in use":  {[]string{"PARLOR=/bin/true", "PORT=" + strconv.Itoa(port)}, fmt.Sprintf("cluster: port %d is in use; choose four others with PORT=9080\n", port)},
		"not built":    {[]string{"PARLOR=/nowhere"}, "cluster: there is no /nowhere; make build makes it\n"},
		"ends at once": {[]string{"PARLOR=/bin/false", "PORT=" + strconv.Itoa(freePorts(t))}, "cluster: parlor1 has ended at once\n"},
	} {
		t.Run(name, func(t *testing.T) {
			tmp := t.TempDir()
			cmd := exec.CommandContext(t.Context(), "./run.sh")
			cmd.Env = append(append(os.Environ(), "TMPDIR="+tmp), test.env...)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("it ended with %v", err)
			}
			if !strings.HasPrefix(stderr.String(), test.want) {
				t.Errorf("it says %q, not %q", &stderr, test.want)
			}
			if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
				t.Errorf("it has left %v, %v", left, err)
			}
		})
	}
}
