package app

import (
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"strings"
	"time"
)

// bodyTimeout is how long a client may take over a body that nobody reads.
const bodyTimeout = 10 * time.Second

// routes serves exact paths and nothing else; those of a tree are for its handler
// to know. [http.ServeMux] is not used: it
// answers a path it would have written differently with a redirect, and a
// redirect to what a client sent is an invitation.
//
// It is immutable and safe for concurrent use.
type routes struct {
	socketPath  string
	socket      http.Handler
	others      map[string]http.Handler // never read for a request to socketPath
	trees       []tree                  // the first that has a path, of those that others has not
	bodyTimeout time.Duration
}

// A tree is what is below a path, which ends in a slash, and that path without it.
type tree struct {
	path    string
	handler http.Handler
}

func (t tree) has(path string) bool {
	return strings.HasPrefix(path, t.path) || path == strings.TrimSuffix(t.path, "/")
}

// newRoutes serves the Socket.IO endpoint at socketPath, the files of the
// JavaScript client below it, as Node's server does, the pages and the trees.
func newRoutes(socketPath string, socket http.Handler, pages map[string]http.Handler, bundle fs.FS, trees ...tree) (*routes, error) {
	others := maps.Clone(pages)
	if bundle != nil {
		files, err := fs.Glob(bundle, "*.js")
		if err != nil {
			return nil, fmt.Errorf("list the JavaScript client: %w", err)
		}
		for _, name := range files {
			others[socketPath+name] = socket
		}
	}
	return &routes{socketPath: socketPath, socket: socket, others: others, trees: trees, bodyTimeout: bodyTimeout}, nil
}

// ServeHTTP implements [http.Handler].
func (rt *routes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ProtoMajor != 1 { // the opening line of HTTP/2, which net/http passes on
		w.Header().Set("Connection", "close")
		http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
		return
	}
	path := r.URL.Path
	if r.URL.RawPath != "" { // "%2e" for "." and the like: not the path, though it decodes to it
		path = ""
	}
	if path == rt.socketPath {
		rt.socket.ServeHTTP(w, r)
		return
	}
	boundBody(w, r, rt.bodyTimeout)
	if handler, ok := rt.others[path]; ok {
		handler.ServeHTTP(w, r)
		return
	}
	for _, tree := range rt.trees {
		if tree.has(path) {
			tree.handler.ServeHTTP(w, r)
			return
		}
	}
	http.NotFound(w, r)
}

// boundBody gives a client only so long for a body. net/http reads it to some length
// before it sends the reply of a handler that has not; without a deadline a slow one
// would hold the connection for hours. When it cannot be set the reply is still right.
func boundBody(w http.ResponseWriter, r *http.Request, timeout time.Duration) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(timeout))
	}
}
