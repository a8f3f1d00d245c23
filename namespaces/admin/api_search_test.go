package admin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/internal/servertest"
	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
)

// comes connects a client with data, and rooms that it is to be in.
func (o *office) comes(d *jstest.Driver, namespace, data string, transport []string, rooms ...string) (c *jstest.Client, id string) {
	o.t.Helper()
	c = d.Connect(o.url, jstest.Options{
		Namespace:   namespace,
		Transports:  transport,
		NoReconnect: true,
		Auth:        map[string]any{"data": json.RawMessage(data), "rooms": rooms},
		Query:       map[string]string{"token": "s3cret", "x": "1"},
		Headers:     map[string]string{"Cookie": "sid=s3cret"},
	})
	id = c.WaitConnect().ID
	c.Call("ready") // its connect handler has run
	return c, id
}

// sameSockets reports whether these are the sockets with the ids, each once.
func sameSockets(sockets []adminapi.Socket, ids ...string) bool {
	got := make([]string, len(sockets))
	for i, s := range sockets {
		got[i] = s.ID
	}
	slices.Sort(got)
	return slices.Equal(got, slices.Sorted(slices.Values(ids)))
}

// newestFirst reports whether the sockets are in their order.
func newestFirst(sockets []adminapi.Socket) bool {
	return slices.IsSortedFunc(sockets, func(a, b adminapi.Socket) int { return b.Connected.Compare(a.Connected) })
}

// Sockets are found by all that is known of them but what is masked.
func TestAPISearch(t *testing.T) {
	o := openOffice(t, admin.Options{Auth: admin.Basic(apiUser, hash)})
	d := jstest.Start(t)
	_, ada := o.comes(d, "/chat", `{"userId":"u1","user":"Ada","plan":"pro","tags":["x","y"],"org":{"id":7,"big":12345678901234567890},"a.b":true}`, jstest.WebSocket, "lobby", "news")
	_, again := o.comes(d, "/", `{"user":{"id":"u1","name":"Ada"},"plan":"free"}`, jstest.Polling, "lobby")
	_, bob := o.comes(d, "/chat", `{"username":"bob","token":"s3cret"}`, jstest.WebSocket, "lobby")
	_, eve := o.comes(d, "/chat", `["eve"]`, jstest.WebSocket)

	for query, want := range map[string][]string{
		"":                                     {eve, bob, again, ada},
		"user=u1":                              {again, ada},
		"user=u1&namespace=/chat":              {ada},
		"name=Ada":                             {again, ada},
		"user=bob":                             {bob},
		"name=bob":                             {bob},
		"user=Bob":                             nil,
		"user=u":                               nil,
		"room=lobby":                           {bob, again, ada},
		"room=lobby&namespace=/chat":           {bob, ada},
		"room=" + eve:                          {eve},
		"socket=" + eve:                        {eve},
		"transport=polling":                    {again},
		"transport=websocket":                  {eve, bob, ada},
		"address=127.0.0.1":                    {eve, bob, again, ada},
		"address=127.0.0.0/8&user=u1":          {again, ada},
		"address=10.0.0.0/8":                   nil,
		"address=::1":                          nil,
		"data.plan=pro":                        {ada},
		"data.tags=y":                          {ada},
		"data.org.id=7":                        {ada},
		"data.org.big=12345678901234567000":    {ada},
		"data.a.b=true":                        {ada},
		"data.plan=pro&data.tags=z":            nil,
		"data.org=7":                           nil,
		"data.token=s3cret":                    nil, // what is masked is not found
		"data.plan=free&room=lobby&limit=1000": {again},
		"namespace=/admin":                     nil,
		"user=" + url.QueryEscape("' or ''='"): nil,
		"name=" + strings.Repeat("long", 3_000/4): nil,
	} {
		found := ask[adminapi.Sockets](o, call{path: "v1/sockets?" + query})
		if !sameSockets(found.Sockets, want...) || !newestFirst(found.Sockets) || found.Total != len(want) || found.Missing != 0 || found.Next != "" {
			t.Errorf("%s: not %v but %+v", query, want, found)
		}
	}

	s := ask[adminapi.Sockets](o, call{path: "v1/sockets?user=u1&namespace=/chat"}).Sockets[0]
	if s.User != "u1" || s.Name != "Ada" || s.Transport != "websocket" || s.Address != "127.0.0.1" || s.ClientID == "" ||
		fmt.Sprint(s.Rooms) != "[lobby news]" || s.Connected.IsZero() || s.Handshake != nil {
		t.Errorf("%+v", s)
	}
	for _, path := range []string{"v1/sockets/" + bob, "v1/sockets/" + bob + "?namespace=/chat"} {
		one := ask[adminapi.Socket](o, call{path: path})
		if one.ID != bob || one.Handshake == nil || one.Handshake.Query["x"] != "1" || one.Handshake.Headers["cookie"] == "" || len(one.Rooms) != 1 {
			t.Errorf("%s: %+v", path, one)
		}
	}
	o.refused(call{path: "v1/sockets/" + bob + "?namespace=/"}, http.StatusNotFound)
	for _, path := range []string{"v1/sockets", "v1/sockets/" + ada, "v1/sockets/" + bob} {
		if _, body := o.send(call{path: path}); strings.Contains(string(body), "s3cret") {
			t.Errorf("%s tells a secret:\n%s", path, body)
		}
	}

	want := []adminapi.Room{{Name: "lobby", Namespace: "/", Sockets: 1}, {Name: "lobby", Namespace: "/chat", Sockets: 2}, {Name: "news", Namespace: "/chat", Sockets: 1}}
	for query, want := range map[string][]adminapi.Room{
		"":                     want,
		"namespace=/chat":      want[1:],
		"room=lobby":           want[:2],
		"prefix=ne":            want[2:],
		"prefix=x":             nil,
		"room=news&prefix=lob": nil,
	} {
		if got := ask[adminapi.Rooms](o, call{path: "v1/rooms?" + query}); !slices.Equal(got.Rooms, want) || got.Total != len(want) {
			t.Errorf("%s: %+v", query, got)
		}
	}

	// Pages have every row once, in one order.
	var sockets []adminapi.Socket
	var rooms []adminapi.Room
	for next := ""; ; {
		page := ask[adminapi.Sockets](o, call{path: "v1/sockets?limit=3" + next})
		sockets = append(sockets, page.Sockets...)
		if page.Total != 4 {
			t.Errorf("%+v", page)
		}
		if next = "&cursor=" + page.Next; page.Next == "" {
			break
		}
	}
	for next := ""; ; {
		page := ask[adminapi.Rooms](o, call{path: "v1/rooms?limit=1" + next})
		rooms = append(rooms, page.Rooms...)
		if next = "&cursor=" + page.Next; page.Next == "" {
			break
		}
	}
	if !sameSockets(sockets, eve, bob, again, ada) || !newestFirst(sockets) || !slices.Equal(rooms, want) {
		t.Errorf("%v\n%v", sockets, rooms)
	}
}

