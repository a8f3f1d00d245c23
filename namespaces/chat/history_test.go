package chat_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// said is what a page of history has.
type said struct {
	Messages []json.RawMessage
	History  []json.RawMessage // of the answer to a join
	More     bool
}

func (p *peer) page(event, arg string) said {
	p.t.Helper()
	var got said
	ack := p.call(event, arg)
	match(p.t, event, ack, `{"ok":true,*`)
	if err := json.Unmarshal([]byte(ack), &got); err != nil {
		p.t.Fatal(err)
	}
	return got
}

// contents are what the messages say, in one text.
func contents(t testing.TB, messages []json.RawMessage) string {
	t.Helper()
	var list []string
	for _, m := range messages {
		text, err := strconv.Unquote(field(t, string(m), "content"))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, text)
	}
	return strings.Join(list, " ")
}

// say sends n messages, from the number first on, and returns their ids.
func (p *peer) say(room string, first, n int) []string {
	p.t.Helper()
	var ids []string
	for i := first; i < first+n; i++ {
		ack := p.call("message", fmt.Sprintf(`{"room":%q,"content":"%d"}`, room, i))
		ids = append(ids, field(p.t, ack, "id"))
	}
	p.events = nil
	return ids
}

func TestHistory(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1})
	ann, bob := s.in("ann", "r"), s.in("bob", "r2")
	ids := ann.say("r", 0, 10)
	for arg, want := range map[string]string{
		`"r"`:                      "0 1 2 3 4 5 6 7 8 9",
		`{"room":"r"}`:             "0 1 2 3 4 5 6 7 8 9",
		`{"roomId":"r","limit":3}`: "7 8 9 +",
		`{"limit":1e2,"before":null,"after":null}`: "0 1 2 3 4 5 6 7 8 9",
		`{"limit":10}`:                               "0 1 2 3 4 5 6 7 8 9",
		`{"limit":9}`:                                "1 2 3 4 5 6 7 8 9 +",
		`{"limit":1000000000}`:                       "0 1 2 3 4 5 6 7 8 9",
		`{"limit":1e300}`:                            "0 1 2 3 4 5 6 7 8 9",
		`{"limit":2.0}`:                              "8 9 +",
		`{"before":` + ids[4] + `}`:                  "0 1 2 3",
		`{"before":` + ids[4] + `,"limit":4}`:        "0 1 2 3",
		`{"before":` + ids[4] + `,"limit":3}`:        "1 2 3 +",
		`{"before":` + ids[0] + `}`:                  "",
		`{"after":` + ids[4] + `}`:                   "5 6 7 8 9",
		`{"after":` + ids[4] + `,"limit":2}`:         "5 6 +",
		`{"after":` + ids[9] + `}`:                   "",
		`{"after":"00000000000000000000"}`:           "0 1 2 3 4 5 6 7 8 9",
		`{"before":"00000000000000000000"}`:          "",
		`{"before":"fzzzzzzzzzzzz3zzzzzz"}`:          "0 1 2 3 4 5 6 7 8 9",
		`{"after":"fzzzzzzzzzzzz3zzzzzz","limit":1}`: "",
		`null`: "0 1 2 3 4 5 6 7 8 9",
	} {
		got := ann.page("history", arg)
		text := contents(t, got.Messages)
		if got.More {
			text += " +"
		}
		if text != want {
			t.Errorf("%s: %s, want %s", arg, text, want)
		}
	}
	match(t, "empty", bob.call("history", `"r2"`), `{"ok":true,"room":"r2","messages":[],"more":false}`)
	match(t, "not there", bob.call("history", `"r"`), `*"not_in_room"*`)
	// Without an acknowledgement there is nothing to say.
	ann.emit("history", `"r"`)
	ann.quiet()
}

// What is kept is what was sent, byte by byte, and goes to who joins.
func TestHistoryIsWhatWasSent(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1})
	ann := s.in("ann", "r")
	var want []string
	for _, m := range []struct{ event, arg string }{
		{"message", `{"content":"<b>\ud800\u0041\/\n","a":1e999,"__proto__":{"x":[ 1 ]},"a":2,"clientMsgId":7}`},
		{"chat_message", `{"text":"hi","_placeholder":true,"x":{"_placeholder":true,"num":0}}`},
		{"send_message", `{"text":""}`},
	} {
		ann.call(m.event, m.arg)
		event := m.event
		if event == "send_message" {
			event = "message"
		}
		want = append(want, ann.want(event))
	}
	list := "[" + strings.Join(want, ",") + "]"
	bob := s.as("bob")
	match(t, "joined", bob.call("join", `"r"`), `*,"history":`+list+`}`)
	match(t, "again", bob.call("join", `"r"`), `*,"history":`+list+`}`)
	match(t, "history", bob.call("history", `"r"`), `{"ok":true,"room":"r","messages":`+list+`,"more":false}`)
	bob.quiet()
}

