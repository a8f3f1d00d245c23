package app

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

// Over TLS, `parlor admin` trusts the certificates that it is told of, and nobody
// else with the credentials.
func TestAdminTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	certify(t, cert, key)
	secret := "--auth-secret-file=" + keyFile(t, goodSecret)
	addr, stop := start(t, "--tls-cert="+cert, "--tls-key="+key, "--admin-api", secret)
	defer stop()
	token := "--token-file=" + keyFile(t, minted(t, secret, "--role=admin")+"\n")
	stats := func(args ...string) (code int, stdout, stderr string) {
		return run(t, "", append([]string{"admin", "stats", token, "--url=https://" + addr}, args...)...)
	}
	if code, stdout, stderr := stats("--ca-file=" + cert); code != exitOK || !strings.HasPrefix(stdout, "SERVER ") || stderr != "" {
		t.Errorf("%d\n%s%s", code, stdout, stderr)
	}
	if code, _, stderr := stats(); code != exitFailed || !strings.Contains(stderr, "--ca-file (PARLOR_ADMIN_CA_FILE) names the certificate") {
		t.Errorf("unknown: %d %s", code, stderr)
	}
	if code, _, stderr := run(t, "", "admin", "stats", token, "--url=http://"+addr); code != exitFailed || strings.Count(stderr, "\n") != 1 {
		t.Errorf("without TLS: %d %s", code, stderr)
	}
}

// A password in a file is the one that was hashed, with the blanks that it has.
func TestAdminPasswordFile(t *testing.T) {
	const password = " correct horse "
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	addr, stop := start(t, "--admin-api", "--admin-user=root", "--admin-password-hash-file="+keyFile(t, string(hash)))
	defer stop()
	for content, want := range map[string]int{password: exitOK, password + "\r\n": exitOK, "correct horse": exitFailed} {
		if code, _, stderr := run(t, "", "admin", "stats", "--url=http://"+addr, "--user=root", "--password-file="+keyFile(t, content)); code != want {
			t.Errorf("%q: %d %s", content, code, stderr)
		}
	}
}

// What cannot be read, or sent, is said in one line, before anything is asked.
func TestAdminInput(t *testing.T) {
	nobody := "--url=http://127.0.0.1:1"
	for name, test := range map[string]struct {
		stdin string
		args  []string
		code  int
		want  string
	}{
		"no password":      {"", []string{"stats", "--user=ops"}, exitFailed, "parlor: there is no password; write it to the standard input, or give --password-file (PARLOR_ADMIN_PASSWORD_FILE)\n"},
		"an empty line":    {"\nhunter2\n", []string{"stats", "--user=ops"}, exitFailed, "parlor: there is no password;"},
		"no password file": {"", []string{"stats", "--user=ops", "--password-file=none"}, exitUsage, `parlor: --password-file (PARLOR_ADMIN_PASSWORD_FILE): "none" cannot be read`},
		"no token file":    {"", []string{"stats", "--token-file=none"}, exitUsage, `parlor: --token-file (PARLOR_ADMIN_TOKEN_FILE): "none" cannot be read`},
		"an empty token":   {"", []string{"stats", "--token-file=" + keyFile(t, "\n")}, exitUsage, "parlor: --token-file (PARLOR_ADMIN_TOKEN_FILE): "},
		"no certificate":   {"", []string{"stats", "--ca-file=" + keyFile(t, "hello")}, exitUsage, "parlor: --ca-file (PARLOR_ADMIN_CA_FILE): "},
		"no JSON":          {"", []string{"broadcast", "--namespace=/", "x", "hello"}, exitUsage, `parlor: the argument "hello" is not JSON; a text has quotes of its own, as in '"hello"'` + "\n"},
		"nobody there":     {"hunter2\n", []string{"stats", "--user=ops"}, exitFailed, "parlor: cannot reach http://127.0.0.1:1: "},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := run(t, test.stdin, append(append([]string{"admin"}, test.args...), nobody)...)
			if code != test.code || stdout != "" || !strings.HasPrefix(stderr, test.want) || strings.Count(stderr, "\n") != 1 || strings.Contains(stderr, "hunter2") {
				t.Errorf("%d\n%s%s", code, stdout, stderr)
			}
		})
	}
}
