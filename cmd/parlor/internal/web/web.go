// Package web holds the chat page that the command serves at "/", and the
// official JavaScript client when it has been built in.
//
// The page is plain HTML, CSS and JavaScript under page/. The client comes from
// npm: `make run` and `make build` put it into dist/, which is not committed.
// Without it the package compiles just the same; the page then says how to get
// the client.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"time"
)

//go:embed page
var page embed.FS

// dist may hold its placeholder alone, so "all:" is needed to match a file that
// begins with a dot.
//
//go:embed all:dist
var dist embed.FS

// client is the file of the bundle that the page loads.
const client = "socket.io.min.js"

// types gives the content type of each file by its name in the page's root. They
// are not left to the host's MIME table, which on some systems calls scripts
// plain text; a browser then refuses to run them.
var types = map[string]string{
	indexName:   "text/html; charset=utf-8",
	"app.js":    "text/javascript; charset=utf-8",
	"style.css": "text/css; charset=utf-8",
	"icon.svg":  "image/svg+xml",
}

const indexName = "index.html"

// policy lets the page load from and connect to its own server and nothing
// else. It is strict enough to hold even if a name or a message were ever put
// into the page as markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Bundle returns the files of the JavaScript client, or nil when it has not been
// built in.
func Bundle() fs.FS {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil
	}
	if _, err := fs.Stat(files, client); err != nil {
		return nil
	}
	return files
}

// Page returns the page's handlers by their exact path, for a server whose
// Socket.IO endpoint is at socketPath. Without a bundle the page is the plain one.
func Page(socketPath string, bundle fs.FS) (map[string]http.Handler, error) {
	index := "page/plain.html"
	if bundle != nil {
		index = "page/index.html"
	}
	source, err := template.ParseFS(page, index)
	if err != nil {
		return nil, fmt.Errorf("parse the page: %w", err)
	}
	var html bytes.Buffer
	if err := source.Execute(&html, struct{ Path string }{socketPath}); err != nil {
		return nil, fmt.Errorf("render the page: %w", err)
	}
	handlers := map[string]http.Handler{"/": newAsset(indexName, html.Bytes())}
	for name := range types {
		if name == indexName {
			continue
		}
		content, err := page.ReadFile(path.Join("page", name))
		if err != nil {
			return nil, fmt.Errorf("read the page's files: %w", err)
		}
		handlers["/"+name] = newAsset(name, content)
	}
	return handlers, nil
}

// asset is a file in memory. It is immutable and safe for concurrent use.
type asset struct {
	name, etag string
	content    []byte
}

func newAsset(name string, content []byte) *asset {
	sum := sha256.Sum256(content)
	return &asset{name: name, etag: `"` + hex.EncodeToString(sum[:8]) + `"`, content: content}
}

// ServeHTTP implements [http.Handler].
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		header.Set("Allow", "GET, HEAD")
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	header.Set("Content-Type", types[a.name])
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-cache") // ask each time; the tag makes the answer short
	header.Set("ETag", a.etag)
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.content))
}
