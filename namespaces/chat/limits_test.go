package chat_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

func TestMessageRate(t *testing.T) {
	s := open(t, chat.Options{})
	bob, ann := s.in("bob", "r"), s.in("ann", "r")
	send := func(n int) (accepted int) {
		t.Helper()
		for range n {
			switch got := ann.call("message", `{"room":"r","content":"x"}`); got {
			case `{"ok":false,"error":{"code":"rate_limited","message":"Rate limit exceeded"}}`:
			default:
				match(t, "ack", got, `{"ok":true,*`)
				accepted++
			}
		}
		return accepted
	}
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 20}, {0, 0}, {100 * time.Millisecond, 1}, {time.Second, 10}, {time.Hour, 20}} {
		s.clock.forward(c.after)
		if got := send(40); got != c.want {
			t.Errorf("%d messages after another %v, want %d", got, c.after, c.want)
		}
	}
	ann.emit("message", `{"room":"r","content":"x"}`)
	for {
		got := ann.next()
		if got == `["error",{"code":"rate_limited","message":"Rate limit exceeded","event":"message"}]` {
			break
		}
		match(t, "event", got, `["message",*`)
	}
	// Another socket has its own budget, and so have other events.
	match(t, "bob", bob.call("message", `{"room":"r","content":"x"}`), `{"ok":true,*`)
	match(t, "who", ann.call("who", `"r"`), `{"ok":true,*`)
	if got, want := s.chat.Stats().RateLimited, uint64(5*40-51+1); got != want {
		t.Errorf("%d refusals are counted, want %d", got, want)
	}
}

func TestNoMessageRate(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1})
	ann := s.in("ann", "r")
	for range 500 {
		match(t, "ack", ann.call("message", `{"room":"r","content":"x"}`), `{"ok":true,*`)
	}
}

// Typing and cursors have one budget, and what exceeds it is dropped and counted
// without an error.
func TestSignalBudget(t *testing.T) {
	s := open(t, chat.Options{})
	bob, ann := s.in("bob", "r"), s.in("ann", "r")
	bob.want("user_joined")
	for range 50 {
		ann.emit("typing", `"r"`)
		ann.emit("cursor_position", `{"x":1,"y":2}`)
	}
	ann.emit("typing", `{"not":"valid"}`)
	ann.quiet()
	s.clock.forward(time.Second / 60)
	ann.emit("typing", `{"room":"r","isTyping":true}`)
	ann.quiet()
	bob.call("who", `"r"`)
	var typing int
	for _, e := range bob.events {
		if e == `42/chat,["typing","ANN"]` {
			typing++
		}
	}
	if last := bob.events[len(bob.events)-1]; typing != 30 || last != `42/chat,["typing",{"room":"r","userId":"ann","user":"ANN","isTyping":true}]` {
		t.Errorf("%d typed, then %s", typing, last)
	}
	if got := s.chat.Stats(); got.SignalsOverBudget != 41 {
		t.Errorf("%+v", got)
	}
	// Messages are not touched by it.
	match(t, "message", ann.call("message", `{"room":"r","content":"x"}`), `{"ok":true,*`)
}

func TestSignalsWithoutRoomAreCounted(t *testing.T) {
	s := open(t, chat.Options{})
	ann := s.as("ann")
	ann.emit("cursor_position", `{"x":1,"y":2}`)
	ann.emit("typing", `{"isTyping":true}`)
	ann.quiet()
	if got := s.chat.Stats(); got.SignalsWithoutRoom != 2 {
		t.Errorf("%+v", got)
	}
}

func TestClientMsgID(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1})
	bob, ann := s.in("bob", "r"), s.in("ann", "r")
	bob.want("user_joined")
	say := func(p *peer, key string) string {
		t.Helper()
		return p.call("message", `{"room":"r","content":"x","clientMsgId":`+key+`}`)
	}
	first := say(ann, `"m1"`)
	bob.want("message")

	s.clock.forward(time.Minute)
	if again := say(ann, `"m1"`); again != first {
		t.Errorf("a repeat got %s, want %s", again, first)
	}
	tab := s.as("ann") // not in the room
	if again := say(tab, `"m1"`); again != first {
		t.Errorf("a repeat by another tab got %s, want %s", again, first)
	}
	bob.quiet()
	if other := say(bob, `"m1"`); other == first {
		t.Errorf("another user got %s", other)
	}
	bob.want("message")
	ann.events = nil
	for _, key := range []string{`"m2"`, `1`, `"` + rep("é", 64) + `"`} {
		if first, again := say(ann, key), say(ann, key); first != again {
			t.Errorf("%s: %s, then %s", key, first, again)
		}
		bob.want("message")
	}
	if none, again := say(ann, `""`), say(ann, `null`); none == again {
		t.Error("no clientMsgId was taken for one")
	}
	bob.want("message")
	bob.want("message")
	// What was refused has not been sent.
	match(t, "refused", tab.call("message", `{"room":"r","content":"x","clientMsgId":"m9"}`), `*"not_in_room"*`)
	match(t, "sent", say(ann, `"m9"`), `{"ok":true,*`)
	bob.want("message")

	s.clock.forward(9 * time.Minute)
	if late := say(ann, `"m1"`); late == first {
		t.Error("a repeat after ten minutes was taken for the same message")
	}
	bob.want("message")
	if got := s.chat.Stats(); got.Repeated != 5 {
		t.Errorf("%+v", got)
	}
}

func TestIDsSortByTime(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1})
	ann := s.in("ann", "r")
	last := ""
	for i := range 100 {
		if i == 50 {
			s.clock.forward(-time.Minute) // a clock that is put right
		}
		s.clock.forward(time.Duration(i%3) * time.Millisecond)
		ack := ann.call("message", `{"room":"r","content":"x"}`)
		id := field(t, ack, "id")
		if id <= last {
			t.Errorf("%s after %s", id, last)
		}
		last = id
	}
}

func TestRoomLimitsOfTheServer(t *testing.T) {
	s := open(t, chat.Options{Rooms: -1, RoomName: -1})
	ann := s.as("ann")
	match(t, "long name", ann.call("join", strconv.Quote(rep("x", 100_000))), `*"invalid_payload"*`)
	for i := range 999 { // and one that is the chat's own
		match(t, "join", ann.call("join", fmt.Sprint(i)), `{"ok":true,*`)
	}
	match(t, "one more", ann.call("join", `"x"`), `*"too_many_rooms"*`)
}

// Another rate holds for those that are there.
func TestSetMessageRate(t *testing.T) {
	s := open(t, chat.Options{MessageRate: 1, MessageBurst: 1})
	ann := s.in("ann", "r")
	say := func(what, want string) {
		t.Helper()
		match(t, what, ann.call("direct_message", `{"to":"ann","text":"x"}`), want)
	}
	say("the first", `{"ok":true,*`)
	say("the second", `*"rate_limited"*`)
	s.chat.SetMessageRate(-1, 0)
	for range 50 {
		say("without a limit", `{"ok":true,*`)
	}
	s.chat.SetMessageRate(0.001, 2)
	say("used up before", `*"rate_limited"*`)
	ann = s.in("bob", "r") // with a budget of his own
	say("the first of another", `{"ok":true,*`)
	say("his second", `{"ok":true,*`)
	say("his third", `*"rate_limited"*`)
}
