package redisstore

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/internal/servertest"
	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/server"
)

// site is a server with a chat on "/", which shares its state with others and
// nothing else: what it tells, it tells its own clients.
type site struct {
	t     testing.TB
	addr  string
	io    *server.Server
	store *Store
	chat  *chat.Chat
	die   func() // ends Watch; more than once does nothing
}

func serve(t testing.TB, redisAddr string, opts ...server.Option) *site {
	t.Helper()
	s := &site{t: t, io: server.New(opts...), store: open(t, redisAddr, "/", Options{Heartbeat: quick, Timeout: time.Second})}
	s.chat = chat.Mount(s.io.Of("/"), chat.Options{Store: s.store, Identity: func(_ context.Context, s *server.Socket) (chat.User, bool) {
		for name, value := range s.Handshake().Auth.Fields() {
			if id, ok := value.Text(); ok && name == "as" {
				return chat.User{ID: id, Name: strings.ToUpper(id)}, true
			}
		}
		return chat.User{}, false
	}})
	s.live()
	t.Cleanup(func() { s.die() }) // after the server
	s.addr = servertest.Serve(t, wire.ListenPipe(), s.io)
	return s
}

// live begins Watch.
func (s *site) live() {
	ctx, cancel := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() {
		if err := s.chat.Watch(ctx); err != nil {
			s.t.Errorf("Watch: %v", err)
		}
	})
	s.die = sync.OnceFunc(func() {
		cancel()
		watching.Wait()
	})
}

// judges reports whether it may take others for dead.
func (s *site) judges() bool {
	last, since := s.store.times()
	return last-since >= s.store.dead().Milliseconds()
}

// client is somebody who chats.
type client struct {
	t    testing.TB
	w    *wire.WS
	rest []string // that came while something else was awaited
}

func (s *site) as(user string) *client {
	s.t.Helper()
	w, err := wire.OpenWS(s.addr, wire.Handshake{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = w.Close() })
	c := &client{t: s.t, w: w}
	c.send(`40{"as":"` + user + `"}`)
	c.await(`42["connected"`)
	return c
}

func (c *client) send(text string) {
	c.t.Helper()
	if err := c.w.Send(text); err != nil {
		c.t.Fatal(err)
	}
}

// await returns the next packet that begins so.
func (c *client) await(prefix string) string {
	c.t.Helper()
	for i, got := range c.rest {
		if strings.HasPrefix(got, prefix) {
			c.rest = append(c.rest[:i:i], c.rest[i+1:]...)
			return got
		}
	}
	for {
		got, err := wire.NextMessage(c.w)
		if err != nil {
			c.t.Fatalf("%v, and before it %q, instead of %s", err, c.rest, prefix)
		}
		if strings.HasPrefix(got.String(), prefix) {
			return got.String()
		}
		c.rest = append(c.rest, got.String())
	}
}

// call sends an event and returns its acknowledgement.
func (c *client) call(event, args string) string {
	c.t.Helper()
	c.send(`421["` + event + `",` + args + `]`)
	return strings.TrimPrefix(c.await(`431[`), "431")
}

func contains(t testing.TB, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("%s has no %s", got, part)
		}
	}
}

