// Package web holds what the command serves to browsers: the chat app at "/",
// the official JavaScript client below the Socket.IO path, and the Admin UI.
//
// They need Node.js to be made, and are not committed: `make run` and
// `make build` build the app of examples/js-client into dist/app/, and put the
// files of the client into dist/ and those of the Admin UI into dist/admin/.
// Without them the package compiles just the same; a plain page then says how to
// get the app.
package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/seed3686fee0/parlor/internal/static"
)

//go:embed page
var page embed.FS

// dist may hold its placeholder alone, so "all:" is needed to match a file that
// begins with a dot.
//
//go:embed all:dist
var dist embed.FS

// client is the file of the bundle that is always in it.
const client = "socket.io.min.js"

const indexName = "index.html"

// hashed is where the app has files whose names change with their content.
const hashed = "assets/"

// policy lets the page load from and connect to its own server and nothing
// else; blob: and data: are pictures that a chat has received. It is strict
// enough to hold even if a name or a message were ever put into the page as
// markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; " +
	"font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// socketPath is where the app's page names the path of the Socket.IO endpoint;
// as it is built it has the default.
var socketPath = regexp.MustCompile(`(<meta\s+name="parlor-path"\s+content=")[^"]*(")`)

// Bundle returns the files of the JavaScript client, or nil when it has not been
// built in.
func Bundle() fs.FS { return built("dist", client) }

// App returns the files of the chat app, or nil when it has not been built in.
func App() fs.FS { return built("dist/app", indexName) }

// Admin returns the files of the Admin UI, those of ui/dist in npm's
// @socket.io/admin-ui, and of its icons, @mdi/font; nil when they have not been
// built in.
func Admin() (page, icons fs.FS) {
	return built("dist/admin/page", indexName), built("dist/admin/icons", "LICENSE")
}

// built returns the directory of dist if it has a file, else nil.
func built(dir, file string) fs.FS {
	files, err := fs.Sub(dist, dir)
	if err != nil {
		return nil
	}
	if _, err := fs.Stat(files, file); err != nil {
		return nil
	}
	return files
}

// Pages returns handlers by their exact path, for a server whose Socket.IO
// endpoint is at path: those of the app's files, the page itself at "/". Without
// an app, nil, they are those of a plain page that says how to build it.
func Pages(path string, app fs.FS) (map[string]http.Handler, error) {
	if app == nil {
		return plain(path)
	}
	handlers := map[string]http.Handler{}
	err := fs.WalkDir(app, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name == ".":
			return nil
		case strings.HasPrefix(entry.Name(), "."): // what tools leave behind
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir():
			return nil
		}
		content, err := fs.ReadFile(app, name)
		if err != nil {
			return err
		}
		if name == indexName {
			if content, err = pointTo(path, content); err != nil {
				return err
			}
			handlers["/"] = newAsset(name, content)
			return nil
		}
		handlers["/"+name] = newAsset(name, content)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the app: %w", err)
	}
	if handlers["/"] == nil {
		return nil, errors.New("read the app: it has no " + indexName)
	}
	return handlers, nil
}

// pointTo writes the path of the Socket.IO endpoint into the app's page.
func pointTo(path string, page []byte) ([]byte, error) {
	if n := len(socketPath.FindAllIndex(page, -1)); n != 1 {
		return nil, fmt.Errorf(`its page has %d times <meta name="parlor-path" content="…">, not once`, n)
	}
	return socketPath.ReplaceAllFunc(page, func(tag []byte) []byte {
		parts := socketPath.FindSubmatch(tag)
		return bytes.Join([][]byte{parts[1], []byte(html.EscapeString(path)), parts[2]}, nil)
	}), nil
}

// plain returns the handlers of the page without the app.
func plain(socketPath string) (map[string]http.Handler, error) {
	const dir, source = "page", "plain.html"
	tmpl, err := template.ParseFS(page, path.Join(dir, source))
	if err != nil {
		return nil, fmt.Errorf("parse the page: %w", err)
	}
	var html bytes.Buffer
	if err := tmpl.Execute(&html, struct{ Path string }{socketPath}); err != nil {
		return nil, fmt.Errorf("render the page: %w", err)
	}
	handlers := map[string]http.Handler{"/": newAsset(indexName, html.Bytes())}
	entries, err := page.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list the page's files: %w", err)
	}
	for _, entry := range entries {
		if entry.Name() == source {
			continue
		}
		content, err := page.ReadFile(path.Join(dir, entry.Name()))
		if err != nil {
			return nil, fmt.Errorf("read the page's files: %w", err)
		}
		handlers["/"+entry.Name()] = newAsset(entry.Name(), content)
	}
	return handlers, nil
}

// newAsset makes the handler of a file whose name is its path without the leading
// slash.
func newAsset(name string, content []byte) http.Handler {
	cache := static.Ask
	if strings.HasPrefix(name, hashed) {
		cache = static.ForGood
	}
	return static.New(name, content, cache, policy)
}
