package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	// hashCost makes a guess, and each login, take a quarter of a second or so.
	hashCost = 12
	// maxPassword is what bcrypt looks at, in bytes.
	maxPassword = 72
)

// hashPassword prints the hash of the password that is the first line of stdin.
// It is not an argument: everybody can see a command line.
func hashPassword(stdin io.Reader, stdout, stderr io.Writer, cost int) error {
	if file, ok := stdin.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			_, _ = fmt.Fprint(stderr, "Password (it shows as you type): ")
		}
	}
	line, err := bufio.NewReader(io.LimitReader(stdin, 4*maxPassword)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot read the password: %w", err)
	}
	switch password := strings.TrimRight(line, "\r\n"); {
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
