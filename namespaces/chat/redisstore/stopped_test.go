//go:build unix

package redisstore

import (
	"bufio"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
)

// TestProcess kills an instance that is a process of its own, or stops it until
// it is taken for dead, and lets it go on.
func TestProcess(t *testing.T) {
	server := redistest.Start(t)
	b, c := start(t, server.Addr, "/", Options{Heartbeat: 4 * quick}), start(t, server.Addr, "/", Options{Heartbeat: 4 * quick})
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asProcess+"="+server.Addr)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tooLong := time.AfterFunc(guard, func() { _ = cmd.Process.Kill() }) // what it says is waited for
	defer func() {
		tooLong.Stop()
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // says that it was killed
	}()
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("%q, %v", lines.Text(), lines.Err())
	}
	rooms := func() string { return sorted(b.Store, "r1") + "; " + sorted(c.Store, "r2") }
	said := func() string {
		return strings.Join(slices.Sorted(slices.Values(slices.Concat(b.heard(), c.heard()))), "; ")
	}
	await(t, "rooms", rooms, "2 ann x; 1 y")
	await(t, "judging", func() bool { return judges(b) && judges(c) }, true)

	for round := 1; round <= 2; round++ {
		if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		await(t, "while it is stopped", rooms, "0; 0")
		if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		went := time.Now()
		await(t, "when it goes on", rooms, "2 ann x; 1 y")
		t.Logf("right %v after it went on", time.Since(went))
		if n := len(strings.Split(said(), "; ")); n != 3*round {
			t.Errorf("in %d rounds %s", round, said())
		}
		var back []string
		for range 3 {
			lines.Scan()
			back = append(back, lines.Text())
		}
		slices.Sort(back)
		if got := strings.Join(back, "; "); got != "back: s1 [r1] false; back: x [r1] false; back: y [r2] false" {
			t.Errorf("in round %d %s", round, got)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	await(t, "when it is killed", rooms, "0; 0")
	await(t, "keys", func() int { return len(dump(t, server)) }, 2) // the heartbeats of the others
	if lines.Scan() {
		t.Errorf("it has said %q", lines.Text())
	}
}
