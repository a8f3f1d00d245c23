package config

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestAuthFlags(t *testing.T) {
	accepted(t, map[string]acceptance{
		"no key":                   {check: func(c *Config) bool { return !c.HasKey() && c.AllowsAnonymous() && !c.QueryToken }},
		"no key, said":             {args: "--anonymous", check: (*Config).AllowsAnonymous},
		"a secret":                 {args: "--auth-secret-file=s", check: func(c *Config) bool { return c.SecretFile == "s" && c.HasKey() && !c.AllowsAnonymous() }},
		"a public key":             {args: "--auth-public-key-file=p", check: func(c *Config) bool { return c.PublicKeyFile == "p" && c.HasKey() && !c.AllowsAnonymous() }},
		"a key set":                {args: "--auth-jwks-url=https://a.example/keys?v=1", check: func(c *Config) bool { return c.JWKSURL == "https://a.example/keys?v=1" && c.HasKey() }},
		"a key set, here":          {args: "--auth-jwks-url=http://127.0.0.1:1/keys", check: (*Config).HasKey},
		"a key set, here, by IPv6": {args: "--auth-jwks-url=http://[::1]:1/keys", check: (*Config).HasKey},
		"a key set, here, by name": {args: "--auth-jwks-url=http://localhost:1/keys", check: (*Config).HasKey},
		"a key and anonymous":      {args: "--auth-secret-file=s --anonymous", check: (*Config).AllowsAnonymous},
		"a key and not anonymous":  {args: "--auth-secret-file=s --no-anonymous", check: func(c *Config) bool { return !c.AllowsAnonymous() }},
		"issuer, audiences":        {args: "--auth-secret-file=s --auth-issuer=i --auth-audience=a --auth-audience=b", check: func(c *Config) bool { return c.Issuer == "i" && reflect.DeepEqual(c.Audience, []string{"a", "b"}) }},
		"leeway":                   {args: "--auth-secret-file=s --auth-leeway=0s", check: func(c *Config) bool { return c.Leeway == 0 }},
		"query":                    {args: "--auth-secret-file=s --auth-query-token", check: func(c *Config) bool { return c.QueryToken }},
		"query, off, without key":  {args: "--auth-query-token=false", check: func(c *Config) bool { return !c.QueryToken }},
		"environment": {
			env: map[string]string{"PARLOR_AUTH_SECRET_FILE": "s", "PARLOR_AUTH_ISSUER": "i", "PARLOR_AUTH_AUDIENCE": "a,b", "PARLOR_AUTH_LEEWAY": "5s", "PARLOR_AUTH_QUERY_TOKEN": "true", "PARLOR_ANONYMOUS": "true"},
			check: func(c *Config) bool {
				return reflect.DeepEqual(c.Auth, Auth{SecretFile: "s", Issuer: "i", Audience: []string{"a", "b"}, Leeway: 5 * time.Second}) && c.QueryToken && c.AllowsAnonymous()
			},
		},
		"environment, public key":     {env: map[string]string{"PARLOR_AUTH_PUBLIC_KEY_FILE": "p"}, check: func(c *Config) bool { return c.PublicKeyFile == "p" }},
		"environment, key set":        {env: map[string]string{"PARLOR_AUTH_JWKS_URL": "https://a.example/"}, check: func(c *Config) bool { return c.JWKSURL == "https://a.example/" }},
		"environment, not anonymous":  {env: map[string]string{"PARLOR_AUTH_SECRET_FILE": "s", "PARLOR_ANONYMOUS": "false"}, check: func(c *Config) bool { return !c.AllowsAnonymous() }},
		"the flag wins":               {args: "--no-anonymous --auth-secret-file=t", env: map[string]string{"PARLOR_AUTH_SECRET_FILE": "s", "PARLOR_ANONYMOUS": "true"}, check: func(c *Config) bool { return c.SecretFile == "t" && !c.AllowsAnonymous() }},
		"what parlor token reads too": {env: map[string]string{"PARLOR_AUTH_PRIVATE_KEY_FILE": "k"}, check: func(c *Config) bool { return !c.HasKey() }},
	})
}

