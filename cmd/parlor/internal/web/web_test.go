package web

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func request(handler http.Handler, method string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func TestPage(t *testing.T) {
	for name, test := range map[string]struct {
		bundle fs.FS
		want   string
	}{
		"with the client":    {fstest.MapFS{client: {}}, `<script src="/ws/socket.io.min.js" defer>`},
		"without the client": {nil, "<code>make run</code>"},
	} {
		t.Run(name, func(t *testing.T) {
			handlers, err := Page("/ws/", test.bundle)
			if err != nil {
				t.Fatal(err)
			}
			w := request(handlers["/"], http.MethodGet)
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), test.want) || !strings.Contains(w.Body.String(), "/ws/") {
				t.Errorf("%d\n%s", w.Code, w.Body)
			}
			// The policy forbids what stands in the page itself.
			for _, inline := range []string{"<style", "style=", "<script>", "onclick", "javascript:"} {
				if strings.Contains(w.Body.String(), inline) {
					t.Errorf("the page holds %s", inline)
				}
			}
		})
	}
}

func TestAssets(t *testing.T) {
	handlers, err := Page("/socket.io/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(handlers) != len(types) {
		t.Errorf("%d handlers for %d files", len(handlers), len(types))
	}
	for path, handler := range handlers {
		w := request(handler, http.MethodGet)
		header := w.Result().Header
		if w.Code != http.StatusOK || w.Body.Len() == 0 || header.Get("Content-Type") == "" ||
			!strings.Contains(header.Get("Content-Security-Policy"), "default-src 'none'") || header.Get("X-Content-Type-Options") != "nosniff" {
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

// What others write reaches the page as text alone.
func TestScriptMakesNoMarkup(t *testing.T) {
	script, err := page.ReadFile("page/app.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, sink := range []string{"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function("} {
		if strings.Contains(string(script), sink) {
			t.Errorf("the script uses %s", sink)
		}
	}
}

// The bundle is there after make, and not after a plain checkout; either is fine,
// a bundle without the file that the page loads is not.
func TestBundle(t *testing.T) {
	bundle := Bundle()
	if bundle == nil {
		t.Log("no client has been built in")
		return
	}
	for _, name := range []string{client, "socket.io.js"} {
		if info, err := fs.Stat(bundle, name); err != nil || info.Size() < 10_000 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
