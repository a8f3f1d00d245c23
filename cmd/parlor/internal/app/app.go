// Package app is the parlor command: it reads the command line, builds the
// server from the library's public API, serves it over HTTP and ends it well.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/admincli"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/logging"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/printable"
)

// Exit codes of the command.
const (
	exitOK     = 0
	exitFailed = 1 // it could not serve, or was told twice to stop
	exitUsage  = 2 // a flag or an environment variable cannot be used

	exitPartial = 3 // what was printed is not all: some servers did not answer, some events were lost
)

// logFlush is how long the last log lines may take at the end.
const logFlush = time.Second

// Main runs the command with args (without the program's name) and returns its
// exit code. Logs and errors go to stderr, what was asked for to stdout.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	command, err := config.Parse(args, stdout)
	if errors.Is(err, config.ErrHelp) {
		return exitOK
	}
	if err == nil {
		switch command := command.(type) {
		case config.Version:
			err = printLine(stdout, versionLine())
		case config.Secret:
			err = printLine(stdout, newSecret())
		case *config.Mint:
			err = mint(command, stdout, stderr)
		case *config.Check:
			err = check(command, stdin, stdout)
		case config.Sample:
			err = config.WriteSample(stdout)
		case *config.Show:
			err = command.Write(stdout)
		case *config.Verify:
			err = verify(&command.Config, stdout)
		case config.AdminHash:
			err = hashPassword(stdin, stdout, stderr, hashCost)
		case *config.AdminSockets, *config.AdminRooms, *config.AdminKick, *config.AdminBroadcast, *config.AdminStats:
			err = runAdmin(command, stdin, stdout, stderr)
		case *config.Bench:
			err = runBench(command, stdout, stderr)
		case *config.Config:
			err = runUntilSignal(command, args, stderr)
		}
	}
	if err == nil {
		return exitOK
	}
	complain(stderr, err)
	if _, ok := errors.AsType[*config.Error](err); ok {
		return exitUsage
	}
	if errors.Is(err, admincli.ErrPartial) || errors.Is(err, errFlawed) {
		return exitPartial
	}
	return exitFailed
}

// runUntilSignal serves, and logs to stderr, until the process is told to end.
func runUntilSignal(cfg *config.Config, args []string, stderr io.Writer) error {
	// A log pipe that was closed at its other end must not end the process.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := withSignals(context.Background(), os.Exit)
	defer stop()
	log := logging.New(stderr, cfg.LogLevel, cfg.LogFormat)
	defer log.Close(logFlush)
	redis.SetLogger(newRedisLogger(log.Logger))
	reload := newReloader(args, log.SetLevel)
	defer reload.stop()
	return runIn(ctx, cfg, log.Logger, process{reload: reload, logLost: log.Lost})
}

func printLine(stdout io.Writer, line string) error {
	_, err := fmt.Fprintln(stdout, line)
	return err
}

// complain writes an error as one line. It is not a log line: whoever started
// the command is to see it, at any log level and in any format. A part of it may be
// in a server's words.
func complain(stderr io.Writer, err error) {
	lines := strings.Split(err.Error(), "\n")
	for i, line := range lines {
		lines[i] = printable.Text(line)
	}
	_, _ = fmt.Fprintf(stderr, "parlor: %s\n", strings.Join(lines, "; ")) // there is nowhere else to say it
}
