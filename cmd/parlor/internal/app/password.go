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
	line, err := bufio.NewReader(io.LimitReader(stdin, maxToken)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// readHidden reads from a terminal, and has it show again what is typed when it is
// interrupted.
func readHidden(ctx context.Context, terminal int, stderr io.Writer) (string, error) {
	before, err := term.GetState(terminal)
	if err != nil {
		return "", err
	}
	_, _ = fmt.Fprint(stderr, "Password: ")
	type answer struct {
		text []byte
		err  error
	}
	answers := make(chan answer, 1) // what reads ends with the process, if nobody types
	go func() {
		text, err := term.ReadPassword(terminal)
		answers <- answer{text, err}
	}()
	defer func() { _, _ = fmt.Fprintln(stderr) }()
	select {
	case a := <-answers:
		return string(a.text), a.err
	case <-ctx.Done():
		return "", errors.Join(errors.New("interrupted"), term.Restore(terminal, before))
	}
}
