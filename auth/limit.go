package auth

import (
	"context"
	"sync"

	"github.com/seed3686fee0/parlor/server"
)

// LimitSockets returns middleware that lets a user have n sockets at a time in a
// namespace where [Mount], [JWT] or [Authenticate] comes before it, on this
// instance; one more is refused with too_many_sockets. It counts by the id of
// [Identity]: who is anonymous has one for each socket, and is not counted.
func LimitSockets(n int) Middleware {
	users := &tally{counts: make(map[string]int)}
	return func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			x := sessionOf(ctx)
			if x == nil {
				return refuse(CodeForbidden).connect
			}
			id := x.identity.Load()
			if id.Anonymous {
				return next(ctx, s)
			}
			if !users.add(id.ID, n) {
				return x.gate.refused(s, CodeTooManySockets, nil)
			}
			// A refresh keeps the id, and the context of a socket ends in any case.
			context.AfterFunc(s.Context(), func() { users.remove(id.ID) })
			return next(ctx, s)
		}
	}
}

// A tally counts by id.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

// add counts one more, unless there are most already.
func (t *tally) add(id string, most int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts[id] >= most {
		return false
	}
	t.counts[id]++
	return true
}

func (t *tally) remove(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts[id]--; t.counts[id] == 0 {
		delete(t.counts, id)
	}
}
