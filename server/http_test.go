package server_test

import (
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/seed3686fee0/parlor/server"
)

// A29: the path is matched exactly, nothing redirects, and what is not served
// is not found.
func TestPaths(t *testing.T) {
	bundle := fstest.MapFS{
		"socket.io.js":         {Data: []byte("// client")},
		"socket.io.min.js.map": {Data: []byte("{}")},
		"secret.txt":           {Data: []byte("secret")},
		"socket.io.min.js":     {Mode: fs.ModeDir},
	}
	served := serve(t, server.WithClientBundle(bundle))
	for path, want := range map[string]int{
		"/socket.io/?EIO=4&transport=nope":      400,
		"/socket.io/socket.io.js":               200,
		"/socket.io/socket.io.js?x=1":           200,
		"/socket.io/socket.io.min.js.map":       200,
		"/socket.io/socket.io.esm.min.js":       404,
		"/socket.io/secret.txt":                 404,
		"/socket.io/socket.io.js/":              404,
		"/socket.io/../socket.io/socket.io.js":  404,
		"/socket.io/%73ocket.io.js":             404,
		"/socket.io/%2e%2e/secret.txt":          404,
		"/socket.io/..%2fsecret.txt":            404,
		"/socket.io%2fsocket.io.js":             404,
		"//socket.io/?EIO=4&transport=polling":  404,
		"/socket.io?EIO=4&transport=polling":    404,
		"/SOCKET.IO/?EIO=4&transport=polling":   404,
		"/socket.io/x/?EIO=4&transport=polling": 404,
		"/":                                     404,
	} {
		res, body := served.get("GET", path)
		if res.StatusCode != want || strings.Contains(body, "secret") || res.Header.Get("Location") != "" {
			t.Errorf("%s: %d, want %d; %s", path, res.StatusCode, want, body)
		}
	}
	res, body := served.get("GET", "/socket.io/socket.io.js")
	if body != "// client" || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/javascript") || res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%q, %v", body, res.Header)
	}
	if res, _ := served.get("POST", "/socket.io/socket.io.js"); res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d, %v", res.StatusCode, res.Header)
	}
	if res, body := served.get("HEAD", "/socket.io/socket.io.js"); res.StatusCode != http.StatusOK || body != "" {
		t.Errorf("HEAD: %d, %q", res.StatusCode, body)
	}

	bare := serve(t, server.WithPath("/chat"))
	if bare.Path() != "/chat/" {
		t.Errorf("Path: %s", bare.Path())
	}
	for path, want := range map[string]int{"/chat/?EIO=4&transport=nope": 400, "/chat/socket.io.js": 404, "/socket.io/?EIO=4&transport=polling": 404} {
		if res, _ := bare.get("GET", path); res.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, want)
		}
	}
}

// An option that makes no sense panics where it is written.
func TestOptionsThatMakeNoSense(t *testing.T) {
	for name, option := range map[string]func() server.Option{
		"path":       func() server.Option { return server.WithPath("chat") },
		"transports": func() server.Option { return server.WithTransports("carrier pigeon") },
		"ping":       func() server.Option { return server.WithPingInterval(0) },
		"inbox":      func() server.Option { return server.WithInbox(0, 1) },
		"payload":    func() server.Option { return server.WithMaxPayload(-1) },
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.HasPrefix(v.(string), "server: ") {
					t.Errorf("%s: %v", name, v)
				}
			}()
			server.New(option())
		}()
	}
}
