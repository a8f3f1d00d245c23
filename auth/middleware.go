package auth

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

// A Middleware is connect middleware: what [server.Namespace.Use] takes.
type Middleware = func(next server.ConnectHandler) server.ConnectHandler

// An Option is what [JWT] and [Authenticate] can be told.
type Option func(*Options)

// WithTimeout sets how long finding out who a user is may take. Default 5 s.
func WithTimeout(d time.Duration) Option { return func(o *Options) { o.Timeout = d } }

// WithLogger sets where refusals are logged. Default: nowhere.
func WithLogger(l *slog.Logger) Option { return func(o *Options) { o.Logger = l } }

func optionsOf(v *Verifier, options []Option) Options {
	o := Options{Verifier: v}
	for _, option := range options {
		option(&o)
	}
	return o
}

// JWT returns middleware that lets in who has a good token, and nobody else. It
// is the handshake alone: that the token expires later ends nothing. [Mount] does
// both. Without a Verifier nobody gets in.
func JWT(v *Verifier, options ...Option) Middleware {
	g := newGate(optionsOf(v, options))
	return g.middleware(g.token)
}

// maxAbandoned is how many calls of one Authenticate may go on after their time.
const maxAbandoned = 100

var (
	errAbandoned = fmt.Errorf("%d checks have not returned after their time", maxAbandoned)
	errNobody    = errors.New("the check has said nobody, without an error")
)

// Authenticate returns middleware that asks check who a user is: by a cookie of
// the handshake, say, and a database. An error refuses the socket: a
// [*server.ConnectError] with what it says, a [*TokenError] with its code, any
// other, a panic, and an Identity without an ID with token_invalid. The ID is to be
// as [Identity] says, and UTF-8: nothing here looks at it.
//
// The check has 5 s, or what [WithTimeout] says. Then its context is cancelled
// and the socket refused, without waiting for it to return: a check that does
// not heed its context leaves a goroutine behind for as long as it runs. With
// 100 of those, sockets are refused at once until some have returned.
//
// As with [JWT], nothing happens when Identity.Expires comes.
func Authenticate(check func(ctx context.Context, h server.Handshake) (Identity, error), options ...Option) Middleware {
	g := newGate(optionsOf(nil, options))
	g.calls = true
	var abandoned atomic.Int32
	return g.middleware(func(ctx context.Context, s *server.Socket) (Identity, error) {
		if abandoned.Load() >= maxAbandoned {
			return Identity{}, errAbandoned
		}
		type answer struct {
			id  Identity
			err error
		}
		answers := make(chan answer, 1)
		var late atomic.Bool // set by whoever is first: the check, or the end of its time
		h := s.Handshake()
		go func() {
			a := answer{err: errNobody} // also where the check ends its goroutine
			defer func() {
				if v := recover(); v != nil {
					a = answer{err: fmt.Errorf("the check: %w", &server.PanicError{Value: v, Stack: debug.Stack()})}
				}
				answers <- a
				if late.Swap(true) {
					abandoned.Add(-1)
				}
			}()
			a.id, a.err = check(ctx, h)
			if a.err == nil && a.id.ID == "" {
				a.err = errNobody
			}
		}()
		select {
		case a := <-answers:
			return a.id, a.err
		case <-ctx.Done():
			abandoned.Add(1)
			if late.Swap(true) { // it has returned meanwhile
				abandoned.Add(-1)
			}
			return Identity{}, fmt.Errorf("the check: %w", context.Cause(ctx))
		}
	})
}

// RequireRole returns middleware that lets in who has one of the roles, for a
// namespace where [Mount], [JWT] or [Authenticate] comes before it. Others are
// refused with forbidden, and so is an auth_refresh with a token that has none of
// the roles any more.
func RequireRole(roles ...string) Middleware {
	roles = slices.Clone(roles)
	return func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			x := sessionOf(ctx)
			if x == nil {
				return refuse(CodeForbidden).connect
			}
			if !x.require(roles) {
				return x.gate.refused(s, CodeForbidden, errNoRole)
			}
			return next(ctx, s)
		}
	}
}

var (
	errNoRole = errors.New("the user has none of the roles")
	errOrigin = errors.New("the origin is not allowed")
)

// AllowOrigins returns middleware that lets in clients whose page is of one of
// the origins, "scheme://host[:port]" as browsers write them, and clients that
// are no page. Others are refused with forbidden. It is for one namespace;
// [server.WithAllowedOrigins] is for all, and refuses sooner.
func AllowOrigins(origins ...string) Middleware {
	allowed := make([]string, len(origins))
	for i, o := range origins {
		allowed[i] = strings.ToLower(strings.TrimSuffix(o, "/"))
	}
	return func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			from := s.Handshake().Header().Values("Origin")
			if len(from) == 0 || (len(from) == 1 && slices.Contains(allowed, strings.ToLower(from[0]))) {
				return next(ctx, s)
			}
			if x := sessionOf(ctx); x != nil {
				return x.gate.refused(s, CodeForbidden, errOrigin)
			}
			return refuse(CodeForbidden).connect
		}
	}
}
