package app

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/logging"
	"github.com/seed3686fee0/parlor/internal/wire"
)

// startLogged is start with the log, at the level debug, for after its end.
func startLogged(t *testing.T, args ...string) (addr string, stop func() (log string)) {
	t.Helper()
	var out bytes.Buffer
	log := logging.New(&out, "debug", "text")
	ctx, cancel := context.WithCancelCause(t.Context())
	ready := make(chan net.Addr, 1)
	ended := make(chan error, 1)
	cfg := parse(t, append([]string{"--addr=127.0.0.1:0"}, args...)...)
	go func() { ended <- Run(ctx, cfg, log.Logger, func(addr net.Addr) { ready <- addr }) }()
	select {
	case err := <-ended:
		t.Fatal(err)
	case a := <-ready:
		addr = a.String()
	}
	return addr, func() string {
		cancel(errors.New("the test ends"))
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
		log.Close(10 * time.Second)
		return out.String()
	}
}

// connects sends a CONNECT and expects the packets that answer it.
func connects(t *testing.T, s wire.Session, connect string, want ...string) {
	t.Helper()
	if err := s.Send(connect); err != nil {
		t.Fatal(err)
	}
	if err := wire.Expect(s, want...); err != nil {
		t.Errorf("%s: %v", wire.Shorten(connect), err)
	}
}

