package app

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/internal/wire"
)

const adminPassword = "correct horse battery staple"

// hashFile is a file with the hash of adminPassword, a cheap one.
func hashFile(t *testing.T) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(adminPassword), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return keyFile(t, string(hash)+"\n")
}

// Who may log in is for the flags to say, whether the page has been built in or not,
// and nothing of what is shown or configured is logged.
func TestAdminLogin(t *testing.T) {
	secret := "--auth-secret-file=" + keyFile(t, goodSecret)
	token := minted(t, secret, "--sub=u1", "--role=editor", "--role=admin")
	other := minted(t, secret, "--sub=u2", "--role=editor")
	file := hashFile(t)
	password := []string{"--admin-ui", "--admin-user=root", "--admin-password-hash-file=" + file}
	const (
		nothing   = `{"sessionId":null}`
		right     = `{"username":"root","password":"` + adminPassword + `"}`
		wrong     = `{"username":"root","password":"hunter2"}`
		otherUser = `{"username":"Root","password":"` + adminPassword + `"}`
	)
	asPassword := func(token string) string { return `{"username":"","password":"` + token + `"}` }
	for name, test := range map[string]struct {
		args     []string
		in, out  []string // auth payloads
		features string
		log      []string
	}{
		"password": {
			args: password, in: []string{right}, out: []string{nothing, wrong, otherUser, asPassword(token), ``}, features: "EMIT",
			log: []string{"msg=admin ", "auth=password", "user=root", "mode=development", "quickly guessed"},
		},
		"token": {
			args: []string{"--admin-ui", secret}, in: []string{asPassword(token), `{"token":"` + token + `"}`},
			out: []string{nothing, right, asPassword(other), `{"token":"` + other + `"}`, asPassword("x")}, features: "EMIT", log: []string{"auth=token"},
		},
		"either": {
			args: append(password, secret), in: []string{right, asPassword(token)}, out: []string{nothing, wrong, asPassword(other)}, features: "EMIT",
			log: []string{`auth="password token"`},
		},
		"insecure": {
			args: []string{"--admin-ui", "--admin-insecure"}, in: []string{nothing, wrong, ``}, features: "EMIT",
			log: []string{"auth=none", "everyone who reaches this address is an administrator"},
		},
		"read-only, production": {
			args: append(password, "--admin-read-only", "--admin-mode=production"), in: []string{right}, out: []string{wrong}, features: "AGGREGATED_EVENTS",
			log: []string{"mode=production", "read_only=true"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			addr, stop := startLogged(t, test.args...)
			for _, payload := range test.out {
				s := open(t, addr, wire.Websocket)
				connects(t, s, "40/admin,"+payload, `44/admin,{"message":"invalid credentials"}`)
				hangUp(s)
			}
			for _, payload := range test.in {
				s := open(t, addr, wire.Websocket)
				connects(t, s, "40/admin,"+payload, `40/admin,{"sid":"*"}`)
				if name != "insecure" {
					awaits(t, s, `42/admin,["session","*"]`)
				}
				awaits(t, s, `42/admin,["config",{"supportedFeatures":["`+test.features+`"*`)
				hangUp(s)
			}
			log := stop()
			for _, want := range append(test.log, "/admin") {
				if !strings.Contains(log, want) {
					t.Errorf("the log lacks %q:\n%s", want, log)
				}
			}
			for _, never := range []string{adminPassword, "hunter2", goodSecret, "$2a$", token[len(token)-20:], other[len(other)-20:]} {
				if strings.Contains(log, never) {
					t.Errorf("the log has %q", never)
				}
			}
		})
	}
}

// Who has logged in at one instance is known to the others, but not to one that has been
// started with another hash, as after a change of the password.
func TestAdminSessionOfAllInstances(t *testing.T) {
	t.Parallel()
	settings := []string{"--redis=redis://" + redistest.Start(t).Addr, "--admin-ui", "--admin-user=root"}
	start := func(file string) *member {
		return startMember(t, append(slices.Clip(settings), "--admin-password-hash-file="+file)...)
	}
	before := hashFile(t)
	one, two, changed := start(before), start(before), start(hashFile(t))
	one.log.wait(t, together, 1)
	s := open(t, one.addr, wire.Websocket)
	defer hangUp(s)
	connects(t, s, `40/admin,{"username":"root","password":"`+adminPassword+`"}`, `40/admin,{"sid":"*"}`)
	_, session, _ := strings.Cut(awaits(t, s, `42/admin,["session","*"]`), `["session",`)
	session = strings.TrimSuffix(session, "]")
	for at, want := range map[*member]string{two: `40/admin,{"sid":"*"}`, changed: `44/admin,{"message":"invalid credentials"}`} {
		at.log.wait(t, together, 1)
		s := open(t, at.addr, wire.Websocket)
		defer hangUp(s)
		connects(t, s, `40/admin,{"sessionId":`+session+`}`, want)
	}
}

// awaits reads on until a packet comes, and returns it.
func awaits(t *testing.T, s wire.Session, want string) string {
	t.Helper()
	for {
		p, err := s.Next()
		if err != nil {
			t.Fatalf("waiting for %s: %v", want, err)
		}
		if wire.Match(want, p.String()) {
			return p.String()
		}
	}
}