// F15: one line that names the flag and its variable, for everything that would
// leave a server open, or closed, that was meant otherwise.
func TestF15BadAuthFlags(t *testing.T) {
	const (
		secret   = "--auth-secret-file (PARLOR_AUTH_SECRET_FILE)"
		public   = "--auth-public-key-file (PARLOR_AUTH_PUBLIC_KEY_FILE)"
		jwks     = "--auth-jwks-url (PARLOR_AUTH_JWKS_URL)"
		empty    = ": is given, but empty; give a value, or leave it out"
		two      = "; there can be one kind of key only, so leave one of them out"
		noEffect = ": has no effect without a key, and tokens are not looked at; give --auth-secret-file, --auth-public-key-file or --auth-jwks-url too"
		noURL    = jwks + ": is not an address of a key set; write it like https://login.example.com/.well-known/jwks.json"
		notHTTPS = " is not https, and who can change the keys on their way can sign tokens; plain http is for this machine (127.0.0.1) alone"
		nobody   = "--anonymous (PARLOR_ANONYMOUS): is off while no key is configured, so nobody could connect; give --auth-secret-file, --auth-public-key-file or --auth-jwks-url"
	)
	refused(t, []refusal{
		{args: "--auth-secret-file=s --auth-public-key-file=p", want: public + ": is given together with " + secret + two},
		{args: "--auth-secret-file=s", env: "PARLOR_AUTH_JWKS_URL=https://a.example/", want: jwks + ": is given together with " + secret + two},
		{args: "--auth-jwks-url=https://a.example/ --auth-public-key-file=p", want: jwks + ": is given together with " + public + two},
		{args: "--auth-secret-file=", want: secret + empty},
		{env: "PARLOR_AUTH_SECRET_FILE=", want: secret + empty},
		{env: "PARLOR_AUTH_PUBLIC_KEY_FILE=", want: public + empty},
		{env: "PARLOR_AUTH_JWKS_URL=", want: jwks + empty},
		{args: "--auth-secret-file=s", env: "PARLOR_AUTH_ISSUER=", want: "--auth-issuer (PARLOR_AUTH_ISSUER)" + empty},
		{args: "--auth-secret-file=s", env: "PARLOR_AUTH_AUDIENCE=", want: "--auth-audience (PARLOR_AUTH_AUDIENCE)" + empty},
		{args: "--auth-secret-file=s --auth-audience=a,,b", want: "--auth-audience (PARLOR_AUTH_AUDIENCE): has an empty name in it; give a value, or leave it out"},
		{args: "--auth-issuer=i", want: "--auth-issuer (PARLOR_AUTH_ISSUER)" + noEffect},
		{env: "PARLOR_AUTH_AUDIENCE=a", want: "--auth-audience (PARLOR_AUTH_AUDIENCE)" + noEffect},
		{args: "--auth-leeway=30s", want: "--auth-leeway (PARLOR_AUTH_LEEWAY)" + noEffect},
		{args: "--auth-query-token", want: "--auth-query-token (PARLOR_AUTH_QUERY_TOKEN)" + noEffect},
		{args: "--auth-secret-file=s --auth-leeway=-1s", want: "--auth-leeway (PARLOR_AUTH_LEEWAY): -1s is out of range; it is to be from 0s to 1h0m0s"},
		{args: "--auth-secret-file=s --auth-leeway=30", want: `--auth-leeway (PARLOR_AUTH_LEEWAY): "30" is not a duration; write it like 25s or 1m30s`},
		{args: "--no-anonymous", want: nobody},
		{args: "--anonymous=false", want: nobody},
		{env: "PARLOR_ANONYMOUS=false", want: nobody},
		{args: "--auth-jwks-url=keys", want: noURL},
		{args: "--auth-jwks-url=file:///etc/passwd", want: noURL},
		{args: "--auth-jwks-url=https:///keys", want: noURL},
		{args: "--auth-jwks-url=https://a.example/%zz", want: noURL},
		{args: "--auth-jwks-url=https://u:p@a.example/keys", want: jwks + ": has a user or a password in it, which would end up in logs; key sets are public, so leave it out"},
		{args: "--auth-jwks-url=http://a.example/keys", want: jwks + `: "http://a.example/keys"` + notHTTPS},
		{args: "--auth-jwks-url=http://a.example/keys?code=hunter2", want: jwks + `: "http://a.example/keys"` + notHTTPS},
		{args: "--auth-jwks-url=http://10.0.0.1/keys", want: jwks + `: "http://10.0.0.1/keys"` + notHTTPS},
		{args: "--auth-jwks-url=http://127.0.0.1.evil.example/keys", want: jwks + `: "http://127.0.0.1.evil.example/keys"` + notHTTPS},
		{args: "token", want: secret + ": is missing: there is no key to sign the token with; give it, or --auth-private-key-file"},
		{args: "token", env: "PARLOR_AUTH_SECRET_FILE=", want: secret + empty},
		{args: "token --auth-secret-file=s --auth-private-key-file=k", want: "--auth-private-key-file (PARLOR_AUTH_PRIVATE_KEY_FILE): is given together with " + secret + two},
		{args: "token --auth-secret-file=s --sub=", want: "--sub is empty; a token is for somebody"},
		{args: "token --auth-secret-file=s --expires=1", want: `--expires: "1" is not a duration; write it like 25s or 1m30s`},
		{args: "token --auth-secret-file=s --rol=x", want: `unknown flag --rol, did you mean "--role"? (parlor token --help lists what there is)`},
		{args: "token check x", want: secret + ": is missing: there is no key to check the token with; give it, or --auth-public-key-file or --auth-jwks-url"},
		{args: "token check x y --auth-secret-file=s", want: `unexpected argument y (parlor token --help lists what there is)`},
	})
}

