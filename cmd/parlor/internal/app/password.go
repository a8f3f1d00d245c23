package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// readPassword reads a password from a terminal, which does not show it, or the
// first line of what else stdin is. It is never an argument: everybody can see a
// command line.
func readPassword(ctx context.Context, stdin io.Reader, stderr io.Writer) (string, error) {
	if file, ok := stdin.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return readHidden(ctx, int(file.Fd()), stderr)
	}
	return unlessInterrupted(ctx, func() (string, error) {
		line, err := bufio.NewReader(io.LimitReader(stdin, maxToken)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	})
}

// readHidden reads from a terminal, and has it show again what is typed when it is
// interrupted.
func readHidden(ctx context.Context, terminal int, stderr io.Writer) (string, error) {
	before, err := term.GetState(terminal)
	if err != nil {
		return "", err
	}
	_, _ = fmt.Fprint(stderr, "Password: ")
	password, err := unlessInterrupted(ctx, func() (string, error) {
		text, err := term.ReadPassword(terminal)
		return string(text), err
	})
	_, _ = fmt.Fprintln(stderr)
	if errors.Is(err, errInterrupted) {
		err = errors.Join(err, term.Restore(terminal, before))
	}
	return password, err
}

// errInterrupted is that nobody waits for a password any more.
var errInterrupted = errors.New("interrupted")

// unlessInterrupted returns what read does, or [errInterrupted] when ctx is done
// first: nothing ends a read that waits for somebody to type, or for the other end
// of a pipe, but the end of the process.
func unlessInterrupted(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := read()
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		return a.text, a.err
	case <-ctx.Done():
		return "", errInterrupted
	}
}
