package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"github.com/seed3686fee0/parlor/internal/servertest"
	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// patience is how long a test waits for what must come: far above what it
// takes, and passed only by a test that fails.
const patience = servertest.Patience

// A rig is a server that listens, with what it logs.
type rig struct {
	*server.Server

	t    testing.TB
	addr string
	logs *servertest.Log
}

// serve runs a server on loopback until the test ends.
func serve(t testing.TB, options ...server.Option) *rig {
	t.Helper()
	return serveOn(t, servertest.Listen(t), options...)
}

// serveInMemory is serve for a testing/synctest bubble.
func serveInMemory(t testing.TB, options ...server.Option) *rig {
	t.Helper()
	return serveOn(t, wire.ListenPipe(), options...)
}

func serveOn(t testing.TB, l net.Listener, options ...server.Option) *rig {
	t.Helper()
	r := &rig{t: t, logs: &servertest.Log{}}
	r.Server = server.New(append([]server.Option{server.WithLogger(slog.New(slog.NewTextHandler(r.logs, nil)))}, options...)...)
	r.addr = servertest.Serve(t, l, r.Server)
	return r
}

// logged waits for a line with all of the texts, and checks that it comes once.
func (r *rig) logged(texts ...string) {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("a line with %q in the log:\n%s", texts, r.logs), func() bool { return r.logs.Count(texts...) > 0 })
	if n := r.logs.Count(texts...); n != 1 {
		r.t.Errorf("%d lines with %q in the log:\n%s", n, texts, r.logs)
	}
}

// A client speaks Socket.IO packet by packet over a WebSocket.
type client struct {
	*wire.WS

	t testing.TB
}

// dial opens a connection that is in no namespace.
func (r *rig) dial() *client {
	r.t.Helper()
	return r.dialWith(wire.Handshake{})
}

func (r *rig) dialWith(h wire.Handshake) *client {
	r.t.Helper()
	w, err := wire.OpenWS(r.addr, h)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = w.Close() })
	return &client{w, r.t}
}

// connect opens a connection in "/" and returns its socket's id too.
func (r *rig) connect() (*client, string) {
	r.t.Helper()
	c := r.dial()
	return c, c.join("/", "")
}

// join connects to a namespace with a payload and returns the socket's id.
func (c *client) join(namespace, auth string) string {
	c.t.Helper()
	id, err := wire.Connect(c, namespace, auth)
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

func (c *client) send(packets ...string) {
	c.t.Helper()
	if err := c.Send(packets...); err != nil {
		c.t.Fatal(err)
	}
}

// binary sends an attachment.
func (c *client) binary(data ...byte) {
	c.t.Helper()
	if err := c.SendPackets(wire.Packet{Data: string(data), Binary: true}); err != nil {
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

// expect reads packets, one for each pattern; "*" in one stands for any text.
// Texts of a namespace come as on the wire: `42/chat,["event",1]`.
func (c *client) expect(patterns ...string) {
	c.t.Helper()
	for _, want := range patterns {
		if got := c.next(); !wire.Match(want, got) {
			c.t.Fatalf("got %s, want %s", wire.Shorten(got), want)
		}
	}
}

// only checks that the socket gets nothing but what is expected: of all that
// the server has sent so far, and a last event after it.
func (c *client) only(s *server.Socket, patterns ...string) {
	c.t.Helper()
	if err := s.Emit("the end"); err != nil {
		c.t.Fatal(err)
	}
	c.expect(append(patterns, "42"+wire.In(s.Namespace().Name())+`["the end"]`)...)
}

// closed waits for the end of the connection, whatever comes before it, and
// returns the packets that did.
func (c *client) closed() []string {
	c.t.Helper()
	var before []string
	for {
		p, err := c.Next()
		if _, ok := errors.AsType[*wire.CloseError](err); ok {
			c.Close() // as a client does that was told to
			return before
		}
		if err != nil {
			c.t.Fatalf("waiting for the end: %v (after %q)", err, before)
		}
		if p.String() == "2" {
			_ = c.Send("3") // the end may come first
			continue
		}
		before = append(before, p.String())
	}
}

// socket returns a connected socket of the server.
func (r *rig) socket(namespace, id string) *server.Socket {
	r.t.Helper()
	s, ok := r.Of(namespace).Socket(id)
	if !ok {
		r.t.Fatalf("no socket %q in %s", id, namespace)
	}
	return s
}

// must is for what cannot fail.
func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	servertest.Eventually(t, what, condition)
}

// receive waits for a value.
func receive[T any](t testing.TB, what string, ch <-chan T) T {
	t.Helper()
	return servertest.Receive(t, what, ch)
}

// waited bounds what a test waits for.
func waited(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// get makes a plain request.
func (r *rig) get(method, path string) (*http.Response, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(waited(r.t), method, "http://"+r.addr+path, http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Close = true // no idle connection stays
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res, string(body)
}
