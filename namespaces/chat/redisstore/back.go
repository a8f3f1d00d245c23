package redisstore

import (
	"context"
	"slices"
	"time"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// A welcome is what is to be said of a socket that was taken for dead with this
// instance. It waits for a heartbeat: what others have said of it, that it is gone,
// has come by then, also here.
type welcome struct {
	rooms   []string
	changed bool
	at      time.Time
}

// welcome notes what the script restore has found.
func (w *watch) welcome(list reply, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range list {
		r := asReply(one)
		w.note(r.text(0), welcome{r.texts(1), r.flag(2), at})
	}
}

// note adds to what is to be said of a socket. The caller holds mu.
func (w *watch) note(socket string, b welcome) {
	if w.back == nil {
		w.back = make(map[string]welcome)
	}
	for _, room := range w.back[socket].rooms {
		if !slices.Contains(b.rooms, room) {
			b.rooms = append(b.rooms, room)
		}
	}
	b.changed = b.changed || w.back[socket].changed
	w.back[socket] = b
}

// again notes what could not be said.
func (w *watch) again(socket string, b welcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(socket, b)
}

// takeBack returns those of whom it is time to say that they are back, and has
// forgotten them.
func (w *watch) takeBack(now time.Time) map[string]welcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	due := make(map[string]welcome)
	for socket, b := range w.back {
		if !now.Before(b.at) {
			due[socket] = b
			delete(w.back, socket)
		}
	}
	return due
}

// welcomeAll has it said who is back. What fails comes again with the next
// heartbeat.
func (s *Store) welcomeAll(ctx context.Context, returned func(ctx context.Context, r chat.Returned) error) {
	due := s.watch.takeBack(time.Now())
	if len(due) == 0 {
		return
	}
	s.opts.Logger.Info("taken for dead, and back: the rooms are told", "sockets", len(due))
	for socket, b := range due {
		if ctx.Err() != nil {
			return
		}
		err := returned(ctx, chat.Returned{Socket: socket, Rooms: b.rooms, Changed: b.changed})
		if err != nil {
			s.opts.Logger.Error("the rooms of a socket that is back cannot be told", "socket", socket, "error", err)
			s.watch.again(socket, b)
		}
	}
}
