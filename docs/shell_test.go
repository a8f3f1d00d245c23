package docs_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// The shell lines of a page work, one after another in one directory: a server among them starts and ends.
func TestShell(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("they are lines of a Unix shell")
	}
	bin := t.TempDir()
	output(t, "go", "build", "-o", filepath.Join(bin, "parlor"), "../cmd/parlor")
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	for name, page := range pages(t) {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for _, b := range fenced(page, "sh") {
				for line := range strings.Lines(b.text) {
					line = strings.TrimSpace(line)
					command, _, _ := strings.Cut(line, " ")
					if slices.Contains([]string{"make", "go", "npm"}, command) {
						t.Logf("not run, it is for a checkout: %s", line)
						break
					}
					if _, err := exec.LookPath(command); err != nil {
						t.Logf("not run, there is no %s here: %s", command, line)
						break // and nothing of what follows from it
					}
					if strings.HasPrefix(line, "parlor serve") {
						serve(t, dir, line)
						continue
					}
					cmd := exec.CommandContext(t.Context(), "bash", "-c", line)
					cmd.Dir = dir
					if out, err := cmd.CombinedOutput(); err != nil {
						t.Fatalf("%s: %v\n%s", line, err, out)
					}
				}
			}
		})
	}
}

// serve runs a line that starts a server, on free ports, until it serves.
func serve(t *testing.T, dir, line string) {
	t.Helper()
	if strings.Contains(line, "--ops-addr") {
		line += " --ops-addr=127.0.0.1:0"
	}
	cmd := exec.CommandContext(t.Context(), "bash", "-c", "exec "+line+" --addr=127.0.0.1:0")
	cmd.Dir = dir
	logs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	defer late.Stop()
	var log strings.Builder
	for lines := bufio.NewScanner(logs); lines.Scan(); {
		log.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "serving") {
			cmd.Process.Signal(os.Interrupt)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%s: %v\n%s", line, err, &log)
	}
}
