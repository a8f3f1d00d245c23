package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"github.com/seed3686fee0/parlor/internal/static"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const script = "console.log('the app');\n"

// fakeApp is an app as Vite builds one.
func fakeApp() fstest.MapFS {
	return fstest.MapFS{
		"index.html": {Data: []byte(`<!doctype html>
<meta name="parlor-path" content="/socket.io/" />
<script type="module" src="/assets/index-DiwrgTda.js"></script>`)},
		"favicon.svg":               {Data: []byte("<svg/>")},
		"manifest.webmanifest":      {Data: []byte("{}")},
		"LICENSE":                   {Data: []byte("MIT")},
		".vite/manifest.json":       {Data: []byte("{}")},
		"assets/.DS_Store":          {Data: []byte("x")},
		"assets/index-DiwrgTda.js":  {Data: []byte(strings.Repeat(script, 100))},
		"assets/index-B1b2c3d4.css": {Data: []byte(strings.Repeat("p{color:red}", 100))},
		"assets/x-B1b2c3d4.woff2":   {Data: bytes.Repeat([]byte{0}, 1000)},
	}
}

func pages(t *testing.T, path string, app fs.FS) map[string]http.Handler {
	t.Helper()
	handlers, err := Pages(path, app)
	if err != nil {
		t.Fatal(err)
	}
	return handlers
}