func TestTokenCommands(t *testing.T) {
	tests := map[string]struct {
		args string
		env  map[string]string
		want Command
	}{
		"mint": {args: "token --auth-secret-file=s", want: &Mint{Sub: "ada", Expires: time.Hour, SecretFile: "s"}},
		"mint, all of it": {
			args: "token --sub=u1 --name=Grace --role=admin --role=x --expires=-1m --issuer=i --audience=a --audience=b --auth-private-key-file=k",
			want: &Mint{Sub: "u1", Name: "Grace", Role: []string{"admin", "x"}, Expires: -time.Minute, PrivateKeyFile: "k", Issuer: "i", Audience: []string{"a", "b"}},
		},
		"mint, the environment of a server": {
			args: "token mint --auth-issuer=j",
			env:  map[string]string{"PARLOR_AUTH_SECRET_FILE": "s", "PARLOR_AUTH_ISSUER": "i", "PARLOR_AUTH_AUDIENCE": "a", "PARLOR_AUTH_LEEWAY": "x", "PARLOR_SUB": "eve"},
			want: &Mint{Sub: "ada", Expires: time.Hour, SecretFile: "s", Issuer: "j", Audience: []string{"a"}},
		},
		"check":       {args: "token check --auth-secret-file=s a.b.c", want: &Check{Auth: Auth{SecretFile: "s", Leeway: 30 * time.Second}, Token: "a.b.c"}},
		"check stdin": {args: "token check -", env: map[string]string{"PARLOR_AUTH_PUBLIC_KEY_FILE": "p"}, want: &Check{Auth: Auth{PublicKeyFile: "p", Leeway: 30 * time.Second}, Token: "-"}},
		"check none":  {args: "token check", env: map[string]string{"PARLOR_AUTH_JWKS_URL": "https://a.example/"}, want: &Check{Auth: Auth{JWKSURL: "https://a.example/", Leeway: 30 * time.Second}}},
		"secret":      {args: "token secret", env: map[string]string{"PARLOR_AUTH_SECRET_FILE": ""}, want: Secret{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			clearEnv(t)
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			got, err := Parse(strings.Fields(test.args), io.Discard)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("\n got %+v, %v\nwant %+v", got, err, test.want)
			}
		})
	}
}

// Help of `parlor token` shows the flags of what it does alone, and the others.
func TestTokenHelp(t *testing.T) {
	clearEnv(t)
	for args, wants := range map[string][]string{
		"token --help":       {"Usage: parlor token", "--sub", "--role", "--expires", "--auth-private-key-file", "token secret > secret", "token check"},
		"token check --help": {"Usage: parlor token check", "[<token>]", "--auth-jwks-url", "-auth-jwks-url=URL", "or with -, it is read"},
		"serve --help":       {"--auth-secret-file", "--[no-]anonymous", "--auth-audience"},
		"--help":             {"serve", "token", "version"},
	} {
		var out bytes.Buffer
		if _, err := Parse(strings.Fields(args), &out); !errors.Is(err, ErrHelp) {
			t.Errorf("Parse(%q): %v", args, err)
		}
		for _, want := range wants {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s lacks %q:\n%s", args, want, &out)
			}
		}
	}
}
