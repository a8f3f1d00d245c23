package auth

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

// Options are what [Mount] can be told.
type Options struct {
	// Verifier verifies the tokens. Nil: there are no keys to do so with, and tokens
	// are not looked at. With Anonymous everyone is then anonymous, without it
	// nobody gets in.
	Verifier *Verifier
	// Anonymous lets in who has no token too. A bad token is refused all the same,
	// and a good one whose sub is the id of a socket of the namespace on this
	// instance: that user would be taken for an anonymous one.
	Anonymous bool
	// QueryToken looks for the token in the query (?token=) as well, for clients
	// that cannot send it otherwise. Addresses end up in logs of proxies and of
	// others. Default: it is not. Who has a token there and nowhere else is refused
	// with token_missing then, with Anonymous too: its client takes itself for signed
	// in.
	QueryToken bool
	// Timeout is how long it may take to verify a token, when keys have to be
	// fetched first. Default 5 s.
	Timeout time.Duration
	// Logger is told of refusals: one line a second at most, with the number of
	// those left out. Default: nowhere.
	Logger *slog.Logger
}

// Mount has a namespace ask its clients who they are: it lets in who has a good
// token, ends sockets whose token expires, and renews tokens on auth_refresh. Call
// it before anything else is mounted or added to the namespace, so that [From]
// works there and no event is handled too late, and once for a namespace. What
// OfFunc and OfPattern return may be mounted on as well.
//
// Of several of Mount, [JWT] and [Authenticate] in one namespace the last says who
// the user is, and what the others have found, also when it expires, is of no
// account. Middleware of one's own sees the identity that a socket connects with;
// auth_refresh asks it nothing, but for [RequireRole].
//
// A token that has expired within the leeway lets its client in, for what is left
// of it. Handlers that [server.Namespace.OnAny] has added run before any event
// middleware: one of those may see an event in the moment between the end of the
// leeway and the disconnection.
func Mount(ns *server.Namespace, opts Options) {
	g := newGate(opts)
	identify := g.token
	switch {
	case opts.Verifier == nil && opts.Anonymous:
		identify = g.nobody
	case opts.Anonymous:
		identify = g.tokenOrNone
	}
	ns.Use(g.middleware(identify))
	ns.UseEvent(guard)
	ns.OnConnect(func(ctx context.Context, _ *server.Socket) error {
		if x := sessionOf(ctx); x != nil {
			x.watch()
		}
		return nil
	})
	ns.OnDisconnect(func(ctx context.Context, _ *server.Socket, _ server.Reason) {
		if x := sessionOf(ctx); x != nil {
			x.stop()
		}
	})
	ns.On("auth_refresh", func(ctx context.Context, _ *server.Socket, args server.Args) error {
		if x := sessionOf(ctx); x != nil {
			return x.refresh(ctx, args)
		}
		return refuse(CodeForbidden).event
	})
}

// guard lets no event through to the handlers of a socket whose time is over. The
// timer ends such a socket too, but perhaps a moment later.
func guard(next server.Handler) server.Handler {
	return func(ctx context.Context, s *server.Socket, args server.Args) error {
		if x := sessionOf(ctx); x != nil && x.over() {
			x.disconnect()
			return nil
		}
		return next(ctx, s, args)
	}
}

var (
	errAnonymous   = errors.New("auth_refresh of a user who has no token")
	errAnotherUser = errors.New("auth_refresh with the token of another user")
)
