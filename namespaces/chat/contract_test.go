package chat_test

import (
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// step is one thing that happens in a conversation: somebody sends, and what
// that is answered with, and what others get, is what the contract says.
type step struct {
	event string
	args  []string
	ack   string   // a pattern; "": sent without one
	self  []string // what the sender gets, as ["event",…] patterns
	other []string // what another member of the room gets
}

// TestContract walks over the rows of the contract: ann does each step, in a room
// where bob is, and nobody gets anything else.
func TestContract(t *testing.T) {
	joined := step{event: "join", args: []string{`"r"`}, ack: "*", other: []string{`["user_joined",*`}}
	user := `"userId":"ann","user":"ANN"`
	message := `["message",{"id":"*","room":"r","from":"ann","user":"ANN","content":"hi","text":"hi","timestamp":1700000000000}]`
	chatMessage := `["chat_message",{"id":"*","room":"r","from":"ann","user":"ANN","content":"hi","text":"hi","timestamp":1700000000000}]`
	said := message[len(`["message",`) : len(message)-1]
	direct := `["direct_message",{"id":"*","from":"ann","user":"ANN","to":"bob","content":"hi","timestamp":1700000000000}]`
	ids := `{"ok":true,"id":"*","timestamp":1700000000000}`
	roster := `"userCount":2,"users":[{"userId":"bob","user":"BOB","status":"online"},{"userId":"ann","user":"ANN","status":"online"}]`
	come := `["user_joined",{"room":"r",` + user + `,"userCount":2}]`
	left := `["user_left",{"room":"r",` + user + `,"userCount":1}]`
	joinAck := `{"ok":true,"room":"r",` + roster + `,"history":[]}`

	for name, steps := range map[string][]step{
		"join a name":       {{event: "join", args: []string{`"r"`}, ack: joinAck, other: []string{come}}},
		"join an object":    {{event: "join", args: []string{`{"room":"r"}`}, ack: joinAck, other: []string{come}}},
		"join by roomId":    {{event: "join", args: []string{`{"roomId":"r"}`}, ack: joinAck, other: []string{come}}},
		"join_room":         {{event: "join_room", args: []string{`"r"`}, ack: joinAck, other: []string{come}}},
		"join without ack":  {{event: "join", args: []string{`"r"`}, other: []string{come}}},
		"join again":        {joined, {event: "join", args: []string{`"r"`}, ack: joinAck}},
		"leave":             {joined, {event: "leave", args: []string{`"r"`}, ack: `{"ok":true,"room":"r"}`, other: []string{left}}},
		"leave_room":        {joined, {event: "leave_room", args: []string{`{"roomId":"r"}`}, ack: `{"ok":true,"room":"r"}`, other: []string{left}}},
		"leave what is not": {{event: "leave", args: []string{`"r"`}, ack: `{"ok":true,"room":"r"}`}},
		"leave twice": {
			joined,
			{event: "leave", args: []string{`"r"`}, ack: "*", other: []string{left}},
			{event: "leave", args: []string{`"r"`}, ack: `{"ok":true,"room":"r"}`},
		},
		"message":             {joined, {event: "message", args: []string{`{"room":"r","content":"hi"}`}, ack: ids, self: []string{message}, other: []string{message}}},
		"message without ack": {joined, {event: "message", args: []string{`{"room":"r","content":"hi"}`}, self: []string{message}, other: []string{message}}},
		"send_message":        {joined, {event: "send_message", args: []string{`{"roomId":"r","text":"hi"}`}, ack: ids, self: []string{`["message",{"roomId":"r","id":*`}, other: []string{`["message",{"roomId":"r",*"text":"hi",*`}}},
		"chat_message":        {joined, {event: "chat_message", args: []string{`{"room":"r","text":"hi"}`}, ack: ids, self: []string{chatMessage}, other: []string{chatMessage}}},
		"message to the only room": {
			joined,
			{event: "send_message", args: []string{`{"text":"hi"}`}, ack: ids, self: []string{message}, other: []string{message}},
		},
		"message to one of two rooms": {
			joined,
			{event: "join", args: []string{`"r2"`}, ack: "*"},
			{event: "message", args: []string{`{"text":"hi"}`}, ack: `{"ok":false,"error":{"code":"invalid_payload",*`},
		},
		"history": {
			joined,
			{event: "history", args: []string{`{"room":"r","limit":10}`}, ack: `{"ok":true,"room":"r","messages":[],"more":false}`},
			{event: "message", args: []string{`{"room":"r","content":"hi"}`}, ack: ids, self: []string{message}, other: []string{message}},
			{event: "history", args: []string{`{"room":"r"}`}, ack: `{"ok":true,"room":"r","messages":[` + said + `],"more":false}`},
			{event: "join", args: []string{`"r"`}, ack: `{"ok":true,"room":"r",` + roster + `,"history":[` + said + `]}`},
		},
		"history from outside":     {{event: "history", args: []string{`"r"`}, ack: `{"ok":false,"error":{"code":"not_in_room",*`}},
		"presence":                 {joined, {event: "presence", args: []string{`{"status":"away"}`}, ack: `{"ok":true}`, other: []string{`["presence",{` + user + `,"status":"away","timestamp":1700000000000}]`}}},
		"presence without ack":     {joined, {event: "presence", args: []string{`{"status":"offline"}`}, other: []string{`["presence",{` + user + `,"status":"offline","timestamp":1700000000000}]`}}},
		"presence without a room":  {{event: "presence", args: []string{`{"status":"online"}`}, ack: `{"ok":true}`}},
		"presence of another kind": {joined, {event: "presence", args: []string{`{"status":"busy"}`}, ack: `{"ok":false,"error":{"code":"invalid_payload",*`}},
		"direct message":           {{event: "direct_message", args: []string{`{"to":"bob","content":"hi"}`}, ack: ids, self: []string{direct}, other: []string{direct}}},
		"direct message by text":   {{event: "direct_message", args: []string{`{"to":"bob","text":"hi"}`}, ack: ids, self: []string{direct}, other: []string{direct}}},
		"direct message to nobody": {{event: "direct_message", args: []string{`{"to":"cid","content":"hi"}`}, ack: `{"ok":true,"id":"*","timestamp":1700000000000,"delivered":false}`, self: []string{`["direct_message",*`}}},
		"file without a file":      {joined, {event: "file_upload", args: []string{`{"room":"r","name":"a"}`}, ack: `{"ok":false,"error":{"code":"invalid_payload",*`}},
		"typing a name":            {joined, {event: "typing", args: []string{`"r"`}, other: []string{`["typing","ANN"]`}}},
		"typing":                   {joined, {event: "typing", args: []string{`{"room":"r","isTyping":true}`}, other: []string{`["typing",{"room":"r",` + user + `,"isTyping":true}]`}}},
		"typing no more":           {joined, {event: "typing", args: []string{`{"roomId":"r","isTyping":false}`}, other: []string{`["typing",{"room":"r",` + user + `,"isTyping":false}]`}}},
		"cursor": {
			joined,
			{event: "cursor_position", args: []string{`{"x":1.5,"y":-2e3,"room":"r"}`}, other: []string{`["cursor_position",{` + user + `,"room":"r","x":1.5,"y":-2e3}]`}},
		},
		"cursor in the only room": {
			joined,
			{event: "cursor_position", args: []string{`{"x":0,"y":1e999}`}, other: []string{`["cursor_position",{` + user + `,"room":"r","x":0,"y":1e999}]`}},
		},
		"cursor without a room":   {{event: "cursor_position", args: []string{`{"x":0,"y":0}`}}},
		"typing without a room":   {{event: "typing", args: []string{`{"isTyping":true}`}}},
		"who":                     {joined, {event: "who", args: []string{`"r"`}, ack: `{"ok":true,"room":"r",` + roster + `}`}},
		"who without ack":         {joined, {event: "who", args: []string{`"r"`}}},
		"who of another's room":   {{event: "who", args: []string{`"r"`}, ack: `{"ok":false,"error":{"code":"not_in_room",*`}},
		"message from outside":    {{event: "message", args: []string{`{"room":"r","content":"hi"}`}, ack: `{"ok":false,"error":{"code":"not_in_room",*`}},
		"an error without an ack": {{event: "message", args: []string{`{"room":"r","content":"hi"}`}, self: []string{`["error",{"code":"not_in_room","message":"Not in this room","event":"message"}]`}}},
		"typing from outside":     {{event: "typing", args: []string{`"r"`}, self: []string{`["error",{"code":"not_in_room",*,"event":"typing"}]`}}},
		"message after leaving": {
			joined,
			{event: "leave", args: []string{`"r"`}, ack: "*", other: []string{left}},
			{event: "message", args: []string{`{"room":"r","content":"hi"}`}, ack: `{"ok":false,"error":{"code":"not_in_room",*`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, chat.Options{})
			bob, ann := s.in("bob", "r"), s.as("ann")
			for _, step := range steps {
				if step.ack == "" {
					ann.emit(step.event, step.args...)
				} else {
					match(t, step.event, ann.call(step.event, step.args...), step.ack)
				}
				for _, want := range step.self {
					match(t, "sender", ann.next(), want)
				}
				ann.quiet()
				for _, want := range step.other {
					match(t, "other", bob.next(), want)
				}
				bob.quiet()
			}
		})
	}
}

