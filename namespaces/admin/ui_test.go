package admin

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed3686fee0/parlor/internal/static"
)

const fakeIndex = `<!DOCTYPE html><html><head><link rel="icon" href="favicon.png">` +
	`<link rel="stylesheet" href="https://fonts.googleapis.com/css?family=Roboto:100,300">` +
	`<link rel="stylesheet" href="https://cdn.jsdelivr.net/npm/@mdi/font@latest/css/materialdesignicons.min.css">` +
	`</head><body><script src="js/app.0d7d7845.js"></script></body></html>`

// fakePage is a page as the package has one.
func fakePage() fstest.MapFS {
	return fstest.MapFS{
		"index.html":                 {Data: []byte(fakeIndex)},
		"favicon.png":                {Data: []byte("png")},
		"js/app.0d7d7845.js":         {Data: []byte("// the page")},
		"js/app.0d7d7845.js.map":     {Data: []byte("{}")},
		"css/app.6e3b9661.css":       {Data: []byte("p{}")},
		"img/logo-dark.3727fec5.svg": {Data: []byte("<svg/>")},
		".git/config":                {Data: []byte("x")},
		"js/.DS_Store":               {Data: []byte("x")},
	}
}

func fakeIcons() fstest.MapFS {
	return fstest.MapFS{
		"css/materialdesignicons.min.css":          {Data: []byte("@font-face{}")},
		"css/materialdesignicons.css":              {Data: []byte("@font-face {}")},
		"fonts/materialdesignicons-webfont.woff2":  {Data: []byte("font")},
		"fonts/materialdesignicons-webfont.eot":    {Data: []byte("font")},
		"css/materialdesignicons.min.css.map":      {Data: []byte("{}")},
		"LICENSE":                                  {Data: []byte("Apache 2.0")},
		"preview.html":                             {Data: []byte("<script>alert(1)</script>")},
		"fonts/materialdesignicons-webfont.woff22": {Data: []byte("x")},
	}
}

func newUI(t *testing.T, page fs.FS, opts UIOptions) *ui {
	t.Helper()
	handler, err := UI(page, opts)
	if err != nil {
		t.Fatal(err)
	}
	return handler.(*ui)
}

func get(handler http.Handler, target string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
	return w
}

// Every file has its exact path, its type, a life that fits it, and the policy.
func TestUIFiles(t *testing.T) {
	u := newUI(t, fakePage(), UIOptions{Icons: fakeIcons()})
	want := map[string][2]string{ // content type, Cache-Control
		"":                                      {"text/html; charset=utf-8", static.Ask},
		"connect.js":                            {"text/javascript; charset=utf-8", static.Ask},
		"index.html":                            {"text/html; charset=utf-8", static.Ask},
		"favicon.png":                           {"image/png", static.Ask},
		"js/app.0d7d7845.js":                    {"text/javascript; charset=utf-8", static.ForGood},
		"css/app.6e3b9661.css":                  {"text/css; charset=utf-8", static.ForGood},
		"img/logo-dark.3727fec5.svg":            {"image/svg+xml", static.ForGood},
		"icons/LICENSE":                         {static.OtherType, static.Ask},
		"icons/css/materialdesignicons.min.css": {"text/css; charset=utf-8", static.Ask},
		"icons/fonts/materialdesignicons-webfont.woff2": {"font/woff2", static.Ask},
	}
	for name := range u.files {
		if _, ok := want[name]; !ok {
			t.Errorf("%s is served", name)
		}
	}
	for name, want := range want {
		w := get(u, "/admin/"+name)
		header := w.Result().Header
		if got := [2]string{header.Get("Content-Type"), header.Get("Cache-Control")}; w.Code != http.StatusOK || got != want {
			t.Errorf("%s: %d %q, want %q", name, w.Code, got, want)
		}
		if header.Get("Content-Security-Policy") != uiPolicy {
			t.Errorf("%s: %v", name, header)
		}
	}
}

func TestUIPaths(t *testing.T) {
	for path, want := range map[string]map[string]int{
		"/admin/": {
			"/admin/": http.StatusOK, "/admin/index.html": http.StatusOK, "/admin": http.StatusFound, "/admin/?x=1": http.StatusOK,
			"/": http.StatusNotFound, "/administration": http.StatusNotFound, "/index.html": http.StatusNotFound, "/admin//index.html": http.StatusNotFound,
			"/admin/js/": http.StatusNotFound, "/admin/js/../index.html": http.StatusNotFound, "/admin/js/app.0d7d7845.js.map": http.StatusNotFound,
			"/admin/icons/preview.html": http.StatusNotFound, "/x/admin/": http.StatusNotFound,
		},
		"/ops/sockets/": {"/ops/sockets/": http.StatusOK, "/ops/sockets": http.StatusFound, "/ops/": http.StatusNotFound, "/admin/": http.StatusNotFound},
		"/":             {"/": http.StatusOK, "/index.html": http.StatusOK},
	} {
		u := newUI(t, fakePage(), UIOptions{Icons: fakeIcons(), Path: path})
		for target, want := range want {
			w := get(u, target)
			if w.Code != want {
				t.Errorf("at %s: %s: %d, want %d", path, target, w.Code, want)
			}
			if to := w.Header().Get("Location"); want == http.StatusFound && !strings.HasSuffix(path, "/"+to) {
				t.Errorf("at %s: %s: to %q", path, target, to)
			}
		}
	}
}

