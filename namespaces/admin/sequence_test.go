package admin_test

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/server"
)

// application is the one that Node's server ran when it was watched.
func application(io *server.Server) {
	root := io.Of("/")
	root.Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			user := "anonymous"
			for name, v := range s.Handshake().Auth.Fields() {
				if name == "user" {
					user, _ = v.Text()
				}
			}
			s.SetData(map[string]any{"user": user, "tags": []string{"a"}})
			return next(ctx, s)
		}
	})
	root.OnConnect(func(_ context.Context, s *server.Socket) error {
		return s.Emit("welcome", map[string]string{"id": s.ID()}, 1, "two", nil, true)
	})
	on := func(event string, f func(s *server.Socket, args server.Args) error) {
		root.On(event, func(_ context.Context, s *server.Socket, args server.Args) error {
			if err := f(s, args); err != nil {
				return err
			}
			if args.WantsAck() {
				return args.Ack("ok")
			}
			return nil
		})
	}
	text := func(a server.Args) string { s, _ := a.At(0).Text(); return s }
	on("join", func(s *server.Socket, a server.Args) error { return s.Join(text(a)) })
	on("leave", func(s *server.Socket, a server.Args) error { return s.Leave(text(a)) })
	on("bin", func(s *server.Socket, _ server.Args) error {
		return s.Emit("bin-back", []byte{1, 2, 3}, map[string]any{"nested": []any{[]byte{9, 8}}})
	})
	set := func(s *server.Socket, change func(data map[string]any)) {
		data := maps.Clone(s.Data().(map[string]any))
		change(data)
		s.SetData(data)
	}
	on("setdata", func(s *server.Socket, a server.Args) error {
		set(s, func(data map[string]any) { data[text(a)] = a.At(1) })
		return nil
	})
	on("deldata", func(s *server.Socket, a server.Args) error {
		set(s, func(data map[string]any) { delete(data, text(a)) })
		return nil
	})
	on("pushtag", func(s *server.Socket, a server.Args) error {
		set(s, func(data map[string]any) { data["tags"] = append(slices.Clone(data["tags"].([]string)), text(a)) })
		return nil
	})
	on("vol", func(s *server.Socket, _ server.Args) error { return s.Volatile().Emit("volatile-ev", 1) })
	on("shout", func(_ *server.Socket, a server.Args) error { return root.Emit("shouted", a.At(0)) })
	root.On("askme", func(ctx context.Context, s *server.Socket, _ server.Args) error {
		server.Detach(ctx)
		_, _ = s.Ask(ctx, "question", "q?") // nobody answers
		return nil
	})
	io.Of("/chat").OnConnect(func(_ context.Context, s *server.Socket) error { return s.Join("lobby") })
	io.Of("/chat").On("msg", func(_ context.Context, s *server.Socket, a server.Args) error {
		return io.Of("/chat").Emit("msg", a.At(0))
	})
	io.OfPattern(regexp.MustCompile(`^/dyn-\d+$`))
}

// A play is a conversation in steps; what an admin is told in each is compared
// with what Node's server told.
type play struct {
	*rig

	admin *client
	told  map[string][]message
}

// step runs f and keeps what the admin is told until nothing more is going on.
func (p *play) step(name string, f func()) {
	p.t.Helper()
	p.told[name] = nil
	f()
	synctest.Wait()
	time.Sleep(150 * time.Millisecond) // data that has changed is told by then
	synctest.Wait()
	p.admin.send(`42/admin,1["frobnicate"]`, `42/admin,1["join"]`) // of which one is answered
	for {
		text := p.admin.next()
		if strings.HasPrefix(text, "43/admin,1") {
			return
		}
		if m := parse(p.t, text); m.name != "server_stats" {
			p.told[name] = append(p.told[name], m)
		}
	}
}