func open(t *testing.T, addr, transport string) wire.Session {
	t.Helper()
	s, err := wire.Open(addr, transport)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// hangUp ends a session so that the server knows of it, and need not wait.
func hangUp(s wire.Session) {
	if poll, ok := s.(*wire.Poll); ok {
		poll.Leave()
		return
	}
	_ = s.Close()
}

const refused = `{"message":"Authentication error","data":{"code":"%s"}}`

// With a key the user is whom the token is for, whatever else the client says,
// and who has none stays out; on each namespace and transport.
func TestAuthentication(t *testing.T) {
	secret := "--auth-secret-file=" + keyFile(t, goodSecret)
	token := minted(t, secret, "--sub=u1", "--name=Grace", "--issuer=i", "--audience=a")
	addr, stop := start(t, secret, "--auth-issuer=i", "--auth-audience=a", "--auth-audience=b")
	for _, transport := range wire.Transports() {
		for _, ns := range []string{"", "/chat,"} {
			s := open(t, addr, transport)
			connects(t, s, "40"+ns, "44"+ns+fmt.Sprintf(refused, "token_missing"))
			connects(t, s, "40"+ns+`{"username":"Grace"}`, "44"+ns+fmt.Sprintf(refused, "token_missing"))
			connects(t, s, "40"+ns+`{"token":"x"}`, "44"+ns+fmt.Sprintf(refused, "token_invalid"))
			connects(t, s, "40"+ns+`{"token":"`+minted(t, secret, "--expires=-1m", "--issuer=i", "--audience=a")+`"}`, "44"+ns+fmt.Sprintf(refused, "token_expired"))
			connects(t, s, "40"+ns+`{"token":"`+minted(t, secret, "--issuer=j", "--audience=a")+`"}`, "44"+ns+fmt.Sprintf(refused, "token_invalid"))
			connects(t, s, "40"+ns+`{"token":"`+token+`","username":"admin","sub":"admin"}`,
				"40"+ns+`{"sid":"*"}`, "42"+ns+`["connected",{"userId":"u1","user":"Grace",*`)
			hangUp(s)
		}
	}
	stop()
}

func TestAnonymous(t *testing.T) {
	secret := "--auth-secret-file=" + keyFile(t, goodSecret)
	token := minted(t, secret, "--sub=u1")
	user, anonymous := `42["connected",{"userId":"u1","user":"u1",*`, `42["connected",{"userId":"*","user":"Eve",*`
	for name, test := range map[string]struct {
		args             []string
		token, bad, none string // what they get
	}{
		"no key":            {nil, anonymous, anonymous, anonymous},
		"a key":             {[]string{secret}, user, "token_invalid", "token_missing"},
		"a key, and all":    {[]string{secret, "--anonymous"}, user, "token_invalid", anonymous},
		"a key, and no one": {[]string{secret, "--no-anonymous"}, user, "token_invalid", "token_missing"},
	} {
		t.Run(name, func(t *testing.T) {
			addr, stop := start(t, test.args...)
			for auth, want := range map[string]string{
				`{"username":"Eve","token":"` + token + `"}`: test.token,
				`{"username":"Eve","token":"x.y.z"}`:         test.bad,
				`{"username":"Eve"}`:                         test.none,
			} {
				s := open(t, addr, wire.Websocket)
				if strings.HasPrefix(want, "token_") {
					connects(t, s, "40"+auth, "44"+fmt.Sprintf(refused, want))
				} else {
					connects(t, s, "40"+auth, `40{"sid":"*"}`, want)
				}
				_ = s.Close()
			}
			stop()
		})
	}
}

// F14: a token in the query is for those who ask for it, and is not logged, at
// any level, whatever becomes of it.
func TestF14QueryToken(t *testing.T) {
	file := keyFile(t, goodSecret)
	secret := "--auth-secret-file=" + file
	good, bad := minted(t, secret), minted(t, "--auth-secret-file="+keyFile(t, goodSecret+"!"))
	for name, test := range map[string]struct {
		args      []string
		good, bad string
	}{
		"on":  {[]string{secret, "--auth-query-token"}, `40{"sid":"*"}`, "44" + fmt.Sprintf(refused, "token_invalid")},
		"off": {[]string{secret}, "44" + fmt.Sprintf(refused, "token_missing"), "44" + fmt.Sprintf(refused, "token_missing")},
	} {
		t.Run(name, func(t *testing.T) {
			addr, stop := startLogged(t, append(test.args, "--log-level=debug")...)
			for token, want := range map[string]string{good: test.good, bad: test.bad} {
				ws, err := wire.OpenWS(addr, wire.Handshake{Query: "EIO=4&transport=websocket&token=" + token})
				if err != nil {
					t.Fatal(err)
				}
				connects(t, ws, "40", want)
				_ = ws.Close()
				poll, err := wire.OpenPoll(addr, "token="+token)
				if err != nil {
					t.Fatal(err)
				}
				connects(t, poll, "40", want)
				connects(t, poll, `40/chat,{"token":"`+bad+`"}`)
				poll.Leave()
				// Requests that are refused, and such that are none.
				for _, request := range []string{
					"GET /socket.io/?EIO=3&transport=polling&token=" + token,
					"GET /socket.io/?EIO=4&transport=polling&sid=x&token=" + token,
					"GET /socket.io/?token=" + token + ";x",
					"POST /?token=" + token,
					"GET /nothing?token=" + token,
				} {
					exchange(t, addr, request+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "+token+"\r\n\r\n")
				}
			}
			log := stop()
			if !strings.Contains(log, "level=debug") || !strings.Contains(log, "auth=hs256") || !strings.Contains(log, "code=token_") {
				t.Errorf("the log is not what it was to be:\n%s", log)
			}
			for _, token := range []string{good, bad} {
				for part := range strings.SplitSeq(token, ".") {
					if strings.Contains(log, part) {
						t.Errorf("%q is in the log:\n%s", part, log)
					}
				}
			}
			if strings.Contains(log, goodSecret[:12]) {
				t.Errorf("the secret is in the log:\n%s", log)
			}
		})
	}
}

// --chat-rooms is for those rooms that a client has joined: a user with a token is
// in one of the chat's own too.
func TestRoomsOfUserWithToken(t *testing.T) {
	path := "--auth-secret-file=" + keyFile(t, goodSecret)
	addr, stop := startLogged(t, path, "--chat-rooms=2")
	defer stop()
	s := open(t, addr, wire.Websocket)
	defer hangUp(s)
	connects(t, s, `40{"token":"`+minted(t, path)+`"}`, `40{"sid":"*"}`, `42["connected",*`)
	for room, want := range []string{`{"ok":true,*`, `{"ok":true,*`, `{"ok":false,"error":{"code":"too_many_rooms","message":"In 2 rooms*`} {
		connects(t, s, fmt.Sprintf(`421["join","room %d"]`, room), `431[`+want)
	}
}

// The start of the log says who may connect.
func TestAnnouncesAuthentication(t *testing.T) {
	path := keyFile(t, goodSecret)
	_, public := keyPair(t, generate[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)))
	for name, test := range map[string]struct {
		args   []string
		want   []string
		hasNot []string
	}{
		"no key": {nil, []string{"auth=none", "anonymous=true", "tokens are not looked at", "anonymous users are allowed"}, nil},
		"a secret": {
			[]string{"--auth-secret-file=" + path, "--auth-issuer=https://i.example/", "--auth-audience=a", "--auth-audience=b", "--auth-leeway=5s"},
			[]string{"auth=hs256", `issuer="https://i.example/"`, `audience="a b"`, "leeway=5s", "anonymous=false", "query_token=false"},
			[]string{"anonymous users", "not looked at", "for another service", path},
		},
		"a public key": {[]string{"--auth-public-key-file=" + public}, []string{"auth=es256", "issuer=any", "audience=any", "leeway=30s", "for another service"}, []string{"anonymous users"}},
		"a public key and everyone": {
			[]string{"--auth-public-key-file=" + public, "--anonymous", "--auth-query-token", "--auth-leeway=0s"},
			[]string{"leeway=0s", "anonymous=true", "anonymous users are allowed: --anonymous", "tokens in URLs are accepted", "query_token=true"},
			[]string{"not looked at"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, stop := startLogged(t, test.args...)
			log := stop()
			for _, want := range test.want {
				if !strings.Contains(log, want) {
					t.Errorf("the log lacks %s:\n%s", want, log)
				}
			}
			for _, not := range append(test.hasNot, goodSecret[:12]) {
				if strings.Contains(log, not) {
					t.Errorf("the log has %s:\n%s", not, log)
				}
			}
		})
	}
}

// A key set is fetched when the command starts, by the server and by
// `parlor token check`; where it cannot be had the command fails, and says why.
func TestKeySet(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, _ := keyPair(t, key)
	point, err := key.PublicKey.Bytes() // 4, x, y
	if err != nil {
		t.Fatal(err)
	}
	set := fmt.Sprintf(`{"keys":[{"kty":"EC","use":"sig","alg":"ES256","kid":"k1","crv":"P-256","x":%q,"y":%q}]}`,
		base64.RawURLEncoding.EncodeToString(point[1:33]), base64.RawURLEncoding.EncodeToString(point[33:]))
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keys" {
			_, _ = io.WriteString(w, set)
			return
		}
		http.NotFound(w, r)
	}))
	token := minted(t, "--auth-private-key-file="+private, "--sub=u1")
	flag := "--auth-jwks-url=" + endpoint.URL

	addr, stop := startLogged(t, flag+"/keys?key=s3cret")
	s := open(t, addr, wire.Websocket)
	connects(t, s, `40{"token":"`+token+`"}`, `40{"sid":"*"}`, `42["connected",{"userId":"u1",*`)
	_ = s.Close()
	log := stop()
	for _, want := range []string{"auth=jwks", "algorithms=ES256", `key_set="` + endpoint.URL + `/keys"`, "--auth-audience"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	if strings.Contains(log, "s3cret") {
		t.Errorf("the log has what is in the query of the key set's address:\n%s", log)
	}
	if code, stdout, stderr := run(t, token, "token", "check", flag+"/keys"); code != exitOK || !strings.HasPrefix(stdout, "user     u1\n") {
		t.Errorf("check: %d\n%s%s", code, stdout, stderr)
	}

	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	for name, url := range map[string]string{"not found": flag + "/nothing", "nobody there": "--auth-jwks-url=" + closed.URL} {
		begun := time.Now()
		code, stdout, stderr := run(t, "", "serve", "--addr=127.0.0.1:0", url)
		if code != exitFailed || stdout != "" || strings.Count(stderr, "\n") != 1 ||
			!strings.HasPrefix(stderr, "parlor: cannot use the key set of --auth-jwks-url (PARLOR_AUTH_JWKS_URL): ") {
			t.Errorf("%s: %d\n%s%s", name, code, stdout, stderr)
		}
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
	endpoint.Close()
}

// A signal while the key set does not come ends the command at once.
func TestKeySetThatDoesNotCome(t *testing.T) {
	asked, release := make(chan struct{}, 1), make(chan struct{})
	endpoint := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-release
	}))
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, parse(t, "--addr=127.0.0.1:0", "--auth-jwks-url="+endpoint.URL), slog.New(slog.DiscardHandler), nil)
	}()
	<-asked
	begun := time.Now()
	cancel(errors.New("signal: terminated"))
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "signal: terminated") {
		t.Errorf("Run: %v", err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("took %v", took)
	}
	close(release)
	endpoint.Close()
}
