//go:build unix

package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/internal/wire"
)

// within makes a command one that runs under limits of the shell's ulimit.
func within(cmd *exec.Cmd, limits string) *exec.Cmd {
	cmd.Args = append([]string{"sh", "-c", "ulimit " + limits + ` && exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	return cmd
}

// cpu is the time that a process has computed for, where the system tells.
func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Logf("no CPU times: %v", err)
		return 0
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // behind the name, the third field and on
	fields := strings.Fields(rest)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * time.Second / 100
}

// TestE12FewFiles: with 256 files a server has places for fewer than that many of
// 1,000 clients. Those are served; for the others it waits, without spinning and
// without a line for each; when places are free, others are served.
func TestE12FewFiles(t *testing.T) {
	t.Parallel()
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur < 2000 {
		t.Skipf("this test needs 2,000 files itself: %d, %v", files.Cur, err)
	}
	cmd := within(command(t, nil, "--addr=127.0.0.1:0", "--ping-interval=5m"), "-n 256") // nobody here answers a ping
	log, _, addr := listening(t, cmd)
	var lines atomic.Int64
	logged := make(chan struct{})
	go func() {
		defer close(logged)
		for {
			if _, err := log.ReadString('\n'); err != nil {
				return
			}
			lines.Add(1)
		}
	}()
	canary := open(t, addr, wire.Websocket)
	defer hangUp(canary)
	connects(t, canary, "40", `40{"sid":"*"}`, `42["connected",*`)
	const clients = 1000
	var served atomic.Int64
	var knocking sync.WaitGroup
	conns := make([]*wire.Conn, clients)
	for i := range conns {
		c, err := wire.Dial(addr)
		if err != nil {
			t.Fatalf("client %d: %v", i, err)
		}
		conns[i] = c
		if err := c.Send(wire.Handshake{}.Bytes(addr)); err != nil {
			t.Fatal(err)
		}
		knocking.Go(func() {
			if res, err := c.ReadResponse("GET"); err == nil && res.Status == http.StatusSwitchingProtocols {
				served.Add(1)
			}
		})
	}
	for began := time.Now(); served.Load() < 200 && time.Since(began) < patience; {
		time.Sleep(10 * time.Millisecond)
	}
	for began := time.Now(); ; { // those that are served may still cost something
		before := cpu(t, cmd.Process.Pid)
		time.Sleep(time.Second)
		used := cpu(t, cmd.Process.Pid) - before
		if used <= 500*time.Millisecond {
			break
		}
		if time.Since(began) > patience {
			t.Fatalf("a server without files goes on computing, for %v of a second", used)
		}
	}
	if n := served.Load(); n < 200 || n >= 256 {
		t.Errorf("%d of %d clients were served", n, clients)
	}
	if n := lines.Load(); n > 50 {
		t.Errorf("%d lines were logged", n)
	}
	asks(t, canary)
	for _, c := range conns {
		_ = c.Reset()
	}
	knocking.Wait()
	var late wire.Session
	for began := time.Now(); ; {
		var err error
		if late, err = wire.Open(addr, wire.Websocket); err == nil {
			break
		}
		if time.Since(began) > patience {
			t.Fatalf("nobody is served any more: %v", err)
		}
	}
	connects(t, late, "40", `40{"sid":"*"}`, `42["connected",*`)
	asks(t, late)
	asks(t, canary)
	hangUp(late)
	hangUp(canary)
	send(t, cmd, syscall.SIGTERM)
	<-logged
	if code := exitCode(t, cmd.Wait()); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestH06Stopped: a process that was stopped for longer than a pong may take does
// not let its clients go for it: they get the time for another.
func TestH06Stopped(t *testing.T) {
	t.Parallel()
	cmd, _, _, addr := serving(t, "--ping-interval=1s", "--ping-timeout=6s")
	ws := open(t, addr, wire.Websocket)
	defer hangUp(ws)
	connects(t, ws, "40", `40{"sid":"*"}`, `42["connected",*`)
	awaits(t, ws, "2") // a pong is due
	send(t, cmd, syscall.SIGSTOP)
	time.Sleep(12 * time.Second) // the six, and what tells a stop from a slow machine
	send(t, cmd, syscall.SIGCONT)
	time.Sleep(200 * time.Millisecond) // for its timers, which are all late
	if err := ws.Send("3"); err != nil {
		t.Fatal(err)
	}
	asks(t, ws)
	hangUp(ws)
	send(t, cmd, syscall.SIGTERM)
	if code := exitCode(t, cmd.Wait()); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// TestH08KilledAndStarted: who is killed among clients is there again at once, on
// the same port, and they can come back.
func TestH08KilledAndStarted(t *testing.T) {
	t.Parallel()
	addr := "--addr=127.0.0.1:" + redistest.FreePort(t)
	var clients []wire.Session
	for range 2 {
		cmd, _, _, at := serving(t, addr)
		for _, transport := range wire.Transports() {
			s := open(t, at, transport)
			connects(t, s, "40", `40{"sid":"*"}`, `42["connected",*`)
			asks(t, s)
			clients = append(clients, s)
		}
		send(t, cmd, syscall.SIGKILL)
		if exitCode(t, cmd.Wait()) == 0 {
			t.Error("it ended by itself")
		}
	}
	for _, s := range clients {
		_ = s.Close() // their server is gone
	}
}

// TestF10ThrownOut: a user who is thrown out has no socket any more, on none of the
// instances, by whatever transport and namespace; others stay.
func TestF10ThrownOut(t *testing.T) {
	t.Parallel()
	const guard = 20 * time.Second // a second is what it may take
	redis := redistest.Start(t)
	secret := "--auth-secret-file=" + keyFile(t, goodSecret)
	args := []string{"--redis=redis://" + redis.Addr, "--admin-api", "--admin-user=root", "--admin-password-hash-file=" + hashFile(t), secret}
	one, other := startMember(t, args...), startMember(t, args...)
	one.log.wait(t, together, 1)
	other.log.wait(t, together, 1)
	ada, bob := minted(t, secret, "--sub=ada"), minted(t, secret, "--sub=bob")
	var thrown []*person
	var rest []*person
	for _, m := range []*member{one, other} {
		for _, ns := range []string{"", "/chat,"} {
			for _, transport := range wire.Transports() {
				thrown = append(thrown, m.enters(t, transport, ns, ada))
			}
			rest = append(rest, m.enters(t, wire.Websocket, ns, bob))
		}
	}
	began := time.Now()
	body := `{"target":{"user":"ada"},"close":true}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+one.addr+"/admin/api/v1/disconnect", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.SetBasicAuth("root", adminPassword)
	request.Header.Set("Content-Type", "application/json")
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	var done struct{ Sockets, Missing int }
	if err := json.Unmarshal(answer, &done); err != nil || done.Sockets != len(thrown) || done.Missing != 0 {
		t.Errorf("%s %s, %v", response.Status, answer, err)
	}
	if err != nil {
		t.Error(err)
	}
	for _, p := range thrown {
		if _, _, err := wire.WaitClosed(p); err != nil {
			t.Errorf("a socket of the user is there still: %v", err)
		}
	}
	if took := time.Since(began); took > guard {
		t.Errorf("it took %v", took)
	}
	for _, p := range rest {
		p.asks(`["join","r"]`, `[{"ok":true,*`)
	}
}

// TestAdvisory34Secrets (CVE-2026-33216): nothing of a token, a secret or a password
// is in what operators and administrators see, or in the log.
func TestAdvisory34Secrets(t *testing.T) {
	t.Parallel()
	secret := "--auth-secret-file=" + keyFile(t, goodSecret)
	m := startMember(t, secret, "--auth-query-token", "--ops-addr=127.0.0.1:0", "--admin-api", "--admin-user=root", "--admin-password-hash-file="+hashFile(t))
	token := minted(t, secret, "--sub=ada", "--name=Ada")
	ada := m.enters(t, wire.Websocket, "/chat,", token)
	query, err := wire.OpenWS(m.addr, wire.Handshake{Query: "EIO=4&transport=websocket&token=" + token, Header: []string{"Cookie: session=" + token, "Authorization: Bearer " + token}})
	if err != nil {
		t.Fatal(err)
	}
	defer hangUp(query)
	connects(t, query, "40", `40{"sid":"*"}`, `42["connected",*`)
	ada.asks(`["join","r"]`, `[{"ok":true,*`)

	var seen bytes.Buffer
	for _, address := range []string{
		"http://" + m.opsAddr(t) + "/metrics", "http://" + m.opsAddr(t) + "/readyz",
		"http://" + m.addr + "/admin/api/v1/sockets", "http://" + m.addr + "/admin/api/v1/stats", "http://" + m.addr + "/admin/api/v1/rooms",
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.SetBasicAuth("root", adminPassword)
		request.Close = true
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&seen, response.Body); err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s, %v", address, response.Status, err)
		}
		_ = response.Body.Close()
	}
	admin := open(t, m.addr, wire.Websocket)
	defer hangUp(admin)
	connects(t, admin, `40/admin,{"username":"root","password":"`+adminPassword+`"}`, `40/admin,{"sid":"*"}`)
	seen.WriteString(awaits(t, admin, `42/admin,["all_sockets",*`))
	if !strings.Contains(seen.String(), "ada") {
		t.Errorf("they do not show their users:\n%s", &seen)
	}
	m.stop()
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	seen.Write(m.log.text.Bytes())
	for _, part := range append(strings.Split(token, "."), goodSecret, adminPassword, "$2a$") {
		if strings.Contains(seen.String(), part) {
			t.Errorf("%q is in what operators see", part)
		}
	}
}
