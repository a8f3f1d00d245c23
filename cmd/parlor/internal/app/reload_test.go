package app

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

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
	settings := "auth-secret-file: " + secret + "\nadmin-ui: true\n"
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
	first := minted(t, "--auth-secret-file="+secret, "--role=admin")
	admits(first, true)
	admin := open(t, addr, wire.Websocket)
	defer func() { _ = admin.Close() }()
	connects(t, admin, `40/admin,{"token":"`+first+`"}`, `40/admin,{"sid":"*"}`)
	_, session, _ := strings.Cut(awaits(t, admin, `42/admin,["session","*"]`), `["session",`)
	remembers := func(want string) { // the admin
		t.Helper()
		s := open(t, addr, wire.Websocket)
		defer func() { _ = s.Close() }()
		connects(t, s, `40/admin,{"sessionId":`+strings.TrimSuffix(session, "]")+`}`, want)
	}
	remembers(`40/admin,{"sid":"*"}`)

	rewrite(t, secret, newSecret())
	second := minted(t, "--auth-secret-file="+secret)
	admits(second, false) // nobody has said that it has changed
	rewrite(t, file, settings+"log-level: debug\nchat-history: 3\n")
	reload("the configuration was read again",
		"the key was read again",
		`msg="a setting has changed" before=info now=debug setting=log-level`,
		`msg="a setting has changed and needs a restart" before=100 setting=chat-history then=3`)
	admits(second, true)
	admits(first, false)
	remembers(`44/admin,{"message":"invalid credentials"}`)

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

