package redisadapter_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/adapter/redisadapter"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/server"
)

// A twofold cluster is two Parlor servers and one on zishang520/socket.io behind
// one Redis, see internal/interop, with a client at each: p0, p1 and z.
type twofold struct {
	*clients
	redis    *redistest.Server
	parlor   [2]*server.Server
	clusters [2]*redisadapter.Cluster
	z        *peer
	told     chan string // by servers, to Parlor's
}

func newTwofold(t testing.TB, program, kind string, flags ...string) *twofold {
	t.Helper()
	m := &twofold{redis: redistest.Start(t), told: make(chan string, 8)}
	// It has the clients, and is in no cluster with the others.
	host := startNode(t, m.redis.Addr, "clients", "classic")
	m.clients = &clients{t: t, at: host, ids: make(map[string]string)}
	for i := range m.parlor {
		name := fmt.Sprint("p", i)
		io, cluster, url := startParlor(t, m.redis, kind, name)
		// A list is what servers on zishang520/socket.io read as an answer.
		io.Of("/").OnServerSide("ask list", func(_ context.Context, a server.Args) error {
			return a.Ack([]any{name, a.At(0)})
		})
		io.Of("/").OnServerSide("tell", func(_ context.Context, a server.Args) error {
			var text string
			if err := a.Scan(&text); err != nil {
				return err
			}
			m.told <- text
			return nil
		})
		m.parlor[i], m.clusters[i] = io, cluster
		m.connect(name, url)
	}
	z, ready := startPeer(t, exec.Command(program, append(flags, "-redis", "redis://"+m.redis.Addr, "-prefix", "mixed", "-adapter", kind)...))
	json.Unmarshal(z.wait("to listen", ready), &z.url)
	m.z = z
	m.connect("z", z.url)
	m.eventually("it has its client", func() string { return m.op("roomSize", "rooms", "in-z") }, "1")
	for _, io := range m.parlor {
		m.eventually("all servers are counted", func() string {
			n, err := io.Of("/").Adapter().ServerCount(t.Context())
			return fmt.Sprint(n, err)
		}, "3 <nil>")
	}
	m.eventually("it counts them all", func() string { return m.op("serverCount") }, "3")
	return m
}

// op has the other server do something. What follows are names of members of the
// command, and their values: texts that are lists in the command, or the values.
func (m *twofold) op(op string, members ...any) string {
	m.t.Helper()
	command := map[string]any{"op": op}
	for i := 0; i < len(members); i += 2 {
		name, value := members[i].(string), members[i+1]
		if s, ok := value.(string); ok {
			value = []string{s}
		}
		command[name] = value
	}
	return m.z.do(fmt.Sprint(op, members), command)
}

func (m *twofold) same(what, got, want string) {
	m.t.Helper()
	if got != want {
		m.t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func (m *twofold) malformed() (n uint64) {
	for _, c := range m.clusters {
		n += c.Stats().Malformed
	}
	return n
}

// TestInterop is a cluster with a server on zishang520/socket.io/v2, as
// docs/moving.md says what of it works.
func TestInterop(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "interop")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = "../../internal/interop"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build in internal/interop: %v\n%s", err, out)
	}
	t.Run("classic, with nodewire", func(t *testing.T) {
		m := newTwofold(t, program, "classic", "-nodewire")
		testBroadcasts(m)
		testAcks(m)
		testRest(m, "classic")
		if n := m.malformed(); n != 0 {
			t.Errorf("%d messages are malformed", n)
		}
	})
	for _, kind := range []string{"classic", "sharded"} {
		t.Run(kind, func(t *testing.T) {
			m := newTwofold(t, program, kind)
			if kind == "sharded" {
				rdb := m.redis.Client()
				defer rdb.Close()
				m.eventually("the room's channel", func() string {
					return fmt.Sprint(rdb.PubSubShardNumSub(t.Context(), "mixed#/#in-p0#").Val())
				}, "map[mixed#/#in-p0#:1]")
			}
			// Its broadcasts are in a form of their own, which is counted and ignored.
			m.op("emit", "args", []any{"e", 1})
			m.op("emit", "rooms", "in-p0", "args", []any{"e", 1})
			m.got("theirs alone", "z", `["e",1]`)
			// The second is for one room, which only p0 has.
			m.eventually("ignored", func() string { return fmt.Sprint(m.malformed()) }, "3")
			testRest(m, kind)
			if n := m.malformed(); n != 3 {
				t.Errorf("%d messages are malformed", n)
			}
		})
	}
}

