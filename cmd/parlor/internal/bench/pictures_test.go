package bench

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
)

// picturesEnv names the folder that the test leaves pictures in: those of the
// documentation are made with it.
const picturesEnv = "PARLOR_PICTURES"

// TestPictures runs a load against the command, and takes pictures of the terminal and
// of the page.
func TestPictures(t *testing.T) {
	folder := os.Getenv(picturesEnv)
	if folder == "" {
		t.Skip(picturesEnv + " names no folder")
	}
	address, pid := startCommand(t)
	opts := plan(endpointOf(t, "http://"+address), Broadcast)
	opts.Connections, opts.Senders, opts.Rate, opts.Duration, opts.Settle = 500, 5, 40, 8*time.Second, time.Second
	opts.PIDs, opts.Every = []int{pid}, 0
	var screen, shot strings.Builder
	view := &View{w: &screen, width: func() int { return 100 }, color: true}
	opts.Progress = func(p Progress) {
		screen.Reset()
		view.Show(p)
		if p.Stage == "sending" && p.Done > 0.7 && shot.Len() == 0 {
			shot.WriteString(screen.String()[strings.Index(screen.String(), "\x1b[J")+len("\x1b[J"):])
		}
	}
	r := do(t, opts)
	var page, text bytes.Buffer
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	picture(t, page.String(), filepath.Join(folder, "bench-report.png"), 1160, 1120, false)
	picture(t, page.String(), filepath.Join(folder, "bench-report-dark.png"), 1160, 1120, true)
	prompt := "\x1b[2m$\x1b[0m parlor bench http://localhost:3000 --load=broadcast -n 500 --senders=5 --rate=40 -d 8s --pid=$(pgrep parlor)\n\n"
	terminal := fmt.Sprintf(`<!doctype html><meta charset=utf-8><body style="margin:0;background:#0d1117"><pre style="margin:0;padding:20px 24px;color:#c9d1d9;font:14px/1.35 'DejaVu Sans Mono',monospace">%s</pre>`,
		inHTML(strings.ReplaceAll(prompt+shot.String()+"\n"+text.String(), "http://"+address, "http://localhost:3000")))
	picture(t, terminal, filepath.Join(folder, "bench-terminal.png"), 1120, 60+19*(strings.Count(shot.String()+text.String(), "\n")+3), false)
}

// startCommand serves with the command on a free port until the test ends.
func startCommand(t *testing.T) (address string, pid int) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "parlor")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../..").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	l.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "serve", "--addr="+address, "--chat-rate=0", "--chat-history=0", "--log-level=error")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it is killed
	})
	for range 100 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return address, cmd.Process.Pid
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("it does not listen")
	return "", 0
}

// picture has Chromium show a page.
func picture(t *testing.T, page, name string, width, height int, dark bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(file, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	scheme := 1
	if dark {
		scheme = 0
	}
	name, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), jstest.Chromium(t), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
		fmt.Sprintf("--window-size=%d,%d", width, height), fmt.Sprintf("--blink-settings=preferredColorScheme=%d", scheme),
		"--screenshot="+name, "file://"+file)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