func TestConnected(t *testing.T) {
	for name, c := range map[string]struct {
		opts       chat.Options
		auth, want string
	}{
		"anonymous":       {auth: "", want: `["connected",{"userId":"*","user":"*","limits":{"messageBytes":8192,"fileBytes":524288,"messagesPerSecond":10}}]`},
		"named":           {auth: `{"username":"  <b>Ann</b>\n"}`, want: `["connected",{"userId":"*","user":"<b>Ann</b>",*`},
		"identified":      {auth: `{"as":"ann","username":"x"}`, want: `["connected",{"userId":"ann","user":"ANN",*`},
		"long":            {auth: `{"username":" ` + strings.Repeat("é", 65) + `"}`, want: `["connected",{"userId":"*","user":"` + strings.Repeat("é", 64) + `",*`},
		"not a name":      {auth: `{"username":7}`, want: `["connected",{"userId":"*","user":"*",*`},
		"other limits":    {opts: chat.Options{MessageRate: 2.5, MessageBytes: 7, FileBytes: 9}, want: `*"limits":{"messageBytes":7,"fileBytes":9,"messagesPerSecond":2.5}}]`},
		"without a limit": {opts: chat.Options{MessageRate: -1, MessageBytes: -1, FileBytes: -1}, want: `*"limits":{"messageBytes":0,"fileBytes":0,"messagesPerSecond":0}}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t, c.opts)
			match(t, "connected", s.dial(chatNsp, c.auth).next(), c.want)
		})
	}
}

func TestAnonymousUserIsItsSocket(t *testing.T) {
	s := open(t, chat.Options{})
	p := s.dial(chatNsp, "")
	greeting := p.want("connected")
	if id, user := field(t, greeting, "userId"), field(t, greeting, "user"); id != user || len(id) != 22 {
		t.Errorf("id %s, name %s", id, user)
	}
}

func TestNameOfAnonymousUser(t *testing.T) {
	s := open(t, chat.Options{})
	ann, bob := s.connect(`{"username":"Ann"}`), s.in("bob", "r")
	ann.call("join", `"r"`)
	match(t, "joined", bob.want("user_joined"), `{"room":"r","userId":"*","user":"Ann","userCount":2}`)
	// Another name holds everywhere, and nobody is told of it.
	ann.call("join", `{"room":"r2","username":" Anna "}`)
	bob.quiet()
	match(t, "who", bob.call("who", `"r"`), `*{"userId":"*","user":"Anna","status":"online"}]}`)
	ann.emit("typing", `"r"`)
	match(t, "typing", bob.want("typing"), `"Anna"`)
	// Who has an identity keeps his name.
	match(t, "join", bob.call("join", `{"room":"r","username":"Robert"}`), `*"user":"BOB"*`)
}

func TestEndOfConnectionLeavesRooms(t *testing.T) {
	s := open(t, chat.Options{})
	bob, ann := s.in("bob", "r"), s.in("ann", "r")
	bob.want("user_joined")
	if err := ann.w.Close(); err != nil {
		t.Fatal(err)
	}
	match(t, "left", bob.want("user_left"), `{"room":"r","userId":"ann","user":"ANN","userCount":1}`)
	bob.quiet()
}

func TestSeveralTabsOfOneUser(t *testing.T) {
	s := open(t, chat.Options{})
	bob := s.in("bob", "r")
	first := s.in("ann", "r")
	bob.want("user_joined")
	second := s.as("ann")
	match(t, "second tab", second.call("join", `"r"`), `{"ok":true,"room":"r","userCount":2,*`)
	first.quiet()
	first.call("leave", `"r"`)
	bob.quiet()
	match(t, "left tab", first.call("message", `{"room":"r","content":"x"}`), `*"not_in_room"*`)
	match(t, "other tab", second.call("message", `{"room":"r","content":"x"}`), `{"ok":true,*`)
	bob.want("message")
	second.send("41" + chatNsp)
	match(t, "left", bob.want("user_left"), `{"room":"r","userId":"ann","user":"ANN","userCount":1}`)
	bob.quiet()
}

func TestNamespacesHaveTheirOwnRooms(t *testing.T) {
	s := open(t, chat.Options{})
	chat.Mount(s.io.Of("/"), chat.Options{})
	ann := s.in("ann", "r")
	root := s.dial("", `{"username":"Bob"}`)
	root.want("connected")
	match(t, "join", root.call("join", `"r"`), `{"ok":true,"room":"r","userCount":1,*`)
	root.call("message", `{"room":"r","content":"x"}`)
	ann.quiet()
}
