package admin_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/server"
)

// TestJunk: commands that make no sense are refused, logged once each, and change
// nothing.
func TestJunk(t *testing.T) {
	bubble(t, everything, func(r *rig) {
		r.OfFunc(func(context.Context, string, server.Arg) bool { return true })
		c := r.client("/")
		a, _ := r.login("")
		namespaces := len(r.Namespaces())
		n := 0
		for _, junk := range []struct{ command, because string }{
			{`["join"]`, "namespace is a text"},
			{`["join",null,"r"]`, "namespace is a text"},
			{`["join",{},"r"]`, "namespace is a text"},
			{`["join","nope","r","x"]`, `no namespace \"nope\"`},
			{`["join","/nope","r"]`, `no namespace \"/nope\"`},
			{`["join","/"]`, "room is a text"},
			{`["join","/",7]`, "room is a text"},
			{`["join","/",""]`, "room has a name"},
			{`["join","/","r",7]`, "filter is a text"},
			{`["join","/","r",{"a":1}]`, "filter is a text"},
			{`["join","/","r",false]`, "filter is a text"},
			{`["leave","/",["r"]]`, "room is a text"},
			{`["emit","/",null]`, "name of the event"},
			{`["emit","/",null,{"a":1}]`, "name of the event"},
			{`["emit","/",null,""]`, "has a name"},
			{`["emit","/",null,"connect"]`, "reserved"},
			{`["emit","/",null,"disconnect",1]`, "reserved"},
			{`["emit","/",null,"connect_error"]`, "reserved"},
			{`["emit","/",null,"disconnecting"]`, "reserved"},
			{`["emit","/",null,"newListener"]`, "reserved"},
			{`["emit","/",null,"removeListener"]`, "reserved"},
			{`["_disconnect",{},true]`, "namespace is a text"},
			{`["_disconnect","/",true,{}]`, "filter is a text"},
			{`["join","/","` + strings.Repeat("r", 1025) + `"]`, "longer than"},
			{`["_disconnect","/",true,"` + strings.Repeat("r", 1025) + `"]`, "longer than"},
			{`["_disconnect","/admin",false]`, "admins' own"},
			{`["emit","/admin",null,"config"]`, "admins' own"},
		} {
			got := a.command(junk.command)
			if !strings.Contains(got, `"error":"`) || !strings.Contains(got, junk.because) || strings.Contains(got, "ok") {
				t.Errorf("%s: %s, want an error about %q", junk.command, got, junk.because)
			}
			if n++; r.logged("admin command refused") != n {
				t.Errorf("%s: %d refusals in the log, want %d", junk.command, r.logged("admin command refused"), n)
			}
			a.send("42/admin," + junk.command) // nobody asks
			synctest.Wait()
			n++
		}
		if now := len(r.Namespaces()); now != namespaces {
			t.Errorf("%d namespaces, want %d", now, namespaces)
		}
		r.must(r.socket(c, "/").Emit("end"))
		if got := c.next(); got != `42["end"]` {
			t.Errorf("a client was told %s", got)
		}
		if rooms := r.socket(c, "/").Rooms(); len(rooms) != 1 {
			t.Errorf("a client is in %q", rooms)
		}
		if slices.Contains(names(a.until()), "socket_disconnected") {
			t.Error("an admin is told of a disconnection")
		}
	})
}

func TestCommands(t *testing.T) {
	bubble(t, everything, func(r *rig) {
		r.Of("/chat")
		one, two := r.client("/", "/chat"), r.client("/")
		a, _ := r.login("")
		id := one.ids["/"]
		for _, c := range []struct {
			command, ack string
		}{
			{fmt.Sprintf(`["join","/","r",%q]`, id), `{"ok":true,"count":1}`},
			{`["join","/","all"]`, `{"ok":true,"count":2}`},
			{`["join","/","more","r"]`, `{"ok":true,"count":1}`},
			{`["emit","/","more","hello",{"a":1},2]`, `{"ok":true,"count":1}`},
			{`["emit","/",null,"hello"]`, `{"ok":true,"count":2}`},
			{`["leave","/","more"]`, `{"ok":true,"count":2}`},
			{`["join","/","x","nobody"]`, `{"ok":true,"count":0}`},
		} {
			if got := a.command(c.command); got != c.ack {
				t.Errorf("%s: %s, want %s", c.command, got, c.ack)
			}
		}
		if got := r.socket(one, "/").Rooms(); !slices.Equal(got, []string{id, "r", "all"}) {
			t.Errorf("one is in %q", got)
		}
		for c, want := range map[*client][]string{one: {`42["hello",{"a":1},2]`, `42["hello"]`}, two: {`42["hello"]`}} {
			for _, w := range want {
				if got := c.next(); got != w {
					t.Errorf("got %s, want %s", got, w)
				}
			}
		}
		if got := a.command(fmt.Sprintf(`["_disconnect","/",false,%q]`, id)); got != `{"ok":true,"count":1}` || one.next() != "41" {
			t.Errorf("disconnect: %s", got)
		}
		a.command(`["_disconnect","/chat",true]`)
		if got := one.next(); got != "41/chat," {
			t.Errorf("a client whose connection is to be closed gets %s", got)
		}
		if _, err := one.Next(); err == nil {
			t.Error("the connection was not closed")
		}
		if n := r.logged("admin command", "admin=anonymous", "command=join", "room=all", "sockets=2"); n != 1 {
			t.Errorf("%d lines about a command:\n%s", n, r.logs)
		}
	})
}

