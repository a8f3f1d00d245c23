package engine

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/rs/cors"
)

// originSet is an allow-list of origins. Nil allows any.
type originSet map[string]struct{}

const anyOrigin = "*"

// origins are who may come from a page: the check, and what answers CORS requests.
// Both are nil when nothing is configured.
type origins struct {
	originSet
	cors *cors.Cors
}

func newOrigins(allowed []string) *origins {
	if len(allowed) == 0 {
		return &origins{}
	}
	set := make(originSet, len(allowed))
	for _, o := range allowed {
		set[strings.ToLower(strings.TrimSuffix(o, "/"))] = struct{}{}
	}
	_, star := set[anyOrigin]
	c := cors.New(cors.Options{
		AllowOriginFunc:  set.listed,
		AllowedMethods:   []string{http.MethodGet, http.MethodPost},
		AllowedHeaders:   []string{"*"},
		AllowCredentials: !star, // with credentials any origin would be every origin
	})
	return &origins{set, c}
}

// SetAllowedOrigins puts other origins in the place of Options.AllowedOrigins, for
// requests that come from now on. WebSockets that are open stay so; a poll of a page
// that may not come any more is refused, and its session ends as that of a client
// that has gone.
func (s *Server) SetAllowedOrigins(list ...string) { s.origins.Store(newOrigins(list)) }

// listed reports whether the list names an origin: scheme, host and port,
// compared as text, as RFC 6454 serialises them.
func (o originSet) listed(origin string) bool {
	if _, star := o[anyOrigin]; star {
		return true
	}
	_, ok := o[strings.ToLower(origin)]
	return ok
}

// Lists reports whether the allowed origins have this very one; "*" is none.
func (s *Server) Lists(origin string) bool {
	_, ok := s.origins.Load().originSet[strings.ToLower(origin)]
	return ok && origin != anyOrigin
}

// allow reports whether a request may come from where it says it comes from:
// from no page, from a page of this very host, or from one that is listed.
func (o originSet) allow(r *http.Request) bool {
	if o == nil {
		return true
	}
	values := r.Header.Values("Origin")
	switch len(values) {
	case 0:
		return true
	case 1:
	default:
		return false
	}
	if o.listed(values[0]) {
		return true
	}
	u, err := url.Parse(values[0])
	return err == nil && u.Host != "" && u.User == nil && strings.EqualFold(u.Host, r.Host)
}
