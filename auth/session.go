package auth

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/seed3686fee0/parlor/server"
)

// A session is what is known of one socket's user. There is one for every idle
// connection, so it is small. Safe for concurrent use.
type session struct {
	gate     *gate          // static
	socket   *server.Socket // static
	identity atomic.Pointer[Identity]
	// end is when no event is handled any more, in milliseconds since 1970; 0:
	// never, and no timer runs. Once it is set it is so for good.
	end atomic.Int64

	// Guarded by mu, which is not held while anything is sent.
	mu        sync.Mutex
	timer     *time.Timer
	told      bool // that the token has expired
	closed    bool
	required  [][]string // of the roles in each, the user has to have one
	refreshes *rate.Limiter
}

type sessionKey struct{}

func sessionOf(ctx context.Context) *session {
	x, _ := ctx.Value(sessionKey{}).(*session)
	return x
}

func newSession(g *gate, s *server.Socket, id Identity) *session {
	x := &session{gate: g, socket: s}
	x.identity.Store(&id)
	return x
}

// require notes that the user has to have one of the roles, now and after a
// refresh.
func (x *session) require(roles []string) bool {
	if !x.identity.Load().HasRole(roles...) {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.required = append(x.required, roles)
	return true
}

// over reports whether the time for events is over.
func (x *session) over() bool {
	end := x.end.Load()
	return end != 0 && time.Now().UnixMilli() >= end
}

// longestWait bounds a timer, whose clock stands still while the machine sleeps.
const longestWait = time.Hour

// watch starts the clock of a socket whose token expires.
func (x *session) watch() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed || x.identity.Load().Expires.IsZero() {
		return
	}
	x.reset()
}

// reset sets the end and the timer by the present token. The caller holds mu.
func (x *session) reset() {
	expires := x.identity.Load().Expires
	x.end.Store(expires.Add(x.gate.leeway()).UnixMilli())
	x.told = false
	wait := min(max(time.Until(expires), 0), longestWait)
	if x.timer == nil {
		x.timer = time.AfterFunc(wait, x.tick)
		return
	}
	x.timer.Reset(wait)
}

// tick is when something is due, or the longest wait is over.
func (x *session) tick() {
	x.mu.Lock()
	if x.closed {
		x.mu.Unlock()
		return
	}
	now := time.Now()
	expires := x.identity.Load().Expires
	end := time.UnixMilli(x.end.Load())
	expired := !now.Before(expires)
	tell := expired && !x.told
	x.told = x.told || expired
	over := expired && !now.Before(end)
	x.closed = over // what is refreshed from here on is too late
	if !over {
		next := expires
		if expired {
			next = end
		}
		x.timer.Reset(min(next.Sub(now), longestWait))
	}
	x.mu.Unlock()

	if tell {
		// Two numbers, and a client that has gone is no error.
		_ = x.socket.Emit("auth_expired", expiredEvent{expires.UnixMilli()})
	}
	if over {
		x.disconnect()
	}
}

type expiredEvent struct {
	Timestamp int64 `json:"timestamp"`
}

// disconnect ends the socket because its token has expired.
func (x *session) disconnect() {
	x.gate.opts.Logger.Debug("socket disconnected: its token has expired", "namespace", x.socket.Namespace().Name(), "socket", x.socket.ID())
	x.socket.Disconnect(false)
}

// stop ends the clock, with the socket.
func (x *session) stop() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.closed = true
	if x.timer != nil {
		x.timer.Stop()
	}
}

// Refreshes: verifying a signature costs more than most events do.
const (
	refreshEvery = 12 * time.Second // five a minute
	refreshBurst = 5
)

type refreshed struct {
	OK      bool  `json:"ok"`
	Expires int64 `json:"expires"`
}

// refresh handles auth_refresh: the socket goes on with a new token of the same
// user. One that expires sooner than the present one is as good as any.
func (x *session) refresh(ctx context.Context, args server.Args) error {
	x.mu.Lock()
	if x.refreshes == nil {
		x.refreshes = rate.NewLimiter(rate.Every(refreshEvery), refreshBurst)
	}
	ok := x.refreshes.Allow()
	x.mu.Unlock()
	if !ok {
		return errRateLimited
	}
	was := x.identity.Load()
	if was.Anonymous || x.gate.opts.Verifier == nil {
		return x.deny(CodeForbidden, errAnonymous)
	}
	token, err := tokenIn(args.At(0))
	if err != nil || token == "" {
		return x.deny(CodeTokenInvalid, errNoToken)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, x.gate.opts.Timeout, errTimeout)
	defer cancel()
	id, tokenErr := x.gate.opts.Verifier.verify(ctx, token)
	if tokenErr != nil {
		return x.deny(tokenErr.Code, tokenErr.cause)
	}
	if id.ID != was.ID {
		return x.deny(CodeForbidden, errAnotherUser)
	}
	if !x.renew(&id) {
		return x.deny(CodeForbidden, errNoRole)
	}
	if !args.WantsAck() {
		return nil
	}
	return args.Ack(refreshed{true, id.Expires.UnixMilli()})
}

// renew puts a new identity in the place of the old one, unless it lacks a role.
func (x *session) renew(id *Identity) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, roles := range x.required {
		if !id.HasRole(roles...) {
			return false
		}
	}
	if !x.closed {
		x.identity.Store(id)
		x.reset()
	}
	return true
}

func (x *session) deny(code string, cause error) error {
	x.gate.log("auth_refresh refused", x.socket, code, cause)
	return refuse(code).event
}
