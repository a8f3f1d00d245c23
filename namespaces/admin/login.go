package admin

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

const (
	maxUsername   = 256     // bytes
	maxPassword   = 8 << 10 // bytes: it may be a token
	maxSession    = 128     // bytes
	maxLogins     = 64      // that are being looked at; more are refused
	sessionBytes  = 16
	loginPatience = 6 * time.Second // with what follows, less than the server's connect timeout, 10 s by default
	// sessionPatience is how long sessions may take to be found, or kept: a store
	// that does not answer keeps out nobody who has other credentials.
	sessionPatience = 2 * time.Second
)

var (
	errTooOften    = errors.New("too many failures of this address")
	errBusy        = errors.New("too many logins at a time")
	errOversized   = errors.New("credentials are too long")
	errClosed      = errors.New("the admin namespace is closed")
	errForeign     = errors.New("everyone is an admin here, but not a page of another origin: list the origin, or choose an Auth")
	errNoSuch      = errors.New("no such session, and no other credentials")
	errOver        = errors.New("the session is over, and there are no other credentials")
	errNothing     = errors.New("no credentials")
	errExpired     = errors.New("no admin any more")
	errNoSessionID = errors.New("session ids cannot be made")
)

// authenticate says whose credentials these are. The error is for the log: a
// client is told ErrCredentials whatever it is. It may take seconds.
func (a *Admin) authenticate(ctx context.Context, c Credentials) (Principal, error) {
	p, _, err := a.login(ctx, c)
	return p, err
}

// login is authenticate, and reports whether it was by something other than a
// session.
func (a *Admin) login(ctx context.Context, c Credentials) (p Principal, fresh bool, err error) {
	defer func() {
		switch {
		case errors.Is(err, errNothing): // as the page does when it is opened
			a.opts.Logger.Debug("admin asked to log in", "address", c.Addr)
		case err != nil:
			a.refused.Add(1)
			a.tellRefusal(c, err)
		}
	}()
	if a.opts.Auth.insecure {
		return Principal{Name: "anonymous"}, false, nil
	}
	if len(c.Username) > maxUsername || len(c.Password) > maxPassword || len(c.Token) > maxPassword {
		return Principal{}, false, errOversized
	}
	if a.logins.Add(1) > maxLogins {
		a.logins.Add(-1)
		return Principal{}, false, errBusy
	}
	defer a.logins.Add(-1)
	ctx, cancel := context.WithTimeout(ctx, loginPatience)
	defer cancel()
	without := errNothing // other credentials
	if c.Session != "" {
		if p, err = a.resume(ctx, c.Session); err == nil {
			return p, false, nil
		}
		without = err
	}
	if c.Username == "" && c.Password == "" && c.Token == "" {
		return Principal{}, false, without
	}
	if !a.throttle.take(c.Addr) {
		return Principal{}, false, errTooOften
	}
	p, err = a.opts.Auth.check(ctx, c)
	switch {
	case err != nil:
		return Principal{}, false, err
	case expired(p):
		return Principal{}, false, errExpired
	}
	a.throttle.give(c.Addr)
	return p, true, nil
}

// tellRefusal logs one. What anybody can cause without end is logged once a second.
func (a *Admin) tellRefusal(c Credentials, err error) {
	tell := func() { a.opts.Logger.Warn("admin refused", "address", c.Addr, "error", err) }
	switch {
	case errors.Is(err, errNoSuch), errors.Is(err, errOver), errors.Is(err, errTooOften), errors.Is(err, errBusy), errors.Is(err, errOversized):
		a.endless.Do(tell)
	default: // the throttle bounds them
		tell()
	}
}

// resume says whose session it is, or why nobody's: other credentials may do.
func (a *Admin) resume(ctx context.Context, id string) (Principal, error) {
	if len(id) > maxSession {
		return Principal{}, errNoSuch
	}
	ctx, cancel := context.WithTimeout(ctx, sessionPatience)
	defer cancel()
	p, ok, err := a.opts.Sessions.Get(ctx, id, a.opts.SessionTTL)
	switch {
	case err != nil:
		a.opts.Logger.Error("admin sessions cannot be reached", "error", err)
		return Principal{}, errNoSuch
	case !ok:
		return Principal{}, errNoSuch
	}
	if err := a.recheck(ctx, p); err != nil {
		return Principal{}, fmt.Errorf("%w: %q: %w", errOver, p.Name, err)
	}
	return p, nil
}

func expired(p Principal) bool { return !p.Expires.IsZero() && !time.Now().Before(p.Expires) }

// A visit is an admin's connection.
type visit struct {
	principal Principal
	session   string // that has just been made, or empty
}

type visitKey struct{}

// visitOf is what admit has put into the context of a socket.
func visitOf(s *server.Socket) *visit {
	v, _ := s.Context().Value(visitKey{}).(*visit)
	return v
}

// admit is the connect middleware. The page compares the text of its refusal.
func (a *Admin) admit(next server.ConnectHandler) server.ConnectHandler {
	return func(ctx context.Context, s *server.Socket) error {
		if a.ctx.Err() != nil {
			return errClosed
		}
		h := s.Handshake()
		if a.opts.Auth.insecure && a.foreign(h) {
			a.refused.Add(1)
			a.opts.Logger.Warn("admin refused", "address", h.Addr(), "origin", h.Header().Get("Origin"), "error", errForeign)
			return errForeign
		}
		p, fresh, err := a.login(ctx, credentialsOf(h.Auth, h.Addr()))
		if err != nil {
			return ErrCredentials
		}
		v := &visit{principal: p}
		if fresh {
			v.session = a.newSession(ctx, p)
		}
		return next(context.WithValue(ctx, visitKey{}, v), s)
	}
}

// foreign reports whether it is the page of another origin that connects. Where
// nobody has to say who he is, any page that an admin looks at could: browsers let it
// open WebSockets to wherever they reach.
func (a *Admin) foreign(h server.Handshake) bool {
	header := h.Header()
	r := &http.Request{Method: http.MethodPost, Host: header.Get("Host"), Header: header}
	return new(http.CrossOriginProtection).Check(r) != nil && !a.io.Engine().Lists(header.Get("Origin"))
}

// newSession keeps a session of an admin and returns its id; without one the
// admin is in all the same.
func (a *Admin) newSession(ctx context.Context, p Principal) string {
	ctx, cancel := context.WithTimeout(ctx, sessionPatience)
	defer cancel()
	id, err := newSessionID()
	if err == nil {
		err = a.opts.Sessions.Put(ctx, id, p, a.opts.SessionTTL)
	}
	if err != nil {
		a.opts.Logger.Error("admin session cannot be kept", "admin", p.Name, "error", err)
		return ""
	}
	return id
}

func newSessionID() (string, error) {
	b := make([]byte, sessionBytes)
	if _, err := rand.Read(b); err != nil {
		return "", errNoSessionID
	}
	return hex.EncodeToString(b), nil
}

// credentialsOf reads the payload of a CONNECT. What is not text is not there.
func credentialsOf(auth packet.Arg, addr netip.Addr) Credentials {
	c := Credentials{Addr: addr}
	for name, value := range auth.Fields() {
		var field *string
		switch name {
		case "sessionId":
			field = &c.Session
		case "username":
			field = &c.Username
		case "password":
			field = &c.Password
		case "token":
			field = &c.Token
		default:
			continue
		}
		*field, _ = value.Text()
	}
	return c
}

// looksLikeToken reports whether a password is a JSON Web Token.
func looksLikeToken(password string) bool {
	return strings.HasPrefix(password, "eyJ") && strings.Count(password, ".") == 2
}
