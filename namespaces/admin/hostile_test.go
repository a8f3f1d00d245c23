package admin_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/server"
)

// TestLongValues: what a client can make long is short for admins, who would be
// slow consumers otherwise.
func TestLongValues(t *testing.T) {
	bubble(t, everything, func(r *rig) {
		a, _ := r.login("")
		c := r.dial(wire.Handshake{
			Query:  "EIO=4&transport=websocket&q=" + strings.Repeat("q", 2_000),
			Header: []string{"X-Long: " + strings.Repeat("h", 20_000), "X-Short: h", "User-Agent: me"},
		})
		c.join("/", "")
		c.send(`42["number",`+strings.Repeat("1", 50_000)+`]`, `42["in",{"n":-0.`+strings.Repeat("1", 50_000)+`}]`)
		list := a.until()
		if got := fmt.Sprint(names(list)); got != "[room_joined socket_connected event_received event_received]" {
			t.Fatalf("told %s", got)
		}
		for _, m := range list {
			if n := len(m.String()); n > 10_000 {
				t.Errorf("%s has %d bytes", m.name, n)
			}
		}
		if text := list[1].String(); !strings.Contains(text, `"x-short":"h"`) || !strings.Contains(text, "20000 B") {
			t.Errorf("of the handshake there is %s", text)
		}
	})
}

// TestTwoAdmins: whoever may only look in one admin namespace is not shown the
// sessions of another, nor do the two show each other what they show, or command each
// other.
func TestTwoAdmins(t *testing.T) {
	looker := everything
	looker.ReadOnly = true
	bubble(t, looker, func(r *rig) {
		other, err := admin.Mount(r.Server, admin.Options{Namespace: "/ops", Auth: admin.Basic("admin", hash)})
		r.must(err)
		defer other.Close()
		a, _ := r.login("")
		c := r.client()
		c.join("/ops", login)
		session := c.wait("session").args[0].(string)
		c.send(`42/ops,7["emit","/admin",null,"config",{"supportedFeatures":[]}]`)
		for p := ""; !strings.HasPrefix(p, "43/ops,7"); {
			if p = c.next(); strings.HasPrefix(p, "43/ops,7") && !strings.Contains(p, "namespace of admins") {
				t.Errorf("a command to the admins of another namespace: %s", p)
			}
		}
		c.discard()
		if text := fmt.Sprint(a.until()); strings.Contains(text, session) || strings.Contains(text, "event_sent") {
			t.Errorf("an admin who may only look is shown %s", text)
		}
	})
}

// A silentStore is what a Redis that hangs makes of the sessions.
type silentStore struct{}

func (silentStore) Put(ctx context.Context, _ string, _ admin.Principal, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

func (silentStore) Get(ctx context.Context, _ string, _ time.Duration) (admin.Principal, bool, error) {
	<-ctx.Done()
	return admin.Principal{}, false, ctx.Err()
}

// TestSilentSessions: sessions that nobody answers for keep out nobody who has a
// password.
func TestSilentSessions(t *testing.T) {
	bubble(t, admin.Options{Auth: admin.Basic("admin", hash), Sessions: silentStore{}}, func(r *rig) {
		for _, auth := range []string{login, strings.Replace(login, "{", `{"sessionId":"gone",`, 1)} {
			if got := r.frames(auth)[0]; got != "CONNECT" {
				t.Errorf("%s: %s", auth, got)
			}
		}
	})
}

// TestOrdersAfterClose: what nobody carries out any more is not kept.
func TestOrdersAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io := server.New()
		a, err := admin.Mount(io, admin.Options{Auth: admin.Insecure()})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		a.Order(func() {})
		if n := a.Waiting(); n > 0 {
			t.Errorf("%d wait", n)
		}
		if err := io.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// TestAPIDeepFilter: a path is as deep as data is, since it is tried on each socket.
func TestAPIDeepFilter(t *testing.T) {
	o := openOffice(t, admin.Options{Auth: admin.Basic(apiUser, hash)})
	for depth, status := range map[int]int{30: http.StatusOK, 40: http.StatusBadRequest, 2000: http.StatusBadRequest} {
		response, body := o.send(call{path: "v1/sockets?data." + strings.Repeat("a.", depth) + "a=1"})
		if response.StatusCode != status {
			t.Errorf("%d deep: %s %s", depth, response.Status, body)
		}
	}
}

// TestForeignPages: where everybody is an admin, the page of somebody else in an
// admin's browser is not, unless its origin has a place in the list.
func TestForeignPages(t *testing.T) {
	const theirs, foreign = "https://admin.socket.io", "https://evil.example"
	for _, c := range []struct {
		name    string
		origins []string
		header  []string
		in      bool
	}{
		{"no page", nil, nil, true},
		{"its own", nil, []string{"Host: own:1", "Origin: http://own:1", "Sec-Fetch-Site: same-origin"}, true},
		{"its own, of an old browser", nil, []string{"Host: own:1", "Origin: http://own:1"}, true},
		{"listed", []string{theirs}, []string{"Origin: " + theirs, "Sec-Fetch-Site: cross-site"}, true},
		{"another", nil, []string{"Origin: " + foreign, "Sec-Fetch-Site: cross-site"}, false},
		{"another, of an old browser", nil, []string{"Origin: " + foreign}, false},
		{"another port", nil, []string{"Host: own:1", "Origin: http://own:2", "Sec-Fetch-Site: same-site"}, false},
		{"any is let in", []string{"*"}, []string{"Origin: " + foreign}, false},
		{"a sandboxed frame", nil, []string{"Origin: null"}, false},
	} {
		bubble(t, everything, func(r *rig) {
			a := r.dial(wire.Handshake{Header: c.header})
			a.send("40/admin,")
			if got := a.next(); strings.HasPrefix(got, "40/admin,") != c.in {
				t.Errorf("%s: %s", c.name, got)
			}
		}, server.WithAllowedOrigins(c.origins...))
	}
	bubble(t, admin.Options{Auth: admin.Basic("admin", hash)}, func(r *rig) { // who has a password has shown who it is
		a := r.dial(wire.Handshake{Header: []string{"Origin: " + foreign}})
		a.join("/admin", login)
	})
}

// TestQuietRefusals: what anybody can cause without end does not fill the log.
func TestQuietRefusals(t *testing.T) {
	bubble(t, admin.Options{Auth: admin.Basic("admin", hash)}, func(r *rig) {
		try := func(auth string) {
			c := r.client()
			c.send("40/admin," + auth)
			if p := c.next(); p != `44/admin,{"message":"invalid credentials"}` {
				t.Errorf("%s: %s", auth, p)
			}
			_ = c.Close()
		}
		for range 30 {
			try(`{"sessionId":null}`) // as the page does when it is opened
		}
		if n := r.logged("refused"); n != 0 {
			t.Errorf("%d lines about who has shown nothing", n)
		}
		for range 30 {
			try(`{"username":"admin","password":"guess"}`)
		}
		if n := r.logged("refused"); n != 11 {
			t.Errorf("%d lines about 30 guesses, want one for each of those that were looked at, and one", n)
		}
		for range 30 {
			try(`{"sessionId":"guess"}`)
			time.Sleep(100 * time.Millisecond)
		}
		if n := r.logged("refused"); n > 16 {
			t.Errorf("%d lines about three seconds of sessions that there are not", n-11)
		}
		if got := r.admin.Stats().Refused; got != 60 {
			t.Errorf("%d refusals are counted, want 60", got)
		}
	})
}
