package app

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/internal/wire"
)

// asCommand makes the test's binary behave as the parlor command.
const asCommand = "TEST_AS_PARLOR"

// startsWithin is a guard, on machines that have much else to do, and below the five
// seconds that it takes to give up a Redis that does not answer: a second is what
// is promised, and a tenth of that what it takes.
const startsWithin = 4 * time.Second

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	for _, pair := range os.Environ() { // settings of whoever runs the tests
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, config.EnvPrefix+"_") {
			_ = os.Unsetenv(name)
		}
	}
	redis.SetLogger(newRedisLogger(slog.New(slog.DiscardHandler)))
	goleak.VerifyTestMain(m)
}

// command prepares a process of the parlor command.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self, args...)
	// The race detector otherwise waits for a second when a process ends.
	cmd.Env = append([]string{asCommand + "=1", "GORACE=atexit_sleep_ms=0"}, env...)
	return cmd
}

func exitCode(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		t.Fatal(err)
	}
	return exit.ExitCode()
}

func TestExitCodes(t *testing.T) {
	tests := map[string]struct {
		args   []string
		env    []string
		code   int
		stdout string // their starts
		stderr string
	}{
		"version":          {args: []string{"version"}, stdout: "parlor "},
		"help":             {args: []string{"--help"}, stdout: "Usage: parlor"},
		"bad flag":         {args: []string{"--ping-interval=3"}, code: 2, stderr: `parlor: --ping-interval (PARLOR_PING_INTERVAL): "3" is not a duration; write it like`},
		"bad variable":     {env: []string{"PARLOR_MAX_PAYLOAD=1MB"}, code: 2, stderr: `parlor: --max-payload (PARLOR_MAX_PAYLOAD): "1MB" is not a whole number; write it like`},
		"unknown flag":     {args: []string{"serve", "--adr=:1"}, code: 2, stderr: `parlor: unknown flag --adr, did you mean "--addr"?`},
		"cannot listen":    {args: []string{"--addr=192.0.2.1:1", "--log-level=error"}, code: 1, stderr: "parlor: cannot listen on 192.0.2.1:1: "},
		"no certificate":   {args: []string{"--tls-cert=x", "--tls-key=x"}, code: 1, stderr: "parlor: cannot use the certificate"},
		"version, bad env": {args: []string{"version"}, env: []string{"PARLOR_ADDR=x"}, stdout: "parlor "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := command(t, test.env, test.args...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if code := exitCode(t, cmd.Run()); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
			if !strings.HasPrefix(stdout.String(), test.stdout) || (test.stdout == "") != (stdout.Len() == 0) {
				t.Errorf("stdout: %s", &stdout)
			}
			if !strings.HasPrefix(stderr.String(), test.stderr) || test.code != 0 && strings.Count(stderr.String(), "\n") != 1 {
				t.Errorf("stderr: %s", &stderr)
			}
		})
	}
}

// serving starts the command on a free port and returns once it listens, which
// is to be within a second of its start (H08).
func serving(t *testing.T, args ...string) (cmd *exec.Cmd, log *bufio.Reader, pipe io.Closer, addr string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals to send")
	}
	cmd = command(t, nil, append([]string{"--addr=127.0.0.1:0"}, args...)...)
	log, pipe, addr = listening(t, cmd)
	return cmd, log, pipe, addr
}

// listening starts a command and returns once it listens.
func listening(t *testing.T, cmd *exec.Cmd) (log *bufio.Reader, pipe io.Closer, addr string) {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log = bufio.NewReader(stderr)
	line := waitFor(t, log, "msg=serving")
	if took := time.Since(begun); took > 5*startsWithin { // the machine has to start a process first
		t.Errorf("listening after %v", took)
	}
	_, rest, _ := strings.Cut(line, `addr="`)
	addr, _, _ = strings.Cut(rest, `"`)
	return log, stderr, addr
}

func waitFor(t *testing.T, log *bufio.Reader, text string) string {
	t.Helper()
	for {
		line, err := log.ReadString('\n')
		if err != nil {
			t.Fatalf("the log ended without %q: %v", text, err)
		}
		if strings.Contains(line, text) {
			return line
		}
	}
}

func send(t *testing.T, cmd *exec.Cmd, s os.Signal) {
	t.Helper()
	if err := cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// asks joins a room, which is answered.
func asks(t *testing.T, s wire.Session) {
	t.Helper()
	if err := s.Send(`427["join","r"]`); err != nil {
		t.Fatal(err)
	}
	awaits(t, s, `437[{"ok":true,*`)
}

// H01: one signal ends the process in good order.
func TestH01Signal(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			cmd, log, _, _ := serving(t)
			send(t, cmd, s)
			waitFor(t, log, "shutting down")
			waitFor(t, log, "stopped")
			if code := exitCode(t, cmd.Wait()); code != 0 {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// H01: a second signal does not wait for the first one's good order.
func TestH01SecondSignal(t *testing.T) {
	t.Parallel()
	cmd, log, _, addr := serving(t)
	poll := open(t, addr, wire.Polling) // who does not poll again holds the end up
	connects(t, poll, "40", `40{"sid":"*"}`, `42["connected",*`)
	send(t, cmd, syscall.SIGTERM)
	waitFor(t, log, "shutting down")
	send(t, cmd, syscall.SIGTERM)
	if code := exitCode(t, cmd.Wait()); code != 1 { // it is 0 where the good order has come first
		t.Errorf("exit code %d", code)
	}
}

// H07: the log's reader goes away; the server does not.
func TestH07ClosedLogPipe(t *testing.T) {
	t.Parallel()
	cmd, _, pipe, addr := serving(t)
	if err := pipe.Close(); err != nil {
		t.Fatal(err)
	}
	send(t, cmd, syscall.SIGTERM) // logs two lines
	if code := exitCode(t, cmd.Wait()); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if conn, err := net.Dial("tcp", addr); err == nil {
		_ = conn.Close()
		t.Error("it still listens")
	}
}
