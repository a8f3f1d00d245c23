package admin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// everything is for tests in which nothing is withheld.
var everything = admin.Options{Auth: admin.Insecure(), Load: -1}

// TestData: however often data changes, it is told ten times a second at most,
// and what is in it no more is told as null, which the page can merge.
func TestData(t *testing.T) {
	bubble(t, everything, func(r *rig) {
		c := r.client("/")
		s := r.socket(c, "/")
		s.SetData(map[string]any{"name": "ann", "tags": []int{1, 2, 3}, "in": map[string]int{"a": 1, "b": 2}, "big": json.Number("12345678901234567890")})
		a, _ := r.login("")
		for i := range 1000 {
			s.SetData(map[string]any{"n": i})
		}
		s.SetData(map[string]any{"tags": []int{1}, "in": map[string]int{"b": 3}})
		list := a.until()
		if got, want := fmt.Sprint(list), `[socket_updated[{"data":{"big":null,"in":{"a":null,"b":3},"name":null,"tags":[1,null,null]},"id":"`+s.ID()+`","nsp":"/"}]<nil>]`; got != want {
			t.Errorf("told\n%s, want\n%s", got, want)
		}
		for range 20 { // two seconds
			s.SetData(map[string]any{"again": true})
			time.Sleep(50 * time.Millisecond)
			s.SetData(map[string]any{"again": true})
			time.Sleep(50 * time.Millisecond)
		}
		if n := len(a.until()); n < 15 || n > 21 {
			t.Errorf("told %d times in two seconds", n)
		}
	})
}

// TestSampling: a flood of events reaches admins in a trickle, and what does not
// is counted.
func TestSampling(t *testing.T) {
	opts := admin.Options{Auth: admin.Insecure(), EventFilter: func(ns, event string) bool { return ns != "/" || event != "hidden" }}
	bubble(t, opts, func(r *rig) {
		c := r.client("/")
		a, _ := r.login("")
		for range 1000 {
			r.must(r.Of("/").Emit("hidden"))
			r.must(r.Of("/").Emit("flood"))
		}
		c.discard()
		shown := len(a.until())
		if shown < 10 || shown > 15 {
			t.Errorf("%d events at once, want a dozen", shown)
		}
		if got := r.admin.Stats().Withheld; got != int64(1000-shown) {
			t.Errorf("%d are counted as withheld, want %d", got, 1000-shown)
		}
		for range 100 {
			r.must(r.Of("/").Emit("flood"))
			time.Sleep(20 * time.Millisecond)
		}
		if n := len(slices.Concat(a.until(), a.until())); n < 9 || n > 20 {
			t.Errorf("%d events in two seconds after that, want about 10 (and those that were saved up)", n)
		}
		late := 0
		for i := range 1200 { // the page's list gets longer
			for range 20 {
				r.must(r.Of("/").Emit("flood"))
			}
			time.Sleep(time.Second)
			if n := len(a.until()); i >= 1190 {
				late += n
			}
		}
		if late < 3 || late > 20 {
			t.Errorf("%d events in ten rounds when the page's list is long, want about five or ten", late)
		}
	})
}

// TestHistory: statistics come every two seconds, and whoever comes later is told
// what the last ten minutes were like, once.
func TestHistory(t *testing.T) {
	opened := func(m message) (n int) {
		for _, v := range m.args[0].(map[string]any)["aggregatedEvents"].([]any) {
			if e := v.(map[string]any); e["type"] == "rawConnection" {
				n += int(e["count"].(float64))
			}
		}
		return n
	}
	bubble(t, admin.Options{Auth: admin.Insecure(), ServerID: "one"}, func(r *rig) {
		time.Sleep(500 * time.Millisecond) // no two things happen at once
		for range 3 {
			r.client("/")
			time.Sleep(14 * time.Second)
		}
		a, first := r.login("")
		stats := first[len(first)-1]
		s := stats.args[0].(map[string]any)
		if n := opened(stats); n != 3 {
			t.Errorf("%d connections in the history, want 3: %v", n, s["aggregatedEvents"])
		}
		if s["serverId"] != "one" || s["clientsCount"] != 4.0 || s["pollingClientsCount"] != 0.0 || s["uptime"].(float64) < 42 {
			t.Errorf("statistics: %v", s)
		}
		if got := fmt.Sprint(s["namespaces"]); got != "[map[name:/ socketsCount:3] map[name:/admin socketsCount:1]]" {
			t.Errorf("namespaces: %s", got)
		}
		began := time.Now()
		for i, want := range []int{1, 0, 0} { // the admin itself, which no history has
			m := a.wait("server_stats")
			if n := opened(m); n != want {
				t.Errorf("tick %d: %d connections, want %d", i, n, want)
			}
		}
		if d := time.Since(began); d < 4*time.Second || d > 6*time.Second {
			t.Errorf("three ticks took %s", d)
		}
		time.Sleep(15*time.Minute + 500*time.Millisecond)
		_, first = r.login("")
		if n := opened(first[len(first)-1]); n != 0 {
			t.Errorf("%d connections in the history after ten minutes, want 0", n)
		}
	})
}