// The page is served without what it would load from elsewhere, and otherwise
// byte for byte.
func TestUIIndex(t *testing.T) {
	u := newUI(t, fakePage(), UIOptions{Icons: fakeIcons()})
	const want = `<!DOCTYPE html><html><head><link rel="icon" href="favicon.png">` +
		`<link rel="stylesheet" href="icons/css/materialdesignicons.min.css">` +
		`</head><body><script src="js/app.0d7d7845.js"></script></body></html>`
	if got := get(u, "/admin/index.html").Body.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestUIConnect(t *testing.T) {
	for name, test := range map[string]struct {
		opts UIOptions
		want string
	}{
		"as it is": {want: `data-path="/socket.io/" data-namespace="/admin" data-parser="default" data-ws-only="false"`},
		"told": {
			opts: UIOptions{SocketPath: "/ws/", Namespace: "/ops", MessagePack: true, WebSocketOnly: true},
			want: `data-path="/ws/" data-namespace="/ops" data-parser="msgpack" data-ws-only="true"`,
		},
		"markup": {
			opts: UIOptions{SocketPath: `/"><script>`, Namespace: `/'"`},
			want: `data-path="/&#34;&gt;&lt;script&gt;" data-namespace="/&#39;&#34;"`,
		},
	} {
		test.opts.Icons = fakeIcons()
		body := get(newUI(t, fakePage(), test.opts), "/admin/").Body.String()
		if !strings.Contains(body, test.want) {
			t.Errorf("%s: %s", name, body)
		}
		// The policy forbids what stands in the page itself.
		if strings.Count(body, "<script") != 1 || !strings.Contains(body, `<script src="connect.js"`) {
			t.Errorf("%s: %s", name, body)
		}
	}
}

func TestUIRefuses(t *testing.T) {
	index := func(change ...string) fstest.MapFS {
		page := fakePage()
		page["index.html"] = &fstest.MapFile{Data: []byte(strings.NewReplacer(change...).Replace(fakeIndex))}
		return page
	}
	without := func(files fstest.MapFS, name string) fstest.MapFS {
		delete(files, name)
		return files
	}
	icons := UIOptions{Icons: fakeIcons()}
	for name, test := range map[string]struct {
		page fs.FS
		opts UIOptions
		want string
	}{
		"no page":              {nil, icons, "there is no page"},
		"no icons":             {fakePage(), UIOptions{}, "there are no icons"},
		"no index":             {without(fakePage(), "index.html"), icons, "there is no index.html"},
		"no style":             {fakePage(), UIOptions{Icons: without(fakeIcons(), "css/materialdesignicons.min.css")}, "@mdi/font"},
		"no font":              {fakePage(), UIOptions{Icons: without(fakeIcons(), "fonts/materialdesignicons-webfont.woff2")}, "@mdi/font"},
		"another page":         {index(fakeIndex, "<!doctype html>"), icons, "it loads Roboto 0 times and the icons 0 times"},
		"icons of another":     {index("cdn.jsdelivr.net", "unpkg.com"), icons, "the icons 0 times"},
		"icons twice":          {index("<html>", `<html><link rel="stylesheet" href="https://cdn.jsdelivr.net/npm/@mdi/font@7/css/x.min.css">`), icons, "the icons 2 times"},
		"a script of others":   {index("js/app", "https://example.com/app"), icons, `src="https://example.com/app.0d7d7845.js"`},
		"the same, short":      {index("favicon", "//example.com/favicon"), icons, `href="//example.com/favicon.png"`},
		"a connect.js":         {fstest.MapFS{"index.html": fakePage()["index.html"], "connect.js": {}}, icons, "a connect.js of its own"},
		"path without slash":   {fakePage(), UIOptions{Icons: fakeIcons(), Path: "/admin"}, `"/admin"`},
		"path without a start": {fakePage(), UIOptions{Icons: fakeIcons(), Path: "admin/"}, `"admin/"`},
	} {
		_, err := UI(test.page, test.opts)
		if err == nil || !strings.HasPrefix(err.Error(), "admin: UI: ") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The package from npm, where it is installed.
func TestUIOfThePackage(t *testing.T) {
	const modules = "../../cmd/parlor/internal/web/node_modules/"
	if _, err := os.Stat(modules + "@socket.io/admin-ui"); err != nil {
		t.Skip("@socket.io/admin-ui is not installed; make deps does that")
	}
	u := newUI(t, os.DirFS(modules+"@socket.io/admin-ui/ui/dist"), UIOptions{Icons: os.DirFS(modules + "@mdi/font")})
	index := get(u, "/admin/index.html").Body.String()
	for _, name := range []string{"js/app.", "js/chunk-vendors.", "css/app.", "icons/css/"} {
		if !strings.Contains(index, `="`+name) {
			t.Errorf("the page does not load %s…:\n%s", name, index)
		}
	}
	if strings.Count(index, "<script") != strings.Count(index, "<script src=") || strings.Contains(index, "<style") {
		t.Errorf("the page has what its policy forbids:\n%s", index)
	}
	var kept []string
	for name := range u.files {
		if hashedName.MatchString(name) {
			kept = append(kept, name)
		}
	}
	slices.Sort(kept)
	if len(kept) != 6 {
		t.Errorf("for good may be kept %q, not two scripts, two styles and two pictures", kept)
	}
}
