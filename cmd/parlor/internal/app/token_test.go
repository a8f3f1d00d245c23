package app

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// goodSecret is one that is long enough.
const goodSecret = "k3yOfTheTests-Zq81vLr0TnWx7Yb2Pd6Hs"

// run runs the command in this process.
func run(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(args, strings.NewReader(stdin), &out, &errs)
	return code, out.String(), errs.String()
}

// minted is a token that the command has made.
func minted(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := run(t, "", append([]string{"token"}, args...)...)
	token, rest, ok := strings.Cut(stdout, "\n")
	if code != exitOK || !ok || rest != "" || strings.Count(token, ".") != 2 || stderr != "" {
		t.Fatalf("parlor token %q: %d\n%s\n%s", args, code, stdout, stderr)
	}
	return token
}

// keyPair writes the two files of a key.
func keyPair(t *testing.T, private crypto.Signer) (privateFile, publicFile string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	privateFile = keyFile(t, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	der, err = x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		t.Fatal(err)
	}
	return privateFile, keyFile(t, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
}

func generate[K crypto.Signer](t *testing.T) func(key K, err error) crypto.Signer {
	return func(key K, err error) crypto.Signer {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
}

// What `parlor token` makes with a key, `parlor token check` accepts with it.
func TestTokenRoundTrip(t *testing.T) {
	secret := keyFile(t, goodSecret+"\n")
	flags := map[string][2]string{"HS256": {"--auth-secret-file=" + secret, "--auth-secret-file=" + secret}}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	for name, key := range map[string]crypto.Signer{
		"RS256": generate[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 2048)),
		"ES256": generate[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		"ES384": generate[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)),
		"ES512": generate[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)),
		"EdDSA": generate[ed25519.PrivateKey](t)(ed, err),
	} {
		private, public := keyPair(t, key)
		flags[name] = [2]string{"--auth-private-key-file=" + private, "--auth-public-key-file=" + public}
	}
	for name, keys := range flags {
		t.Run(name, func(t *testing.T) {
			token := minted(t, keys[0], "--sub=u1", "--name=Ada L.", "--role=admin", "--role=editor", "--issuer=i", "--audience=a")
			header, _, _ := strings.Cut(token, ".")
			if text, err := base64.RawURLEncoding.DecodeString(header); err != nil || !strings.Contains(string(text), `"`+name+`"`) {
				t.Errorf("the header is %s, %v", text, err)
			}
			for _, how := range []struct{ stdin, arg string }{{"", token}, {token, "-"}, {" " + token + "\r\n", ""}} {
				args := []string{"token", "check", keys[1], "--auth-issuer=i", "--auth-audience=b", "--auth-audience=a"}
				if how.arg != "" {
					args = append(args, how.arg)
				}
				code, stdout, stderr := run(t, how.stdin, args...)
				want := regexp.MustCompile(`^user     u1\nname     Ada L\.\nroles    admin, editor\nexpires  in (1h0m0s|59m\d\ds), \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$`)
				if code != exitOK || stderr != "" || !want.MatchString(stdout) {
					t.Errorf("%d\n%s%s", code, stdout, stderr)
				}
			}
		})
	}
}

// The environment of a server is enough to make and check its tokens.
func TestTokenFromTheEnvironment(t *testing.T) {
	t.Setenv("PARLOR_AUTH_SECRET_FILE", keyFile(t, goodSecret))
	t.Setenv("PARLOR_AUTH_ISSUER", "i")
	t.Setenv("PARLOR_AUTH_AUDIENCE", "a,b")
	if code, stdout, stderr := run(t, minted(t), "token", "check"); code != exitOK || !strings.HasPrefix(stdout, "user     ada\nname     ada\nroles    none\n") {
		t.Errorf("%d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := run(t, minted(t, "--issuer=j"), "token", "check"); code != exitFailed || !strings.Contains(stderr, "iss") {
		t.Errorf("another issuer: %d %s", code, stderr)
	}
}

// What a token says of its user is not the terminal's to obey.
func TestTokenCheckPrintable(t *testing.T) {
	secret := "--auth-secret-file=" + keyFile(t, goodSecret)
	token := minted(t, secret, "--name=Ada\nroles    admin\x1b[1A\u202e", "--role=é", "--role=\u009b2J")
	code, stdout, stderr := run(t, "", "token", "check", secret, token)
	if want := "user     ada\nname     Ada\ufffdroles    admin\ufffd[1A\ufffd\nroles    é, \ufffd2J\nexpires  in "; code != exitOK || !strings.HasPrefix(stdout, want) {
		t.Errorf("%d\n%q\n%s", code, stdout, stderr)
	}
}

// `parlor token secret` makes a secret that can be used, another one each time.
func TestTokenSecret(t *testing.T) {
	seen := map[string]bool{}
	for range 3 {
		code, secret, stderr := run(t, "", "token", "secret")
		if code != exitOK || stderr != "" || seen[secret] || !regexp.MustCompile(`^[A-Za-z0-9_-]{43}\n$`).MatchString(secret) {
			t.Errorf("%d %q %s", code, secret, stderr)
		}
		seen[secret] = true
		minted(t, "--auth-secret-file="+keyFile(t, secret))
	}
}

// A secret that others can read is used, with a warning beside the token.
func TestTokenWarns(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no mode bits")
	}
	path := keyFile(t, goodSecret)
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := run(t, "", "token", "--auth-secret-file="+path)
	if code != exitOK || strings.Count(stdout, "\n") != 1 || !strings.Contains(stderr, "chmod 600") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("%d\n%s%s", code, stdout, stderr)
	}
	_, stop := startLogged(t, "--auth-secret-file="+path)
	if log := stop(); !strings.Contains(log, "chmod 600") {
		t.Errorf("the server's log lacks the warning:\n%s", log)
	}
}

