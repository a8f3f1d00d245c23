package redisstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// watch is what Watch knows. Safe for concurrent use.
type watch struct {
	mu      sync.Mutex
	since   int64 // Redis' milliseconds from which on this instance was heard without a pause
	last    int64 // when it was heard last
	waiting map[string]chat.Orphan
	back    map[string]welcome // this instance's, by socket
}

func bySocket(a, b chat.Orphan) int { return cmp.Compare(a.Socket, b.Socket) }

// add notes orphans that are this instance's to make leave.
func (w *watch) add(list []chat.Orphan) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting == nil {
		w.waiting = make(map[string]chat.Orphan)
	}
	for _, o := range list {
		w.waiting[o.Socket] = o
	}
}

func (w *watch) buried(o chat.Orphan) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.waiting, o.Socket)
}

func (w *watch) list() []chat.Orphan {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []chat.Orphan
	for _, o := range w.waiting {
		list = append(list, o)
	}
	slices.SortFunc(list, bySocket)
	return list
}

// heard notes that Redis has heard of this instance now, and when it had before,
// if ever.
func (s *Store) heard(now, before int64) {
	w := &s.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	before = min(before, w.last) // Redis may have read late what this instance has given up
	if before < 0 || now-before > s.dead().Milliseconds()/2 || now < before {
		w.since = now
	}
	w.last = now
}

// times returns when this instance was heard last, as far as it knows, and since
// when without a pause.
func (s *Store) times() (last, since int64) {
	w := &s.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last, w.since
}

func (s *Store) dead() time.Duration { return deadAfter * s.opts.Heartbeat }

// Watch implements [chat.Watcher]. It also says that this instance is alive: one
// that does not watch is dead to the others. It calls gone for sockets of this
// instance too, which are gone, when Redis could not be told so at the time; and
// returned a heartbeat after the instance is back.
//
// It returns an error when it runs already, or the store is closed.
func (s *Store) Watch(
	ctx context.Context,
	gone func(ctx context.Context, o chat.Orphan) error,
	returned func(ctx context.Context, r chat.Returned) error,
) error {
	if !s.watching.CompareAndSwap(false, true) {
		return errors.New("redisstore: it is watched already")
	}
	defer s.watching.Store(false)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	wake := make(chan struct{}, 1)
	var beats sync.WaitGroup
	defer beats.Wait()
	beats.Go(func() { cancel(s.beats(ctx, wake)) })
	for {
		select {
		case <-ctx.Done():
			if err := context.Cause(ctx); errors.Is(err, ErrClosed) {
				return err
			}
			return nil
		case <-wake:
			s.buryAll(ctx, gone)
			s.welcomeAll(ctx, returned)
		}
	}
}

// beats says that the instance is alive, and when there is something to bury.
func (s *Store) beats(ctx context.Context, wake chan<- struct{}) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	up := true
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		next, dead, err := s.beat(ctx)
		switch {
		case errors.Is(err, ErrClosed):
			return err
		case ctx.Err() != nil:
			return nil
		case err != nil && up:
			s.opts.Logger.Error("chat state cannot be reached", "error", err)
		case err == nil && !up:
			s.opts.Logger.Info("chat state can be reached again")
		}
		up = err == nil
		if dead > 0 || up && s.somethingWaits() {
			select {
			case wake <- struct{}{}:
			default:
			}
		}
		timer.Reset(next)
	}
}

// beat says that the instance is alive. It returns when to say so next, and how
// many instances have died.
func (s *Store) beat(ctx context.Context) (next time.Duration, dead int, err error) {
	last, since := s.times()
	next = min(s.opts.Heartbeat, 2*retryAfter)
	err = s.do(ctx, request{
		script: scriptBeat,
		keys:   append(s.fixed(), s.base+"histories", s.base+"history-weights", s.base+"history-total"),
		args:   []any{s.dead().Milliseconds(), last, since, s.opts.HistoryTTL.Milliseconds()},
		reads:  true, // what it changes is changed the next time
		done: func(v any) {
			r := asReply(v)
			s.heard(r.number(0), r.number(1))
			next, dead = s.opts.Heartbeat, int(r.number(2))
			// Be there when the next one dies.
			if soon := time.Duration(r.number(3)+1) * time.Millisecond; soon > 0 {
				next = min(next, max(soon, s.opts.Heartbeat/100))
			}
		},
	})
	return next, dead, err
}

func (s *Store) somethingWaits() bool {
	s.watch.mu.Lock()
	defer s.watch.mu.Unlock()
	return len(s.watch.waiting)+len(s.watch.back) > 0 || s.mirror.hasDeparted()
}

// buryAll makes sockets leave as long as there are any, and it goes well.
func (s *Store) buryAll(ctx context.Context, gone func(ctx context.Context, o chat.Orphan) error) {
	for ctx.Err() == nil {
		list := append(s.mirror.departed(), s.watch.list()...)
		if len(list) == 0 {
			if err := s.adopt(ctx); err != nil {
				s.opts.Logger.Error("sockets of a dead instance cannot be taken over", "error", err)
				return
			}
			if list = s.watch.list(); len(list) == 0 {
				return
			}
			s.opts.Logger.Info("sockets of a dead instance leave", "sockets", len(list))
		}
		failed := false
		for _, o := range list {
			if ctx.Err() != nil {
				return
			}
			if err := s.bury(ctx, o, gone); err != nil {
				s.opts.Logger.Error("a socket that is gone cannot leave", "socket", o.Socket, "error", err)
				failed = true
			}
		}
		if failed {
			return // those are tried again with the next heartbeat
		}
	}
}

func (s *Store) bury(ctx context.Context, o chat.Orphan, gone func(ctx context.Context, o chat.Orphan) error) error {
	s.mirror.bury(o.Socket)
	defer s.mirror.bury("")
	if err := gone(ctx, o); err != nil {
		return err
	}
	s.watch.buried(o)
	s.orphans.Add(1)
	return nil
}

// adopt takes over sockets of instances that have died: they are this one's then,
// and if it dies as well, the next one's.
func (s *Store) adopt(ctx context.Context) error {
	return s.do(ctx, request{
		script: scriptAdopt,
		keys:   append(s.fixed(), s.key("instance", s.instance)),
		args:   []any{batch},
		whole:  true,
		done:   func(v any) { s.watch.add(orphans(v)) },
	})
}

func orphans(v any) []chat.Orphan {
	var list []chat.Orphan
	for _, one := range asReply(v) {
		r := asReply(one)
		list = append(list, chat.Orphan{Socket: r.text(0), User: chat.User{ID: r.text(1), Name: r.text(2)}, Rooms: r.texts(3)})
	}
	return list
}
