package admin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// A Principal is an admin who has logged in.
type Principal struct {
	// Name is who it is, for the log.
	Name string `json:"name"`
	// Roles are what an Authorize may go by.
	Roles []string `json:"roles,omitempty"`
	// ReadOnly lets it do nothing but look.
	ReadOnly bool `json:"readOnly,omitempty"`
	// Expires is when it stops being an admin: its sockets are disconnected and
	// its session is no good any more. Zero: never.
	Expires time.Time `json:"expires,omitzero"`
	// Credential is for a session to end when what it was made with changes. It is
	// no secret. Basic sets it to a fingerprint of the user and the hash; the
	// function of AuthFunc or JWT may, to what is another after each change of the
	// password, its date say, and [Options.Recheck] then compares.
	Credential string `json:"credential,omitempty"`
}

// Credentials are what somebody shows who wants to be an admin. What is not
// there is empty.
type Credentials struct {
	// Username and Password are what the page's form sends.
	Username, Password string
	// Token is a JSON Web Token: the member token of what a client of one's own
	// sends as auth. The page has no field for one, so that a Password which looks
	// like a token is one as well, whatever the Username.
	Token string
	// Session is the id of a session; it has been looked up already.
	Session string
	// Addr is the client's address, as far as trusted proxies tell it.
	Addr netip.Addr
}

// An Auth says who is an admin. The functions of this package make one.
type Auth struct {
	check    func(ctx context.Context, c Credentials) (Principal, error)
	holds    func(credential string) bool // whether it still admits who has that one
	insecure bool
	err      error
}

// ErrCredentials is what a client is told whose credentials are not good,
// whatever is wrong with them. The page knows this text, which is that of Node's
// server, and asks again.
var ErrCredentials = errors.New("invalid credentials")

// maxCost is the highest cost of a hash: each step doubles the time that a login
// takes, and this is a few seconds.
const maxCost = 16

// Basic admits one user with a password, of which it knows the bcrypt hash:
// that of htpasswd -nbBC 10 "" password, say. A few passwords are compared at a
// time, since each takes a processor for a while.
//
// With another hash, be it of the same password, the sessions of the one before are
// over: instances that share sessions have the same hash.
func Basic(username, bcryptHash string) Auth {
	hash := []byte(bcryptHash)
	cost, err := bcrypt.Cost(hash)
	switch {
	case username == "":
		return Auth{err: errors.New("Basic: no user name")}
	case err != nil: // of which nothing is repeated: it may be the password
		return Auth{err: errors.New(`Basic: the password is to be given as its bcrypt hash, which begins with "$2" and has 60 characters`)}
	case cost > maxCost:
		return Auth{err: fmt.Errorf("Basic: a bcrypt hash of cost %d keeps a processor busy for minutes: use at most %d", cost, maxCost)}
	}
	user, credential := sha256.Sum256([]byte(username)), fingerprint(username, hash)
	busy := make(chan struct{}, max(1, min(runtime.GOMAXPROCS(0)/2, 4)))
	check := func(ctx context.Context, c Credentials) (Principal, error) {
		if c.Username == "" && c.Password == "" { // a token, say: it is somebody else's to look at
			return Principal{}, ErrCredentials
		}
		select {
		case busy <- struct{}{}:
			defer func() { <-busy }()
		case <-ctx.Done():
			return Principal{}, context.Cause(ctx)
		}
		// Whichever of them is wrong takes the same time.
		given := sha256.Sum256([]byte(c.Username))
		known := subtle.ConstantTimeCompare(user[:], given[:]) == 1
		if err := bcrypt.CompareHashAndPassword(hash, []byte(c.Password)); err != nil || !known {
			return Principal{}, ErrCredentials
		}
		return Principal{Name: username, Credential: credential}, nil
	}
	return Auth{check: check, holds: func(shown string) bool { return shown == credential }}
}

// AuthFunc admits whom f does: its error refuses, and its text is for the log
// alone. f may block; its context ends when the client does, and after six
// seconds. Where Principal.Name is empty it is the user name. Its sessions
// are good for their time, unless [Options.Recheck] says otherwise.
func AuthFunc(f func(ctx context.Context, c Credentials) (Principal, error)) Auth {
	if f == nil {
		return Auth{err: errors.New("AuthFunc: no function")}
	}
	check := func(ctx context.Context, c Credentials) (Principal, error) {
		p, err := f(ctx, c)
		if err == nil {
			p.Name = cmp.Or(p.Name, c.Username)
			p.Credential = cmp.Or(p.Credential, funcCredential)
		}
		return p, err
	}
	return Auth{check: check, holds: func(shown string) bool { return fromFunction(shown) && shown != tokenCredential }}
}

// JWT admits who shows a token that verify finds good, with the role among its
// Roles. With package auth:
//
//	admin.JWT(func(ctx context.Context, token string) (admin.Principal, error) {
//		id, err := verifier.Verify(ctx, token)
//		return admin.Principal{Name: id.Name, Roles: id.Roles, Expires: id.Expires}, err
//	}, "admin")
//
// Its sessions are good until the token expires, unless [Options.Recheck] says
// otherwise.
func JWT(verify func(ctx context.Context, token string) (Principal, error), role string) Auth {
	switch {
	case verify == nil:
		return Auth{err: errors.New("JWT: nothing to verify tokens with")}
	case role == "":
		return Auth{err: errors.New("JWT: no role")}
	}
	check := func(ctx context.Context, c Credentials) (Principal, error) {
		token := c.Token
		if token == "" && looksLikeToken(c.Password) {
			token = c.Password
		}
		if token == "" {
			return Principal{}, ErrCredentials
		}
		p, err := verify(ctx, token)
		switch {
		case err != nil:
			return Principal{}, err
		case !slices.Contains(p.Roles, role):
			return Principal{}, fmt.Errorf("%q has not the role %q", p.Name, role)
		}
		p.Credential = cmp.Or(p.Credential, tokenCredential)
		return p, nil
	}
	return Auth{check: check, holds: func(shown string) bool { return fromFunction(shown) && shown != funcCredential }}
}

// Any admits whom one of several admits, which are tried in turn.
func Any(list ...Auth) Auth {
	for _, a := range list {
		switch {
		case a.err != nil, a.insecure:
			return a
		case a.check == nil:
			return Auth{err: errors.New("Any: an Auth that is none")}
		}
	}
	if len(list) == 0 {
		return Auth{err: errors.New("Any: of nothing")}
	}
	check := func(ctx context.Context, c Credentials) (Principal, error) {
		var errs []error
		for _, a := range list {
			p, err := a.check(ctx, c)
			if err == nil {
				return p, nil
			}
			errs = append(errs, err)
		}
		return Principal{}, errors.Join(errs...)
	}
	holds := func(shown string) bool {
		return slices.ContainsFunc(list, func(a Auth) bool { return a.holds(shown) })
	}
	return Auth{check: check, holds: holds}
}

// Insecure admits everyone but pages of other origins that [server.WithAllowedOrigins]
// does not name. It is for a server that nobody else can reach.
func Insecure() Auth { return Auth{insecure: true} }
