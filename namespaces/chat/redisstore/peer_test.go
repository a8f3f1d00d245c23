package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// quick is a heartbeat for tests that do not want to wait: an instance is dead
// after three of them.
const quick = 150 * time.Millisecond

// instance is a store that is alive, with something like a chat above it.
type instance struct {
	*Store

	t    testing.TB
	stop func() // ends Watch, and nothing else; more than once does nothing

	mu     sync.Mutex
	said   []string // "room: user, count" of users that have left by way of Watch
	back   []string // "room: socket" of sockets that have come back, "socket" of those that are more present
	refuse error    // what gone and returned return
}

func start(t testing.TB, addr, namespace string, opts Options) *instance {
	t.Helper()
	i := &instance{Store: open(t, addr, namespace, opts), t: t}
	i.stop = i.watch()
	return i
}

func (i *instance) watch() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() {
		if err := i.Watch(ctx, i.gone, i.returned); err != nil {
			i.t.Errorf("Watch: %v", err)
		}
	})
	stop = sync.OnceFunc(func() {
		cancel()
		watching.Wait()
	})
	i.t.Cleanup(stop)
	return stop
}

// gone does what a chat does.
func (i *instance) gone(ctx context.Context, o chat.Orphan) error {
	i.mu.Lock()
	refuse := i.refuse
	i.mu.Unlock()
	if refuse != nil {
		return refuse
	}
	var errs []error
	for _, room := range o.Rooms {
		change, err := i.Leave(ctx, room, o.Socket, o.User.ID)
		errs = append(errs, err)
		if change.Turned {
			i.mu.Lock()
			i.said = append(i.said, fmt.Sprintf("%s: %s, %d", room, o.User.ID, change.Count))
			i.mu.Unlock()
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	_, err := i.Remove(ctx, o.Socket, o.User.ID)
	return err
}

func (i *instance) returned(_ context.Context, r chat.Returned) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.refuse != nil {
		return i.refuse
	}
	for _, room := range r.Rooms {
		i.back = append(i.back, room+": "+r.Socket)
	}
	if r.Changed {
		i.back = append(i.back, r.Socket)
	}
	return nil
}

// welcomed returns who has come back, sorted.
func (i *instance) welcomed() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Sorted(slices.Values(i.back))
}

// heard returns what was said, sorted.
func (i *instance) heard() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Sorted(slices.Values(i.said))
}

// judges reports whether an instance may take others for dead.
func judges(i *instance) bool {
	last, since := i.times()
	return last-since >= i.dead().Milliseconds()
}

// connect makes a socket known, and join puts it into a room. Neither fails.
func (i *instance) connect(socket, user string) {
	i.t.Helper()
	if _, err := i.SetStatus(context.Background(), socket, user, chat.Online); err != nil {
		i.t.Fatal(err)
	}
}

func (i *instance) join(room, socket, user string) {
	i.t.Helper()
	if _, err := i.Join(context.Background(), room, socket, chat.User{ID: user, Name: "name of " + user}, -1); err != nil {
		i.t.Fatal(err)
	}
}

// list returns who is in a room, and the number.
func list(s *Store, room string) string {
	members, count, err := s.Members(context.Background(), room, 1000)
	if err != nil {
		return err.Error()
	}
	names := []string{fmt.Sprint(count)}
	for _, m := range members {
		text := m.User.ID
		if m.Status != chat.Online {
			text += " " + m.Status.String()
		}
		names = append(names, text)
	}
	return strings.Join(names, " ")
}

// await waits until something is as it should be.
func await[T comparable](t testing.TB, what string, got func() T, want T) {
	t.Helper()
	deadline := time.Now().Add(guard)
	for {
		v := got()
		if v == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v, want %v", what, v, want)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// dump returns all that Redis has of a namespace but what changes with time, by
// key, without the common beginning; the names of instances are letters.
func dump(t testing.TB, server *redistest.Server, instances ...*Store) []string {
	t.Helper()
	rdb := server.Client()
	defer rdb.Close()
	ctx := context.Background()
	keys, err := rdb.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for n, s := range instances {
		names = append(names, s.instance, strings.Repeat(string('A'+rune(n)), 16))
	}
	renamed := strings.NewReplacer(names...)
	var lines []string
	for _, key := range keys {
		lines = append(lines, renamed.Replace(key)+" "+value(t, rdb, key, renamed))
	}
	slices.Sort(lines)
	return lines
}

func value(t testing.TB, rdb *redis.Client, key string, renamed *strings.Replacer) string {
	t.Helper()
	ctx := context.Background()
	kind, err := rdb.Type(ctx, key).Result()
	if err != nil {
		t.Fatal(err)
	}
	switch kind {
	case "string":
		return fmt.Sprintf("%q", rdb.Get(ctx, key).Val())
	case "set":
		var list []string
		for _, member := range rdb.SMembers(ctx, key).Val() {
			list = append(list, renamed.Replace(member))
		}
		slices.Sort(list)
		return fmt.Sprintf("%q", list)
	case "hash":
		var list []string
		for field, text := range rdb.HGetAll(ctx, key).Val() {
			list = append(list, renamed.Replace(fmt.Sprintf("%q: %q", field, text)))
		}
		slices.Sort(list)
		return "{" + strings.Join(list, ", ") + "}"
	case "zset":
		var list []string
		for _, z := range rdb.ZRangeWithScores(ctx, key, 0, -1).Val() {
			text := fmt.Sprintf("%q", z.Member)
			if z.Score != 0 && z.Score < 1e9 { // no time
				text += fmt.Sprint(" ", z.Score)
			}
			list = append(list, renamed.Replace(text))
		}
		return "[" + strings.Join(list, ", ") + "]"
	}
	return kind
}
