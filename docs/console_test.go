package docs_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
)

// What admin-api.md shows of a terminal is what it looks like, but for ids, times and numbers: a server and two
// people in its chat are there meanwhile.
func TestConsole(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("they are lines of a Unix shell")
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("install curl, and put it on PATH")
	}
	dir := t.TempDir()
	output(t, "go", "build", "-o", filepath.Join(dir, "parlor"), "../cmd/parlor")
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	shell := console{t: t, dir: dir}
	for _, b := range fenced(pages(t)["admin-api.md"], "console") {
		for _, step := range strings.Split("\n"+b.text, "\n$ ")[1:] {
			line, want, _ := strings.Cut(step, "\n")
			switch command, _, _ := strings.Cut(line, " "); {
			case strings.HasPrefix(line, "parlor serve"):
				shell.serve(line)
				shell.comeIn("bob", "Bob", jstest.Polling, "lobby")
				shell.comeIn("ada", "Ada Lovelace", jstest.WebSocket, "lobby", "news")
			case command == "export":
				for _, pair := range strings.Fields(line)[1:] {
					name, value, _ := strings.Cut(pair, "=")
					t.Setenv(name, value)
				}
			default:
				if got := shell.run(line); general(got) != general(want) {
					t.Errorf("line %d: %s\n%s\nand not\n%s", b.line, line, got, want)
				}
			}
		}
	}
}

// A console runs lines in a directory, while a server runs.
type console struct {
	t       *testing.T
	dir     string
	addr    string // of the server
	clients *jstest.Driver
}

// serve runs a line that starts a server, on a free port, until the test ends.
func (c *console) serve(line string) {
	c.t.Helper()
	cmd := exec.Command("bash", "-c", "exec "+line+" --addr=127.0.0.1:0")
	cmd.Dir = c.dir
	logs, err := cmd.StderrPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	late := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	addr, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		for lines := bufio.NewScanner(logs); lines.Scan(); {
			if m := regexp.MustCompile(`msg=serving.* addr="([^"]+)"|addr="([^"]+)".* msg=serving`).FindStringSubmatch(lines.Text()); m != nil {
				addr <- m[1] + m[2]
			}
		}
	}()
	c.t.Cleanup(func() {
		late.Stop()
		_ = cmd.Process.Signal(os.Interrupt)
		<-ended
		if err := cmd.Wait(); err != nil {
			c.t.Errorf("%s: %v", line, err)
		}
	})
	select {
	case c.addr = <-addr:
	case <-ended:
		c.t.Fatalf("%s: does not serve", line)
	}
	c.t.Setenv("PARLOR_ADMIN_URL", "http://"+c.addr)
	c.clients = jstest.Start(c.t)
}

// comeIn connects somebody to the chat.
func (c *console) comeIn(id, name string, transports []string, rooms ...string) {
	c.t.Helper()
	token := strings.TrimSpace(c.run("parlor token --auth-secret-file=secret.txt --sub=" + id + " --name='" + name + "'"))
	client := c.clients.Connected("http://"+c.addr, jstest.Options{
		Namespace: "/chat", Transports: transports, NoReconnect: true, Auth: map[string]any{"token": token},
	})
	for _, room := range rooms {
		client.Call("join", room)
	}
}

// run returns what a line prints.
func (c *console) run(line string) string {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), "bash", "-c", strings.ReplaceAll(line, "localhost:3000", c.addr))
	cmd.Dir = c.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		c.t.Errorf("%s: %v", line, err)
	}
	return string(out)
}

// general is what is printed without what is different each time.
func general(text string) string {
	for _, r := range []struct{ pattern, with string }{
		{`(?m)(^|")[\w-]{20}(["\s])`, "${1}SOCKET$2"},
		{`"clientId":"[\w-]{12}"`, "CLIENT"},
		{`"connected":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"`, "TIME"},
		{`[\w.-]+#\d+`, "SERVER"},
		{`\b[\d.]+ (k|M)?B\b`, "SIZE"},
		{`\d+`, "0"},
		{` +`, " "},
	} {
		text = regexp.MustCompile(r.pattern).ReplaceAllString(text, r.with)
	}
	return strings.TrimSpace(text)
}
