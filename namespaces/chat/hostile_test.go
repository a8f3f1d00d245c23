package chat_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// allEvents are those that a client can send.
var allEvents = []string{
	"join", "join_room", "leave", "leave_room", "message", "send_message", "chat_message", "direct_message", "file_upload",
	"history", "who", "typing", "cursor_position", "presence",
}

// wrongValues are put into every field of every event, and are every event's
// argument.
func wrongValues() []string {
	return []string{
		`null`, `true`, `false`, `0`, `-1`, `1.5`, `1e999`, `-1e999`, `1e309`, `9007199254740993`, `""`, `" "`, `"x"`, `"\u0000"`, `"\ud800"`, `"__proto__"`,
		`"constructor"`, `"<img src=x onerror=alert(1)>"`, `[]`, `[[]]`, `["r"]`, `{}`, `{"room":"r"}`, `{"$ne":null}`, `{"_placeholder":true,"num":0}`,
		`{"toString":1,"length":-1,"__proto__":{"room":"r"}}`,
		rep(`[`, 100) + rep(`]`, 100), rep(`{"a":`, 100) + `1` + rep(`}`, 100),
		strconv.Quote(rep("x", 200)), strconv.Quote(rep("é", 5000)), `"` + rep(`\u0000`, 9_000) + `"`,
	}
}

// fields are those that any event has.
var fields = []string{"room", "roomId", "username", "content", "text", "clientMsgId", "to", "before", "after", "limit", "name", "type", "isTyping", "x", "y", "status"}

// valid is an argument of an event with all that it needs, for a member of two
// rooms, without the field that is left out.
func valid(without string) string {
	all := []string{`"room":"r"`, `"content":"c"`, `"to":"ann"`, `"isTyping":true`, `"x":1`, `"y":2`, `"status":"away"`}
	var list []string
	for _, f := range all {
		if !strings.HasPrefix(f, strconv.Quote(without)+":") {
			list = append(list, f)
		}
	}
	return strings.Join(list, ",")
}

