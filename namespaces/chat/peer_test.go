package chat_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/servertest"
	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/server"
)

// clock is a time that stands still until it is told to go on.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.UnixMilli(1_700_000_000_000)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// site is a server with a chat on "/chat".
type site struct {
	t     testing.TB
	addr  string
	io    *server.Server
	chat  *chat.Chat
	clock *clock
}

// byName takes what a client says for its identity, where it says "as", so that
// a user can have several sockets.
func byName(_ context.Context, s *server.Socket) (chat.User, bool) {
	for name, value := range s.Handshake().Auth.Fields() {
		if id, ok := value.Text(); ok && name == "as" {
			return chat.User{ID: id, Name: strings.ToUpper(id)}, true
		}
	}
	return chat.User{}, false
}

func open(t testing.TB, opts chat.Options) *site {
	t.Helper()
	if opts.Identity == nil {
		opts.Identity = byName
	}
	s := &site{t: t, io: server.New(), clock: newClock()}
	s.chat = chat.MountAt(s.io.Of("/chat"), opts, s.clock.now)
	t.Cleanup(func() { // after the server's
		if !s.chat.Empty() {
			t.Error("something is left of a room")
		}
	})
	s.addr = servertest.Serve(t, wire.ListenPipe(), s.io)
	return s
}

// peer is a client of /chat. Its methods fail the test.
type peer struct {
	t      testing.TB
	w      *wire.WS
	nsp    string
	id     string // the user's
	calls  int
	events []string // that have come while something else was awaited
}

const chatNsp = "/chat,"

// connect connects a client with an auth payload, and takes "connected".
func (s *site) connect(auth string) *peer {
	s.t.Helper()
	p := s.dial("/chat,", auth)
	p.t = s.t
	greeting := p.want("connected")
	var who struct{ UserID string }
	if err := json.Unmarshal([]byte(greeting), &who); err != nil {
		s.t.Fatal(err)
	}
	p.id = who.UserID
	return p
}

func (s *site) dial(nsp, auth string) *peer {
	s.t.Helper()
	w, err := wire.OpenWS(s.addr, wire.Handshake{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = w.Close() })
	p := &peer{t: s.t, w: w, nsp: nsp}
	p.send("40" + nsp + auth)
	if got := p.read(); !strings.HasPrefix(got, "40"+nsp+`{"sid":`) {
		s.t.Fatalf("connect: %s", got)
	}
	return p
}

// as connects a user.
func (s *site) as(user string) *peer {
	s.t.Helper()
	return s.connect(fmt.Sprintf(`{"as":%q}`, user))
}

// in connects a user and joins a room.
func (s *site) in(user, room string) *peer {
	s.t.Helper()
	p := s.as(user)
	p.call("join", strconv.Quote(room))
	return p
}

func (p *peer) send(text string) {
	p.t.Helper()
	if err := p.w.Send(text); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) read() string {
	p.t.Helper()
	got, err := wire.NextMessage(p.w)
	if err != nil {
		p.t.Fatal(err)
	}
	return got.String()
}

// emit sends an event with JSON arguments.
func (p *peer) emit(event string, args ...string) {
	p.t.Helper()
	p.send("42" + p.nsp + eventText(event, args))
}

func eventText(event string, args []string) string {
	return "[" + strings.Join(append([]string{strconv.Quote(event)}, args...), ",") + "]"
}

// call sends an event and returns its acknowledgement.
func (p *peer) call(event string, args ...string) string {
	p.t.Helper()
	p.calls++
	id := strconv.Itoa(p.calls)
	p.send("42" + p.nsp + id + eventText(event, args))
	for {
		got := p.read()
		if body, ok := strings.CutPrefix(got, "43"+p.nsp+id+"["); ok {
			return strings.TrimSuffix(body, "]")
		}
		p.events = append(p.events, got)
	}
}

// binary is call for an event with attachments.
func (p *peer) binary(event, args string, attachments ...string) string {
	p.t.Helper()
	p.calls++
	id := strconv.Itoa(p.calls)
	packets := []wire.Packet{{Data: fmt.Sprintf("45%d-%s%s[%q,%s]", len(attachments), p.nsp, id, event, args)}}
	for _, a := range attachments {
		packets = append(packets, wire.Packet{Data: a, Binary: true})
	}
	if err := p.w.SendPackets(packets...); err != nil {
		p.t.Fatal(err)
	}
	for {
		got := p.read()
		if body, ok := strings.CutPrefix(got, "43"+p.nsp+id+"["); ok {
			return strings.TrimSuffix(body, "]")
		}
		p.events = append(p.events, got)
	}
}

// next returns the next event that comes, as ["name",…].
func (p *peer) next() string {
	p.t.Helper()
	var got string
	if len(p.events) > 0 {
		got, p.events = p.events[0], p.events[1:]
	} else {
		got = p.read()
	}
	text, ok := strings.CutPrefix(got, "42"+p.nsp)
	if !ok {
		p.t.Fatalf("not an event: %s", got)
	}
	return text
}

// want takes the next event and returns its argument.
func (p *peer) want(event string) string {
	p.t.Helper()
	got := p.next()
	body, ok := strings.CutPrefix(got, "["+strconv.Quote(event)+",")
	if !ok {
		p.t.Fatalf("got %s, want %q", got, event)
	}
	return strings.TrimSuffix(body, "]")
}

// quiet fails when anything has come but what was taken. What others have had
// acknowledged has come before.
func (p *peer) quiet() {
	p.t.Helper()
	p.call("leave", `"a room that nobody is in"`)
	if len(p.events) > 0 {
		p.t.Fatalf("got %s, want nothing", p.events)
	}
}

// match compares a text with a pattern in which * is anything.
func match(t testing.TB, what, got, pattern string) {
	t.Helper()
	if !wire.Match(pattern, got) {
		t.Errorf("%s:\n got %s\nwant %s", what, got, pattern)
	}
}

func field(t testing.TB, object, name string) string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(object), &m); err != nil {
		t.Fatalf("%s: %v", object, err)
	}
	return string(m[name])
}
