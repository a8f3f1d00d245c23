package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// A Store keeps the state of a chat in Redis: it is one instance's handle on what
// all instances share. Safe for concurrent use.
type Store struct {
	// Static.
	place    place
	opts     Options
	base     string // what all keys begin with
	instance string
	mirror   *mirror
	syncs    context.Context // of what sync does; ends with Close
	endSyncs context.CancelFunc
	work     sync.WaitGroup // syncs

	// Of sync, which runs once at a time.
	first  string // the name of the first epoch, which says that Redis remembers
	buried bool   // this instance was taken for dead, and is not all back yet

	gate     gate
	watch    watch
	watching atomic.Bool

	calls, errors, synced, reconciled, orphans atomic.Uint64
}

var _ chat.Watcher = (*Store)(nil)

// ErrClosed is what a store returns that is closed.
var ErrClosed = errors.New("redisstore: closed")

// New makes a store for the chat of a namespace. The client may be of one server,
// of one behind Sentinel, or of a Cluster; the store opens connections of its own
// with that client's settings, and the client stays the caller's. New does not
// wait for Redis: it may come later.
//
// The store is alive, to other instances, as long as [Store.Watch] runs: see
// [chat.Chat.Watch]. Close it after the server and Watch have ended.
func New(rdb redis.UniversalClient, namespace string, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	if strings.ContainsAny(opts.Prefix, "{}") {
		return nil, fmt.Errorf("redisstore: the prefix %q has braces", opts.Prefix)
	}
	client, err := ownClient(rdb, opts.Timeout)
	if err != nil {
		return nil, err
	}
	base := "{" + opts.Prefix + "#" + escaped.Replace(namespace) + "}"
	s := &Store{
		place:    place{client, base},
		opts:     opts,
		base:     base,
		instance: newInstance(),
		mirror:   newMirror(),
	}
	s.syncs, s.endSyncs = context.WithCancel(context.Background())
	s.gate.lost, s.gate.whole = newLosses(), true
	return s, nil
}

// Close ends the store. Sockets that it still has are for other instances to make
// leave, at once.
func (s *Store) Close() error {
	epoch, ok := s.gate.close()
	if !ok {
		return nil
	}
	s.endSyncs()
	s.work.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), s.opts.Timeout)
	defer cancel()
	if epoch != "" {
		// An error is found out by the others, in their time.
		_, _ = s.send(ctx, epoch, request{script: scriptResign, keys: s.fixed()})
	}
	if err := s.place.client.Close(); err != nil {
		return fmt.Errorf("redisstore: close: %w", err)
	}
	return nil
}

// Stats returns the store's counts.
func (s *Store) Stats() Stats {
	return Stats{
		Calls:      s.calls.Load(),
		Errors:     s.errors.Load(),
		Syncs:      s.synced.Load(),
		Reconciled: s.reconciled.Load(),
		Orphans:    s.orphans.Load(),
		Up:         s.gate.clean(),
	}
}

// Join implements [chat.Store].
func (s *Store) Join(ctx context.Context, room, socket string, u chat.User, atMost int) (chat.Change, error) {
	var change chat.Change
	err := s.do(ctx, request{
		script: scriptJoin,
		keys:   s.keys(socket, u.ID, room),
		args:   []any{room, socket, u.ID, u.Name, max(atMost, 0)},
		socket: socket,
		done: func(v any) {
			r := asReply(v)
			change = chat.Change{Turned: r.flag(0), Count: int(r.number(1)), Status: chat.Status(r.number(2))}
			if atMost >= 0 {
				change.Members = members(r[3:])
			}
			s.mirror.join(room, socket, u)
		},
	})
	return change, err
}

// Leave implements [chat.Store].
func (s *Store) Leave(ctx context.Context, room, socket, userID string) (chat.Change, error) {
	var change chat.Change
	err := s.do(ctx, request{
		script: scriptLeave,
		keys:   s.keys(socket, userID, room),
		args:   []any{room, socket, userID, s.mirror.only(socket)},
		socket: socket,
		done: func(v any) {
			r := asReply(v)
			change = chat.Change{Turned: r.flag(0), Count: int(r.number(1)), Status: chat.Status(r.number(2))}
			s.mirror.leave(room, socket)
		},
	})
	if err != nil {
		s.mirror.leaveFailed(socket)
	}
	return change, err
}