// Commands reach those that are meant and nobody else, and the log says who gave
// them.
func TestAPICommands(t *testing.T) {
	o := openOffice(t, admin.Options{Auth: admin.Basic(apiUser, hash)})
	d := jstest.Start(t)
	const adas = `{"userId":"u1","user":"Ada"}`
	ada, adaID := o.comes(d, "/chat", adas, jstest.WebSocket, "lobby")
	tab, _ := o.comes(d, "/", adas, jstest.WebSocket)
	bob, bobID := o.comes(d, "/chat", `{"userId":"u2","user":"Bob"}`, jstest.WebSocket, "lobby")

	done := func(path, body string, want int) {
		t.Helper()
		if got := ask[adminapi.Done](o, call{path: path, body: body}); got.Sockets != want || got.Missing != 0 {
			t.Errorf("%s: %+v, not %d", body, got, want)
		}
	}
	rooms := func(id, want string) {
		t.Helper()
		if got := ask[adminapi.Socket](o, call{path: "v1/sockets/" + id}).Rooms; fmt.Sprint(got) != want {
			t.Errorf("rooms %v, not %s", got, want)
		}
	}
	for target, want := range map[string]int{`{"all":true}`: 2, `{"room":"lobby"}`: 2, `{"user":"u1"}`: 1, `{"name":"Bob"}`: 1, `{"socket":"` + adaID + `"}`: 1} {
		done("v1/emit", `{"namespace":"/chat","target":`+target+`,"event":"notice","args":["é",{"n":12345678901234567890},null]}`, want)
	}
	for _, c := range []*jstest.Client{ada, bob} {
		for range 3 {
			if e := c.Wait("notice"); e.String() != `["é",{"n":12345678901234567000},null]` {
				t.Errorf("got %s", e)
			}
		}
		c.Call("ready")
	}
	done("v1/emit", `{"namespace":"/chat","target":{"all":true},"event":"bare"}`, 2)
	ada.Wait("bare")

	done("v1/join", `{"namespace":"/chat","target":{"user":"u1"},"room":"vip"}`, 1)
	rooms(adaID, "[lobby vip]")
	done("v1/join", `{"namespace":"/chat","target":{"room":"lobby"},"room":"all"}`, 2)
	rooms(bobID, "[all lobby]")
	done("v1/leave", `{"namespace":"/chat","target":{"all":true},"room":"lobby"}`, 2)
	rooms(adaID, "[all vip]")
	rooms(bobID, "[all]")

	done("v1/disconnect", `{"target":{"user":"u1"}}`, 2)
	for _, c := range []*jstest.Client{ada, tab} {
		if reason := c.WaitDisconnect(); reason != "io server disconnect" {
			t.Errorf("ada: %s", reason)
		}
	}
	// A client is told before its socket leaves the rooms.
	servertest.Eventually(t, "ada has left", func() bool { return o.io.Of("/chat").RoomSize("all") == 1 })
	done("v1/disconnect", `{"namespace":"/chat","target":{"room":"all"},"close":true}`, 1)
	if reason := bob.WaitDisconnect(); reason != "io server disconnect" {
		t.Errorf("bob: %s", reason)
	}
	o.refused(call{path: "v1/disconnect", body: `{"target":{"user":"u1"}}`}, http.StatusNotFound)

	if n := o.said(`msg="admin command" admin=admin`); n != 5+1+3+2+1 {
		t.Errorf("%d commands in the log:\n%s", n, o.log)
	}
	for _, line := range []string{
		`command=join namespace=/chat filter=` + adaID + ` room=vip event="" close=false sockets=1`,
		`command=disconnect namespace=/chat filter=all room="" event="" close=true sockets=1`,
		`msg="admin command refused" admin=admin command=disconnect`,
	} {
		if o.said(line) != 1 {
			t.Errorf("the log lacks %s:\n%s", line, o.log)
		}
	}
}
