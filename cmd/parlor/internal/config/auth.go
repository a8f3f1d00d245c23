package config

import (
	"net"
	"net/url"
	"strings"
	"time"
)

// The flags that name a key, as errors about what they name do.
const (
	SecretFileFlag     = "auth-secret-file" //nolint:gosec // the name of a flag
	PublicKeyFileFlag  = "auth-public-key-file"
	PrivateKeyFileFlag = "auth-private-key-file"
	JWKSURLFlag        = "auth-jwks-url"
)

// Auth says which tokens are good.
type Auth struct {
	SecretFile    string        `help:"File with the secret (HS256, 32 bytes or more) that tokens are signed with." name:"auth-secret-file" placeholder:"FILE" reload:"the file is read again"`
	PublicKeyFile string        `help:"File with the public key, PEM, of who signs the tokens: RSA, EC or Ed25519." name:"auth-public-key-file" placeholder:"FILE" reload:"the file is read again"`
	JWKSURL       string        `help:"Address, https, of the key set (JWKS) of who signs the tokens." name:"auth-jwks-url" placeholder:"URL" secret:"url"`
	Issuer        string        `help:"Issuer (iss) that tokens must have." name:"auth-issuer" placeholder:"NAME"`
	Audience      []string      `help:"Audience (aud) that tokens must be for. Repeatable: any of them." name:"auth-audience" placeholder:"NAME"`
	Leeway        time.Duration `default:"30s" help:"By how much clocks may differ, and how long a connection outlives its token; 0 for not at all." name:"auth-leeway"`
}

// HasKey reports whether a key is configured.
func (a *Auth) HasKey() bool { return a.SecretFile != "" || a.PublicKeyFile != "" || a.JWKSURL != "" }

// check refuses what would leave a server open, or closed, that was meant
// otherwise: an empty value, which is a variable that was not filled in, two
// keys, and settings of tokens that nobody looks at.
func (a *Auth) check(given map[string]bool) *Error {
	for _, setting := range []named{
		{SecretFileFlag, a.SecretFile},
		{PublicKeyFileFlag, a.PublicKeyFile},
		{JWKSURLFlag, a.JWKSURL},
		{"auth-issuer", a.Issuer},
		{"auth-audience", strings.Join(a.Audience, "")},
	} {
		if given[setting.name] && setting.value == "" {
			return newError(setting.name, "is given, but empty; give a value, or leave it out")
		}
	}
	if err := onlyOne(named{SecretFileFlag, a.SecretFile}, named{PublicKeyFileFlag, a.PublicKeyFile}, named{JWKSURLFlag, a.JWKSURL}); err != nil {
		return err
	}
	if !a.HasKey() {
		for _, name := range []string{"auth-issuer", "auth-audience", "auth-leeway"} {
			if given[name] {
				return withoutKey(name)
			}
		}
	}
	if err := checkAudience("auth-audience", a.Audience); err != nil {
		return err
	}
	if err := between("auth-leeway", a.Leeway, 0, maxLeeway); err != nil {
		return err
	}
	return a.checkJWKS()
}

// withoutKey is the error of a setting that no token would be looked at for.
func withoutKey(name string) *Error {
	return newError(name, "has no effect without a key, and tokens are not looked at; give --%s, --%s or --%s too",
		SecretFileFlag, PublicKeyFileFlag, JWKSURLFlag)
}

// named is a setting that has a value, or none.
type named struct{ name, value string }

// onlyOne refuses a second setting of those that exclude each other. Errors name
// flags and variables: which of them was meant is for the operator to say.
func onlyOne(settings ...named) *Error {
	var first string
	for _, s := range settings {
		switch {
		case s.value == "":
		case first == "":
			first = s.name
		default:
			return newError(s.name, "is given together with --%s (%s); there can be one kind of key only, so leave one of them out", first, envName(first))
		}
	}
	return nil
}

func checkAudience(name string, audience []string) *Error {
	for _, a := range audience {
		if strings.TrimSpace(a) == "" {
			return newError(name, "has an empty name in it; give a value, or leave it out")
		}
	}
	return nil
}

// checkJWKS wants https: who can change the keys on their way can sign tokens.
func (a *Auth) checkJWKS() *Error {
	if a.JWKSURL == "" {
		return nil
	}
	u, err := url.Parse(a.JWKSURL)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "" || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http"):
		return newError(JWKSURLFlag, "is not an address of a key set; write it like https://login.example.com/.well-known/jwks.json")
	case u.User != nil:
		return newError(JWKSURLFlag, "has a user or a password in it, which would end up in logs; key sets are public, so leave it out")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		where, _, _ := strings.Cut(a.JWKSURL, "?") // some have a key of their own in the query
		return newError(JWKSURLFlag, "%q is not https, and who can change the keys on their way can sign tokens; plain http is for this machine (127.0.0.1) alone", where)
	}
	return nil
}

func loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// checkAnonymous refuses a server that nobody could connect to, and one that
// would not do what it was told.
func (c *Config) checkAnonymous() *Error {
	if c.HasKey() {
		return nil
	}
	if c.QueryToken {
		return withoutKey("auth-query-token")
	}
	if !c.AllowsAnonymous() {
		return newError("anonymous", "is off while no key is configured, so nobody could connect; give --%s, --%s or --%s",
			SecretFileFlag, PublicKeyFileFlag, JWKSURLFlag)
	}
	return nil
}
