package app

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
)

const (
	// maxToken is the length of a token, in bytes.
	maxToken = 8 << 10
	// secretBytes are the random ones of a new secret: as many as HS256 can use.
	secretBytes = 32
)

// keyring is what tokens are verified with, opened as the flags say.
type keyring struct {
	verifier *auth.Verifier // nil while no key is configured
	kind     string         // for the log: "hs256", "es256", …, "jwks"
	keySet   []any          // for the log: of a key set, where it is and what is in it
	warnings []string
	close    func()

	file *fileKey // the key, where it is from a file
}

// A fileKey is a key that can be replaced while the server runs.
type fileKey struct {
	current atomic.Pointer[markedKey]
}

// A markedKey is a key with what tells it from others, and not what it is.
type markedKey struct {
	auth.Key
	mark string
}

// mark says which key is good now; of a key set, which changes as it will, it is
// always the same.
func (ring *keyring) mark() string {
	if ring.file == nil {
		return "key set"
	}
	return ring.file.current.Load().mark
}

// Find implements [auth.Keys].
func (k *fileKey) Find(ctx context.Context, alg, kid string) ([]auth.Key, error) {
	return k.current.Load().Find(ctx, alg, kid)
}

// replace takes over the key of another ring, for tokens that are shown from now
// on. It reports whether there is one, as there is not in a key set, which
// refreshes itself.
func (ring *keyring) replace(newer *keyring) bool {
	if ring.file == nil || newer.file == nil {
		return false
	}
	ring.file.current.Store(newer.file.current.Load())
	return true
}

// openKeys reads the key of the flags, or fetches the key set. An error about
// what a flag says is a [*config.Error]; a key set that cannot be had is not one.
func openKeys(ctx context.Context, cfg *config.Auth, log *slog.Logger) (*keyring, error) {
	ring := &keyring{close: func() {}}
	if !cfg.HasKey() {
		return ring, nil
	}
	keys, err := ring.open(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	leeway := cfg.Leeway
	if leeway == 0 {
		leeway = -1 // none; to the verifier zero means the default
	}
	ring.verifier, err = auth.NewVerifier(keys, auth.VerifierOptions{
		Issuer:   cfg.Issuer,
		Audience: cfg.Audience,
		Leeway:   leeway,
		MaxToken: maxToken,
	})
	if err != nil {
		ring.close()
		return nil, fmt.Errorf("cannot verify tokens: %w", err)
	}
	return ring, nil
}

func (ring *keyring) open(ctx context.Context, cfg *config.Auth, log *slog.Logger) (auth.Keys, error) {
	flag, path, secret, parse := config.SecretFileFlag, cfg.SecretFile, true, auth.HMAC
	switch {
	case cfg.JWKSURL != "":
		remote, err := auth.JWKS(ctx, cfg.JWKSURL, auth.JWKSOptions{Logger: log}) // has a timeout of its own
		if err != nil {
			return nil, fmt.Errorf("cannot use the key set of --auth-jwks-url (PARLOR_AUTH_JWKS_URL): %s", problem(err))
		}
		ring.kind, ring.close = "jwks", remote.Close
		where, _, _ := strings.Cut(cfg.JWKSURL, "?") // some have a key of their own in the query
		ring.keySet = []any{"key_set", where, "algorithms", strings.Join(remote.Algorithms(), " ")}
		return remote, nil
	case cfg.PublicKeyFile != "":
		flag, path, secret, parse = config.PublicKeyFileFlag, cfg.PublicKeyFile, false, auth.PublicKey
	}
	marked := &markedKey{}
	key, warning, err := openKey(flag, path, secret, func(content []byte) (auth.Key, error) {
		mac := hmac.New(sha256.New, content)
		mac.Write([]byte("parlor: which key"))
		marked.mark = "key:" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		return parse(content)
	})
	if err != nil {
		return nil, err
	}
	if warning != "" {
		ring.warnings = append(ring.warnings, warning)
	}
	ring.kind = strings.ToLower(key.Algorithm())
	ring.file = &fileKey{}
	marked.Key = key
	ring.file.current.Store(marked)
	return ring.file, nil
}

// openKey reads the file that a flag names and makes a key, or a signer, of it.
// What is wrong with it is the flag's fault.
func openKey[K any](flag, path string, secret bool, parse func([]byte) (K, error)) (key K, warning string, err error) {
	content, warning, err := readKeyFile(flag, path, secret)
	if err != nil {
		return key, "", err
	}
	if key, err = parse(content); err != nil {
		return key, "", config.NewError(flag, "%q cannot be used: %s", path, problem(err))
	}
	return key, warning, nil
}

// problem is an error of package auth without the name of the package, which is
// no concern of who reads it.
func problem(err error) string { return strings.TrimPrefix(err.Error(), "auth: ") }

// newSecret returns a secret for HS256, in letters, digits, - and _ alone: it
// goes into files and environments.
func newSecret() string {
	secret := make([]byte, secretBytes)
	_, _ = rand.Read(secret) // never fails
	return base64.RawURLEncoding.EncodeToString(secret)
}
