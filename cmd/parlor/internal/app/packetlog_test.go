package app

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/packet"
)

func TestReadable(t *testing.T) {
	long := strings.Repeat("x", 5*maxShown)
	for _, test := range []struct {
		args []any
		want string
	}{
		{[]any{}, ""},
		{[]any{"r", 1.5, true, nil}, "'r', 1.5, true, null"},
		{[]any{map[string]any{"room": "r", "list": []any{1, "a"}}}, "{list: [1, 'a'], room: 'r'}"},
		{[]any{map[string]any{"accessToken": "p4ss", "n": map[string]any{"password": []int{1}}}}, "{accessToken: …, n: {password: …}}"},
		{[]any{"login", "a eyJhbGciOi.eyJzdWIi.c2ln b", map[string]any{"sessionId": "x", "eyJh.eyJi.": 1}}, "'login', 'a … b', {…: 1, sessionId: …}"},
		{[]any{[]byte("abc"), []byte{}}, "<3 bytes 61 62 63>, <0 bytes>"},
		{[]any{[]byte(long)}, "<5120 bytes" + strings.Repeat(" 78", 16) + " …>"},
		{[]any{long}, "'" + long[:maxShown] + "…'"},
		{[]any{long, 1}, "'" + long[:maxShown] + "…', …"},
		{[]any{strings.Repeat("é", maxShown)}, "'" + strings.Repeat("é", maxShown/2) + "…'"},
	} {
		args, err := packet.EventArgs("event", test.args...)
		if err != nil {
			t.Fatal(err)
		}
		if event, got := readable(args); event != "event" || got != test.want {
			t.Errorf("%s %s, want %s", event, got, test.want)
		}
	}
	list, err := packet.EventArgs("event", make([]int, 100_000))
	if err != nil {
		t.Fatal(err)
	}
	if _, got := readable(list); len(got) > 2*maxShown {
		t.Errorf("%d bytes are shown", len(got))
	}
}

// A session's packets are readable in the log when that is wanted, and the tokens
// are not.
func TestLogPackets(t *testing.T) {
	t.Parallel()
	secret := "--auth-secret-file=" + keyFile(t, newSecret())
	m := startMember(t, secret, "--log-packets", "--admin-ui")
	token := minted(t, secret)
	admin := minted(t, secret, "--role=admin")
	session := sessionOfAdmin(t, m.addr, admin)
	p := m.enters(t, wire.Upgraded, "", token)
	p.asks(`["join",{"room":"r"}]`, `[{"ok":true,*`)
	p.asks(`["auth_refresh",{"token":"`+minted(t, secret)+`"}]`, `[{"ok":true*`)
	p.sends(`42["message",{"room":"r","text":"it's me"}]`, `42["message",*`)
	_ = p.Close()
	m.log.wait(t, "packet: disconnected", 1)
	m.stop()
	text := m.log.text.String()
	for _, want := range []string{
		`msg="packet: connected"`, `msg="packet: received" args="{room: 'r'}"`, `event=join id=9 namespace=/ type=EVENT`,
		`msg="packet: received" args="{token: …}"`, `type=CONNECT`, `msg="packet: sent" args="{sid: '`, `type=ACK`,
		`args="{room: 'r', text: 'it's me'}"`, `msg="packet: sent"`, `event=message`, `reason="transport close"`, "--log-packets (PARLOR_LOG_PACKETS)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %s", want)
		}
	}
	holdsNone(t, text, token, p.SID(), admin, session)
}

// sessionOfAdmin logs in to the Admin UI, and returns what would do so again.
func sessionOfAdmin(t *testing.T, addr, token string) string {
	t.Helper()
	s := open(t, addr, wire.Websocket)
	defer func() { _ = s.Close() }()
	connects(t, s, `40/admin,{"username":"","password":"`+token+`"}`, `40/admin,{"sid":"*"}`)
	for {
		got, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if _, rest, ok := strings.Cut(got.Data, `["session","`); ok {
			id, _, _ := strings.Cut(rest, `"`)
			return id
		}
	}
}

// holdsNone fails for a secret that is in a log, or a part of it that would do.
func holdsNone(t *testing.T, log string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if secret == "" {
			t.Error("there is no secret to look for")
		} else if strings.Contains(log, secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	for _, jwt := range regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`).FindAllString(log, -1) {
		t.Errorf("the log has a token: %s", jwt)
	}
}

// A log at its most talkative has no token, session id or payload in it, whatever
// goes well or wrong.
func TestLogsHaveNoSecrets(t *testing.T) {
	t.Parallel()
	key := newSecret()
	secret := "--auth-secret-file=" + keyFile(t, key)
	ops := newSecret()
	m := startMember(t, secret, "--auth-query-token", "--ops-addr=127.0.0.1:0", "--ops-token-file="+keyFile(t, ops))
	const payload = "whatpeoplewrite"
	secrets := []string{key, ops, payload, base64.StdEncoding.EncodeToString([]byte(payload))}
	for _, transport := range wire.Transports() {
		for _, ns := range []string{"", "/chat,"} {
			token, expired := minted(t, secret), minted(t, secret, "--expires=-1m")
			p := m.enters(t, transport, ns, token)
			secrets = append(secrets, token, expired, p.SID())
			p.asks(`["join",{"room":"`+payload+`"}]`, `[{"ok":true,*`)
			p.asks(`["message",{"room":"`+payload+`","text":"`+payload+`"}]`, `[{"ok":true,*`)
			p.asks(`["typing",{"room":{"`+payload+`":1}}]`, `[{"ok":false,*`)
			p.asks(`["auth_refresh",{"token":"`+expired+`"}]`, `[{"ok":false,*`)
			_ = p.Send("42" + ns + `["` + payload) // not JSON
			hangUp(p.Session)

			stranger := open(t, m.addr, transport)
			secrets = append(secrets, stranger.SID())
			connects(t, stranger, "40"+ns+`{"token":"`+expired+`"}`, "44"+ns+"*")
			hangUp(stranger)
		}
	}
	for _, path := range []string{"/socket.io/?EIO=3&token=", "/socket.io/?EIO=4&transport=polling&sid=", "/metrics?token=", "/socket.io/?EIO=4&transport=polling&token="} {
		token := minted(t, secret)
		secrets = append(secrets, token)
		get(t, "http://"+m.addr+path+token)
		get(t, "http://"+m.opsAddr(t)+path+token)
	}
	m.stop()
	text := m.log.text.String()
	for _, want := range []string{"request refused", "event refused", "auth_refresh refused", "connection closed"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing in the log says %q:\n%s", want, text)
		}
	}
	holdsNone(t, text, secrets...)
}
