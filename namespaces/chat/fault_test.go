package chat_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

var errStore = errors.New("the store is gone")

// A failing store is a good one that fails when it is told to: the n-th call from
// then on.
type failing struct {
	chat.Store

	mu    sync.Mutex
	at    int // calls until the one that fails; 0: none does
	calls []string
}

// arm has the n-th call fail.
func (f *failing) arm(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.calls = n, nil
}

// disarm reports whether a call has failed, and which calls there were.
func (f *failing) disarm() (failed bool, calls string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	failed = f.at < 0
	f.at = 0
	return failed, strings.Join(f.calls, " ")
}

// failed reports whether the call has failed.
func (f *failing) failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.at < 0
}

func (f *failing) err(call string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
	if f.at--; f.at == 0 {
		f.at = -1 << 30
		return errStore
	}
	if f.at == -1 { // it was not armed
		f.at = 0
	}
	return nil
}

func (f *failing) Join(ctx context.Context, room, socket string, u chat.User, atMost int) (chat.Change, error) {
	if err := f.err("Join"); err != nil {
		return chat.Change{}, err
	}
	return f.Store.Join(ctx, room, socket, u, atMost)
}

func (f *failing) Leave(ctx context.Context, room, socket, userID string) (chat.Change, error) {
	if err := f.err("Leave"); err != nil {
		return chat.Change{}, err
	}
	return f.Store.Leave(ctx, room, socket, userID)
}

func (f *failing) Rename(ctx context.Context, rooms []string, u chat.User) error {
	if err := f.err("Rename"); err != nil {
		return err
	}
	return f.Store.Rename(ctx, rooms, u)
}

func (f *failing) Members(ctx context.Context, room string, atMost int) ([]chat.Member, int, error) {
	if err := f.err("Members"); err != nil {
		return nil, 0, err
	}
	return f.Store.Members(ctx, room, atMost)
}

func (f *failing) SetStatus(ctx context.Context, socket, userID string, s chat.Status) (chat.Standing, error) {
	if err := f.err("SetStatus"); err != nil {
		return chat.Standing{}, err
	}
	return f.Store.SetStatus(ctx, socket, userID, s)
}

func (f *failing) Connected(ctx context.Context, userID string) (bool, error) {
	if err := f.err("Connected"); err != nil {
		return false, err
	}
	return f.Store.Connected(ctx, userID)
}

func (f *failing) Post(ctx context.Context, p chat.Post) (chat.Receipt, error) {
	if err := f.err("Post"); err != nil {
		return chat.Receipt{}, err
	}
	return f.Store.Post(ctx, p)
}

func (f *failing) Recall(ctx context.Context, userID, key string) (chat.MessageID, bool, error) {
	if err := f.err("Recall"); err != nil {
		return chat.MessageID{}, false, err
	}
	return f.Store.Recall(ctx, userID, key)
}

func (f *failing) History(ctx context.Context, q chat.Query) (chat.Page, error) {
	if err := f.err("History"); err != nil {
		return chat.Page{}, err
	}
	return f.Store.History(ctx, q)
}

func memory(s *clock) *chat.Memory {
	return chat.NewMemory(chat.MemoryOptions{History: 100, HistoryBytes: 1 << 20, HistoryTotal: 1 << 20, Remembered: 1000, Now: s.now})
}

// TestFailingStore lets each call fail that an event makes of its store. The
// client is told internal, nobody is told anything, all is as before, and the
// event, sent again, does what it does.
func TestFailingStore(t *testing.T) {
	for name, c := range map[string]struct {
		event, args string
		calls       string // that the event makes when none fails
		told        string // what bob is told in the end, "" for nothing
	}{
		"join":                       {"join", `"new"`, "History Join", ""},
		"join with others":           {"join", `"bob's"`, "History Join", `["user_joined",*`},
		"join again":                 {"join", `"r"`, "History Members", ""},
		"join with a name":           {"join", `{"room":"bob's","username":"Anna"}`, "Rename History Join", `["user_joined",{*"user":"Anna",*`},
		"join again with a name":     {"join", `{"room":"r","username":"Anna"}`, "Rename History Members", ""},
		"leave":                      {"leave", `"r"`, "Leave", `["user_left",*`},
		"who":                        {"who", `"r"`, "Members", ""},
		"message":                    {"message", `{"room":"r","content":"x"}`, "Post", `["message",*`},
		"message with a name":        {"message", `{"room":"r","content":"x","clientMsgId":"m"}`, "Post", `["message",*`},
		"direct message":             {"direct_message", `{"to":"bob","content":"x"}`, "Connected", `["direct_message",*`},
		"direct message with a name": {"direct_message", `{"to":"bob","content":"x","clientMsgId":"m"}`, "Connected Recall Post", `["direct_message",*`},
		"history":                    {"history", `"r"`, "History", ""},
		"presence":                   {"presence", `{"status":"away"}`, "SetStatus", `["presence",*`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := newClock()
			store := &failing{Store: memory(clock)}
			s := open(t, chat.Options{Store: store})
			bob := s.in("bob", "r")
			bob.call("join", `"bob's"`)
			ann := s.connect(`{"username":"Ann"}`)
			ann.call("join", `"r"`)
			ann.call("message", `{"room":"r","content":"before"}`)
			ann.events, bob.events = nil, nil
			bob.call("leave", `"none"`)
			bob.events = nil
			state := func() string {
				t.Helper()
				ann.call("leave", `"none"`)
				list := []string{ann.call("history", `"r"`), bob.call("who", `"r"`), bob.call("who", `"bob's"`)}
				for sock := range s.io.Of("/chat").Sockets() {
					if u, _ := chat.UserOf(sock); u.ID == ann.id {
						list = append(list, u.Name, strings.Join(sock.Rooms(), " "))
					}
				}
				return strings.Join(list, "\n")
			}
			before := state()
			want := strings.Fields(c.calls)
			if strings.HasPrefix(c.event, "direct") {
				c.args = strings.Replace(c.args, `{`, `{"room":"r",`, 1)
			}
			for n := range want {
				store.arm(n + 1)
				got := ann.call(c.event, c.args)
				failed, calls := store.disarm()
				if !failed {
					t.Fatalf("no call %d: %s", n, calls)
				}
				match(t, want[n], got, `{"ok":false,"error":{"code":"internal","message":"internal error"}}`)
				if after := state(); after != before {
					t.Errorf("when %s fails:\n%s\nbefore it was\n%s", want[n], after, before)
				}
				ann.quiet()
				bob.quiet()
			}
			store.arm(100)
			match(t, "again", ann.call(c.event, c.args), `{"ok":true*`)
			if _, calls := store.disarm(); calls != c.calls {
				t.Errorf("calls: %s, want %s", calls, c.calls)
			}
			if c.told != "" {
				match(t, "told", bob.next(), c.told)
			}
			bob.quiet()
		})
	}
}

