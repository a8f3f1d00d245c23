package auth

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// An Identity is who a user is. What it refers to is shared, and not to be
// modified.
type Identity struct {
	// ID is the user's id: the token's sub, 1 to 128 characters, none of them a
	// control character. Of an anonymous user it is the socket's id.
	ID string
	// Name is for showing, at most 64 characters; the ID where there is none.
	Name string
	// Roles are the token's roles.
	Roles []string
	// Expires is when the token does, without any leeway; zero: never.
	Expires time.Time
	// Anonymous says that nobody vouches for ID and Name.
	Anonymous bool
	// Claims are all the claims of the token, a JSON object; nil without one.
	Claims json.RawMessage
}

// HasRole reports whether the user has one of the roles.
func (id Identity) HasRole(roles ...string) bool {
	return slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(id.Roles, role) })
}

// From returns the user that ctx is about: the context of a connect, event or
// disconnect handler, of connect middleware behind the one that has said who the
// user is, or a socket's own. After auth_refresh it is what the new token says.
// False: no middleware of this package has seen the socket.
func From(ctx context.Context) (Identity, bool) {
	x := sessionOf(ctx)
	if x == nil {
		return Identity{}, false
	}
	return *x.identity.Load(), true
}

// Limits of what a token or client may say of a user, in characters.
const (
	maxID   = 128
	maxName = 64
)

// shownName returns a name as it is shown: a long one is cut, whoever says it.
func shownName(said string) string {
	return strings.TrimSpace(firstRunes(strings.TrimSpace(said), maxName))
}

// firstRunes cuts a text to n characters.
func firstRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