func request(handler http.Handler, method string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

// Every file of the app has its exact path, its type, and a life that fits it.
func TestApp(t *testing.T) {
	handlers := pages(t, "/socket.io/", fakeApp())
	want := map[string][2]string{ // content type, Cache-Control
		"/":                          {"text/html; charset=utf-8", static.Ask},
		"/favicon.svg":               {"image/svg+xml", static.Ask},
		"/manifest.webmanifest":      {"application/manifest+json", static.Ask},
		"/LICENSE":                   {static.OtherType, static.Ask},
		"/assets/index-DiwrgTda.js":  {"text/javascript; charset=utf-8", static.ForGood},
		"/assets/index-B1b2c3d4.css": {"text/css; charset=utf-8", static.ForGood},
		"/assets/x-B1b2c3d4.woff2":   {"font/woff2", static.ForGood},
	}
	for path := range handlers {
		if _, ok := want[path]; !ok {
			t.Errorf("%s is served", path)
		}
	}
	for path, want := range want {
		if handlers[path] == nil {
			t.Errorf("%s is not served", path)
			continue
		}
		header := request(handlers[path], http.MethodGet).Result().Header
		if got := [2]string{header.Get("Content-Type"), header.Get("Cache-Control")}; got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

// The page is told where the Socket.IO endpoint is, and cannot be broken by it.
func TestAppKnowsThePath(t *testing.T) {
	for path, want := range map[string]string{
		"/socket.io/":    `<meta name="parlor-path" content="/socket.io/" />`,
		"/ws/v1.0/":      `<meta name="parlor-path" content="/ws/v1.0/" />`,
		`/"><script>$1/`: `<meta name="parlor-path" content="/&#34;&gt;&lt;script&gt;$1/" />`,
	} {
		if body := request(pages(t, path, fakeApp())["/"], http.MethodGet).Body.String(); !strings.Contains(body, want) {
			t.Errorf("%s:\n%s", path, body)
		}
	}
}

func TestAppThatIsNone(t *testing.T) {
	for name, app := range map[string]fstest.MapFS{
		"no page":        {"app.js": {}},
		"no path in it":  {"index.html": {Data: []byte("<!doctype html>")}},
		"two paths":      {"index.html": {Data: []byte(strings.Repeat(`<meta name="parlor-path" content="/x/">`, 2))}},
		"page in a path": {"app/index.html": {Data: []byte(`<meta name="parlor-path" content="/x/">`)}},
	} {
		if _, err := Pages("/socket.io/", app); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestGzip(t *testing.T) {
	handler := pages(t, "/socket.io/", fakeApp())["/assets/index-DiwrgTda.js"]
	whole := strings.Repeat(script, 100)
	plain := request(handler, http.MethodGet)
	zipped := request(handler, http.MethodGet, "Accept-Encoding", "br, gzip")

	for _, w := range []*httptest.ResponseRecorder{plain, zipped} {
		header := w.Result().Header
		if header.Get("Vary") != "Accept-Encoding" || header.Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
			t.Errorf("%v", header)
		}
		tag := header.Get("ETag")
		if again := request(handler, http.MethodGet, "Accept-Encoding", "gzip", "If-None-Match", tag); w == zipped && again.Code != http.StatusNotModified ||
			w == plain && again.Code != http.StatusOK || again.Code == http.StatusNotModified && again.Header().Get("Content-Encoding") != "" {
			t.Errorf("again with %s: %d %v", tag, again.Code, again.Result().Header)
		}
	}
	if plain.Body.String() != whole || plain.Header().Get("Content-Encoding") != "" {
		t.Errorf("plain: %v", plain.Result().Header)
	}
	if zipped.Header().Get("Content-Encoding") != "gzip" || zipped.Body.Len() >= len(whole) || zipped.Header().Get("ETag") == plain.Header().Get("ETag") {
		t.Errorf("zipped: %v", zipped.Result().Header)
	}
	r, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != whole {
		t.Errorf("%q, %v", got, err)
	}

	font := request(pages(t, "/socket.io/", fakeApp())["/assets/x-B1b2c3d4.woff2"], http.MethodGet, "Accept-Encoding", "gzip")
	if header := font.Result().Header; header.Get("Content-Encoding") != "" || header.Get("Vary") != "" {
		t.Errorf("a font: %v", header)
	}
}

func TestPlainPage(t *testing.T) {
	handlers := pages(t, "/ws/", nil)
	body := request(handlers["/"], http.MethodGet).Body.String()
	for _, want := range []string{"<code>make run</code>", "<code>/ws/</code>"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s:\n%s", want, body)
		}
	}
	for path := range handlers {
		if path != "/" && !strings.Contains(body, `"`+path+`"`) {
			t.Errorf("the page does not use %s", path)
		}
	}
}

func TestAssets(t *testing.T) {
	for name, handlers := range map[string]map[string]http.Handler{"plain": pages(t, "/socket.io/", nil), "app": pages(t, "/socket.io/", fakeApp())} {
		for path, handler := range handlers {
			path = name + " " + path
			w := request(handler, http.MethodGet)
			header := w.Result().Header
			if w.Code != http.StatusOK || w.Body.Len() == 0 || header.Get("Content-Type") == "" || header.Get("Content-Security-Policy") != policy ||
				header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("GET %s: %d %v", path, w.Code, header)
			}
			if again := request(handler, http.MethodGet, "If-None-Match", header.Get("ETag")); again.Code != http.StatusNotModified {
				t.Errorf("GET %s again: %d", path, again.Code)
			}
			if head := request(handler, http.MethodHead); head.Code != http.StatusOK || head.Body.Len() != 0 {
				t.Errorf("HEAD %s: %d, %d bytes", path, head.Code, head.Body.Len())
			}
			if post := request(handler, http.MethodPost); post.Code != http.StatusMethodNotAllowed || post.Result().Header.Get("Allow") != "GET, HEAD" {
				t.Errorf("POST %s: %d", path, post.Code)
			}
		}
	}
}

// The bundle and the app are there after make, and not after a plain checkout;
// either is fine, half of one is not.
func TestBuilt(t *testing.T) {
	if bundle := Bundle(); bundle == nil {
		t.Log("no client has been built in")
	} else {
		for _, name := range []string{client, "socket.io.js"} {
			if info, err := fs.Stat(bundle, name); err != nil || info.Size() < 10_000 {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	app := App()
	if app == nil {
		t.Log("no app has been built in")
		return
	}
	handlers := pages(t, "/ws/", app)
	body := request(handlers["/"], http.MethodGet).Body.String()
	// The policy forbids what stands in the page itself.
	for _, inline := range []string{"<style", "style=", "<script>", "onclick", "javascript:", "https:", "http:"} {
		if strings.Contains(body, inline) {
			t.Errorf("the app's page holds %s", inline)
		}
	}
	var scripts []string
	for path, handler := range handlers {
		if header := request(handler, http.MethodGet).Result().Header; header.Get("Content-Type") == static.OtherType {
			t.Errorf("the app has %s, whose type is not in the table", path)
		}
		if strings.HasSuffix(path, ".js") && strings.Contains(body, `"`+path+`"`) {
			scripts = append(scripts, path)
		}
	}
	if len(scripts) == 0 || slices.ContainsFunc(scripts, func(path string) bool { return !strings.HasPrefix(path, "/"+hashed) }) {
		t.Errorf("the app's page loads the scripts %q", scripts)
	}
}
