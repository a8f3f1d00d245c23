package app

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
)

const (
	// maxToken is the length of a token, in bytes.
	maxToken = 8 << 10
	// secretBytes are the random ones of a new secret, twice what HS256 needs.
	secretBytes = 64
)

// keyring is what tokens are verified with, opened as the flags say.
type keyring struct {
	kind     string // for the log: "hs256", "es256", …, "jwks"
	warnings []string
	close    func()
}

// openKeys reads the key of the flags, or fetches the key set. An error about
// what a flag says is a [*config.Error]; a key set that cannot be had is not one.
func openKeys(_ context.Context, cfg *config.Auth, _ *slog.Logger) (*keyring, error) {
	ring := &keyring{close: func() {}}
	if !cfg.HasKey() {
		return ring, nil
	}
	return nil, errNoAuth
}

// newSecret returns a secret for HS256, in letters, digits, - and _ alone: it
// goes into files and environments.
func newSecret() string {
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails
	return base64.RawURLEncoding.EncodeToString(secret)
}

// A build that cannot verify tokens does not serve who asks for that.
var errNoAuth = errors.New("this build has no authentication yet")

func mint(*config.Mint, io.Writer, io.Writer) error   { return errNoAuth }
func check(*config.Check, io.Reader, io.Writer) error { return errNoAuth }
