// Package redissessions keeps the sessions of the Admin UI in Redis, so that an
// admin who has logged in at one instance is known at the others, Node's with
// its RedisStore among them.
//
//	admin.Mount(io, admin.Options{
//		Auth:     …,
//		Sessions: redissessions.New(rdb, redissessions.Options{}),
//	})
package redissessions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed3686fee0/parlor/namespaces/admin"
)

// Options are a [Store]'s. The zero value shares sessions with Node's servers.
type Options struct {
	// Prefix is what keys begin with. Default "socket.io-admin", Node's.
	Prefix string
	// Separate keeps sessions from Node's servers, and theirs from here. Node knows
	// one kind of admin, who may do everything: set it where Authorize says who
	// may do what. Sessions of admins who may only look, or for some time, are
	// kept from Node in any case. Neither side knows what password a session of the
	// other's was made with: when that changes, delete the keys "<Prefix>#*".
	Separate bool
}

// A Store keeps sessions in Redis 6.2 and later: an [admin.SessionStore].
type Store struct {
	rdb      redis.UniversalClient
	shared   string // what the keys begin with that Node looks at; empty: none
	separate string // and those of our own
}

var _ admin.SessionStore = (*Store)(nil)

// nodeName is the admin of a session that a Node server has made: it says no more
// than that there is one.
const nodeName = "logged in at a Node server"

// New returns a store. The client stays the caller's. With ContextTimeoutEnabled a
// Redis that does not answer holds up a login for two seconds, and for two more if
// an old session was looked for first; without it, for as long as the client's own
// timeouts and retries do.
func New(rdb redis.UniversalClient, opts Options) *Store {
	if opts.Prefix == "" {
		opts.Prefix = "socket.io-admin"
	}
	s := &Store{rdb: rdb, separate: opts.Prefix + "-parlor#"}
	if !opts.Separate {
		s.shared = opts.Prefix + "#"
	}
	return s
}

// Put implements [admin.SessionStore].
func (s *Store) Put(ctx context.Context, id string, p admin.Principal, ttl time.Duration) error {
	value, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("session of %q: %w", p.Name, err)
	}
	key := s.separate + id
	if s.shared != "" && !p.ReadOnly && p.Expires.IsZero() {
		key = s.shared + id
	}
	if err := s.rdb.Set(ctx, key, value, ttl).Err(); err != nil {
		return fmt.Errorf("keep a session in Redis: %w", err)
	}
	return nil
}

// Get implements [admin.SessionStore].
func (s *Store) Get(ctx context.Context, id string, ttl time.Duration) (admin.Principal, bool, error) {
	if s.shared != "" {
		if value, ok, err := s.get(ctx, s.shared+id, ttl); ok || err != nil {
			var p admin.Principal
			if json.Unmarshal(value, &p) != nil || p.Name == "" {
				p = admin.Principal{Name: nodeName, Credential: admin.NodeCredential}
			}
			return p, ok, err
		}
	}
	value, ok, err := s.get(ctx, s.separate+id, ttl)
	if !ok || err != nil {
		return admin.Principal{}, false, err
	}
	var p admin.Principal
	if err := json.Unmarshal(value, &p); err != nil {
		return admin.Principal{}, false, fmt.Errorf("a session in Redis: %w", err)
	}
	return p, true, nil
}

func (s *Store) get(ctx context.Context, key string, ttl time.Duration) ([]byte, bool, error) {
	value, err := s.rdb.GetEx(ctx, key, ttl).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("look for a session in Redis: %w", err)
	}
	return value, true, nil
}
