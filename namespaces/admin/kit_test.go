package admin_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/seed3686fee0/parlor/internal/servertest"
	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/server"
)

const patience = servertest.Patience

const password = "changeit"

// hash is that of the password, as cheap as they come.
var hash = func() string {
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		panic(err)
	}
	return string(h)
}()

const login = `{"username":"admin","password":"` + password + `"}`

// A rig is a server with an admin namespace, and what they have logged.
type rig struct {
	*server.Server

	t     testing.TB
	admin *admin.Admin
	addr  string
	logs  *servertest.Log
}

// bubble runs a test with a rig in memory and a clock that does not wait.
func bubble(t *testing.T, opts admin.Options, f func(r *rig), options ...server.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(serveOn(t, wire.ListenPipe(), opts, options...)) })
}

// serve runs a rig on loopback.
func serve(t testing.TB, opts admin.Options, options ...server.Option) *rig {
	t.Helper()
	return serveOn(t, servertest.Listen(t), opts, options...)
}

func serveOn(t testing.TB, l net.Listener, opts admin.Options, options ...server.Option) *rig {
	t.Helper()
	r := &rig{t: t, logs: &servertest.Log{}}
	logger := slog.New(slog.NewTextHandler(r.logs, nil))
	r.Server = server.New(append([]server.Option{server.WithLogger(logger)}, options...)...)
	opts.Logger = logger
	a, err := admin.Mount(r.Server, opts)
	if err != nil {
		t.Fatal(err)
	}
	r.admin = a
	t.Cleanup(func() { // after the server's
		if err := a.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if strings.Contains(r.logs.String(), password) {
			t.Errorf("the password is in the log:\n%s", r.logs)
		}
	})
	r.addr = servertest.Serve(t, l, r.Server)
	return r
}

// logged counts the lines with all of the texts.
func (r *rig) logged(texts ...string) int { return r.logs.Count(texts...) }

// A client speaks Socket.IO packet by packet over a WebSocket. What it receives
// is kept in order.
type client struct {
	wire.Session

	t   testing.TB
	ids map[string]string // by namespace
}

func (r *rig) dial(h wire.Handshake) *client {
	r.t.Helper()
	w, err := wire.OpenWS(r.addr, h)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = w.Close() })
	return &client{w, r.t, make(map[string]string)}
}

// client connects to namespaces, one at least.
func (r *rig) client(namespaces ...string) *client {
	r.t.Helper()
	c := r.dial(wire.Handshake{})
	for _, ns := range namespaces {
		c.join(ns, "")
	}
	return c
}

// log logs an admin in, and reads what it is told first.
func (r *rig) login(auth string) (c *client, first []message) {
	r.t.Helper()
	c = r.client()
	c.join("/admin", auth)
	for {
		m := c.event()
		first = append(first, m)
		if m.name == "server_stats" {
			return c, first
		}
	}
}

// join connects to a namespace.
func (c *client) join(namespace, auth string) {
	c.t.Helper()
	id, err := wire.Connect(c, namespace, auth)
	if err != nil {
		c.t.Fatal(err)
	}
	c.ids[namespace] = id
}

func (c *client) send(packets ...string) {
	c.t.Helper()
	if err := c.Send(packets...); err != nil {
		c.t.Fatal(err)
	}
}

// next returns the next packet that is no ping, and answers those.
func (c *client) next() string {
	c.t.Helper()
	p, err := wire.NextMessage(c)
	if err != nil {
		c.t.Fatalf("next packet: %v", err)
	}
	return p.String()
}

// discard reads all that comes from now on.
func (c *client) discard() {
	go func() {
		for { // until it is closed
			switch p, err := c.Next(); {
			case err != nil:
				return
			case p.String() == "2":
				_ = c.Send("3")
			}
		}
	}()
}

// command sends an event of an admin and returns its acknowledgement.
func (c *client) command(text string) string {
	c.t.Helper()
	c.send("42/admin,7" + text)
	for {
		p := c.next()
		if ack, ok := strings.CutPrefix(p, "43/admin,7["); ok {
			return strings.TrimSuffix(ack, "]")
		}
	}
}

// A message is an event that has come.
type message struct {
	name string
	args []any
}

func (m message) String() string {
	text, err := json.Marshal(m.args)
	return fmt.Sprint(m.name, string(text), err)
}

// event returns the next event.
func (c *client) event() message {
	c.t.Helper()
	return parse(c.t, c.next())
}

func parse(t testing.TB, p string) message {
	t.Helper()
	i := strings.IndexByte(p, '[')
	if i < 0 || !strings.HasPrefix(p, "42") {
		t.Fatalf("got %s, want an event", wire.Shorten(p))
	}
	var list []any
	if err := json.Unmarshal([]byte(p[i:]), &list); err != nil {
		t.Fatalf("%s: %v", wire.Shorten(p), err)
	}
	return message{list[0].(string), list[1:]}
}

// wait returns the next event of that name, whatever comes before it.
func (c *client) wait(name string) message {
	c.t.Helper()
	for begun := time.Now(); time.Since(begun) < 3*patience; {
		if m := c.event(); m.name == name {
			return m
		}
	}
	c.t.Fatalf("in vain: %s", name)
	return message{}
}

// until returns the events before a server_stats, which is told every two
// seconds: all of what has happened by then.
func (c *client) until() (list []message) {
	c.t.Helper()
	for {
		m := c.event()
		if m.name == "server_stats" {
			return list
		}
		list = append(list, m)
	}
}

func names(list []message) (names []string) {
	for _, m := range list {
		names = append(names, m.name)
	}
	return names
}

// socket returns a client's socket in a namespace.
func (r *rig) socket(c *client, namespace string) *server.Socket {
	r.t.Helper()
	s, ok := r.Of(namespace).Socket(c.ids[namespace])
	if !ok {
		r.t.Fatalf("no socket %q in %s", c.ids[namespace], namespace)
	}
	return s
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}
