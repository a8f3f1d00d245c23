//go:build linux

// Package cluster_test runs the example: what make cluster starts is one chat, and it ends with all that it has
// started.
package cluster_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
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

// freePorts returns the first of four ports that nobody uses. They are below those that connections get, and above
// those of redistest.FreePort: a test beside this one would take them before they are in use, or when they are no more.
func freePorts(t *testing.T) int {
	t.Helper()
	for range 100 {
		first := 30_000 + rand.IntN(2_700)
		free := true
		for port := first; port <= first+3; port++ {
			l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
			if err != nil {
				free = false
				break
			}
			l.Close()
		}
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
	r := &running{cmd: exec.Command("./run.sh", "--drain-window=1s"), port: freePorts(t), tmp: t.TempDir()}
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

// together waits until the instances hear of each other: they serve before.
func (r *running) together(t *testing.T) {
	t.Helper()
	ready := func(port int) bool {
		res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", port))
		if err != nil {
			return false
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		return err == nil && string(text) == "ready\n"
	}
	for begun, port := time.Now(), r.port+1; port <= r.port+3; {
		switch {
		case ready(port):
			port++
		case time.Since(begun) > patience:
			t.Fatalf("port %d does not get ready", port)
		default:
			time.Sleep(10 * time.Millisecond)
		}
	}
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

// A person is a client, and the instance that it is on.
type person struct {
	*jstest.Client
	at string
}

// enters connects somebody through nginx.
func (r *running) enters(d *jstest.Driver, transports []string) person {
	c := d.Connect(fmt.Sprintf("http://127.0.0.1:%d", r.port), jstest.Options{Transports: transports})
	return person{c, home(c.WaitConnect())}
}

// home is the instance of a connection.
func home(c jstest.Connection) string {
	name, _, _ := strings.Cut(c.Engine, ".")
	return name
}

// apart connects two that are on different instances.
func (r *running) apart(t *testing.T, d *jstest.Driver, transports []string) (one, two person) {
	t.Helper()
	one = r.enters(d, transports)
	for range 100 {
		if two = r.enters(d, transports); two.at != one.at {
			return one, two
		}
	}
	t.Fatalf("all are on %s", one.at)
	return one, two
}

// signal sends a signal to an instance.
func (r *running) signal(t *testing.T, instance string, sig syscall.Signal) {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimPrefix(instance, "parlor"))
	if err == nil {
		err = syscall.Kill(r.pids[n], sig) // Redis is the first of them
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Two people on two instances, behind nginx, talk to each other, by each transport. An instance is told to end: its
// people come back on others, one after another and each at the first attempt. Another one is killed: its person
// comes back too. With Ctrl-C all is gone.
func TestCluster(t *testing.T) {
	needs(t)
	r := start(t, build(t))
	end := sync.OnceFunc(func() { r.end(t) })
	defer end()
	r.together(t)

	d := jstest.Start(t)
	var at string
	for room, transports := range transports {
		one, two := r.apart(t, d, transports)
		talk(t, one.Client, two.Client, room)
		at = one.at
		one.Disconnect()
		two.Wait("user_left")
		two.Disconnect()
	}

	moved := r.occupy(t, d, at)
	r.signal(t, at, syscall.SIGTERM)
	for room, pair := range moved {
		for i, p := range pair {
			if reason := p.WaitDisconnect(); reason != "transport close" {
				t.Errorf("%s: the client sees %q", room, reason)
			}
			pair[i].at = home(p.WaitConnect())
			if n := p.ManagerEvents("reconnect_error"); n > 0 || pair[i].at == at {
				t.Errorf("%s: it is on %s after %d attempts that failed", room, pair[i].at, n)
			}
		}
		talk(t, pair[0].Client, pair[1].Client, room)
	}

	one, two := r.apart(t, d, jstest.WebSocket)
	two.Call("join", "killed")
	r.signal(t, one.at, syscall.SIGKILL)
	one.WaitDisconnect()
	one.WaitConnect() // through nginx, to another instance
	one.Call("join", "killed")
	two.Wait("user_joined")
	says(t, one.Client, "killed", "back", one.Client, two.Client)

	end()
	if len(r.pids) != 5 {
		t.Errorf("it has started %d programs", len(r.pids))
	}
	r.gone(t)
}

// transports are the ways to connect, each with a room.
var transports = map[string][]string{"upgrade": jstest.Upgrade, "polling": jstest.Polling, "websocket": jstest.WebSocket}

// occupy connects two people to an instance by each transport.
func (r *running) occupy(t *testing.T, d *jstest.Driver, instance string) map[string][]person {
	t.Helper()
	people := map[string][]person{}
	for room, transports := range transports {
		for range 100 {
			p := r.enters(d, transports)
			if p.at != instance { // it stays for now: the next one goes elsewhere then
				defer p.Disconnect()
			} else if people[room] = append(people[room], p); len(people[room]) == 2 {
				break
			}
		}
		if len(people[room]) < 2 {
			t.Fatalf("hardly anybody is on %s", instance)
		}
	}
	return people
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
