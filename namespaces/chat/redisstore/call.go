package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
)

// A request is a call of Redis: of a script, or for a value.
type request struct {
	script *redis.Script
	keys   []string
	args   []any
	get    string

	reads  bool        // it changes nothing
	socket string      // that it changes
	post   *post       // that it makes
	whole  bool        // it may change anything
	done   func(v any) // is given the reply, before anyone else sees what is changed
}

// do makes a request. An error means that nothing has changed, or will be found
// by the next request to have not: what may have is put right before.
func (s *Store) do(ctx context.Context, r request) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := s.bound(ctx)
	defer cancel()
	for again := false; ; again = true {
		epoch, err := s.gate.enter(ctx, func() { s.work.Go(s.sync) })
		if err != nil {
			s.errors.Add(1)
			return fmt.Errorf("redisstore: %w", err)
		}
		v, err := s.send(ctx, epoch, r)
		if err == nil {
			r.done(v)
			s.gate.exit(nil, false)
			return nil
		}
		what := classify(err)
		s.gate.exit(r.lost(what), what == lostAll || what == lostUnknown && r.whole)
		if what == lostAll && isStale(err) && !again {
			continue // it was not the caller's fault
		}
		s.errors.Add(1)
		return fmt.Errorf("redisstore: %w", err)
	}
}

// send makes the call itself.
func (s *Store) send(ctx context.Context, epoch string, r request) (v any, err error) {
	s.calls.Add(1)
	err = s.place.do(ctx, func(c *redis.Client) (err error) {
		if r.script != nil {
			v, err = r.script.Run(ctx, c, r.keys, append([]any{s.base, s.instance, epoch}, r.args...)...).Result()
			return err
		}
		text, err := c.Get(ctx, r.get).Result()
		if errors.Is(err, redis.Nil) {
			return nil
		}
		v = text
		return err
	})
	return v, err
}

// lost returns what a request may have changed.
func (r *request) lost(what loss) *losses {
	if what == lostNothing || r.reads {
		return nil
	}
	l := newLosses()
	if r.socket != "" {
		l.sockets[strings.Clone(r.socket)] = struct{}{}
	}
	if r.post != nil {
		l.posts = append(l.posts, *r.post)
	}
	return l
}

// A loss is what an error may have done to the state.
type loss int

const (
	lostNothing loss = iota // Redis has refused it
	lostUnknown             // it may have been done
	lostAll                 // Redis may be another than before
)

func classify(err error) loss {
	if reply, ok := errors.AsType[redis.Error](err); ok {
		for _, code := range []string{"STALE", "READONLY", "LOADING", "MASTERDOWN", "CLUSTERDOWN"} {
			if strings.HasPrefix(reply.Error(), code) {
				return lostAll
			}
		}
		return lostNothing
	}
	if errors.Is(err, redis.ErrPoolTimeout) {
		return lostNothing // it was not sent
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return lostUnknown
	}
	return lostAll
}

// isStale reports whether Redis does not know this instance as it thinks it is
// known: it was taken for dead, or Redis has lost its memory.
func isStale(err error) bool {
	reply, ok := errors.AsType[redis.Error](err)
	return ok && strings.HasPrefix(reply.Error(), "STALE")
}