// A configuration that came by a pipe, decrypted say, is not there a second time:
// SIGHUP does not take that for one without settings.
func TestReloadPipe(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no signals to send")
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := write.WriteString("cors-origin: [https://one.example]\n"); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	cmd := command(t, nil, "--addr=127.0.0.1:0", "--config=/dev/fd/3")
	cmd.ExtraFiles = []*os.File{read}
	log, _, _ := listening(t, cmd)
	_ = read.Close()
	send(t, cmd, syscall.SIGHUP)
	if line := waitFor(t, log, "the configuration was read again"); !strings.Contains(line, "nothing has changed") || !strings.Contains(line, "restart the server") {
		t.Error(line)
	}
	send(t, cmd, syscall.SIGTERM)
	waitFor(t, log, "stopped")
	if code := exitCode(t, cmd.Wait()); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// SIGHUP changes who may connect from where, and how much everybody may do: also
// for those that are connected, of whom nobody is let go.
func TestReloadLimits(t *testing.T) {
	t.Parallel()
	const one, other = "https://one.example", "https://other.example"
	file := filepath.Join(t.TempDir(), "parlor.yaml")
	rewrite(t, file, "cors-origin: ["+one+"]\nchat-rooms: 2\n")
	cmd, log, _, addr := serving(t, "--config="+file, "--log-format=text")
	from := func(origin string) (*wire.WS, int) {
		t.Helper()
		c, err := wire.OpenWS(addr, wire.Handshake{Header: []string{"Origin: " + origin}})
		if refusal := wire.Refusal(err); refusal != nil {
			return nil, refusal.Status
		}
		if err != nil {
			t.Fatal(err)
		}
		return c, http.StatusSwitchingProtocols
	}
	gets := func(origin string, want int) {
		t.Helper()
		c, status := from(origin)
		if status != want {
			t.Errorf("%s gets %d, want %d", origin, status, want)
		}
		if c != nil {
			_ = c.Close()
		}
	}
	reload := func(settings string, want ...string) {
		t.Helper()
		rewrite(t, file, settings)
		send(t, cmd, syscall.SIGHUP)
		for _, text := range want {
			waitFor(t, log, text)
		}
	}
	first, status := from(one)
	if status != http.StatusSwitchingProtocols {
		t.Fatalf("it gets %d", status)
	}
	connects(t, first, "40", `40{"sid":"*"}`, `42["connected",*`)
	took := func(events int) time.Duration {
		t.Helper()
		begun := time.Now()
		for range events {
			asks(t, first)
		}
		return time.Since(begun)
	}

	reload("cors-origin: ["+other+"]\nevent-rate: 2\nbyte-rate: 100000\nchat-rooms: 1\n",
		"a setting has changed\" before=0 now=2 setting=event-rate",
		"a setting has changed\" before=0 now=100000 setting=byte-rate",
		"a setting has changed\" before=\""+one+"\" now=\""+other+"\" setting=cors-origin",
		"needs a restart\" before=2 setting=chat-rooms")
	gets(one, http.StatusForbidden)
	gets(other, http.StatusSwitchingProtocols)
	if d := took(6); d < 900*time.Millisecond {
		t.Errorf("six events took %v, and two a second are allowed after a burst of four", d)
	}

	reload("max-connections: 1\ncors-origin: ['*']\n",
		"a setting has changed\" before=0 now=1 setting=max-connections",
		"before=2 now=0 setting=event-rate",
		"any web page may connect")
	gets(other, http.StatusServiceUnavailable)
	becomes(t, addr, "overloaded: connections", http.StatusServiceUnavailable)
	if d := took(40); d > 10*time.Second {
		t.Errorf("40 events took %v without a limit", d)
	}

	message := `428["message",{"room":"r","content":"x"}]`
	if err := first.Send(message); err != nil {
		t.Fatal(err)
	}
	awaits(t, first, `438[{"ok":true,*`)
	reload("max-connections: 1\nchat-rate: 1\ncors-origin: ['*']\n", "before=10 now=1 setting=chat-rate")
	if err := first.Send(slices.Repeat([]string{message}, 15)...); err != nil { // below the burst that there was
		t.Fatal(err)
	}
	awaits(t, first, `438[{"ok":false,"error":{"code":"rate_limited",*`)

	reload("max-connections: -1\ncors-origin: ["+one+"]\n", "nothing has changed")
	gets(other, http.StatusServiceUnavailable)
	reload("", "before=1 now=0 setting=max-connections", "origins are not checked")
	gets(other, http.StatusSwitchingProtocols)
	becomes(t, addr, "ready", http.StatusOK)
	asks(t, first)
	hangUp(first)

	send(t, cmd, syscall.SIGTERM)
	waitFor(t, log, "stopped")
	if code := exitCode(t, cmd.Wait()); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// F08: a user has no more sockets than may be, in both chats together; others, and
// who has no token, are not counted with him. SIGHUP changes how many.
func TestF08MaxSocketsPerUser(t *testing.T) {
	t.Parallel()
	file, secret := filepath.Join(t.TempDir(), "parlor.yaml"), "--auth-secret-file="+keyFile(t, newSecret())
	rewrite(t, file, "max-sockets-per-user: 2\n")
	cmd, log, _, addr := serving(t, "--config="+file, "--log-format=text", "--anonymous", secret)
	m := &member{addr: addr}
	ada, bob := minted(t, secret, "--sub=ada"), minted(t, secret, "--sub=bob")
	refuses := func(ns string) {
		t.Helper()
		s := open(t, addr, wire.Websocket)
		defer hangUp(s)
		connects(t, s, "40"+ns+`{"token":"`+ada+`"}`, "44"+ns+fmt.Sprintf(refused, "too_many_sockets"))
	}
	set := func(n int) {
		t.Helper()
		rewrite(t, file, fmt.Sprintf("max-sockets-per-user: %d\n", n))
		send(t, cmd, syscall.SIGHUP)
		waitFor(t, log, fmt.Sprintf("now=%d setting=max-sockets-per-user", n))
	}
	first := m.enters(t, wire.Websocket, "", ada)
	m.enters(t, wire.Polling, "/chat,", ada)
	refuses("")
	refuses("/chat,")
	m.enters(t, wire.Websocket, "", bob)
	for range 3 {
		s := open(t, addr, wire.Websocket)
		defer hangUp(s)
		connects(t, s, "40", `40{"sid":"*"}`, `42["connected",*`)
	}
	set(3)
	m.enters(t, wire.Websocket, "", ada)
	refuses("")
	set(0)
	m.enters(t, wire.Websocket, "", ada)
	set(1)
	refuses("")
	first.asks(`["join","r"]`, `[{"ok":true,*`) // who is in stays
	send(t, cmd, syscall.SIGKILL)               // nobody here answers a close
	_ = cmd.Wait()
}
