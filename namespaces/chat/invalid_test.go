package chat_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// TestRefusals has everything that a client can get wrong: the error says so, and
// nothing has happened.
func TestRefusals(t *testing.T) {
	long := func(n int) string { return strconv.Quote(rep("x", n)) }
	type refusal struct{ event, arg, code string }
	var cases []refusal
	add := func(code, events string, args ...string) {
		for event := range strings.FieldsSeq(events) {
			for _, arg := range args {
				cases = append(cases, refusal{event, arg, code})
			}
		}
	}
	noRoom := []string{`null`, `true`, `[]`, `["r"]`, `""`, `{}`, `{"room":""}`, `{"room":null}`, `{"room":{}}`, `{"room":["r"]}`, `{"room":false}`,
		`1e999`, `{"roomId":-1e999}`, `1e300`, long(129), `{"room":` + long(129) + `}`, `{"roomId":` + long(900_000) + `}`, `"` + rep("é", 129) + `"`}
	add("invalid_payload", "join join_room leave leave_room who", noRoom...)
	add("invalid_payload", "join", `{"room":"new","username":1}`, `{"room":"new","username":[]}`, `{"room":"new","username":`+long(65)+`}`, `{"room":"new","username":`+long(900_000)+`}`)
	add("invalid_payload", "message send_message chat_message",
		`null`, `"hi"`, `1`, `[]`, `{}`, `{"room":"r"}`, `{"room":"r","content":null}`, `{"room":"r","content":1}`, `{"room":"r","content":{}}`, `{"room":"r","text":["a"]}`,
		`{"content":"x"}`, `{"room":true,"content":"x"}`, `{"room":"","content":"x"}`, `{"room":`+long(129)+`,"content":"x"}`,
		`{"room":"r","content":"x","clientMsgId":{}}`, `{"room":"r","content":"x","clientMsgId":true}`, `{"room":"r","content":"x","clientMsgId":`+long(65)+`}`)
	add("message_too_large", "message send_message chat_message", `{"room":"r","content":`+long(8193)+`}`, `{"room":"elsewhere","text":"`+rep("é", 4097)+`"}`)
	add("not_in_room", "who typing", `"elsewhere"`, `{"room":"elsewhere","isTyping":true}`, `"__proto__"`, `7`)
	add("not_in_room", "message send_message chat_message", `{"room":"elsewhere","content":"x"}`, `{"roomId":7,"content":"x"}`)
	add("not_in_room", "cursor_position", `{"room":"elsewhere","x":1,"y":1}`)
	add("invalid_payload", "typing", `{"room":"r"}`, `{"room":"r","isTyping":1}`, `{"room":"r","isTyping":"true"}`, `true`, `[]`, `{"room":[]}`, `""`, long(129))
	add("invalid_payload", "cursor_position", `{"room":"r"}`, `{"room":"r","x":1}`, `{"room":"r","x":"1","y":1}`, `{"room":"r","x":1,"y":null}`, `{"room":{},"x":1,"y":1}`, `true`)

	s := open(t, chat.Options{MessageRate: -1, SignalRate: -1})
	bob, ann := s.in("bob", "r"), s.in("ann", "r")
	ann.call("join", `"r2"`) // so that a room has to be named
	bob.want("user_joined")
	for _, c := range cases {
		name := c.event + " " + c.arg[:min(len(c.arg), 60)]
		got := ann.call(c.event, c.arg)
		match(t, name, got, `{"ok":false,"error":{"code":"`+c.code+`","message":"*"}}`)
		if len(got) > 300 {
			t.Errorf("%s: an answer of %d bytes", name, len(got))
		}
		// Without an acknowledgement the same comes as an event.
		ann.emit(c.event, c.arg)
		match(t, name, ann.want("error"), `{"code":"`+c.code+`","message":"*","event":"`+c.event+`"}`)
	}
	ann.quiet()
	bob.quiet()
	if got := s.chat.Stats(); got.Messages != 0 {
		t.Errorf("%+v", got)
	}
	match(t, "no argument", ann.call("join"), `*"invalid_payload"*`)
	match(t, "who", bob.call("who", `"r"`), `{"ok":true,"room":"r","userCount":2,*`)
}

