package config

import (
	"strings"
	"time"
)

// Secret is `parlor token secret`.
type Secret struct{}

// Mint is `parlor token`: it makes a token, for development.
type Mint struct {
	Sub     string        `default:"ada" env:"-" help:"Id of the user (sub)."`
	Name    string        `env:"-" help:"Name of the user; without one it is the id." placeholder:"NAME"`
	Role    []string      `env:"-" help:"Role of the user. Repeatable." placeholder:"ROLE"`
	Expires time.Duration `default:"1h" env:"-" help:"How long the token is good; less than nothing (-1m) for one that has expired, to test with."`

	SecretFile     string   `help:"File with the secret (HS256) to sign with." name:"auth-secret-file" placeholder:"FILE"`
	PrivateKeyFile string   `help:"File with the private key, PEM, to sign with: RSA, EC or Ed25519." name:"auth-private-key-file" placeholder:"FILE"`
	Issuer         string   `aliases:"auth-issuer" env:"PARLOR_AUTH_ISSUER" help:"Issuer (iss) of the token." placeholder:"NAME"`
	Audience       []string `aliases:"auth-audience" env:"PARLOR_AUTH_AUDIENCE" help:"Audience (aud) of the token. Repeatable." placeholder:"NAME"`
}

// Help is what `parlor token --help` says beside the flags.
func (*Mint) Help() string {
	return strings.TrimSpace(`
Prints a token, for development: a client passes it on as io(url, { auth: { token } }).
The key, issuer and audience are read from the environment as serve reads them.

  parlor token secret > secret                                   a new secret, in a file
  parlor serve --auth-secret-file=secret                         a server that wants tokens
  parlor token --auth-secret-file=secret --sub=ada --role=admin  a token that is good for an hour
  parlor token check --auth-secret-file=secret TOKEN             who it is for, or what is wrong with it
`)
}

// Check is `parlor token check`: it says whether the server would accept a token.
type Check struct {
	Auth  `embed:""`
	Token string `arg:"" help:"The token; without one, or with -, it is read from the standard input." optional:""`
}

// token is the shape of `parlor token`.
type token struct {
	Mint   Mint     `cmd:"" default:"withargs" help:"Print a token for development (what parlor token does alone)."`
	Check  Check    `cmd:"" help:"Say who a token is for and until when, or what is wrong with it."`
	Secret struct{} `cmd:"" help:"Print a new random secret: parlor token secret > file."`
}

func (Secret) validate(map[string]bool) error { return nil }

func (c *Check) validate(given map[string]bool) error {
	if err := c.check(given); err != nil {
		return err
	}
	if !c.HasKey() {
		return noKey(SecretFileFlag, "to check the token with", PublicKeyFileFlag, JWKSURLFlag)
	}
	return nil
}

func (m *Mint) validate(given map[string]bool) error {
	for _, setting := range []named{{SecretFileFlag, m.SecretFile}, {PrivateKeyFileFlag, m.PrivateKeyFile}} {
		if given[setting.name] && setting.value == "" {
			return newError(setting.name, "is given, but empty; give a value, or leave it out")
		}
	}
	if err := onlyOne(named{SecretFileFlag, m.SecretFile}, named{PrivateKeyFileFlag, m.PrivateKeyFile}); err != nil {
		return err
	}
	if m.SecretFile == "" && m.PrivateKeyFile == "" {
		return noKey(SecretFileFlag, "to sign the token with", PrivateKeyFileFlag)
	}
	if strings.TrimSpace(m.Sub) == "" {
		return &Error{Problem: "--sub is empty; a token is for somebody"}
	}
	return asError(checkAudience("auth-audience", m.Audience))
}

// noKey is the error of a command that has nothing to work with.
func noKey(flag, purpose string, others ...string) *Error {
	return newError(flag, "is missing: there is no key %s; give it, or --%s", purpose, strings.Join(others, " or --"))
}

// asError keeps a nil *Error from becoming an error that is not nil.
func asError(err *Error) error {
	if err == nil {
		return nil
	}
	return err
}
