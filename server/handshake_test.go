package server_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
)

// Behaviour 37: what a socket was opened with, here and as other instances are
// told it.
func TestHandshake(t *testing.T) {
	r := serve(t)
	before := time.Now().Truncate(time.Millisecond)
	c := r.dialWith(wire.Handshake{
		Query:  "EIO=4&transport=websocket&room=a%20b&x=1&x=2",
		Header: []string{"Origin: http://example.com", "User-Agent: kit/1.0", "X-Two: one", "Cookie: a=b; c=d"},
	})
	id := c.join("/", `{"token":"t","n":12345678901234567890}`)
	h := r.socket("/", id).Handshake()
	if got := string(h.Auth.AppendJSON(nil)); got != `{"token":"t","n":12345678901234567890}` {
		t.Errorf("Auth: %s", got)
	}
	if h.Issued.Before(before) || h.Issued.After(time.Now()) {
		t.Errorf("Issued: %v", h.Issued)
	}
	if got := h.Query(); got.Get("room") != "a b" || len(got["x"]) != 2 || got.Get("EIO") != "4" {
		t.Errorf("Query: %v", got)
	}
	if h.URL() != "/socket.io/?EIO=4&transport=websocket&room=a%20b&x=1&x=2" {
		t.Errorf("URL: %s", h.URL())
	}
	for name, want := range map[string]string{"Host": r.addr, "User-Agent": "kit/1.0", "Origin": "http://example.com", "X-Two": "one", "Cookie": "a=b; c=d"} {
		if got := h.Header().Get(name); got != want {
			t.Errorf("header %s: %q, want %q", name, got, want)
		}
	}
	h.Header().Set("User-Agent", "changed")
	if h.Header().Get("User-Agent") != "kit/1.0" {
		t.Error("the header is not the caller's own")
	}
	if h.Address() != "127.0.0.1" || !h.Addr().IsLoopback() || h.Secure() || !h.XDomain() {
		t.Errorf("Address %s, Addr %v, Secure %v, XDomain %v", h.Address(), h.Addr(), h.Secure(), h.XDomain())
	}

	sockets, err := r.Of("/").FetchSockets(waited(t))
	if err != nil || len(sockets) != 1 {
		t.Fatalf("%d sockets, %v", len(sockets), err)
	}
	d := sockets[0].Handshake()
	for name, want := range map[string]string{"host": r.addr, "user-agent": "kit/1.0", "x-two": "one"} {
		if d.Headers[name] != want {
			t.Errorf("described: header %s: %q, want %q", name, d.Headers[name], want)
		}
	}
	for name := range d.Headers {
		if name != http.CanonicalHeaderKey(name) {
			continue
		}
		t.Errorf("described: header %s is not in lower case", name)
	}
	if d.Query["room"] != "a b" || d.Query["x"] != "2" || d.URL != h.URL() || d.Address != "127.0.0.1" || !d.XDomain || d.Secure ||
		d.Issued != h.Issued.UnixMilli() || string(d.Auth.AppendJSON(nil)) != string(h.Auth.AppendJSON(nil)) {
		t.Errorf("described: %+v", d)
	}
	// JavaScript: Date.prototype.toString.
	if parsed, err := time.Parse("Mon Jan 02 2006 15:04:05 GMT-0700 (MST)", d.Time); err != nil || parsed.Unix() != h.Issued.Unix() {
		t.Errorf("Time: %q, %v", d.Time, err)
	}
}

// Behaviour 7: no payload is an empty one.
func TestHandshakeWithoutMuch(t *testing.T) {
	r := serve(t)
	c, id := r.connect()
	h := r.socket("/", id).Handshake()
	if h.XDomain() || string(h.Auth.AppendJSON(nil)) != "{}" {
		t.Errorf("XDomain %v, Auth %s", h.XDomain(), h.Auth.AppendJSON(nil))
	}
	r.Of("/ns")
	if idNS := c.join("/ns", ""); idNS == id || idNS == c.SID() { // behaviours 16 and 17
		t.Error("an id is used twice")
	}
	s := r.socket("/", id)
	if s.Transport() != "websocket" || s.Server() != r.Server || s.Namespace() != r.Of("/") || !s.Connected() {
		t.Errorf("Transport %s", s.Transport())
	}
}