// Without the flag there is neither the page nor the namespace.
func TestNoAdmin(t *testing.T) {
	addr, stop := startLogged(t)
	s := open(t, addr, wire.Websocket)
	connects(t, s, "40/admin,", `44/admin,{"message":"Invalid namespace"}`)
	hangUp(s)
	for _, path := range []string{"/admin", "/admin/", "/admin/index.html"} {
		if response, _ := get(t, "http://"+addr+path); response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, response.Status)
		}
	}
	if log := stop(); strings.Contains(log, "msg=admin") {
		t.Errorf("the log has an administration:\n%s", log)
	}
}

// The API is there with the page and without.
func TestAdminAPI(t *testing.T) {
	for flag, page := range map[string]string{"--admin-api": "404 page not found\n", "--admin-ui": ""} {
		addr, stop := start(t, flag, "--admin-user=root", "--admin-password-hash-file="+hashFile(t))
		if response, body := get(t, "http://"+addr+"/admin/api/v1/stats"); response.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: the API: %s %s", flag, response.Status, body)
		}
		if _, body := get(t, "http://"+addr+"/admin/"); (body == page) != (flag == "--admin-api") {
			t.Errorf("%s: the page: %s", flag, body)
		}
		stop()
	}
}

func TestAdminPage(t *testing.T) {
	cfg := parse(t, "--admin-ui", "--admin-insecure", "--path=/ws/", "--admin-namespace=/ops")
	page := fstest.MapFS{"index.html": {Data: []byte(`<link rel="stylesheet" href="https://fonts.googleapis.com/css?x">` +
		`<link rel="stylesheet" href="https://cdn.jsdelivr.net/npm/@mdi/font@latest/css/x.css">`)}}
	icons := fstest.MapFS{"css/materialdesignicons.min.css": {}, "fonts/materialdesignicons-webfont.woff2": {}, "LICENSE": {}}

	a, err := openAdministration(cfg, &keyring{})
	if err != nil {
		t.Fatal(err)
	}
	rt := &routes{socketPath: cfg.Path, trees: []tree{{config.AdminPath, a.page}}}
	if w := request(rt, "/admin/"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "make run builds it") {
		t.Errorf("without the page: %d %s", w.Code, w.Body)
	}
	if err := a.servePage(page, icons); err != nil {
		t.Fatal(err)
	}
	rt.trees[0].handler = a.page
	for path, want := range map[string]int{
		"/admin/": http.StatusOK, "/admin/index.html": http.StatusOK, "/admin": http.StatusFound, "/admin/x": http.StatusNotFound,
		"/administration": http.StatusNotFound, "/admi": http.StatusNotFound, "/admin/%2e%2e/admin/": http.StatusNotFound, "/x/admin/": http.StatusNotFound,
	} {
		if w := request(rt, path); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	if body := request(rt, "/admin/").Body.String(); !strings.Contains(body, `data-path="/ws/" data-namespace="/ops"`) {
		t.Errorf("the form is filled in by %s", body)
	}
	if err := a.servePage(fstest.MapFS{}, icons); err == nil || !strings.Contains(err.Error(), "--admin-ui") {
		t.Errorf("a page that is none: %v", err)
	}
}

// What is wrong with the file of the hash is said before anything is served, and
// nothing of what is in it.
func TestAdminHashFile(t *testing.T) {
	for content, want := range map[string]string{
		"hunter2": `does not hold a bcrypt hash, 60 characters that begin with $2; parlor admin hash makes one`,
		"$2a$10$": `does not hold a bcrypt hash`,
		"":        "is empty",
	} {
		settings := []string{"--addr=127.0.0.1:0", "--admin-ui", "--admin-user=root", "--admin-password-hash-file=" + keyFile(t, content)}
		code, _, stderr := run(t, "", append([]string{"serve"}, settings...)...)
		if _, _, checked := run(t, "", append([]string{"config", "check"}, settings...)...); checked != stderr {
			t.Errorf("%q: config check says %s", content, checked)
		}
		if code != exitUsage || !strings.Contains(stderr, "--admin-password-hash-file (PARLOR_ADMIN_PASSWORD_HASH_FILE): ") || !strings.Contains(stderr, want) ||
			strings.Contains(stderr, "hunter2") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: %d %s", content, code, stderr)
		}
	}
}

func TestAdminHash(t *testing.T) {
	var out, errs strings.Builder
	if err := hashPassword(strings.NewReader(adminPassword+"\r\nand another line"), &out, &errs, bcrypt.MinCost); err != nil || errs.Len() > 0 ||
		bcrypt.CompareHashAndPassword([]byte(strings.TrimSuffix(out.String(), "\n")), []byte(adminPassword)) != nil {
		t.Errorf("%v %q %s", err, &out, &errs)
	}
	for stdin, want := range map[string]string{"": "there is no password", "\n": "there is no password", strings.Repeat("x", 73): "longer than 72 bytes"} {
		if code, stdout, stderr := run(t, stdin, "admin", "hash"); code != exitFailed || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: %d %q %s", stdin, code, stdout, stderr)
		}
	}
}

func request(handler http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}
