package e2e_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
)

// The binary as it is built, its page in a browser: the app comes up under the policy of the page, whatever the path
// of the Socket.IO endpoint.
func TestPage(t *testing.T) {
	chromium := jstest.Chromium(t)
	for _, path := range []string{"/socket.io/", "/live/v1/"} {
		t.Run(path, func(t *testing.T) {
			url := startParlor(t, "--path="+path)
			var steps []string
			for _, line := range jstest.Run(t, "page.mjs", chromium, url, t.TempDir()) {
				steps = append(steps, strings.TrimSpace(string(line)))
			}
			want(t, "the steps", strings.Join(steps, "\n"), `{"step":"shown","path":"`+path+`"}`)
		})
	}
}

// startParlor builds the binary, with its app, starts it on a free port and returns the page's address. At the
// end of the test it is told to end, and has to.
func startParlor(t *testing.T, args ...string) string {
	t.Helper()
	root := filepath.Join("..", "..")
	dist := filepath.Join("cmd", "parlor", "internal", "web", "dist")
	for _, file := range []string{filepath.Join(dist, "socket.io.min.js"), filepath.Join(dist, "app", "index.html")} {
		if _, err := os.Stat(filepath.Join(root, file)); err != nil {
			command(t, root, "make", filepath.ToSlash(file))
		}
	}
	binary := filepath.Join(t.TempDir(), "parlor")
	command(t, root, "go", "build", "-o", binary, "./cmd/parlor")

	cmd := exec.Command(binary, append([]string{"serve", "--addr=127.0.0.1:0", "--log-format=json", "--log-level=info"}, args...)...)
	logs, w, err := os.Pipe() // one for both, whichever it logs to
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	serving, drained := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(drained)
		lines := bufio.NewScanner(logs)
		for lines.Scan() {
			t.Log("parlor: " + lines.Text())
			var entry struct{ Msg, Page string }
			if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Msg == "serving" {
				serving <- entry.Page
			}
		}
	}()
	t.Cleanup(func() {
		late := time.AfterFunc(jstest.Deadline, func() { cmd.Process.Kill() })
		defer late.Stop()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Errorf("end parlor: %v", err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("parlor's end: %v", err)
		}
		<-drained
		logs.Close()
	})
	return receive(t, "parlor's address", serving)
}

func command(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, output)
	}
}
