package app

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/web"
)

// startHTTP serves the routes with a stand-in for the Socket.IO server, which
// answers "socket" and the path.
func startHTTP(t *testing.T, change func(*http.Server, *routes)) string {
	t.Helper()
	bundle := fstest.MapFS{"socket.io.min.js": {}, "socket.io.js": {}}
	app := fstest.MapFS{
		"index.html":               {Data: []byte(`<!doctype html><meta name="parlor-path" content="/socket.io/">`)},
		"favicon.svg":              {Data: []byte("<svg/>")},
		"assets/index-DiwrgTda.js": {Data: []byte("// the app")},
	}
	pages, err := web.Pages("/socket.io/", app)
	if err != nil {
		t.Fatal(err)
	}
	socket := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, "socket ", r.URL.Path)
	})
	rt, err := newRoutes("/socket.io/", socket, pages, bundle)
	if err != nil {
		t.Fatal(err)
	}
	server := newHTTPServer(rt, slog.New(slog.DiscardHandler))
	if change != nil {
		change(server, rt)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-served
	})
	return listener.Addr().String()
}

// dial opens a connection whose reads do not wait for ever.
func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	return conn
}

// exchange writes a request as it stands and returns the reply.
func exchange(t *testing.T, addr, request string) (*http.Response, string) {
	t.Helper()
	conn := dial(t, addr)
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return read(t, bufio.NewReader(conn))
}

func read(t *testing.T, r *bufio.Reader) (*http.Response, string) {
	t.Helper()
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

// A29: exact paths only; nothing is cleaned, decoded or redirected.
func TestA29Paths(t *testing.T) {
	addr := startHTTP(t, nil)
	tests := map[string]string{ // path → start of the body; "" for 404
		"/socket.io/":                    "socket /socket.io/",
		"/socket.io/?EIO=4":              "socket /socket.io/",
		"http://x/socket.io/":            "socket /socket.io/",
		"/socket.io/socket.io.js":        "socket /socket.io/socket.io.js",
		"/":                              "<!doctype html>",
		"/?x=1":                          "<!doctype html>",
		"/favicon.svg":                   "<svg",
		"/assets/index-DiwrgTda.js":      "//",
		"/assets/index-DiwrgTda.js?x":    "//",
		"/assets/":                       "",
		"/assets":                        "",
		"/assets//index-DiwrgTda.js":     "",
		"/assets/index-DiwrgTda.js.map":  "",
		"/assets/../favicon.svg":         "",
		"/ASSETS/index-DiwrgTda.js":      "",
		"/assets%2findex-DiwrgTda.js":    "",
		"//":                             "",
		"//socket.io/":                   "",
		"/socket.io":                     "",
		"/socket.io//":                   "",
		"/socket.io/../x":                "",
		"/x/../socket.io/":               "",
		"/./socket.io/":                  "",
		"/socket.io/%2e%2e/etc/passwd":   "",
		"/%2e%2e/etc/passwd":             "",
		"/..%2f..%2fetc/passwd":          "",
		"/socket%2eio/":                  "",
		"/socket.io%2f":                  "",
		"/SOCKET.IO/":                    "",
		"/socket.io/socket.io.js.map":    "",
		"/socket.io/socket.io.js/":       "",
		"/socket.io/..%5c..%5cpasswd":    "",
		"/index.html":                    "",
		"/page/index.html":               "",
		"/dist/.gitignore":               "",
		"/web.go":                        "",
		"/favicon.ico":                   "",
		"/%00":                           "",
		"/favicon.svg/":                  "",
		"/FAVICON.SVG":                   "",
		"/favicon%2esvg":                 "",
		"//evil.example/%2f..":           "",
		"/\\evil.example":                "",
		"/socket.io/;x":                  "",
		"/socket.io/?EIO=4/../../passwd": "socket /socket.io/",
	}
	for path, want := range tests {
		response, body := exchange(t, addr, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
		status := http.StatusOK
		if want == "" {
			status = http.StatusNotFound
		}
		if response.StatusCode != status || !strings.HasPrefix(body, want) || response.Header.Get("Location") != "" {
			t.Errorf("%s: %s %.40q %q", path, response.Status, body, response.Header.Get("Location"))
		}
	}
}

func TestPageMethods(t *testing.T) {
	addr := startHTTP(t, nil)
	if response, body := exchange(t, addr, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"); response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("POST /: %s %q", response.Status, body)
	}
	if response, body := exchange(t, addr, "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"); response.StatusCode != http.StatusNotFound {
		t.Errorf("OPTIONS *: %s %q", response.Status, body)
	}
}

// A30: too much of a header.
func TestA30Headers(t *testing.T) {
	addr := startHTTP(t, nil)
	for name, request := range map[string]string{
		"2,000 headers":   "GET /socket.io/ HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-Header: of some length\r\n", 2000) + "\r\n",
		"a 1.1 MB header": "GET /socket.io/ HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 1_100_000) + "\r\n\r\n",
		"a 64 KB URL":     "GET /socket.io/?x=" + strings.Repeat("x", 64_000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		conn := dial(t, addr)
		go func() { _, _ = io.WriteString(conn, request) }() // it need not be read to its end
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%s: %s", name, response.Status)
		}
	}
	token := "GET /socket.io/ HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + strings.Repeat("x", 8192) + "\r\n\r\n"
	if response, _ := exchange(t, addr, token); response.StatusCode != http.StatusOK {
		t.Errorf("a token of 8 KiB: %s", response.Status)
	}
}

// A31: odd requests, each with its one right answer.
func TestA31Requests(t *testing.T) {
	addr := startHTTP(t, nil)
	for name, test := range map[string]struct {
		request string
		status  int
	}{
		"no Host":    {"GET /socket.io/ HTTP/1.1\r\n\r\n", http.StatusBadRequest},
		"HTTP/1.0":   {"GET /socket.io/ HTTP/1.0\r\n\r\n", http.StatusOK},
		"h2 preface": {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", http.StatusBadRequest},
		"not HTTP":   {"\x16\x03\x01\x00\xee\r\n\r\n", http.StatusBadRequest},
	} {
		if response, _ := exchange(t, addr, test.request); response.StatusCode != test.status {
			t.Errorf("%s: %s, want %d", name, response.Status, test.status)
		}
	}

	conn := dial(t, addr)
	if _, err := io.WriteString(conn, "GET /socket.io/ HTTP/1.1\r\nHost: x\r\n\r\nGET /x HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	if first, _ := read(t, r); first.StatusCode != http.StatusOK {
		t.Errorf("first of two: %s", first.Status)
	}
	if second, _ := read(t, r); second.StatusCode != http.StatusNotFound {
		t.Errorf("second of two: %s", second.Status)
	}
}

// A20: neither a header nor a body that nobody reads keeps a connection open.
func TestA20SlowClients(t *testing.T) {
	if readHeaderTimeout > 10*time.Second || bodyTimeout > 10*time.Second {
		t.Errorf("headers have %v, bodies %v", readHeaderTimeout, bodyTimeout)
	}
	addr := startHTTP(t, func(server *http.Server, rt *routes) {
		server.ReadHeaderTimeout = 100 * time.Millisecond
		rt.bodyTimeout = 100 * time.Millisecond
	})
	for name, request := range map[string]string{
		"header":            "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"body of a page":    "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx",
		"body to a 404":     "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nx",
		"chunks to a 405":   "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx",
		"body before reply": "POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100000\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := dial(t, addr)
			if _, err := io.WriteString(conn, request); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, conn); err != nil && !strings.Contains(err.Error(), "reset") {
				t.Errorf("the connection is still open: %v", err)
			}
		})
	}
}
