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

// screenshotEnv names the file that TestPage leaves a picture of the page in: the one in the docs.
const screenshotEnv = "PARLOR_SCREENSHOT"

// The binary as it is built, its page in a browser: two tabs join a room, see each other come, type, write and
// go.
func TestPage(t *testing.T) {
	chromium := jstest.Chromium(t)
	url := startParlor(t)
	screenshot := os.Getenv(screenshotEnv)
	if screenshot != "" && !filepath.IsAbs(screenshot) {
		t.Fatalf("%s=%s: an absolute path is needed", screenshotEnv, screenshot)
	}
	var steps []string
	for _, line := range jstest.Run(t, "page.mjs", chromium, url, t.TempDir(), screenshot) {
		steps = append(steps, strings.TrimSpace(string(line)))
	}
	const messages = `["Ada: Hello Grace","Grace: Hello Ada <b>& co</b>","Ada: Shall we?"]`
	want(t, "the steps", strings.Join(steps, "\n"), strings.Join([]string{
		`{"step":"joined","users":"2"}`,
		`{"step":"typing","text":"Ada is typing…"}`,
		`{"step":"messages","ada":` + messages + `,"grace":` + messages + `}`,
		`{"step":"left","users":"1"}`,
	}, "\n"))
}

// startParlor builds the binary, with its page, starts it on a free port and returns the page's address. At the
// end of the test it is told to end, and has to.
func startParlor(t *testing.T) string {
	t.Helper()
	root := filepath.Join("..", "..")
	bundle := filepath.Join("cmd", "parlor", "internal", "web", "dist", "socket.io.min.js")
	if _, err := os.Stat(filepath.Join(root, bundle)); err != nil {
		command(t, root, "make", filepath.ToSlash(bundle))
	}
	binary := filepath.Join(t.TempDir(), "parlor")
	command(t, root, "go", "build", "-o", binary, "./cmd/parlor")

	cmd := exec.Command(binary, "serve", "--addr=127.0.0.1:0", "--log-format=json", "--log-level=info")
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
