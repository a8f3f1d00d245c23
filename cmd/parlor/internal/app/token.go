package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/printable"
)

// mint prints a token for who is developing a client.
func mint(cmd *config.Mint, stdout, stderr io.Writer) error {
	flag, path, parse := config.SecretFileFlag, cmd.SecretFile, auth.HMACSigner
	if cmd.PrivateKeyFile != "" {
		flag, path, parse = config.PrivateKeyFileFlag, cmd.PrivateKeyFile, auth.PrivateKeySigner
	}
	signer, warning, err := openKey(flag, path, true, parse)
	if err != nil {
		return err
	}
	if warning != "" {
		complain(stderr, errors.New(warning))
	}
	token, err := signer.Sign(auth.Identity{
		ID:      cmd.Sub,
		Name:    cmd.Name,
		Roles:   cmd.Role,
		Expires: time.Now().Add(cmd.Expires),
	}, auth.SignOptions{Issuer: cmd.Issuer, Audience: cmd.Audience})
	if err != nil {
		return fmt.Errorf("cannot make a token: %s", problem(err))
	}
	return printLine(stdout, token)
}

// check verifies a token as the server would, and prints who it is for. Unlike
// the server it says what is wrong with one: the developer has to know.
func check(cmd *config.Check, stdin io.Reader, stdout io.Writer) error {
	token := cmd.Token
	if token == "" || token == "-" {
		// A token that is longer than this is refused for its length.
		input, err := io.ReadAll(io.LimitReader(stdin, 2*maxToken))
		if err != nil {
			return fmt.Errorf("cannot read the token: %w", err)
		}
		if token = string(bytes.TrimSpace(input)); token == "" {
			return errors.New("there is no token; give it as an argument, or on the standard input")
		}
	}
	ctx := context.Background()
	keys, err := openKeys(ctx, &cmd.Auth, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer keys.close()
	identity, err := keys.verifier.Verify(ctx, token)
	if err != nil {
		return fmt.Errorf("the token is refused: %w", err)
	}
	_, err = fmt.Fprintf(stdout, "user     %s\nname     %s\nroles    %s\nexpires  %s, %s\n",
		printable.Text(identity.ID), printable.Text(identity.Name), cmp.Or(printable.Text(strings.Join(identity.Roles, ", ")), "none"),
		distance(time.Until(identity.Expires)), identity.Expires.UTC().Format(time.RFC3339))
	return err
}

// distance is a time from now as one says it.
func distance(d time.Duration) string {
	if d < 0 {
		return text(-d) + " ago"
	}
	return "in " + text(d)
}

func text(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day {
		return fmt.Sprintf("%d days", d/day)
	}
	return d.Round(time.Second).String()
}
