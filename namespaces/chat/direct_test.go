package chat_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

func TestDirectMessage(t *testing.T) {
	s := open(t, chat.Options{})
	ann, tab, bob, bobs, cid := s.as("ann"), s.in("ann", "r"), s.in("bob", "r"), s.as("bob"), s.in("cid", "r")
	tab.events, bob.events = nil, nil
	for p := range each(tab, bob, cid) {
		p.call("who", `"r"`)
		p.events = nil
	}
	ack := ann.call("direct_message", `{"to":"bob","content":"<hi>\ud800","room":"r","from":"cid","x":1,"clientMsgId":"m1"}`)
	match(t, "ack", ack, `{"ok":true,"id":"*","timestamp":1700000000000}`)
	want := `{"id":` + field(t, ack, "id") + `,"from":"ann","user":"ANN","to":"bob","content":"<hi>\ud800","timestamp":1700000000000,"clientMsgId":"m1"}`
	for p := range each(ann, tab, bob, bobs) {
		match(t, "to "+p.id, p.want("direct_message"), want)
	}
	match(t, "again", tab.call("direct_message", `{"to":"bob","text":"hi","clientMsgId":"m1"}`), ack)
	// To oneself, and by text.
	ack = bob.call("direct_message", `{"to":"bob","text":"me"}`)
	for p := range each(bob, bobs) {
		match(t, "to oneself", p.want("direct_message"), `{"id":`+field(t, ack, "id")+`,"from":"bob","user":"BOB","to":"bob","content":"me","timestamp":1700000000000}`)
	}
	for p := range each(ann, tab, bob, bobs, cid) {
		p.quiet()
	}
	if got := s.chat.Stats(); got.Direct != 2 || got.Undelivered != 0 || got.Repeated != 1 || got.Messages != 0 {
		t.Errorf("%+v", got)
	}
}

func each(peers ...*peer) func(yield func(*peer) bool) {
	return func(yield func(*peer) bool) {
		for _, p := range peers {
			if !yield(p) {
				return
			}
		}
	}
}

func TestDirectMessageToNobody(t *testing.T) {
	s := open(t, chat.Options{})
	ann := s.as("ann")
	ack := ann.call("direct_message", `{"to":"bob","content":"x","clientMsgId":1}`)
	match(t, "ack", ack, `{"ok":true,"id":"*","timestamp":1700000000000,"delivered":false}`)
	match(t, "echo", ann.want("direct_message"), `*"to":"bob","content":"x","timestamp":1700000000000,"clientMsgId":1}`)
	// It is not sent again, and the answer stays what it was, when he comes.
	match(t, "again", ann.call("direct_message", `{"to":"bob","content":"x","clientMsgId":1}`), ack)
	bob := s.as("bob")
	match(t, "again", ann.call("direct_message", `{"to":"bob","content":"x","clientMsgId":1}`), ack)
	match(t, "now", ann.call("direct_message", `{"to":"bob","content":"x","clientMsgId":2}`), `{"ok":true,"id":"*","timestamp":1700000000000}`)
	bob.want("direct_message")
	ann.want("direct_message")
	ann.quiet()
	bob.quiet()
	if got := s.chat.Stats(); got.Direct != 2 || got.Undelivered != 1 || got.Repeated != 2 {
		t.Errorf("%+v", got)
	}
}

// Anonymous users are their sockets, with a name that is nobody's room.
func TestDirectMessageOfAnonymousUsers(t *testing.T) {
	s := open(t, chat.Options{})
	one, two, other := s.connect(`{"username":"One"}`), s.connect(""), s.connect("")
	one.call("direct_message", `{"to":`+strconv.Quote(two.id)+`,"content":"x"}`)
	want := `{"id":"*","from":"` + one.id + `","user":"One","to":"` + two.id + `","content":"x","timestamp":1700000000000}`
	match(t, "to", two.want("direct_message"), want)
	match(t, "from", one.want("direct_message"), want)
	for p := range each(one, two, other) {
		p.quiet()
	}
}

// A user's id is no room's name: nobody is reached by it but the user.
func TestDirectMessageReachesNoRoom(t *testing.T) {
	s := open(t, chat.Options{})
	ann, bob, eve := s.as("ann"), s.as("bob"), s.as("eve")
	for _, room := range []string{`"bob"`, `"ann"`, `"\u0000user/bob"`, `"user/bob"`} {
		eve.call("join", room)
	}
	match(t, "to a room", ann.call("direct_message", `{"to":"user/bob","content":"x"}`), `*"delivered":false}`)
	ann.want("direct_message")
	ann.call("direct_message", `{"to":"bob","content":"x"}`)
	bob.want("direct_message")
	eve.quiet()
	sock := ""
	for x := range s.io.Of("/chat").Sockets() {
		if u, _ := chat.UserOf(x); u.ID == "bob" {
			sock = x.ID()
		}
	}
	match(t, "to a socket of a user", ann.call("direct_message", fmt.Sprintf(`{"to":%q,"content":"x"}`, sock)), `*"delivered":false}`)
	bob.quiet()
}

// The rooms of users are the chat's own: no client enters them or posts to them,
// and they are not counted.
func TestReservedRooms(t *testing.T) {
	s := open(t, chat.Options{Rooms: 1, MessageRate: -1})
	bob, ann := s.as("bob"), s.as("ann")
	for _, name := range []string{`"` + `\u0000user/bob"`, `"\u0000"`, `"\u0000x"`} {
		for event, arg := range map[string]string{
			"join": `%s`, "join_room": `{"roomId":%s}`, "leave": `%s`, "leave_room": `{"room":%s}`, "who": `%s`, "history": `{"room":%s}`, "typing": `%s`,
			"message": `{"room":%s,"content":"x"}`, "send_message": `{"room":%s,"content":"x"}`, "chat_message": `{"room":%s,"content":"x"}`,
			"cursor_position": `{"x":1,"y":1,"room":%s}`,
		} {
			match(t, event, ann.call(event, fmt.Sprintf(arg, name)), `{"ok":false,"error":{"code":"forbidden",*`)
		}
		match(t, "file", ann.binary("file_upload", `{"room":`+name+`},{"_placeholder":true,"num":0}`, "x"), `*"forbidden"*`)
	}
	match(t, "the only room", ann.call("message", `{"content":"x"}`), `*"invalid_payload"*`)
	match(t, "one room", ann.call("join", `"r"`), `{"ok":true,*`)
	match(t, "the only room", ann.call("message", `{"content":"x"}`), `{"ok":true,*`)
	bob.quiet()
}

// Any text may be a user's id, and none is taken for another.
func TestUserIDs(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1})
	ann := s.as("ann")
	var peers []*peer
	list := []string{"a", "a:b", "a/b", "user/a", " ", "0", "-0", "__proto__", "é", rep("é", 128)}
	for _, id := range list {
		peers = append(peers, s.as(id))
	}
	for i, id := range list {
		match(t, id, ann.call("direct_message", fmt.Sprintf(`{"to":%q,"content":"x"}`, id)), `{"ok":true,"id":"*","timestamp":1700000000000}`)
		for k, p := range peers {
			if i == k {
				p.want("direct_message")
			}
			p.quiet()
		}
	}
	match(t, "a number", ann.call("direct_message", `{"to":0,"content":"x"}`), `{"ok":true,"id":"*","timestamp":1700000000000}`)
	peers[5].want("direct_message")
}
