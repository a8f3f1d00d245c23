package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"golang.org/x/crypto/bcrypt"
)

const (
	// hashCost makes a guess, and each login, take a quarter of a second or so.
	hashCost = 12
	// maxPassword is what bcrypt looks at, in bytes.
	maxPassword = 72
)

// hashPassword prints the hash of the password that is the first line of stdin, or
// is typed at a terminal.
func hashPassword(stdin io.Reader, stdout, stderr io.Writer, cost int) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	password, err := readPassword(ctx, stdin, stderr)
	if err != nil {
		return fmt.Errorf("cannot read the password: %w", err)
	}
	switch {
	case password == "":
		return errors.New("there is no password; write it to the standard input")
	case len(password) > maxPassword:
		return fmt.Errorf("the password is longer than %d bytes, and bcrypt does not look at more", maxPassword)
	default:
		hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
		if err != nil {
			return fmt.Errorf("cannot hash the password: %w", err)
		}
		return printLine(stdout, string(hash))
	}
}