// TestNamespacesKeepTheirPlaces: the page goes by the index.
func TestNamespacesKeepTheirPlaces(t *testing.T) {
	bubble(t, admin.Options{Auth: admin.Insecure()}, func(r *rig) {
		application(r.Server)
		a, _ := r.login("")
		list := func() string { return fmt.Sprint(a.wait("server_stats").args[0].(map[string]any)["namespaces"]) }
		c := r.client("/chat", "/dyn-1")
		list()
		before := list()
		c.send("41/dyn-1,")
		list()
		after := list()
		if want := strings.Replace(before, "name:/dyn-1 socketsCount:1", "name:/dyn-1 socketsCount:0", 1); after != want || before == want {
			t.Errorf("with /dyn-1 gone: %s, want %s", after, want)
		}
		c.join("/dyn-2", "")
		list()
		if got, want := list(), strings.Replace(before, "/dyn-1", "/dyn-2", 1); got != want {
			t.Errorf("with /dyn-2 in its place: %s, want %s", got, want)
		}
	})
}

// TestMask: what lets one pass for another is not shown, wherever it comes from.
func TestMask(t *testing.T) {
	const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2VjcmV0c2VjcmV0"
	secrets := []string{"s3cret", token}
	handshake := wire.Handshake{
		Query: "EIO=4&transport=websocket&token=s3cret&x=1&Auth_Key=s3cret&next=%2Fa%3Fq%3D1%26token%3Ds3cret&jwt2=" + token,
		Header: []string{
			"Cookie: a=s3cret", "Authorization: Bearer s3cret", "X-Api-Key: s3cret", "Referer: http://a/?token=s3cret&y=2", "X-Other: " + token, "User-Agent: me",
			// What proxies add, and what else browsers can send a token in.
			"X-Original-Uri: /socket.io/?token=s3cret&z=3", "X-Forwarded-Uri: /a?next=/b?token=s3cret", "X-Auth: s3cret", "X-Protocols: v1, bearer." + token,
		},
	}
	bubble(t, everything, func(r *rig) {
		r.Of("/").OnConnect(func(_ context.Context, s *server.Socket) error {
			s.SetData(map[string]any{"name": "ann", "accessToken": "s3cret", "in": map[string]any{"Password": "s3cret", "list": []string{token, "Bearer " + token}, "pwd": "s3cret", "x-auth": "s3cret"}, "raw": []byte{1, 2}})
			return nil
		})
		a, first := r.login("")
		c := r.dial(handshake)
		c.send(`40{"token":"s3cret"}`)
		c.next()
		c.send(`42["login",{"password":"s3cret","user":"ann"},"`+token+`","Bearer `+token+`"]`, `42["deep",`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`,"`+strings.Repeat("x", 9000)+`"]`)
		list := a.until()
		_, second := r.login("")
		list = append(append(list, first...), second...)
		text := fmt.Sprint(list)
		for _, s := range secrets {
			if i := strings.Index(text, s); i >= 0 {
				t.Errorf("%q is shown: …%s", s, text[max(0, i-100):i+len(s)])
			}
		}
		for _, shown := range []string{
			`"x":"1"`, `"user-agent":"me"`, `"cookie":"\u003cmasked\u003e"`, `y=2`, `z=3`, `"name":"ann"`, `"user":"ann"`,
			`"raw":"\u003cbinary 2 B\u003e"`, "nested too deeply", "9000 B",
		} {
			if !strings.Contains(text, shown) {
				t.Errorf("%s is not shown", shown)
			}
		}
	})
}

