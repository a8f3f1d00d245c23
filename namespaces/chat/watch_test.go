package chat_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/seed3686fee0/parlor/internal/servertest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// A watching store has an instance die, of which two are told, or come back.
type watching struct {
	chat.Store

	orphans  chan chat.Orphan
	returned chan chat.Returned
	done     chan error
}

func newWatching(s chat.Store) *watching {
	return &watching{s, make(chan chat.Orphan), make(chan chat.Returned), make(chan error)}
}

func (w *watching) Watch(ctx context.Context, gone func(ctx context.Context, o chat.Orphan) error, returned func(ctx context.Context, r chat.Returned) error) error {
	for {
		select {
		case o := <-w.orphans:
			w.done <- gone(ctx, o)
		case r := <-w.returned:
			w.done <- returned(ctx, r)
		case <-ctx.Done():
			return nil
		}
	}
}

// watched is a server that watches.
func watched(t *testing.T, store chat.Store) *site {
	t.Helper()
	s := open(t, chat.Options{Store: store})
	ctx, cancel := context.WithCancel(context.Background())
	var watch sync.WaitGroup
	watch.Go(func() {
		if err := s.chat.Watch(ctx); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		cancel()
		watch.Wait()
	})
	return s
}

// socket returns the socket of a user.
func (s *site) socket(p *peer) (id string) {
	for sock := range s.io.Of("/chat").Sockets() {
		if u, _ := chat.UserOf(sock); u.ID == p.id {
			id = sock.ID()
		}
	}
	return id
}

func TestWatch(t *testing.T) {
	store := newWatching(memory(newClock()))
	s, ctx := watched(t, store), t.Context()
	bob, ann := s.in("bob", "r"), s.in("ann", "r2")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	// Sockets of another instance: one of ann's, and all of cid's.
	cid, annUser := chat.User{ID: "cid", Name: "CID"}, chat.User{ID: "ann", Name: "ANN"}
	for _, x := range []struct {
		socket string
		user   chat.User
	}{{"c1", cid}, {"a9", annUser}} {
		_, err := store.SetStatus(ctx, x.socket, x.user.ID, chat.Online)
		must(err)
		_, err = store.Join(ctx, "r", x.socket, x.user, -1)
		must(err)
	}
	bob.call("join", `"r2"`)
	bob.events = nil
	ann.events = nil
	ann.call("presence", `{"status":"away"}`)
	match(t, "still", bob.want("presence"), `*"status":"online"*`)
	for range 2 { // again, as when the first to be told has died of it
		store.orphans <- chat.Orphan{Socket: "c1", User: cid, Rooms: []string{"r"}}
		must(<-store.done)
	}
	match(t, "left", bob.want("user_left"), `{"room":"r","userId":"cid","user":"CID","userCount":2}`)
	store.orphans <- chat.Orphan{Socket: "a9", User: annUser, Rooms: []string{"r"}}
	must(<-store.done)
	match(t, "left", bob.want("user_left"), `{"room":"r","userId":"ann","user":"ANN","userCount":1}`)
	match(t, "less present", bob.want("presence"), `*"userId":"ann","user":"ANN","status":"away"*`)
	bob.quiet()
	match(t, "who", bob.call("who", strconv.Quote("r")), `*"userCount":1,*`)
}

// A chat with a store of its own has nothing to watch.
func TestWatchNothing(t *testing.T) {
	s := open(t, chat.Options{})
	if err := s.chat.Watch(t.Context()); err != nil {
		t.Error(err)
	}
}

// An instance that was taken for dead is back: its rooms are told of those who are
// still there, as many and as present as they are then.
func TestReturned(t *testing.T) {
	store := newWatching(memory(newClock()))
	s := watched(t, store)
	bob, ann, x := s.in("bob", "r"), s.in("ann", "r"), s.connect(`{"username":"Xenia"}`)
	ann.call("join", `"r2"`)
	ann.call("presence", `{"status":"away"}`)
	x.call("join", `"r"`)
	bob.call("who", `"r"`)
	bob.events = nil
	back := func(p *peer, r chat.Returned) {
		t.Helper()
		r.Socket = s.socket(p)
		store.returned <- r
		if err := <-store.done; err != nil {
			t.Error(err)
		}
	}
	back(x, chat.Returned{Rooms: []string{"r"}})
	match(t, "back", bob.want("user_joined"), `{"room":"r","userId":"*","user":"Xenia","userCount":3}`)
	back(ann, chat.Returned{Rooms: []string{"r", "r2"}})
	match(t, "back", bob.want("user_joined"), `{"room":"r","userId":"ann","user":"ANN","userCount":3}`)
	match(t, "as she is", bob.want("presence"), `{"userId":"ann","user":"ANN","status":"away",*`)
	back(ann, chat.Returned{Changed: true})
	match(t, "as she is", bob.want("presence"), `{"userId":"ann","user":"ANN","status":"away",*`)
	// Who has left, or is gone, is not there.
	ann.call("leave", `"r"`)
	bob.want("user_left")
	back(ann, chat.Returned{Rooms: []string{"r"}})
	bob.quiet()
	back(&peer{id: "nobody"}, chat.Returned{Rooms: []string{"r"}, Changed: true})
	bob.quiet()
	match(t, "who", bob.call("who", `"r"`), `*"userCount":2,*`)
}

// Who is taken out of a room by the application while the store cannot be reached
// is out of it when it can; who comes again meanwhile is not told of at all.
func TestLeaveIsOwed(t *testing.T) {
	store := &failing{Store: memory(newClock())}
	s := watched(t, newWatching(store))
	bob, ann := s.in("bob", "r"), s.in("ann", "r")
	bob.want("user_joined")
	out := func(room string) {
		t.Helper()
		sock, _ := s.io.Of("/chat").Socket(s.socket(ann))
		store.arm(1)
		if err := sock.Leave(room); err != nil {
			t.Error(err)
		}
		// The join that was answered just now may be at work in the room still.
		servertest.Eventually(t, "the store is called", store.failed)
		store.disarm()
	}
	out("r")
	match(t, "message", ann.call("message", `{"room":"r","content":"x"}`), `*"not_in_room"*`)
	match(t, "left", bob.want("user_left"), `{"room":"r","userId":"ann","user":"ANN","userCount":1}`)
	match(t, "who", bob.call("who", `"r"`), `*"userCount":1,*`)
	ann.call("join", `"r"`)
	bob.want("user_joined")
	out("r")
	ann.call("join", `"r"`) // before or after the store is told
	out("r")
	if err := ann.w.Close(); err != nil { // and then for good
		t.Error(err)
	}
	for !strings.Contains(bob.call("who", `"r"`), `"userCount":1,`) {
		continue
	}
}