// TestChats has a chat of two servers: one state, and one of them dies.
func TestChats(t *testing.T) {
	redis := redistest.Start(t)
	a, b := serve(t, redis.Addr), serve(t, redis.Addr)
	ann, bob := a.as("ann"), b.as("bob")
	ann.call("join", `"tea"`)
	contains(t, ann.call("message", `{"room":"tea","content":"hello","clientMsgId":"1"}`), `"ok":true`)
	contains(t, bob.call("join", `"tea"`), `"userCount":2`, `"userId":"ann"`, `"content":"hello"`)
	contains(t, ann.call("presence", `{"status":"away"}`), `"ok":true`)
	contains(t, bob.call("who", `"tea"`), `{"userId":"ann","user":"ANN","status":"away"}`)

	// The user's second tab is on the other server: it has not come, and after a
	// reconnection there the message is known.
	tab := b.as("ann")
	contains(t, tab.call("join", `"tea"`), `"userCount":2`)
	repeat := tab.call("message", `{"room":"tea","content":"hello","clientMsgId":"1"}`)
	contains(t, repeat, `"ok":true`)
	contains(t, bob.call("history", `{"room":"tea"}`), `"content":"hello"`, `"more":false`)
	if page := bob.call("history", `{"room":"tea"}`); strings.Count(page, `"content"`) != 1 {
		t.Errorf("it is there twice: %s", page)
	}
	contains(t, bob.call("direct_message", `{"to":"ann","content":"hi"}`), `"ok":true`)

	// Anonymous users have the names that they have said, everywhere.
	x := a.as("")
	contains(t, x.call("join", `{"room":"tea","username":"Xenia"}`), `"userCount":3`)
	contains(t, bob.call("who", `"tea"`), `"user":"Xenia"`)

	await(t, "judging", b.judges, true)
	a.die()
	contains(t, bob.await(`42["user_left"`), `"user":"Xenia"`, `"userCount":2`)
	contains(t, bob.call("who", `"tea"`), `"userCount":2`, `{"userId":"ann","user":"ANN","status":"online"}`)
	if err := tab.w.Close(); err != nil {
		t.Error(err)
	}
	contains(t, bob.await(`42["user_left"`), `"userId":"ann"`, `"userCount":1`)
}

// Without Redis a chat answers, and when it is back all is right.
func TestChatWithoutRedis(t *testing.T) {
	redis := redistest.Start(t)
	a := serve(t, redis.Addr)
	ann, x := a.as("ann"), a.as("x")
	ann.call("join", `"tea"`)
	x.call("join", `"tea"`)
	redis.Kill()
	for _, call := range [][2]string{
		{"join", `"milk"`}, {"leave", `"tea"`}, {"message", `{"room":"tea","content":"hello"}`}, {"who", `"tea"`},
		{"presence", `{"status":"away"}`}, {"history", `{"room":"tea"}`}, {"direct_message", `{"to":"x","content":"hi"}`},
	} {
		begun := time.Now()
		contains(t, ann.call(call[0], call[1]), `"ok":false`, `"code":"internal"`)
		if took := time.Since(begun); took > 10*time.Second {
			t.Errorf("%s took %v", call[0], took)
		}
	}
	if err := x.w.Close(); err != nil {
		t.Error(err)
	}
	late := a.as("late")
	redis.Restart()
	contains(t, ann.await(`42["user_left"`), `"userId":"x"`, `"userCount":1`)
	await(t, "an answer", func() bool { return strings.Contains(late.call("join", `"tea"`), `"userCount":2`) }, true)
	contains(t, ann.call("who", `"tea"`), `"userCount":2`, `"userId":"ann"`, `"userId":"late"`)
	contains(t, late.call("direct_message", `{"to":"ann","content":"hi"}`), `"ok":true`)
}

// Whom the application takes out of a room while Redis does not answer is out of
// it, and counted there until Redis is back, and no longer.
func TestLeaveWithoutRedis(t *testing.T) {
	redis := redistest.Start(t)
	a := serve(t, redis.Addr)
	ann, bob := a.as("ann"), a.as("bob")
	ann.call("join", `"tea"`)
	contains(t, bob.call("join", `"tea"`), `"userCount":2`)
	redis.Stop()
	for s := range a.io.Of("/").Sockets() {
		if u, _ := chat.UserOf(s); u.ID == "ann" {
			if err := s.Leave("tea"); err != nil {
				t.Error(err)
			}
		}
	}
	contains(t, ann.call("message", `{"room":"tea","content":"hello"}`), `"not_in_room"`)
	contains(t, bob.call("who", `"tea"`), `"code":"internal"`)
	redis.Continue()
	back := time.Now()
	contains(t, bob.await(`42["user_left"`), `"userId":"ann"`, `"userCount":1`)
	t.Logf("told %v after Redis was back", time.Since(back))
	contains(t, bob.call("who", `"tea"`), `"userCount":1`)
	contains(t, ann.call("join", `"tea"`), `"userCount":2`)
}
