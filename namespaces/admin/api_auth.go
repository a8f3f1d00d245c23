package admin

import (
	"errors"
	"net/http"
	"strings"
)

// identify says whose request it is, by its Authorization alone: a cookie would
// come along with what other pages have a browser do.
func (h *api) identify(r *http.Request) (Principal, error) {
	a := h.admin
	c, ok := requestCredentials(r)
	if !ok && !a.opts.Auth.insecure {
		return Principal{}, errNoCredentials
	}
	c.Addr = a.io.Engine().ClientAddr(r)
	if err := h.logins.enter(r.Context()); err != nil {
		return Principal{}, err
	}
	defer h.logins.leave()
	p, err := a.authenticate(r.Context(), c)
	switch {
	case err == nil:
		return p, nil
	case errors.Is(err, errTooOften):
		return Principal{}, errTooManyTries
	case errors.Is(err, errBusy):
		return Principal{}, errBusyAPI
	}
	return Principal{}, errBadCredentials
}

// requestCredentials reads the Authorization. What follows Bearer may be a token or the
// id of a session; a session is looked for first.
func requestCredentials(r *http.Request) (c Credentials, ok bool) {
	if c.Username, c.Password, ok = r.BasicAuth(); ok {
		return c, true
	}
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if value = strings.TrimSpace(value); !strings.EqualFold(scheme, "Bearer") || value == "" {
		return Credentials{}, false
	}
	c.Token = value
	if !looksLikeToken(value) {
		c.Session = value
	}
	return c, true
}