// Rename implements [chat.Store].
func (s *Store) Rename(ctx context.Context, rooms []string, u chat.User) error {
	keys, args := s.fixed(), []any{u.ID, u.Name}
	for _, room := range rooms {
		keys = append(keys, s.key("room", room), s.key("names", room))
		args = append(args, room)
	}
	return s.do(ctx, request{
		script: scriptRename,
		keys:   keys,
		args:   args,
		socket: u.ID, // who can be renamed is its socket
		done:   func(any) { s.mirror.rename(u) },
	})
}

// Members implements [chat.Store].
func (s *Store) Members(ctx context.Context, room string, atMost int) (list []chat.Member, count int, err error) {
	err = s.do(ctx, request{
		script: scriptMembers,
		keys:   append(s.fixed(), s.key("room", room), s.key("names", room)),
		args:   []any{room, max(atMost, 0)},
		reads:  true,
		done: func(v any) {
			r := asReply(v)
			list, count = members(r[1:]), int(r.number(0))
		},
	})
	return list, count, err
}

// members returns those of a list: ids, names and statuses, and more of them.
func members(r reply) []chat.Member {
	list := []chat.Member{}
	for i := 0; i+2 < len(r); i += 3 {
		ids, names, statuses := asReply(r[i]), asReply(r[i+1]), asReply(r[i+2])
		list = slices.Grow(list, len(ids))
		for k := range ids {
			m := chat.Member{User: chat.User{ID: ids.text(k), Name: names.text(k)}}
			switch statuses.text(k) {
			case "1":
				m.Status = chat.Away
			case "2":
				m.Status = chat.Offline
			}
			list = append(list, m)
		}
	}
	return list
}

// SetStatus implements [chat.Store].
func (s *Store) SetStatus(ctx context.Context, socket, userID string, status chat.Status) (chat.Standing, error) {
	var standing chat.Standing
	err := s.do(ctx, request{
		script: scriptStatus,
		keys:   s.keys(socket, userID),
		args:   []any{socket, userID, int(status)},
		socket: socket,
		done: func(v any) {
			standing = standingOf(asReply(v))
			s.mirror.set(socket, userID, status)
		},
	})
	// The socket is there, whether Redis can be told now or not.
	if err != nil && s.mirror.arrive(socket, userID, status) {
		s.gate.lose(strings.Clone(socket))
	}
	return standing, err
}

// Remove implements [chat.Store].
func (s *Store) Remove(ctx context.Context, socket, userID string) (chat.Standing, error) {
	var standing chat.Standing
	err := s.do(ctx, request{
		script: scriptRemove,
		keys:   s.keys(socket, userID),
		args:   []any{socket, userID, s.mirror.only(socket)},
		socket: socket,
		done: func(v any) {
			standing = standingOf(asReply(v))
			s.mirror.remove(socket)
		},
	})
	if err != nil {
		s.mirror.removeFailed(socket)
	}
	return standing, err
}

func standingOf(r reply) chat.Standing {
	return chat.Standing{Status: chat.Status(r.number(0)), Changed: r.flag(1), Rooms: r.texts(2)}
}

// Connected implements [chat.Store].
func (s *Store) Connected(ctx context.Context, userID string) (bool, error) {
	var connected bool
	err := s.do(ctx, request{
		script: scriptConnected,
		keys:   append(s.fixed(), s.key("user", userID)),
		args:   []any{userID},
		reads:  true,
		done:   func(v any) { connected = v == int64(1) },
	})
	return connected, err
}

