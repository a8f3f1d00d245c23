package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of a request to the API.
const (
	apiMaxBody   = 1 << 20          // bytes
	apiMaxQuery  = 4 << 10          // bytes
	apiPatience  = 20 * time.Second // from the request to its answer, waiting included
	apiReading   = 10 * time.Second // for the body
	apiWriting   = 30 * time.Second // for the answer
	apiAtOnce    = 4                // that are worked on; others wait
	apiLogins    = 4                // that log in; fewer than what the throttle takes for guessing
	apiMostWaits = 60               // more are refused
)

// API returns a handler for the JSON API that docs/admin-api.md describes, for
// programs and for people with curl: what the page lacks, and the same without
// it. Its paths begin with /v1/:
//
//	http.Handle("/admin/api/", http.StripPrefix("/admin/api", a.API()))
//
// It admits whom the namespace admits, and lets them do what they may do there.
// Requests of pages of another origin are refused. It may be used concurrently, and
// after Close is unavailable.
func (a *Admin) API() http.Handler {
	h := &api{admin: a, work: newTurnstile(apiAtOnce), logins: newTurnstile(apiLogins), routes: http.NewServeMux()}
	for pattern, route := range map[string]apiRoute{
		"/v1/stats":        {http.MethodGet, h.stats},
		"/v1/sockets":      {http.MethodGet, h.sockets},
		"/v1/sockets/{id}": {http.MethodGet, h.socket},
		"/v1/rooms":        {http.MethodGet, h.rooms},
		"/v1/disconnect":   {http.MethodPost, h.disconnect},
		"/v1/join":         {http.MethodPost, h.join},
		"/v1/leave":        {http.MethodPost, h.leave},
		"/v1/emit":         {http.MethodPost, h.emit},
	} {
		h.routes.Handle(pattern, h.handler(route))
	}
	return h
}

// An api is the handler of API. It is immutable.
type api struct {
	admin   *Admin
	routes  *http.ServeMux
	origins http.CrossOriginProtection
	work    turnstile // bounds what answers take of memory
	logins  turnstile
}

type apiRoute struct {
	method string
	do     func(r *http.Request, p Principal) (any, error)
}

// ServeHTTP implements [http.Handler].
func (h *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	expectBody(w, r)
	// A mux would redirect a path that it would have written differently.
	if clean := path.Clean(r.URL.Path); clean != r.URL.Path {
		answer(w, r, nil, errNoSuchPath)
		return
	}
	if _, pattern := h.routes.Handler(r); pattern == "" {
		answer(w, r, nil, errNoSuchPath)
		return
	}
	h.routes.ServeHTTP(w, r)
}

// expectBody bounds how long a body is waited for, whether somebody reads it or
// net/http does after the answer. Where that cannot be done the answer is right all
// the same.
func expectBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(apiReading))
	}
}

func (h *api) handler(route apiRoute) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := h.serve(w, r, route)
		answer(w, r, body, err)
	})
}

// serve is what comes before and around a route.
func (h *api) serve(w http.ResponseWriter, r *http.Request, route apiRoute) (body any, err error) {
	defer func() {
		if v := recover(); v != nil {
			h.admin.opts.Logger.Error("admin API panicked", "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
			body, err = nil, errInternal
		}
	}()
	ctx, cancel := context.WithTimeout(r.Context(), apiPatience)
	defer cancel()
	r = r.WithContext(ctx)
	if err := h.check(r, route); err != nil {
		return nil, err
	}
	p, err := h.identify(r)
	if err != nil {
		return nil, err
	}
	if err := h.work.enter(ctx); err != nil {
		return nil, err
	}
	defer h.work.leave()
	expectBody(w, r) // from now on: it has waited
	r.Body = http.MaxBytesReader(w, r.Body, apiMaxBody)
	return route.do(r, p)
}

// check looks at all that can be said without knowing who asks.
func (h *api) check(r *http.Request, route apiRoute) error {
	if err := h.sameOrigin(r); err != nil {
		return err
	}
	if h.admin.ctx.Err() != nil {
		return errUnavailable
	}
	allowed := []string{route.method}
	if route.method == http.MethodGet {
		allowed = append(allowed, http.MethodHead)
	}
	switch {
	case !slices.Contains(allowed, r.Method):
		return &apiError{status: http.StatusMethodNotAllowed, code: "method_not_allowed", allow: strings.Join(allowed, ", "),
			message: "this path is for " + strings.Join(allowed, " and ")}
	case len(r.URL.RawQuery) > apiMaxQuery:
		return badRequest("", "the query is longer than %d bytes", apiMaxQuery)
	case route.method == http.MethodPost:
		if r.URL.RawQuery != "" {
			return badRequest("", "a command is in the body; leave the query out")
		}
		return checkType(r)
	case r.ContentLength != 0:
		return badRequest("", "a GET has no body; leave it out")
	}
	return nil
}

// sameOrigin refuses pages of other origins. The API knows no cookies, but a
// browser may have been given a password for this server in its address bar.
func (h *api) sameOrigin(r *http.Request) error {
	strict := *r
	strict.Method = http.MethodPost // so that it is not only about what changes something
	if err := h.origins.Check(&strict); err != nil {
		return errForeignOrigin
	}
	return nil
}

// A turnstile lets so many through at a time. Some wait; more are refused.
type turnstile struct{ in, near chan struct{} }

func newTurnstile(most int) turnstile {
	return turnstile{in: make(chan struct{}, most), near: make(chan struct{}, most+apiMostWaits)}
}

func (t turnstile) enter(ctx context.Context) error {
	select {
	case t.near <- struct{}{}:
	default:
		return errBusyAPI
	}
	select {
	case t.in <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-t.near
		return errBusyAPI
	}
}

func (t turnstile) leave() {
	<-t.in
	<-t.near
}

// answer writes a body, or what has gone wrong.
func answer(w http.ResponseWriter, r *http.Request, body any, err error) {
	status := http.StatusOK
	if err != nil {
		e := asAPIError(err)
		status, body = e.status, e.failure()
		e.headers(w.Header())
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil { // nothing that is answered with fails to
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(text.Len()))
	control := http.NewResponseController(w)
	// Neither has to work, and who does not read the answer does not get it.
	_ = control.SetWriteDeadline(time.Now().Add(apiWriting))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(text.Bytes())
	}
	_ = control.Flush()
	_ = control.SetWriteDeadline(time.Time{}) // the connection may be used again
}