func TestHistoryOutlivesTheRoom(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1, History: 5})
	ann := s.in("ann", "r")
	ann.say("r", 0, 8)
	ann.call("leave", `"r"`)
	bob := s.as("bob")
	if got := contents(t, bob.page("join", `"r"`).History); got != "3 4 5 6 7" {
		t.Errorf("history is %s", got)
	}
}

func TestNoHistory(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1, History: -1})
	ann := s.in("ann", "r")
	ann.say("r", 0, 3)
	match(t, "history", ann.call("history", `"r"`), `{"ok":true,"room":"r","messages":[],"more":false}`)
	match(t, "join", s.as("bob").call("join", `"r"`), `*,"history":[]}`)
	if got := s.chat.Stats(); got.Unkept != 0 || got.Messages != 3 {
		t.Errorf("%+v", got)
	}
}

// Answers are bounded in bytes.
func TestHistoryBytes(t *testing.T) {
	s := open(t, chat.Options{MessageRate: -1, MessageBytes: -1, HistoryBytes: -1})
	ann := s.in("ann", "r")
	kib := rep("x", 500) // twice, as content and as text
	for range 100 {
		ann.call("message", `{"content":"`+kib+`"}`)
		ann.events = nil
	}
	ack := s.as("bob").call("join", `"r"`)
	history := field(t, ack, "history")
	if n := len(history); n > 64<<10 || n < 50_000 {
		t.Errorf("%d bytes of history", n)
	}
	for range 3 {
		ann.call("message", `{"content":"`+rep("y", 200_000)+`"}`)
		ann.events = nil
	}
	ack = s.as("cid").call("join", `"r"`)
	if history := field(t, ack, "history"); history != "[]" {
		t.Errorf("%d bytes of history", len(history))
	}
	got := ann.page("history", `"r"`)
	if len(got.Messages) != 1 || !got.More {
		t.Errorf("%d messages, more: %v", len(got.Messages), got.More)
	}
	last := field(t, string(got.Messages[0]), "id")
	got = ann.page("history", `{"before":`+last+`,"limit":1}`)
	if len(got.Messages) != 1 || !got.More {
		t.Errorf("%d messages, more: %v", len(got.Messages), got.More)
	}
}

// A message with attachments has its place in the order, and none in history.
func TestAttachmentsAreNotKept(t *testing.T) {
	s := open(t, chat.Options{})
	ann := s.in("ann", "r")
	ann.say("r", 1, 1)
	ann.binary("message", `{"content":"2","a":{"_placeholder":true,"num":0}}`, "bytes")
	ann.say("r", 3, 1)
	if got := contents(t, ann.page("history", `"r"`).Messages); got != "1 3" {
		t.Errorf("history is %s", got)
	}
	if got := s.chat.Stats(); got.Unkept != 1 || got.Messages != 3 {
		t.Errorf("%+v", got)
	}
}

// What a room is sent, what is kept and the ids have one order. Whoever joins has
// each message once: in the answer, or live after it.
func TestJoinsAndMessagesRace(t *testing.T) {
	const rounds, senders, joiners, each = 15, 4, 8, 12 // what is sent in a round fits an answer
	s := open(t, chat.Options{MessageRate: -1})
	var speakers, comers []*peer
	for i := range senders {
		speakers = append(speakers, s.as(fmt.Sprint("sender ", i)))
	}
	for i := range joiners {
		comers = append(comers, s.as(fmt.Sprint("joiner ", i)))
	}
	for round := range rounds {
		room := fmt.Sprint("room ", round)
		var all sync.WaitGroup
		for _, p := range speakers {
			p.call("join", strconv.Quote(room))
			p.events = nil
		}
		for _, p := range speakers {
			all.Go(func() {
				for range each {
					p.send(fmt.Sprintf(`42/chat,["message",{"room":%q,"content":"x"}]`, room))
				}
				p.call("leave", `"none"`)
				p.events = nil
			})
		}
		heard := make([][]string, joiners)
		for i, p := range comers {
			all.Go(func() {
				heard[i] = p.hear(room, senders*each)
			})
		}
		all.Wait()
		for i, ids := range heard {
			if !slices.IsSorted(ids) || len(slices.Compact(slices.Clone(ids))) != senders*each || !slices.Equal(ids, heard[0]) {
				t.Fatalf("joiner %d has heard %d: %q", i, len(ids), ids)
			}
		}
		for _, p := range slices.Concat(speakers, comers) {
			p.call("leave", strconv.Quote(room))
			p.events = nil
		}
	}
}