// Post implements [chat.Store].
func (s *Store) Post(ctx context.Context, p chat.Post) (chat.Receipt, error) {
	id, receipt, keep := p.ID.String(), "", 0
	keys := append(s.fixed(), s.base+"histories", s.base+"history-weights", s.base+"history-total", s.key("history", p.Room))
	if p.Key != "" {
		receipt = s.receipt(p.UserID, p.Key)
		keys = append(keys, receipt)
	}
	if p.Text != nil && s.opts.History > 0 {
		keep = 1
	}
	var got chat.Receipt
	var bad error
	err := s.do(ctx, request{
		script: scriptPost,
		keys:   keys,
		args: []any{
			p.Room, id, p.Text, keep, receipt, receiptTTL.Milliseconds(),
			s.opts.History, s.opts.HistoryBytes, s.opts.HistoryTotal, s.opts.HistoryTTL.Milliseconds(),
		},
		post: &post{strings.Clone(p.Room), id, receipt},
		done: func(v any) {
			r := asReply(v)
			got.Outcome = [...]chat.Outcome{chat.Accepted, chat.Repeated, chat.Late}[r.number(0)]
			got.ID, bad = parseID(r.text(1))
		},
	})
	return got, errors.Join(err, bad)
}

// Recall implements [chat.Store].
func (s *Store) Recall(ctx context.Context, userID, key string) (id chat.MessageID, ok bool, err error) {
	var bad error
	err = s.do(ctx, request{
		get:   s.receipt(userID, key),
		reads: true,
		done: func(v any) {
			if text, there := v.(string); there {
				id, bad = parseID(text)
				ok = bad == nil
			}
		},
	})
	return id, ok, errors.Join(err, bad)
}

func parseID(text string) (chat.MessageID, error) {
	id, ok := chat.ParseMessageID(text)
	if !ok {
		return id, fmt.Errorf("redisstore: %.40q is not the id of a message", text)
	}
	return id, nil
}

// History implements [chat.Store].
func (s *Store) History(ctx context.Context, q chat.Query) (chat.Page, error) {
	if q.Limit <= 0 {
		return chat.Page{}, nil
	}
	after := 0
	if q.After {
		after = 1
	}
	var page chat.Page
	err := s.do(ctx, request{
		script: scriptHistory,
		keys:   append(s.fixed(), s.key("history", q.Room)),
		args:   []any{q.Room, q.Bound.String(), after, q.Limit, q.Bytes},
		reads:  true,
		done: func(v any) {
			r := asReply(v)
			page.More, page.Messages = r.flag(0), make([]string, 0, len(r))
			for i := 1; i < len(r); i++ {
				page.Messages = append(page.Messages, r.text(i))
			}
			if !q.After { // newest first, so far
				slices.Reverse(page.Messages)
			}
		},
	})
	return page, err
}

// key returns the key of something that has a name.
func (s *Store) key(kind, name string) string { return s.base + kind + ":" + name }

// receipt returns the key of a message that a user has named. No two have one.
func (s *Store) receipt(userID, key string) string {
	return s.base + "receipt:" + strconv.Itoa(len(userID)) + ":" + userID + ":" + key
}

// fixed returns the keys that scripts look at whatever they are about.
func (s *Store) fixed() []string {
	return append(make([]string, 0, 16), s.base+"epochs", s.base+"instances", s.base+"sockets", s.base+"statuses")
}

// keys returns the keys of what is about a socket, and a room perhaps.
func (s *Store) keys(socket, userID string, rooms ...string) []string {
	keys := append(s.fixed(), s.key("instance", s.instance), s.key("in", socket), s.key("user", userID), s.key("rooms", userID))
	for _, room := range rooms {
		keys = append(keys, s.key("room", room), s.key("names", room), s.key("doubles", room))
	}
	return keys
}

// bound returns the context of a call: not the caller's, whose end would
// leave it unknown what has become of the call, but with its deadline.
func (s *Store) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	until := time.Now().Add(s.opts.Timeout)
	if deadline, ok := ctx.Deadline(); ok && deadline.Before(until) {
		until = deadline
	}
	return context.WithDeadline(context.WithoutCancel(ctx), until)
}
