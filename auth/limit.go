package auth

import (
	"context"
	"sync"

	"github.com/seed3686fee0/parlor/server"
)

// LimitSockets returns the middleware of a [SocketLimit] that stays as it is.
func LimitSockets(n int) Middleware { return NewSocketLimit(n).Middleware }

// A SocketLimit is how many sockets a user may have at a time on this instance, in
// the namespaces together that its [SocketLimit.Middleware] is used in; one more is
// refused with too_many_sockets. It counts by the id of [Identity]: who is anonymous
// has one for each socket, and is not counted. All methods may be called concurrently.
type SocketLimit struct {
	mu     sync.Mutex
	most   int
	counts map[string]int // by id
}

// NewSocketLimit returns a limit of n sockets a user.
func NewSocketLimit(n int) *SocketLimit {
	return &SocketLimit{most: n, counts: make(map[string]int)}
}

// Set changes the limit, for sockets that connect from now on: those that are there
// stay, and count.
func (l *SocketLimit) Set(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.most = n
}

// Middleware is for a namespace where [Mount], [JWT] or [Authenticate] comes before
// it; without one of them nobody gets in.
func (l *SocketLimit) Middleware(next server.ConnectHandler) server.ConnectHandler {
	return func(ctx context.Context, s *server.Socket) error {
		x := sessionOf(ctx)
		if x == nil {
			return refuse(CodeForbidden).connect
		}
		id := x.identity.Load()
		if id.Anonymous {
			return next(ctx, s)
		}
		if !l.add(id.ID) {
			return x.gate.refused(s, CodeTooManySockets, nil)
		}
		// A refresh keeps the id, and the context of a socket ends in any case.
		stop := context.AfterFunc(s.Context(), func() { l.remove(id.ID) })
		err := next(ctx, s)
		if err != nil && stop() {
			l.remove(id.ID) // before the client is told, for he may come again at once
		}
		return err
	}
}

// add counts one more, unless there are as many already as may be.
func (l *SocketLimit) add(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts[id] >= l.most {
		return false
	}
	l.counts[id]++
	return true
}

func (l *SocketLimit) remove(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts[id]--; l.counts[id] == 0 {
		delete(l.counts, id)
	}
}
