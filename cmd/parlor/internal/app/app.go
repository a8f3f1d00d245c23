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
	"syscall"
	"time"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/logging"
)

// Exit codes of the command.
const (
	exitOK     = 0
	exitFailed = 1 // it could not serve, or was told twice to stop
	exitUsage  = 2 // a flag or an environment variable cannot be used
)

// logFlush is how long the last log lines may take at the end.
const logFlush = time.Second

// Main runs the command with args (without the program's name) and returns its
// exit code. Logs and errors go to stderr, what was asked for to stdout.
func Main(args []string, stdout, stderr io.Writer) int {
	command, cfg, err := config.Parse(args, stdout)
	switch {
	case errors.Is(err, config.ErrHelp):
		return exitOK
	case err != nil:
		complain(stderr, err)
		return exitUsage
	case command == config.Version:
		if _, err := fmt.Fprintln(stdout, versionLine()); err != nil {
			complain(stderr, err)
			return exitFailed
		}
		return exitOK
	}

	// A log pipe that was closed at its other end must not end the process.
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := withSignals(context.Background(), os.Exit)
	defer stop()
	log := logging.New(stderr, cfg.LogLevel, cfg.LogFormat)
	err = Run(ctx, cfg, log.Logger, nil)
	log.Close(logFlush)
	if err != nil {
		complain(stderr, err)
		return exitFailed
	}
	return exitOK
}

// complain writes an error as one line. It is not a log line: whoever started
// the command is to see it, at any log level and in any format.
func complain(stderr io.Writer, err error) {
	_, _ = fmt.Fprintf(stderr, "parlor: %v\n", err) // there is nowhere else to say it
}