// A file that cannot be noted is not sent either, and a repeat that cannot be
// looked up is not refused for another reason.
func TestFailingStoreAndFiles(t *testing.T) {
	store := &failing{Store: memory(newClock())}
	s := open(t, chat.Options{Store: store})
	bob, ann := s.in("bob", "r"), s.in("ann", "r")
	bob.want("user_joined")
	const about = `{"clientMsgId":"f"},{"_placeholder":true,"num":0}`
	store.arm(1)
	match(t, "file", ann.binary("file_upload", about, "x"), `*"internal"*`)
	bob.quiet()
	match(t, "file", ann.binary("file_upload", about, "x"), `{"ok":true,*`)
	bob.file()
	ann.call("leave", `"r"`)
	bob.want("user_left")
	store.arm(1)
	match(t, "repeat", ann.binary("file_upload", about, "x"), `*"internal"*`)
	store.disarm()
	match(t, "repeat", ann.binary("file_upload", about, "x"), `{"ok":true,*`)
}

// A store that cannot be reached when a socket connects does not keep it out.
func TestFailingStoreAtConnect(t *testing.T) {
	store := &failing{Store: memory(newClock())}
	s := open(t, chat.Options{Store: store})
	store.arm(1)
	ann := s.as("ann")
	if failed, calls := store.disarm(); !failed {
		t.Fatal("no call:", calls)
	}
	match(t, "join", ann.call("join", `"r"`), `{"ok":true,*`)
	match(t, "presence", ann.call("presence", `{"status":"away"}`), `{"ok":true}`)
	match(t, "who", ann.call("who", `"r"`), `*"status":"away"*`)
}

// Two instances of one server each, on one store: what they list and count is of
// both.
func TestTwoInstances(t *testing.T) {
	clock := newClock()
	store := memory(clock)
	one, two := open(t, chat.Options{Store: store}), open(t, chat.Options{Store: store})
	ann, bob, tab := one.in("ann", "r"), two.as("bob"), two.as("ann")
	ann.call("message", `{"content":"1"}`)
	match(t, "join", bob.call("join", `"r"`), `{"ok":true,"room":"r","userCount":2,"users":[{"userId":"ann",*},{"userId":"bob",*}],"history":[{*"content":"1",*}]}`)
	match(t, "second tab", tab.call("join", `"r"`), `{"ok":true,"room":"r","userCount":2,*`)
	tab.call("presence", `{"status":"away"}`)
	match(t, "who", bob.call("who", `"r"`), `*"userId":"ann","user":"ANN","status":"online"*`)
	ann.call("presence", `{"status":"away"}`)
	match(t, "who", bob.call("who", `"r"`), `*"userId":"ann","user":"ANN","status":"away"*`)
	match(t, "direct", bob.call("direct_message", `{"to":"ann","content":"x"}`), `{"ok":true,"id":"*","timestamp":*}`)
	// A clock that is behind makes no id that is before another's.
	two.clock.forward(-1 << 40)
	bob.call("message", `{"content":"2"}`)
	ann.events = nil
	ann.call("message", `{"content":"3"}`)
	if got := contents(t, bob.page("history", `"r"`).Messages); got != "1 2 3" {
		t.Errorf("history is %s", got)
	}
	ann.send("41" + chatNsp)
	for strings.Contains(bob.call("who", `"r"`), `"status":"online"},{"userId":"bob"`) {
		continue
	}
	match(t, "who", bob.call("who", `"r"`), `*"userCount":2,*`)
}
