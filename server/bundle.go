package server

import (
	"io/fs"
	"net/http"
	"regexp"
)

// bundleFile matches the files of the client that are served.
var bundleFile = regexp.MustCompile(`^socket\.io(\.esm|\.msgpack)?(\.min)?\.js(\.map)?$`)

// serveBundle serves a file of the client, and reports whether it has.
func (s *Server) serveBundle(w http.ResponseWriter, r *http.Request, name string) bool {
	if s.config.bundle == nil || !bundleFile.MatchString(name) {
		return false
	}
	if _, err := fs.Stat(s.config.bundle, name); err != nil {
		return false
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return true
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeFileFS(w, r, s.config.bundle, name) //nolint:gosec // name is one of bundleFile's
	return true
}