// texts are the first values of answers. That of a server on zishang520/socket.io
// is the list of all that it, or its client, has answered.
func texts(t testing.TB, answers ...server.Args) string {
	t.Helper()
	var all []string
	for _, a := range answers {
		var one string
		if a.Scan(&one) != nil {
			var list []string
			if err := a.Scan(&list); err != nil {
				t.Fatal(err)
			}
			one = list[0]
		}
		all = append(all, one)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// testBroadcasts has broadcasts go in both directions.
func testBroadcasts(m *twofold) {
	t, p := m.t, m.parlor[0].Of("/")
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const all = "p0 p1 z"
	values := []any{"e", 1, -2.5, "ü\"", nil, true, map[string]any{"a": []any{1}}}
	const received = `["e",1,-2.5,"ü\"",null,true,{"a":[1]}]`
	check(p.To("all").Emit("e", values[1:]...))
	m.got("Parlor to one room", all, received)
	check(p.To("all").Emit("bin", []byte{0, 1, 255}, "x"))
	m.got("Parlor to one room, bytes", all, `["bin",{"bytes":"0001ff"},"x"]`)
	check(p.To("all").Except("in-p1").Volatile().Compress(false).Emit("e", "some"))
	m.got("Parlor to one room, except, flags", "p0 z", `["e","some"]`)
	check(p.To(m.ids["z"]).Emit("e", "private"))
	m.got("Parlor to a socket", "z", `["e","private"]`)
	// Its instances listen to the channels of single rooms only.
	check(p.Emit("e", "everyone"))
	m.got("Parlor to everyone", "p0 p1", `["e","everyone"]`)
	check(p.To("in-z", "in-p1").Emit("e", "two"))
	m.got("Parlor to two rooms", "p1", `["e","two"]`)

	m.op("emit", "args", values)
	m.got("theirs to all", all, received)
	m.op("emit", "args", []any{"bin", map[string]any{"bytes": "0001ff"}, "x"})
	m.got("theirs to all, bytes", all, `["bin",{"bytes":"0001ff"},"x"]`)
	m.op("emit", "rooms", []string{"in-z", "in-p1", "in-p0"}, "except", "in-p1", "flags", map[string]any{"volatile": true, "compress": true}, "args", []any{"e", "some"})
	m.got("theirs to rooms, except, flags", "p0 z", `["e","some"]`)
	m.op("emit", "rooms", "in-p1", "args", []any{"e", "one"})
	m.got("theirs to one room", "p1", `["e","one"]`)
	m.op("emit", "rooms", m.ids["p1"], "args", []any{"e", "private"})
	m.got("theirs to a socket", "p1", `["e","private"]`)
	m.op("emit", "flags", map[string]any{"local": true}, "args", []any{"e", "local"})
	m.got("theirs local", "z", `["e","local"]`)
	m.at.run(`clients.z.emit("say", "hello", new Uint8Array([7]))`)
	m.got("what a client of theirs says", all, `["said","hello",{"bytes":"07"}]`)

	rdb := m.redis.Client()
	defer rdb.Close()
	emitter := redisadapter.NewEmitter(rdb, redisadapter.WithPrefix("mixed"), redisadapter.Patient)
	defer emitter.Close()
	check(emitter.To("all").Except("in-p0").Emit(t.Context(), "e", "emitter", []byte{1}))
	m.got("our emitter", "p1 z", `["e","emitter",{"bytes":"01"}]`)
	check(emitter.To("in-z").SocketsJoin(t.Context(), "ours"))
	m.eventually("our emitter moves", func() string { return m.op("roomSize", "rooms", "ours") }, "1")
}

// testAcks asks clients, in both directions.
func testAcks(m *twofold) {
	t := m.t
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	var answers []server.Args
	for a, err := range m.parlor[0].Of("/").To("all").Timeout(guard).AskEach(ctx, "q", []byte{7}) {
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	m.same("Parlor is answered", texts(t, answers...), "p0 p1 z")
	m.got("Parlor asks", "p0 p1 z", `["q",{"bytes":"07"}]`)
	for range m.parlor[0].Of("/").To("nobody").Timeout(guard).AskEach(ctx, "q") {
		t.Error("an answer of nobody")
	}
	// It may begin to listen for answers after the first has come: it asks again.
	m.eventually("it is answered", func() string {
		var others []string
		json.Unmarshal([]byte(m.op("ask", "rooms", []string{"in-p0", "in-p1"}, "timeout", 1000, "args", []any{"q", 1})), &others)
		m.got("it asks", "p0 p1", `["q",1]`)
		slices.Sort(others)
		return fmt.Sprint(others)
	}, "[p0 p1]")
}

// testRest is what needs no broadcast.
func testRest(m *twofold, kind string) {
	t, p := m.t, m.parlor[0].Of("/")
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()

	// Moving sockets.
	p.To("in-z", "in-p1").SocketsJoin("moved", "more")
	m.eventually("joined", func() string { return m.op("roomSize", "rooms", "more") }, "1")
	p.To("in-z").SocketsLeave("moved")
	m.eventually("left", func() string { return m.op("roomSize", "rooms", "moved") }, "0")
	m.op("join", "rooms", "in-p0", "to", []string{"j1", "j2"})
	m.op("leave", "rooms", "in-p1", "to", "moved")
	m.eventually("theirs moves", func() string {
		return fmt.Sprint(m.parlor[0].Of("/").RoomSize("j2"), m.parlor[1].Of("/").RoomSize("moved"), m.parlor[1].Of("/").RoomSize("more"))
	}, "1 0 1")

	// Descriptions.
	sockets, err := p.To("all").FetchSockets(ctx)
	if err != nil || len(sockets) != 3 {
		t.Errorf("Parlor fetches %d sockets, %v", len(sockets), err)
	}
	for _, s := range sockets {
		var data struct{ From string }
		if err := s.Data().Decode(&data); err != nil {
			t.Error(err)
		}
		if s.ID() == m.ids["z"] && (data.From != "zishang520" || s.Handshake().Headers["sec-websocket-version"] != "13" || len(s.Rooms()) < 4) {
			t.Errorf("of theirs: %+v, %q, %v", s.Handshake(), data, s.Rooms())
		}
	}
	if sockets, err := p.To("in-p1").FetchSockets(ctx); err != nil || len(sockets) != 1 {
		t.Errorf("Parlor fetches %d sockets of one server, %v", len(sockets), err)
	}

	// Servers.
	list, err := p.ServerSideAsk(ctx, "ask", 5)
	if err != nil || len(list) != 2 {
		t.Errorf("Parlor's servers: %d answers, %v", len(list), err)
	}
	m.same("Parlor's servers answer", texts(t, list...), "p1 z")
	if err := p.ServerSideEmit("tell", "a", 1); err != nil {
		t.Error(err)
	}
	m.eventually("it is told", func() string { return m.op("told") }, `[["a",1]]`)
	m.op("tell", "args", []any{"tell", "b"})
	var told []string
	for range 3 { // "a" is what p0 has told p1
		select {
		case text := <-m.told:
			told = append(told, text)
		case <-time.After(guard):
			t.Fatalf("Parlor is told %q only", told)
		}
	}
	slices.Sort(told)
	m.same("Parlor is told", fmt.Sprint(told), "[a b b]")
	// Only the classic form has it ask others, and only for answers: of their
	// sockets it learns nothing.
	var answers [][]any
	json.Unmarshal([]byte(m.op("askServers", "args", []any{"ask list", 5})), &answers)
	slices.SortFunc(answers, func(a, b []any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	want, found := "[[p0 5] [p1 5]]", 0
	if kind == "sharded" {
		want, found = "[]", 1
	}
	m.same("its servers answer", fmt.Sprint(answers), want)
	var described []any
	json.Unmarshal([]byte(m.op("fetch", "rooms", "all")), &described)
	if len(described) != found {
		t.Errorf("it fetches %v", described)
	}

	// The end of sockets.
	p.To("in-z").DisconnectSockets(false)
	m.got("Parlor disconnects", "z", `["disconnect","io server disconnect"]`)
	m.op("disconnect", "rooms", "in-p1", "close", true)
	m.got("theirs disconnects", "p1", `["disconnect","io server disconnect"]`)
	for _, c := range m.clusters {
		if s := c.Stats(); !s.Up || s.Dropped != 0 || s.Unanswered != 0 || s.Refused != 0 || s.Overflowed != 0 || s.Missing != 0 {
			t.Errorf("%+v", s)
		}
	}
}