// TestHarmless: what hides in a name, and what only looks as if.
func TestHarmless(t *testing.T) {
	for name, want := range map[string]bool{
		"author": true, "sidebar": true, "user": true, "": true, "\xff\xff": true, "Compass": true, "ünïauthor": true, "_": true,
		"X-Auth": false, "authKey": false, "connect.sid": false, "Auth_Key": false, "userPwd": false, "AUTH": false, "\xffauth\xff": true, "\xff-auth": false,
	} {
		if got := admin.Harmless(name); got != want {
			t.Errorf("Harmless(%q) = %t", name, got)
		}
	}
}

func TestFilters(t *testing.T) {
	opts := everything
	opts.HeaderFilter = func(name string) bool { return name != "user-agent" }
	opts.DataFilter = func(ns string, data packet.Arg) any {
		for name, v := range data.Fields() {
			if name == "panic" {
				panic("a filter's own")
			}
			if name == "password" {
				return map[string]any{"at": ns, "password": v}
			}
		}
		return []int{1}
	}
	bubble(t, opts, func(r *rig) {
		c := r.dial(wire.Handshake{Header: []string{"User-Agent: me", "Cookie: a=1"}})
		c.join("/", "")
		s := r.socket(c, "/")
		for _, x := range []struct {
			data any
			want string
		}{
			{map[string]any{"password": "p"}, `"data":{"at":"/","password":"p"}`},
			{"text", `"data":{"data":[1]}`},
			{map[string]any{"panic": 1}, `"data":{}`},
		} {
			s.SetData(x.data)
			_, first := r.login("")
			text := fmt.Sprint(first)
			if !strings.Contains(text, x.want) || !strings.Contains(text, `"cookie":"a=1"`) || strings.Contains(text, `"user-agent":"me"`) {
				t.Errorf("%v is shown as %s, want %s", x.data, text, x.want)
			}
		}
	})
}

// TestOwnRooms: rooms that a namespace keeps for itself are not shown, neither in
// lists nor as they come and go.
func TestOwnRooms(t *testing.T) {
	bubble(t, everything, func(r *rig) {
		own := func(c *client, room string) { r.Of("/").Adapter().Join(c.ids["/"], room) }
		first := r.client("/")
		own(first, "\x00user/ann")
		a, list := r.login("")
		second := r.client("/")
		own(second, "\x00user/bob")
		own(second, "shown")
		second.send("41")
		list = append(list, a.until()...)
		if text := fmt.Sprint(list); strings.Contains(text, "user/") || !strings.Contains(text, "shown") {
			t.Errorf("an admin is told %s", text)
		}
	})
}

// TestManySockets: the newest are listed, and the others when there is room.
func TestManySockets(t *testing.T) {
	opts := everything
	opts.MaxSockets = 10
	bubble(t, opts, func(r *rig) {
		var clients []*client
		for range 15 {
			clients = append(clients, r.client("/"))
			time.Sleep(time.Millisecond)
		}
		a, first := r.login("")
		ids := listed(first)
		if len(ids) != 10 || !ids[clients[14].ids["/"]] || ids[clients[0].ids["/"]] || !ids[a.ids["/admin"]] {
			t.Errorf("%d sockets are listed, want the 10 newest", len(ids))
		}
		clients = append(clients, r.client("/")) // of whom there is no room to tell
		for _, c := range clients[5:] {
			c.send("41")
		}
		synctest.Wait()
		list := slices.Concat(a.until(), a.until(), a.until())
		if slices.Contains(names(list), "socket_connected") {
			t.Errorf("a socket is told that there is no room for: %v", list)
		}
		if ids = listed(list); len(ids) != 6 || !ids[clients[0].ids["/"]] {
			t.Errorf("%d sockets are listed when others have gone, want the 6 that there are: %v", len(ids), names(list))
		}
	})
}

// listed are the ids of the last all_sockets, but for those that have gone after it.
func listed(list []message) map[string]bool {
	ids := make(map[string]bool)
	for _, m := range list {
		switch m.name {
		case "all_sockets":
			clear(ids)
			for _, v := range m.args[0].([]any) {
				ids[v.(map[string]any)["id"].(string)] = true
			}
		case "socket_disconnected":
			delete(ids, m.args[1].(string))
		}
	}
	return ids
}