// TestSequences plays what Node's server was watched doing. Events are compared
// by their names, order and shapes; those of different sockets may be told in
// another order, and of a change of data we tell once, after it.
func TestSequences(t *testing.T) {
	v := readVectors(t)
	bubble(t, admin.Options{Auth: admin.Insecure(), Load: -1}, func(r *rig) {
		application(r.Server)
		p := &play{rig: r, told: make(map[string][]message)}
		p.admin = r.dial(wire.Handshake{})
		p.step("admin connects", func() { p.admin.join("/admin", "") })
		ws := r.dial(wire.Handshake{})
		p.step("client ws-only connects to /", func() { ws.join("/", `{"user":"alice"}`) })
		for _, s := range []struct{ step, packet string }{
			{"client emits join with ack", `420["join","room1"]`},
			{"setdata user=bob", `42["setdata","user","bob"]`},
			{"setdata profile={..}", `42["setdata","profile",{"lvl":1}]`},
			{"pushtag b", `42["pushtag","b"]`},
			{"deldata profile", `42["deldata","profile"]`},
			{"askme (server emits with ack)", `42["askme"]`},
			{"volatile", `42["vol"]`},
			{"shout (io.emit broadcast)", `42["shout","hey"]`},
			{"leave", `42["leave","room1"]`},
		} {
			p.step(s.step, func() { ws.send(s.packet) })
		}
		p.step("client emits bin", func() {
			p.must(ws.SendPackets(wire.Packet{Data: `451-["bin",{"_placeholder":true,"num":0}]`}, wire.Packet{Data: "\x01\x02\x03", Binary: true}))
		})
		poll := p.poll()
		p.step("client polling+upgrade connects", func() {
			poll.join("/", `{"user":"carol"}`)
			poll.next() // welcome
			p.upgrade(poll)
		})
		p.step("", func() { _ = poll.Close() })
		other := p.poll()
		p.step("dynamic nsp /dyn-7", func() {
			other.join("/", `{"user":"carol"}`)
			other.next() // welcome
			other.join("/chat", "")
			other.join("/dyn-7", "")
			p.upgrade(other)
			other.send(`42/chat,["msg","hello"]`)
		})
		second := r.dial(wire.Handshake{})
		p.step("second admin connects (list all_sockets)", func() { second.join("/admin", "") })
		one, two, chat := ws.ids["/"], other.ids["/"], other.ids["/chat"]
		for _, s := range []struct{ step, command string }{
			{"admin emits emit to socket id", fmt.Sprintf(`["emit","/",%q,"hello","world",2]`, one)},
			{"admin emits emit to all (null filter)", `["emit","/",null,"hello-all",{"a":1}]`},
			{"admin emits emit to all (undefined filter)", `["emit","/",null,"hello-all2"]`},
			{"admin join socket id -> roomX", fmt.Sprintf(`["join","/","roomX",%q]`, one)},
			{"admin join all -> roomAll", `["join","/","roomAll"]`},
			{"admin leave single", fmt.Sprintf(`["leave","/","roomX",%q]`, one)},
			{"admin leave (clear room) ", `["leave","/","roomAll"]`},
			{"admin _disconnect /chat single close=false", fmt.Sprintf(`["_disconnect","/chat",false,%q]`, chat)},
			{"admin _disconnect / close=true client d", fmt.Sprintf(`["_disconnect","/",true,%q]`, two)},
			{"admin emits with ack callback", fmt.Sprintf(`["join","/","r9",%q]`, one)},
			{"admin emits junk: unknown event", `["frobnicate",1]`},
		} {
			p.step(s.step, func() { p.admin.send("42/admin," + s.command) })
		}
		p.step("client disconnects itself", func() { ws.send("41") })
		p.step("polling-only client connect & abrupt close", func() {
			c := p.poll()
			c.join("/", "")
			c.next()
			c.Session.(*wire.Poll).Leave()
		})
		p.step("a2 disconnects", func() { second.send("41/admin,") })

		for _, s := range v.Sequences {
			told, played := p.told[s.Step]
			if !played {
				if s.Step != "second nsp on same client: /chat" && len(s.Events) > 0 {
					t.Errorf("%q was not played", s.Step)
				}
				continue
			}
			var want []message
			for _, e := range s.Events {
				if e.Event != "(connect)" {
					want = append(want, message{e.Event, e.Args})
				}
			}
			if got, want := bySocket(told), bySocket(want); !slices.Equal(got, want) {
				t.Errorf("%s:\n got %s\nwant %s", s.Step, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
			}
		}
	})
}

// poll opens a connection by polling.
func (p *play) poll() *client {
	p.t.Helper()
	x, err := wire.OpenPoll(p.addr, "")
	p.must(err)
	p.t.Cleanup(func() { _ = x.Close() })
	return &client{x, p.t, make(map[string]string)}
}

// upgrade moves it, when it has read all, to a WebSocket.
func (p *play) upgrade(c *client) {
	p.t.Helper()
	w, err := c.Session.(*wire.Poll).Upgrade()
	p.must(err)
	p.t.Cleanup(func() { _ = w.Close() })
	c.Session = w
}

var anID = regexp.MustCompile(`^[\w-]{20}$`)

// bySocket is what is told of each socket, in order, in a form in which ids, times
// and data do not matter.
func bySocket(list []message) []string {
	var order []string
	groups := make(map[string][]string)
	for _, m := range list {
		if m.name == "socket_updated" && m.args[0].(map[string]any)["transport"] == nil {
			continue
		}
		id := ""
		for _, a := range m.args {
			if o, ok := a.(map[string]any); ok && id == "" {
				id, _ = o["id"].(string)
			}
			if s, ok := a.(string); ok && anID.MatchString(s) {
				id = s
			}
		}
		if groups[id] == nil {
			order = append(order, id)
		}
		text := m.name
		for _, a := range m.args {
			text += " " + shape(m.name, a)
		}
		groups[id] = append(groups[id], text)
	}
	var out []string
	for _, id := range order {
		out = append(out, strings.Join(groups[id], "; "))
	}
	slices.Sort(out)
	return out
}

func shape(name string, v any) string {
	switch v := v.(type) {
	case string:
		switch _, err := time.Parse("2006-01-02T15:04:05.000Z", v); {
		case err == nil:
			return "time"
		case anID.MatchString(v):
			return "id"
		case strings.HasPrefix(v, "<binary"):
			return "binary"
		}
		return fmt.Sprintf("%q", v)
	case []any:
		if name == "all_sockets" {
			return shape("socket_connected", v[0])
		}
		var list []string
		for _, x := range v {
			list = append(list, shape(name, x))
		}
		return fmt.Sprint(list)
	case map[string]any:
		if v["type"] == "Buffer" {
			return "binary"
		}
		var list []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			switch {
			case key == "data" || key == "headers" || key == "query":
				list = append(list, key)
			case name == "socket_connected" && key != "handshake" && key != "nsp" && key != "transport" && key != "rooms":
				list = append(list, fmt.Sprintf("%s:%T", key, v[key]))
			case key != "address" && key != "issued" && key != "time" && key != "url":
				list = append(list, key+":"+shape(name, v[key]))
			default:
				list = append(list, fmt.Sprintf("%s:%T", key, v[key]))
			}
		}
		return fmt.Sprint(list)
	default:
		return fmt.Sprint(v)
	}
}
