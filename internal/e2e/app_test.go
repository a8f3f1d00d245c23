package e2e_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// appTests are the stories of people who use the app, in the program as it is built. Each has a server and a
// browser of its own, and a script, app_NAME.mjs.
var appTests = []struct {
	name string
	run  func(t *testing.T, binary, script string)
}{
	{"chat", plainly},
	{"files", appFiles},
	{"restart", appRestart},
	{"polling", appPolling},
	{"token", appToken},
	{"direct", plainly},
	{"tabs", appTabs},
	{"board", plainly},
	{"offline", plainly},
	{"history", appHistory},
	{"keyboard", plainly},
	{"accessible", plainly},
	{"phone", plainly},
}

func TestApp(t *testing.T) {
	t.Parallel()
	binary := buildApp(t)
	for _, test := range appTests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, binary, "app_"+test.name+".mjs")
		})
	}
}

// TestPictures takes the pictures of the docs, where picturesEnv says to which folder.
func TestPictures(t *testing.T) {
	if os.Getenv(picturesEnv) == "" {
		t.Skipf("%s is not set", picturesEnv)
	}
	plainly(t, buildApp(t), "app_pictures.mjs")
}

func plainly(t *testing.T, binary, script string) { startApp(t, binary).script(t, script, nil, nil) }

func appFiles(t *testing.T, binary, script string) {
	const limit = 200_000 // clients learn it from the server
	a := startApp(t, binary, fmt.Sprintf("--chat-file-max=%d", limit))
	a.script(t, script, nil, map[string]any{"limit": limit})
}

func appRestart(t *testing.T, binary, script string) {
	a := startApp(t, binary)
	a.script(t, script, a.restarts(t), nil)
}

// restarts lets a script stop the program and start it again.
func (a *app) restarts(t *testing.T) controls {
	return controls{
		"stop":    func(string) (string, error) { return "", a.stop() },
		"start":   func(string) (string, error) { return "", a.start(t) },
		"running": func(string) (string, error) { return fmt.Sprint(a.running()), nil },
	}
}

func appPolling(t *testing.T, binary, script string) {
	a := startApp(t, binary)
	a.script(t, script, nil, map[string]any{"proxy": withoutWebSocket(t, a)})
}

func appHistory(t *testing.T, binary, script string) {
	startApp(t, binary, "--chat-history=200", "--chat-rate=0").script(t, script, nil, nil)
}

func appToken(t *testing.T, binary, script string) {
	secret := newSecret(t)
	a := startApp(t, binary, "--auth-secret-file="+secretFile(t, secret), "--auth-leeway=5s")
	a.script(t, script, controls{"token": a.token(t, secret)}, map[string]any{
		"forged": sign(t, []byte("another secret, of somebody else"), "ada", time.Hour),
	})
}

func appTabs(t *testing.T, binary, script string) {
	secret := newSecret(t)
	a := startApp(t, binary, "--auth-secret-file="+secretFile(t, secret))
	a.script(t, script, controls{"token": a.token(t, secret)}, nil)
}

// controls are what a script may ask for.
type controls = map[string]func(string) (string, error)

// token makes tokens with the program itself, told the flags as JSON.
func (a *app) token(t *testing.T, secret []byte) func(string) (string, error) {
	file := secretFile(t, secret)
	return func(text string) (string, error) {
		flags := []string{"token", "--auth-secret-file=" + file}
		var more []string
		if err := json.Unmarshal([]byte(text), &more); err != nil {
			return "", err
		}
		return a.command(append(flags, more...)...)
	}
}

func newSecret(t *testing.T) []byte {
	t.Helper()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	return []byte(hex.EncodeToString(secret))
}

func secretFile(t *testing.T, secret []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// sign makes a token by hand: one that parlor token would make with that secret.
func sign(t *testing.T, secret []byte, sub string, expires time.Duration) string {
	t.Helper()
	claims, err := json.Marshal(map[string]any{"sub": sub, "exp": time.Now().Add(expires).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	code := base64.RawURLEncoding
	text := code.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + code.EncodeToString(claims)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(text))
	return text + "." + code.EncodeToString(mac.Sum(nil))
}