// A refused token: exit code 1, and one line with what is wrong, without the
// token.
func TestTokenCheckRefuses(t *testing.T) {
	secret, other := "--auth-secret-file="+keyFile(t, goodSecret), "--auth-secret-file="+keyFile(t, goodSecret+"!")
	good := minted(t, secret, "--issuer=i")
	for name, test := range map[string]struct {
		token string
		args  []string
		want  string
	}{
		"none":        {"", nil, "there is no token"},
		"blanks":      {" \n", nil, "there is no token"},
		"another key": {minted(t, other), nil, "signature"},
		"expired":     {minted(t, secret, "--expires=-1m"), nil, "expired"},
		"no token":    {"hello", nil, ""},
		"too long":    {strings.Repeat("a", 3*maxToken), nil, ""},
		"cut off":     {good[:len(good)-3], nil, ""},
		"issuer":      {good, []string{"--auth-issuer=j"}, "iss"},
		"audience":    {good, []string{"--auth-audience=a"}, "aud"},
		"no leeway":   {minted(t, secret, "--expires=-1s"), []string{"--auth-leeway=0s"}, "expired"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, test.token, append([]string{"token", "check", secret}, test.args...)...)
			if code != exitFailed || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "parlor: ") || !strings.Contains(stderr, test.want) {
				t.Errorf("%d\n%s%s", code, stdout, stderr)
			}
			if len(test.token) > 5 && strings.Contains(stderr, test.token[len(test.token)/2:]) {
				t.Errorf("the token is in %s", stderr)
			}
		})
	}
	if code, stdout, stderr := run(t, "", "token", "check", secret, "--auth-leeway=2m", minted(t, secret, "--expires=-1m")); code != exitOK || !strings.Contains(stdout, "s ago, ") {
		t.Errorf("within the leeway: %d\n%s%s", code, stdout, stderr)
	}
}

// F15: a key that cannot be used is refused before anything is served, with exit
// code 2 and one line that names the flag, whichever command is to use it.
func TestF15Keys(t *testing.T) {
	private, public := keyPair(t, generate[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)))
	smallPrivate, smallPublic := keyPair(t, generate[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 1024)))
	dir := t.TempDir()
	secret := "--auth-secret-file (PARLOR_AUTH_SECRET_FILE): "
	publicKey := "--auth-public-key-file (PARLOR_AUTH_PUBLIC_KEY_FILE): "
	privateKey := "--auth-private-key-file (PARLOR_AUTH_PRIVATE_KEY_FILE): "
	for name, test := range map[string]struct{ flag, want string }{
		"31 bytes":                       {"--auth-secret-file=" + keyFile(t, goodSecret[:31]+"\n"), secret},
		"a placeholder":                  {"--auth-secret-file=" + keyFile(t, strings.Repeat("changeme", 4)), secret},
		"one letter":                     {"--auth-secret-file=" + keyFile(t, strings.Repeat("x", 64)), secret},
		"nothing":                        {"--auth-secret-file=" + keyFile(t, "\n"), secret},
		"no file":                        {"--auth-secret-file=" + dir + "/none", secret},
		"a directory":                    {"--auth-secret-file=" + dir, secret},
		"huge":                           {"--auth-secret-file=" + keyFile(t, strings.Repeat(goodSecret, 10_000)), secret},
		"a public key as a secret":       {"--auth-secret-file=" + public, secret},
		"a private key for a public one": {"--auth-public-key-file=" + private, publicKey},
		"no key":                         {"--auth-public-key-file=" + keyFile(t, goodSecret), publicKey},
		"a small key":                    {"--auth-public-key-file=" + smallPublic, publicKey},
		"no private key":                 {"--auth-private-key-file=" + public, privateKey},
		"a small private key":            {"--auth-private-key-file=" + smallPrivate, privateKey},
	} {
		t.Run(name, func(t *testing.T) {
			commands := [][]string{{"serve", "--addr=127.0.0.1:0"}, {"token", "check", "x"}}
			if strings.Contains(test.flag, "private") {
				commands = nil
			}
			if !strings.Contains(test.flag, "public") {
				commands = append(commands, []string{"token"})
			}
			for _, args := range commands {
				code, stdout, stderr := run(t, "", append(args, test.flag)...)
				if code != exitUsage || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "parlor: "+test.want) {
					t.Errorf("%q: %d\n%s%s", args, code, stdout, stderr)
				}
				if strings.Contains(stderr, goodSecret[:16]) {
					t.Errorf("the secret is in %s", stderr)
				}
			}
		})
	}
}