// TestRights: who may only look changes nothing, and Authorize says what others
// may do.
func TestRights(t *testing.T) {
	errNotYours := errors.New("not yours to close")
	opts := admin.Options{
		Auth: admin.AuthFunc(func(_ context.Context, c admin.Credentials) (admin.Principal, error) {
			return admin.Principal{ReadOnly: c.Username == "guest"}, nil
		}),
		Authorize: func(p admin.Principal, c admin.Command) error {
			if c.Close && p.Name != "root" {
				return errNotYours
			}
			return nil
		},
	}
	bubble(t, opts, func(r *rig) {
		c := r.client("/")
		guest, first := r.login(`{"username":"guest"}`)
		if text := fmt.Sprint(first); strings.Contains(text, "MJOIN") || !strings.Contains(text, "ALL_EVENTS") {
			t.Errorf("a guest is told %s", text)
		}
		for _, command := range []string{`["join","/","r"]`, `["leave","/","r"]`, `["emit","/",null,"x"]`, `["_disconnect","/",true]`} {
			if got := guest.command(command); got != `{"error":"admins may only look"}` {
				t.Errorf("a guest's %s: %s", command, got)
			}
		}
		user, _ := r.login(`{"username":"user"}`)
		if got := user.command(`["_disconnect","/",true]`); got != `{"error":"not yours to close"}` {
			t.Errorf("a user's: %s", got)
		}
		if n := r.logged("admin command refused", "admin=user", "not yours to close"); n != 1 {
			t.Errorf("%d lines about it", n)
		}
		if got := user.command(`["join","/","r"]`); got != `{"ok":true,"count":1}` {
			t.Errorf("a user's: %s", got)
		}
		root, _ := r.login(`{"username":"root"}`)
		if got := root.command(`["_disconnect","/",true]`); got != `{"ok":true,"count":1}` || c.next() != "41" {
			t.Errorf("root's: %s", got)
		}
	})
	opts.ReadOnly = true
	bubble(t, opts, func(r *rig) {
		root, first := r.login(`{"username":"root"}`)
		if got := root.command(`["_disconnect","/",false]`); got != `{"error":"admins may only look"}` || strings.Contains(fmt.Sprint(first), "MJOIN") {
			t.Errorf("root's, where all may only look: %s", got)
		}
	})
}

// TestProduction: statistics are all that is shown, and commands work.
func TestProduction(t *testing.T) {
	bubble(t, admin.Options{Auth: admin.Insecure(), Mode: admin.Production, Namespace: "/ops"}, func(r *rig) {
		c := r.client("/")
		a := r.client("/ops")
		r.must(r.Of("/").Emit("hello"))
		a.send(`42/ops,1["join","/","r"]`)
		for configs, answers := 0, 0; configs == 0 || answers == 0; { // by different ways, in any order
			switch got := a.next(); {
			case strings.HasPrefix(got, `42/ops,["config"`):
				configs++
			case got == `43/ops,1[{"ok":true,"count":1}]`:
				answers++
			case !strings.HasPrefix(got, `42/ops,["server_stats"`):
				t.Fatalf("an admin is told %s", got)
			}
		}
		if r.admin.Stats().Watched {
			t.Error("events are watched for nobody")
		}
		if got := r.socket(c, "/").Rooms(); len(got) != 2 {
			t.Errorf("the client is in %q", got)
		}
	})
}