// TestEveryEventWithEveryArgument sends every event with every wrong argument, and
// every wrong value in every field. It is answered once, with an error or, where
// the field is not the event's or the value may be, without. An error changes
// nothing, and nobody else hears of it.
func TestEveryEventWithEveryArgument(t *testing.T) {
	for _, event := range allEvents {
		t.Run(event, func(t *testing.T) {
			t.Parallel()
			s := open(t, chat.Options{MessageRate: -1, SignalRate: -1, Rooms: -1, History: 2})
			bob, ann := s.in("bob", "r"), s.as("ann")
			ann.call("join", `"r"`)
			ann.call("join", `"r2"`)
			bob.events = nil
			bob.call("leave", `"none"`)
			bob.events = nil
			args := append(wrongValues(), strconv.Quote(rep(" ", 900_000)), `{"room":"r","username":`+strconv.Quote(rep("x", 900_000))+`}`)
			for _, f := range fields {
				for _, v := range wrongValues() {
					args = append(args, fmt.Sprintf(`{%s,%q:%s}`, valid(f), f, v))
				}
			}
			refused := 0
			state := func() string { return bob.call("who", `"r"`) + bob.call("history", `"r"`) }
			before := state()
			for _, arg := range args {
				what := event + " " + arg[:min(len(arg), 200)]
				ann.send("42" + chatNsp + "0" + eventText(event, []string{arg}))
				ann.call("leave", `"none"`)
				var answers []string
				for _, e := range ann.events {
					if a, ok := strings.CutPrefix(e, "43"+chatNsp+"0"); ok {
						answers = append(answers, a)
					}
					if strings.HasPrefix(e, "42"+chatNsp+`["error"`) {
						t.Errorf("%s: %s", what, e)
					}
				}
				ann.events = nil
				signal := event == "typing" || event == "cursor_position"
				if len(answers) > 1 || len(answers) == 0 && !signal {
					t.Fatalf("%s: %d answers: %q", what, len(answers), answers)
				}
				failed := len(answers) == 1 && strings.HasPrefix(answers[0], `[{"ok":false,"error":{"code":"`)
				if len(answers) == 1 && !failed && !strings.HasPrefix(answers[0], `[{"ok":true`) {
					t.Errorf("%s: %s", what, answers[0])
				}
				after := state()
				if failed {
					refused++
					if len(answers[0]) > 300 {
						t.Errorf("%s: an answer of %d bytes", what, len(answers[0]))
					}
					if strings.Contains(answers[0], "internal") {
						t.Errorf("%s: %s", what, answers[0])
					}
					if len(bob.events) > 0 || after != before {
						t.Errorf("%s is refused with %s, and something has changed: %q", what, answers[0], bob.events)
					}
				}
				if strings.HasPrefix(event, "leave") || strings.HasPrefix(event, "join") {
					ann.call("join", `"r"`)
					bob.call("leave", `"none"`)
					after = state()
				}
				before = after
				bob.events, ann.events = nil, nil
			}
			if refused < 15 {
				t.Errorf("only %d were refused", refused)
			}
			if got := s.io.Stats(); got.Panics != 0 || got.Sockets != 2 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A limit is a positive integer, and more than there may be is what there may be.
func TestHistoryRefusals(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1})
	ann := s.in("ann", "r")
	id := ann.say("r", 0, 1)[0]
	for _, arg := range []string{
		`{"limit":0}`, `{"limit":-1}`, `{"limit":"5"}`, `{"limit":1.5}`, `{"limit":1e999}`, `{"limit":true}`, `{"limit":[1]}`, `{"limit":{}}`,
		`{"before":` + id + `,"after":` + id + `}`, `{"before":1}`, `{"after":""}`, `{"after":"x"}`, `{"after":{}}`, `{"before":"` + rep("z", 20) + `"}`,
		`{"before":` + strings.ToUpper(id) + `}`, `{"room":[]}`, `true`, `[]`,
	} {
		match(t, arg, ann.call("history", arg), `{"ok":false,"error":{"code":"invalid_payload",*`)
	}
	match(t, "no room", s.as("bob").call("history", `{}`), `*"invalid_payload"*`)
}

func TestDirectRefusals(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1})
	bob, ann := s.as("bob"), s.as("ann")
	for arg, code := range map[string]string{
		`null`: "invalid_payload", `"bob"`: "invalid_payload", `{"to":"bob"}`: "invalid_payload", `{"content":"x"}`: "invalid_payload",
		`{"to":"bob","content":1}`: "invalid_payload", `{"to":"","content":"x"}`: "invalid_payload", `{"to":["bob"],"content":"x"}`: "invalid_payload",
		`{"to":{},"content":"x"}`: "invalid_payload", `{"to":true,"content":"x"}`: "invalid_payload", `{"to":1e999,"content":"x"}`: "invalid_payload",
		`{"to":` + strconv.Quote(rep("x", 129)) + `,"content":"x"}`:                    "invalid_payload",
		`{"to":"bob","content":"x","clientMsgId":[]}`:                                  "invalid_payload",
		`{"to":"bob","content":` + strconv.Quote(rep("x", 8193)) + `}`:                 "message_too_large",
		`{"to":"bob","content":"x","clientMsgId":` + strconv.Quote(rep("x", 65)) + `}`: "invalid_payload",
	} {
		match(t, arg[:min(len(arg), 60)], ann.call("direct_message", arg), `{"ok":false,"error":{"code":"`+code+`",*`)
	}
	ann.quiet()
	bob.quiet()
}

// A socket in as many rooms as it may be is in no other, and none is half entered.
func TestOneRoomTooMany(t *testing.T) {
	s := open(t, chat.Options{Rooms: 3})
	bob, ann := s.in("bob", "4"), s.connect(`{"username":"Ann"}`)
	for i := 1; i <= 3; i++ {
		ann.call("join", fmt.Sprint(i))
	}
	match(t, "too many", ann.call("join", `{"room":4,"username":"Other"}`), `*"too_many_rooms"*`)
	match(t, "name", ann.call("who", `1`), `*"user":"Ann"*`)
	match(t, "history", ann.call("history", `4`), `*"not_in_room"*`)
	bob.call("message", `{"content":"secret"}`)
	ann.quiet()
}
