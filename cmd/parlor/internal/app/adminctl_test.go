//go:build unix

package app

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
)

// A desk is where `parlor admin` is run, as a process, against one of several
// servers, which are processes too.
type desk struct {
	t    *testing.T
	args []string // of every command
}

// run runs a command with a password on the standard input.
func (d desk) run(args ...string) (code int, stdout, stderr string) {
	d.t.Helper()
	cmd := command(d.t, nil, append(append([]string{"admin"}, args...), d.args...)...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(adminPassword+"\n"), &out, &errs
	err := cmd.Run()
	if d.t.Failed() {
		d.t.Logf("parlor admin %q:\n%s%s", args, &out, &errs)
	}
	return exitCode(d.t, err), out.String(), errs.String()
}

// prints runs a command that has to succeed, and to print what a pattern says.
func (d desk) prints(pattern string, args ...string) {
	d.t.Helper()
	if code, stdout, stderr := d.run(args...); code != exitOK || !regexp.MustCompile(`^(?s:`+pattern+`)$`).MatchString(stdout) {
		d.t.Errorf("parlor admin %q: %d\n%s%s", args, code, stdout, stderr)
	}
}

// waitForBoth waits until the servers know of each other.
func (d desk) waitForBoth() {
	d.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		_, stdout, stderr := d.run("stats", "--json")
		var stats adminapi.Stats
		if err := json.Unmarshal([]byte(stdout), &stats); err == nil && len(stats.Servers) == 2 {
			return
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("the two do not find each other:\n%s%s", stdout, stderr)
		}
	}
}

// `parlor admin` against two servers that are one: what it says of both, and does
// to both, given to one of them; and when the other one is stopped.
func TestAdminCommands(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	secret := "--auth-secret-file=" + keyFile(t, goodSecret)
	args := []string{"--redis=redis://" + redis.Addr, "--admin-api", "--admin-user=root", "--admin-password-hash-file=" + hashFile(t), secret}
	first, log, _, a := serving(t, args...)
	second, otherLog, _, b := serving(t, args...)
	rest := make(chan string)
	go func() {
		text, _ := io.ReadAll(log)
		rest <- string(text)
	}()
	go func() { _, _ = io.Copy(io.Discard, otherLog) }()
	d := desk{t, []string{"--url=http://" + a, "--user=root"}}
	d.waitForBoth()

	clients := jstest.Start(t)
	connect := func(addr, user string, transports []string) (*jstest.Client, string) {
		c := clients.Connect("http://"+addr, jstest.Options{
			Namespace: "/chat", Transports: transports, NoReconnect: true,
			Auth: map[string]any{"token": minted(t, secret, "--sub="+user, "--name="+strings.ToUpper(user))},
		})
		id := c.WaitConnect().ID
		c.Call("join", "lobby")
		return c, id
	}
	here, hereID := connect(a, "ada", jstest.WebSocket)
	there, thereID := connect(b, "ada", jstest.Polling)
	bob, bobID := connect(b, "bob", jstest.WebSocket)

	row := func(id, user, transport string) string {
		return id + ` +/chat +` + user + ` +` + strings.ToUpper(user) + ` +` + transport + ` +127\.0\.0\.1 +\d+s +.*lobby.*\n`
	}
	head := `ID +NAMESPACE +USER +NAME +TRANSPORT +ADDRESS +AGE +ROOMS\n`
	d.prints(head+`(?:`+row(thereID, "ada", "polling")+`|`+row(hereID, "ada", "websocket")+`){2}`, "sockets", "user=ada", "room=lobby")
	d.prints(head+row(bobID, "bob", "websocket"), "sockets", "--namespace=/chat", "data.userId=bob")
	d.prints(`(?s:\{\n  "sockets": \[\n.*"id": "`+bobID+`".*"total": 1,\n  "missing": 0\n\}\n)`, "sockets", "name=BOB", "--json")
	d.prints(``, "sockets", "user=eve")
	d.prints(`NAMESPACE +ROOM +SOCKETS\n/chat +lobby +3\n`, "rooms", "--namespace=/chat", "--prefix=lob")
	d.prints(`SERVER .*HEAP\n(?:\S+#\d+ .*\n){2}all +- +3 +1 .*\n\nNAMESPACE +SOCKETS\n/ +0\n/admin +0\n/chat +3\n`, "stats")

	d.prints(`sent to 3 sockets\n`, "broadcast", "--namespace=/chat", "announcement", `{"text":"back soon"}`, "1")
	for _, c := range []*jstest.Client{here, there, bob} {
		if e := c.Wait("announcement"); e.String() != `[{"text":"back soon"},1]` {
			t.Errorf("announced: %s", e)
		}
	}
	d.prints(`2 sockets disconnected\n`, "kick", "user=ada", "--close")
	here.WaitDisconnect()
	there.WaitDisconnect()
	if code, stdout, stderr := d.run("kick", "user=ada"); code != exitFailed || stdout != "" || stderr != "parlor: nobody matches\n" {
		t.Errorf("kicked again: %d %s%s", code, stdout, stderr)
	}

	// A token will do as well; one without the role will not.
	for role, want := range map[string]int{"admin": exitOK, "editor": exitFailed} {
		token := keyFile(t, minted(t, secret, "--sub=ops", "--role="+role))
		code, _, stderr := desk{t, []string{"--url=http://" + b, "--token-file=" + token}}.run("stats")
		if code != want || want != exitOK && !strings.Contains(stderr, "refuses the credentials") {
			t.Errorf("a token of an %s: %d %s", role, code, stderr)
		}
	}

	stopped(t, second, func() {
		if code, stdout, stderr := d.run("stats"); code != exitPartial || strings.Count(stdout, "#") != 1 ||
			stderr != "parlor: the answer is not complete: 1 server did not answer in time, and it is not in the list\n" {
			t.Errorf("while one is stopped: %d\n%s%s", code, stdout, stderr)
		}
	})
	d.prints(`1 socket disconnected\n`, "kick", "--namespace=/chat", "room=lobby")
	bob.WaitDisconnect()

	for _, server := range []*exec.Cmd{first, second} {
		send(t, server, syscall.SIGTERM)
	}
	text := <-rest
	for _, cmd := range []*exec.Cmd{first, second} {
		if code := exitCode(t, cmd.Wait()); code != exitOK {
			t.Errorf("exit code %d", code)
		}
	}
	for _, want := range []string{`admin=root .*command=disconnect .*filter=` + thereID, `admin=root .*command=emit .*event=announcement`} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("the log lacks %s:\n%s", want, text)
		}
	}
	if strings.Contains(text, adminPassword) {
		t.Error("the password is in the log")
	}
}

// stopped does something while a process is stopped.
func stopped(t *testing.T, cmd *exec.Cmd, do func()) {
	t.Helper()
	send(t, cmd, syscall.SIGSTOP)
	defer send(t, cmd, syscall.SIGCONT)
	do()
}