// TestOverflow: when more happens than can be told, admins are given the lists
// anew, and end up with what is so.
func TestOverflow(t *testing.T) {
	bubble(t, everything, func(r *rig) {
		c := r.client("/")
		s := r.socket(c, "/")
		a, _ := r.login("")
		held, release := make(chan struct{}), make(chan struct{})
		r.admin.Order(func() { close(held); <-release })
		<-held
		for range admin.QueueSize {
			r.must(s.Join("a"))
			r.must(s.Leave("a"))
		}
		r.must(s.Join("b"))
		r.must(r.Of("/").Emit("event")) // which is left out first
		close(release)
		c.discard()
		rooms := map[string]bool{}
		told := 0
		for _, m := range append(a.until(), a.until()...) {
			switch m.name {
			case "room_joined":
				rooms[m.args[1].(string)] = true
			case "room_left":
				delete(rooms, m.args[1].(string))
			case "all_sockets":
				clear(rooms)
				for _, v := range m.args[0].([]any) {
					if x := v.(map[string]any); x["id"] == s.ID() {
						for _, room := range x["rooms"].([]any) {
							rooms[room.(string)] = true
						}
					}
				}
			}
			told++
		}
		if want := map[string]bool{s.ID(): true, "b": true}; !maps.Equal(rooms, want) {
			t.Errorf("the rooms are %v, want %v", rooms, want)
		}
		if told > admin.QueueSize+10 {
			t.Errorf("%d things were told: nothing was lost", told)
		}
		if got := r.admin.Stats(); got.Lost != 1 || got.Withheld != 1 {
			t.Errorf("counted: %+v, want one loss and one event withheld", got)
		}
	})
}

// TestCrowd: when a crowd comes or goes, admins are told of some, and then in a
// list of all.
func TestCrowd(t *testing.T) {
	const crowd = 500
	bubble(t, admin.Options{Auth: admin.Insecure()}, func(r *rig) {
		c := r.client("/")
		s := r.socket(c, "/")
		c.discard()
		a, _ := r.login("")
		var list []message
		settle := func() {
			for range 5 {
				list = append(list, a.until()...)
			}
		}
		for i := range crowd {
			r.must(s.Join(fmt.Sprint("room", i)))
		}
		settle()
		told, lists, rooms := 0, 0, 0
		for _, m := range list {
			switch m.name {
			case "room_joined":
				told++
			case "all_sockets":
				lists++
				for _, v := range m.args[0].([]any) {
					if x := v.(map[string]any); x["id"] == s.ID() {
						rooms = len(x["rooms"].([]any))
					}
				}
			}
		}
		if told == 0 || told > 100 || lists == 0 || lists > 2 || rooms != crowd+1 {
			t.Errorf("told of %d rooms, want 100 at most, and in %d lists of %d rooms, want one or two of %d", told, lists, rooms, crowd+1)
		}
		list = nil
		r.must(s.Leave("room0"))
		settle()
		if got := names(list); !slices.Equal(got, []string{"room_left"}) {
			t.Errorf("later, when one room is left: %v", got)
		}
	})
}

// TestSlowAdmin: an admin who does not read is let go, and the others are told
// all the time.
func TestSlowAdmin(t *testing.T) {
	bubble(t, everything, func(r *rig) {
		var reason server.Reason
		r.Of("/admin").OnDisconnect(func(_ context.Context, _ *server.Socket, why server.Reason) { reason = why })
		r.client("/").discard()
		slow := r.client()
		slow.send("40/admin,")
		a, _ := r.login("")
		synctest.Wait()
		if n := r.Of("/admin").Count(); n != 2 {
			t.Fatalf("%d admins, want 2", n)
		}
		for range 8 { // of two seconds
			for range 10 {
				r.must(r.Of("/").Volatile().Emit("x", strings.Repeat("x", 3000)))
			}
			if list := a.until(); len(list) < 10 {
				t.Errorf("%d things are told while one of them is slow", len(list))
			}
		}
		synctest.Wait()
		if n := r.Of("/admin").Count(); n != 1 || reason != server.SlowConsumer {
			t.Errorf("%d admins after 16 s, and %q, want the one who reads", n, reason)
		}
	})
}
