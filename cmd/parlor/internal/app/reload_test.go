package app

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/seed3686fee0/parlor/internal/wire"
)

func rewrite(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// SIGHUP has the command read its file and its key again: what can hold at once
// does, what cannot is said, and a file that is wrong changes nothing.
func TestReload(t *testing.T) {
	t.Parallel()
	file, secret := filepath.Join(t.TempDir(), "parlor.yaml"), keyFile(t, newSecret())
	settings := "auth-secret-file: " + secret + "\n"
	rewrite(t, file, settings+"log-level: info\n")
	cmd, log, _, addr := serving(t, "--config="+file, "--log-format=text")
	reload := func(want ...string) {
		t.Helper()
		send(t, cmd, syscall.SIGHUP)
		for _, text := range want {
			waitFor(t, log, text)
		}
	}
	admits := func(token string, yes bool) {
		t.Helper()
		s := open(t, addr, wire.Websocket)
		defer func() { _ = s.Close() }()
		want := []string{"44" + fmt.Sprintf(refused, "token_invalid")}
		if yes {
			want = []string{`40{"sid":"*"}`, `42["connected",{"userId":"ada",*`}
		}
		connects(t, s, `40{"token":"`+token+`"}`, want...)
	}
	first := minted(t, "--auth-secret-file="+secret)
	admits(first, true)

	rewrite(t, secret, newSecret())
	second := minted(t, "--auth-secret-file="+secret)
	admits(second, false) // nobody has said that it has changed
	rewrite(t, file, settings+"log-level: debug\nchat-rate: 3\n")
	reload("the configuration was read again",
		"the key was read again",
		`msg="a setting has changed" before=info now=debug setting=log-level`,
		`msg="a setting has changed and needs a restart" before=10 setting=chat-rate then=3`)
	admits(second, true)
	admits(first, false)

	for _, wrong := range []string{"log-level: loud\n", "chat-rat: 3\n"} {
		rewrite(t, file, settings+wrong)
		reload("nothing has changed")
	}
	rewrite(t, secret, "short")
	rewrite(t, file, settings)
	reload("nothing has changed")
	admits(second, true)

	send(t, cmd, syscall.SIGTERM)
	waitFor(t, log, "stopped")
	if code := exitCode(t, cmd.Wait()); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