// hear joins a room and returns the ids of n messages, those that were there first.
func (p *peer) hear(room string, n int) (ids []string) {
	p.send(fmt.Sprintf(`42/chat,0["join",%q]`, room))
	answered := false
	for !answered || len(ids) < n {
		got := p.read()
		switch {
		case strings.HasPrefix(got, "43/chat,0["):
			var acks []said
			if err := json.Unmarshal([]byte(strings.TrimPrefix(got, "43/chat,0")), &acks); err != nil {
				p.t.Error(err)
				return nil
			}
			for _, m := range acks[0].History {
				ids = append(ids, field(p.t, string(m), "id"))
			}
			answered = true
		case strings.HasPrefix(got, `42/chat,["message",`):
			if !answered {
				p.t.Error("a message came before the answer to the join")
			}
			m := strings.TrimSuffix(strings.TrimPrefix(got, `42/chat,["message",`), "]")
			ids = append(ids, field(p.t, m, "id"))
		}
	}
	return ids
}

// Whoever was away joins again and asks for what came after the last message that
// it has seen, and misses none.
func TestAfterMissesNothing(t *testing.T) {
	const messages = 400
	s := open(t, chat.Options{MessageRate: -1, History: messages})
	ann, bob := s.in("ann", "r"), s.as("bob")
	var sent []string
	over := make(chan struct{})
	go func() {
		defer close(over)
		sent = ann.say("r", 0, messages)
	}()
	defer func() { <-over }()
	seen := make(map[string]bool)
	last := "00000000000000000000"
	take := func(m string) {
		if id := strings.Trim(field(t, m, "id"), `"`); id > last {
			seen[id], last = true, id
		}
	}
	for len(seen) < messages {
		bob.events = nil
		bob.call("join", `"r"`)
		for more := true; more; {
			got := bob.page("history", fmt.Sprintf(`{"room":"r","after":%q,"limit":7}`, last))
			for _, m := range got.Messages {
				take(string(m))
			}
			more = got.More
		}
		for _, e := range bob.events { // what has come live meanwhile
			if m, ok := strings.CutPrefix(e, `42/chat,["message",`); ok {
				take(strings.TrimSuffix(m, "]"))
			}
		}
		bob.call("leave", `"r"`)
	}
	<-over
	for _, id := range sent {
		if !seen[strings.Trim(id, `"`)] {
			t.Errorf("%s was missed", id)
		}
	}
}

// The rooms written to longest ago are forgotten when there is too much of all.
func TestHistoryTotal(t *testing.T) {
	const rooms = 20
	s := open(t, chat.Options{MessageRate: -1, HistoryTotal: 32 << 10})
	ann := s.as("ann")
	for i := range rooms {
		ann.call("join", fmt.Sprint(i))
		ann.call("message", fmt.Sprintf(`{"room":%d,"content":"%s"}`, i, rep("x", 1000)))
		if i%5 == 4 {
			ann.call("message", `{"room":0,"content":"still"}`)
		}
		ann.events = nil
	}
	kept := 0
	for i := range rooms {
		got := ann.page("history", fmt.Sprint(i))
		kept += min(1, len(got.Messages))
		switch {
		case i == 0 || i > rooms-8:
			if len(got.Messages) == 0 {
				t.Errorf("room %d is forgotten", i)
			}
		case i < 5 && len(got.Messages) > 0:
			t.Errorf("room %d is kept", i)
		}
	}
	if kept > 14 {
		t.Errorf("%d rooms are kept", kept)
	}
}

func TestHistoryAfterAClockThatIsPutBack(t *testing.T) {
	s := open(t, chat.Options{})
	ann := s.in("ann", "r")
	ann.say("r", 0, 2)
	s.clock.forward(-time.Hour)
	ann.say("r", 2, 2)
	if got := contents(t, ann.page("history", `"r"`).Messages); got != "0 1 2 3" {
		t.Errorf("history is %s", got)
	}
}
