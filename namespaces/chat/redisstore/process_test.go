package redisstore

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// asProcess is the variable with the address of Redis, for an instance that is a
// process of its own: this program, called so.
const asProcess = "REDISSTORE_TEST_INSTANCE"

// process is what such an instance does: it has three sockets until it is killed,
// or its standard input ends.
func process(addr string) error {
	rdb := redistest.Client(addr)
	s, err := New(rdb, "/", Options{Heartbeat: quick})
	if err != nil {
		return err
	}
	for _, x := range []struct{ socket, user, room string }{{"s1", "ann", "r1"}, {"x", "x", "r1"}, {"y", "y", "r2"}} {
		if _, err := s.SetStatus(background, x.socket, x.user, chat.Online); err != nil {
			return err
		}
		if _, err := s.Join(background, x.room, x.socket, chat.User{ID: x.user}, -1); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(background)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	fmt.Println("ready")
	return s.Watch(ctx, func(_ context.Context, o chat.Orphan) error {
		fmt.Println("gone:", o.Socket)
		return nil
	}, func(_ context.Context, r chat.Returned) error {
		fmt.Println("back:", r.Socket, r.Rooms, r.Changed)
		return nil
	})
}

// TestProcess kills an instance that is a process of its own, or stops it until
// it is taken for dead, and lets it go on.
func TestProcess(t *testing.T) {
	server := redistest.Start(t)
	b, c := start(t, server.Addr, "/", Options{Heartbeat: quick}), start(t, server.Addr, "/", Options{Heartbeat: quick})
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