func TestRoomNames(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1, History: -1})
	p := s.as("ann")
	for arg, name := range map[string]string{
		`"__proto__"`:                        `"__proto__"`,
		`"constructor"`:                      `"constructor"`,
		`7`:                                  `"7"`,
		`-7`:                                 `"-7"`,
		`-0`:                                 `"0"`,
		`-0.0`:                               `"0"`,
		`1.50`:                               `"1.5"`,
		`1e3`:                                `"1000"`,
		`12345678901234567890`:               `"12345678901234567890"`,
		`" "`:                                `" "`,
		`"a\u0000b"`:                         `"a\u0000b"`,
		`"\"\\\n"`:                           `"\"\\\n"`,
		`"<b>"`:                              `"<b>"`,
		`"\u00e9"`:                           `"é"`,
		`"\ud83d\ude00"`:                     `"😀"`,
		strconv.Quote(rep("x", 128)):         strconv.Quote(rep("x", 128)),
		strconv.Quote(rep("é", 128)):         strconv.Quote(rep("é", 128)),
		`{"room":"b","room":"a"}`:            `"a"`,
		`{"room":null,"roomId":"c"}`:         `"c"`,
		`{"room":"d","roomId":"not"}`:        `"d"`,
		`{"\u0072oom":"e"}`:                  `"e"`,
		`{"Room":"no","ROOM":"no","room":9}`: `"9"`,
	} {
		match(t, arg, p.call("join", arg), `{"ok":true,"room":`+name+`,"userCount":1,"users":[{"userId":"ann","user":"ANN","status":"online"}],"history":[]}`)
		match(t, arg, p.call("message", `{"room":`+name+`,"content":"x"}`), `{"ok":true,*`)
		match(t, arg, p.want("message"), `{"id":"*","room":`+name+`,*`)
		match(t, arg, p.call("leave", arg), `{"ok":true,"room":`+name+`}`)
	}
}

func rep(s string, n int) string { return strings.Repeat(s, n) }

// A room that is named like a socket is where the socket gets what is for it
// alone: nobody joins it, not even itself.
func TestRoomOfASocketIsNotJoined(t *testing.T) {
	s := open(t, chat.Options{})
	victim, other := s.connect(""), s.as("ann")
	match(t, "other", other.call("join", strconv.Quote(victim.id)), `*"forbidden"*`)
	match(t, "itself", victim.call("join", strconv.Quote(victim.id)), `*"forbidden"*`)
	match(t, "post", victim.call("message", `{"room":`+strconv.Quote(victim.id)+`,"content":"x"}`), `*"not_in_room"*`)
	match(t, "post to none", victim.call("message", `{"content":"x"}`), `*"invalid_payload"*`)
}

func TestTooManyRooms(t *testing.T) {
	s := open(t, chat.Options{})
	p := s.as("ann")
	for i := range 100 {
		match(t, "join", p.call("join", strconv.Itoa(i)), `{"ok":true,*`)
	}
	for i := 100; i < 1000; i++ {
		match(t, "join", p.call("join", strconv.Itoa(i)), `{"ok":false,"error":{"code":"too_many_rooms",*`)
	}
	match(t, "join again", p.call("join", `0`), `{"ok":true,*`)
	match(t, "leave", p.call("leave", `0`), `{"ok":true,*`)
	match(t, "join", p.call("join", `100`), `{"ok":true,*`)
	match(t, "not in", p.call("who", `0`), `*"not_in_room"*`)
}

func TestUsersOfARoomAreTheFirst(t *testing.T) {
	s := open(t, chat.Options{Users: 3})
	for i := range 12 {
		s.in("u"+strconv.Itoa(i), "r")
	}
	p := s.as("ann")
	match(t, "join", p.call("join", `"r"`), `{"ok":true,"room":"r","userCount":13,"users":[{"userId":"u0",*},{"userId":"u1",*},{"userId":"u2",*"}],"history":[]}`)
}
