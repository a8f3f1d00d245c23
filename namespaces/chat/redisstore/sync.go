package redisstore

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// sync makes what Redis has of this instance what there is. It runs while the
// gate is shut.
func (s *Store) sync() {
	epoch, lost, whole := s.gate.shut()
	next := newEpoch()
	err := s.reconcile(s.syncs, epoch, next, lost, &whole)
	if err != nil {
		s.errors.Add(1)
	} else {
		s.synced.Add(1)
	}
	s.gate.open(next, lost, whole, err)
}

func (s *Store) reconcile(ctx context.Context, was, next string, lost *losses, whole *bool) error {
	// From here on whatever is still on its way comes too late.
	v, err := s.once(ctx, scriptEnter, was, s.fixed(), next)
	if err != nil {
		return err
	}
	r := asReply(v)
	if !r.flag(0) { // Redis has lost it, or others have taken it for dead
		*whole = true
	}
	if r.text(3) != s.first { // it has lost everything, which nobody was told of
		s.first, s.buried = r.text(3), false
	} else if !r.flag(4) {
		s.buried = true
	}
	s.heard(r.number(1), r.number(2))
	for _, p := range lost.posts {
		keys := append(s.fixed(), s.key("history", p.room))
		if p.receipt != "" {
			keys = append(keys, p.receipt)
		}
		if _, err := s.once(ctx, scriptUnpost, next, keys, p.room, p.id, p.receipt); err != nil {
			return err
		}
	}
	ids := make([]string, 0, len(lost.sockets))
	for id := range lost.sockets {
		ids = append(ids, id)
	}
	if *whole {
		for _, id := range s.mirror.ids() {
			if _, there := lost.sockets[id]; !there {
				ids = append(ids, id)
			}
		}
	}
	if err := s.restore(ctx, next, ids); err != nil {
		return err
	}
	s.buried = false
	if !*whole {
		return nil
	}
	return s.findStrays(ctx, next)
}

// once runs a script with a time of its own.
func (s *Store) once(ctx context.Context, script *redis.Script, epoch string, keys []string, args ...any) (any, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	return s.send(ctx, epoch, request{script: script, keys: keys, args: args})
}

// batch is how many sockets a script sees to, and batchArgs how many texts it is
// told at most, about: others wait for Redis meanwhile.
const (
	batch     = 100
	batchArgs = 2000
)

// restore tells Redis what there is of sockets.
func (s *Store) restore(ctx context.Context, epoch string, ids []string) error {
	for len(ids) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		args, n := []any{0}, 0
		if s.buried {
			args[0] = 1
		}
		for n < len(ids) && n < batch && len(args) < batchArgs {
			args = s.mirror.appendTo(args, ids[n])
			n++
		}
		v, err := s.once(ctx, scriptRestore, epoch, append(s.fixed(), s.key("instance", s.instance)), args...)
		if err != nil {
			return err
		}
		r := asReply(v)
		s.reconciled.Add(uint64(r.number(0)))
		if s.buried {
			s.watch.welcome(r.list(1), time.Now().Add(s.opts.Heartbeat))
		}
		ids = ids[n:]
	}
	return nil
}

// findStrays finds sockets that Redis takes for this instance's, and that it does
// not have: what it took over of a dead one and has forgotten. They are orphans.
func (s *Store) findStrays(ctx context.Context, epoch string) error {
	key, cursor := s.key("instance", s.instance), uint64(0)
	for {
		ids, next, err := s.scan(ctx, key, cursor)
		if err != nil {
			return err
		}
		var strays []any
		for _, id := range ids {
			if !s.mirror.has(id) {
				strays = append(strays, id)
			}
		}
		if len(strays) > 0 {
			v, err := s.once(ctx, scriptStrays, epoch, s.fixed(), strays...)
			if err != nil {
				return err
			}
			s.watch.add(orphans(v))
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

func (s *Store) scan(ctx context.Context, key string, cursor uint64) ([]string, uint64, error) {
	ctx, cancel := s.bound(ctx)
	defer cancel()
	s.calls.Add(1)
	var ids []string
	var next uint64
	err := s.place.do(ctx, func(c *redis.Client) (err error) {
		ids, next, err = c.SScan(ctx, key, cursor, "", batch).Result()
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("scan: %w", err)
	}
	return ids, next, nil
}
