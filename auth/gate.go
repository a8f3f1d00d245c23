package auth

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A gate is what the sockets of one middleware have in common. Safe for
// concurrent use.
type gate struct {
	opts    Options // with their defaults
	calls   bool    // an application's own check, which hears of the end of its client
	refusal throttle
	panics  throttle
	ignored atomic.Bool // that tokens are not looked at has been said
}

const defaultTimeout = 5 * time.Second

func newGate(o Options) *gate {
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &gate{opts: o}
}

// leeway is for how long a socket outlives what it was let in with.
func (g *gate) leeway() time.Duration {
	if g.opts.Verifier == nil {
		return defaultLeeway
	}
	return g.opts.Verifier.leeway
}

// middleware lets in whom identify names.
func (g *gate) middleware(identify func(context.Context, *server.Socket) (Identity, error)) Middleware {
	return func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			id, err := g.ask(ctx, s, identify)
			if err != nil {
				return g.refusedBy(s, err)
			}
			return next(context.WithValue(ctx, sessionKey{}, newSession(g, s, id)), s)
		}
	}
}

func (g *gate) ask(ctx context.Context, s *server.Socket, identify func(context.Context, *server.Socket) (Identity, error)) (Identity, error) {
	if !g.calls {
		// The context of a socket keeps what it has needed to know of one that is
		// derived from it, 450 bytes, for as long as the socket lives. Verifying a
		// token is done at once, or waits for keys, which has its own bound.
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, g.opts.Timeout, errTimeout)
	defer cancel()
	return identify(ctx, s)
}

var errTimeout = errors.New("it has taken too long")

// token identifies a socket by its token.
func (g *gate) token(ctx context.Context, s *server.Socket) (Identity, error) {
	token, err := g.find(s)
	if err != nil {
		return Identity{}, err
	}
	return g.opts.Verifier.Verify(ctx, token)
}

// tokenOrNone is token for a namespace where one may be anonymous: who has none
// is. A token that is bad is refused all the same, since its client takes itself
// for signed in.
func (g *gate) tokenOrNone(ctx context.Context, s *server.Socket) (Identity, error) {
	token, err := g.find(s)
	switch {
	case errors.Is(err, errNoToken):
		return anonymous(s), nil
	case err != nil:
		return Identity{}, err
	}
	id, err := g.opts.Verifier.Verify(ctx, token)
	if err != nil {
		return Identity{}, err
	}
	// A socket's id is public, and where users choose their sub one of them may
	// have chosen that of an anonymous user.
	if _, taken := s.Namespace().Socket(id.ID); taken {
		return Identity{}, errTaken
	}
	return id, nil
}

// nobody identifies everyone as anonymous, where no token can be verified.
func (g *gate) nobody(_ context.Context, s *server.Socket) (Identity, error) {
	if !g.ignored.Load() {
		if _, err := g.find(s); !errors.Is(err, errNoToken) && !g.ignored.Swap(true) {
			g.opts.Logger.Warn("a client has sent a token, but there is no key: tokens are not looked at, everyone is anonymous",
				"namespace", s.Namespace().Name())
		}
	}
	return anonymous(s), nil
}

var (
	errNoToken = &TokenError{Code: CodeTokenMissing, cause: errors.New("there is no token")}
	errInQuery = &TokenError{Code: CodeTokenMissing, cause: errors.New("there is a token in the query, where it is not looked for")}
	errNotText = invalid("the token is not a string, or there are several")
	errTaken   = &TokenError{Code: CodeForbidden, cause: errors.New("sub is the id of a socket, which may be an anonymous user's")}
)

// find returns the token of a handshake.
func (g *gate) find(s *server.Socket) (string, error) {
	h := s.Handshake()
	token, err := tokenIn(h.Auth)
	if err != nil || token != "" {
		return token, err
	}
	if !strings.Contains(h.URL(), "token=") && !strings.Contains(h.URL(), "%") {
		return "", errNoToken // most; what follows takes the query apart
	}
	switch values := h.Query()["token"]; {
	case len(values) == 0, len(values) == 1 && values[0] == "":
		return "", errNoToken
	case !g.opts.QueryToken:
		return "", errInQuery
	case len(values) > 1:
		return "", errNotText
	default:
		return values[0], nil
	}
}

// tokenIn returns the token of an auth payload: empty when there is none, or
// null, which is what a page sends that has none stored.
func tokenIn(auth packet.Arg) (string, error) {
	var token string
	found := false
	for name, value := range auth.Fields() {
		if name != "token" {
			continue
		}
		if found {
			return "", errNotText
		}
		found = true
		if value.Kind() == packet.Null {
			continue
		}
		text, ok := value.Text()
		if !ok {
			return "", errNotText
		}
		token = text
	}
	return token, nil
}

// anonymous is who a socket is that nobody vouches for.
func anonymous(s *server.Socket) Identity {
	id := Identity{ID: s.ID(), Name: s.ID(), Anonymous: true}
	for name, value := range s.Handshake().Auth.Fields() {
		if name != "username" {
			continue
		}
		id.Name = s.ID() // of several the last holds, as in JavaScript
		if said, ok := value.Text(); ok {
			if said = shownName(said); said != "" {
				id.Name = strings.Clone(said)
			}
		}
	}
	return id
}

// refusedBy is refused for an error of whoever was asked.
func (g *gate) refusedBy(s *server.Socket, err error) error {
	if token, ok := errors.AsType[*TokenError](err); ok {
		return g.refused(s, token.Code, token.cause)
	}
	if own, ok := errors.AsType[*server.ConnectError](err); ok {
		g.log("socket refused", s, "its own", err)
		return own
	}
	if panicked, ok := errors.AsType[*server.PanicError](err); ok {
		if ok, skipped := g.panics.allow(time.Now()); ok {
			g.opts.Logger.Error("check of a handshake panicked", "namespace", s.Namespace().Name(), "error", err,
				"not_logged", skipped, "stack", string(panicked.Stack))
		}
	}
	return g.refused(s, CodeTokenInvalid, err)
}

// refused logs a refusal and returns what the client is told.
func (g *gate) refused(s *server.Socket, code string, cause error) error {
	g.log("socket refused", s, code, cause)
	return refuse(code).connect
}

func (g *gate) log(what string, s *server.Socket, code string, cause error) {
	ok, skipped := g.refusal.allow(time.Now())
	if !ok {
		return
	}
	attrs := []any{"namespace", s.Namespace().Name(), "address", s.Handshake().Address(), "code", code}
	if cause != nil {
		attrs = append(attrs, "cause", cause.Error())
	}
	if skipped > 0 {
		attrs = append(attrs, "not_logged", skipped)
	}
	g.opts.Logger.Warn(what, attrs...)
}

// A throttle lets a line through a second, and counts the others: a flood is not
// to fill the disk.
type throttle struct {
	mu      sync.Mutex
	next    time.Time
	skipped int
}

func (t *throttle) allow(now time.Time) (ok bool, skipped int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.Before(t.next) {
		t.skipped++
		return false, 0
	}
	t.next = now.Add(time.Second)
	skipped, t.skipped = t.skipped, 0
	return true, skipped
}
