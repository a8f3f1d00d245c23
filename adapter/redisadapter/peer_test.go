package redisadapter_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/seed3686fee0/parlor/adapter/redisadapter"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/server"
)

// A mixed cluster is two Parlor and two Node servers behind one Redis, with a
// client at each: p0 and p1, n0 and n1, all in the room "all", and in one of
// their own, "in-p0" and so on. The clients live in the first Node process.
type mixed struct {
	*clients
	redis    *redistest.Server
	parlor   [2]*server.Server
	clusters [2]*redisadapter.Cluster
	node     [2]*peer
}

func newMixed(t testing.TB, kind string) *mixed {
	t.Helper()
	m := &mixed{redis: redistest.Start(t)}
	var starting sync.WaitGroup
	for i := range m.node {
		starting.Go(func() { m.node[i] = startNode(t, m.redis.Addr, "mixed", kind) })
	}
	var urls [4]string
	for i := range m.parlor {
		m.parlor[i], m.clusters[i], urls[i] = startParlor(t, m.redis, kind, fmt.Sprint("p", i))
	}
	starting.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for i, p := range m.node {
		p.run(`state.told = [];
			io.on("ask", (v, cb) => cb("n%d", v));
			io.on("tell", (...args) => state.told.push(args.map(plain)));`, i)
		urls[2+i] = p.url
	}
	m.clients = &clients{t: t, at: m.node[0], ids: make(map[string]string)}
	for i, name := range []string{"p0", "p1", "n0", "n1"} {
		m.connect(name, urls[i])
	}
	for _, io := range m.parlor {
		m.eventually("all servers are counted", func() string {
			n, err := io.Of("/").Adapter().ServerCount(t.Context())
			return fmt.Sprint(n, err)
		}, "4 <nil>")
	}
	return m
}

const everyone = "p0 p1 n0 n1"

// TestNode runs every operation in a cluster of two Parlor and two Node servers,
// from each side.
func TestNode(t *testing.T) { testMixed(t, "classic") }

// TestNodeSharded does so in the sharded form.
func TestNodeSharded(t *testing.T) { testMixed(t, "sharded") }

func testMixed(t *testing.T, kind string) {
	t.Parallel()
	m := newMixed(t, kind)
	p, n := m.parlor[0].Of("/"), m.node[0]
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()

	// Broadcasts, with all kinds of values.
	check(p.Emit("e", 1, -2.5, "ü\u2028\"", nil, true, map[string]any{"a": []any{1}}, int64(9007199254740991)))
	m.got("Parlor to all", everyone, `["e",1,-2.5,"ü`+"\u2028"+`\"",null,true,{"a":[1]},9007199254740991]`)
	check(p.Emit("bin", []byte{0, 1, 255}, "x"))
	m.got("Parlor to all, bytes", everyone, `["bin",{"bytes":"0001ff"},"x"]`)
	check(p.To("in-n1", "in-p1", "in-p1").Except("in-p1").Emit("e", "some"))
	m.got("Parlor to rooms, except", "n1", `["e","some"]`)
	check(p.To("in-n0").Emit("e", "one"))
	m.got("Parlor to one room", "n0", `["e","one"]`)
	check(p.Except(m.ids["n1"], m.ids["p0"]).Volatile().Compress(false).Emit("e", "flags"))
	m.got("Parlor except sockets", "p1 n0", `["e","flags"]`)
	check(p.Local().Emit("e", "local"))
	m.got("Parlor local", "p0", `["e","local"]`)

	n.run(`io.emit("e", 1, -2.5, "ü\u2028\"", null, undefined, true, {a: [1]}, new Date(0), 9007199254740991)`)
	m.got("Node to all", everyone, `["e",1,-2.5,"ü`+"\u2028"+`\"",null,null,true,{"a":[1]},"1970-01-01T00:00:00.000Z",9007199254740991]`)
	n.run(`io.emit("bin", Buffer.from([0, 1, 255]), "x")`)
	m.got("Node to all, bytes", everyone, `["bin",{"bytes":"0001ff"},"x"]`)
	n.run(`io.to(["in-n1", "in-p1"]).except("in-n1").emit("e", "some")`)
	m.got("Node to rooms, except", "p1", `["e","some"]`)
	n.run(`io.to("in-p0").volatile.emit("e", "one")`)
	m.got("Node to one room", "p0", `["e","one"]`)
	n.run(`io.to(%q).emit("e", "private")`, m.ids["p1"])
	m.got("Node to a socket", "p1", `["e","private"]`)
	n.run(`io.local.emit("e", "local")`)
	m.got("Node local", "n0", `["e","local"]`)

	// Moving sockets.
	p.To("in-n1", "in-p1").SocketsJoin("moved", "more")
	m.eventually("joined", func() string { return m.node[1].run(`return io.sockets.adapter.rooms.has("more")`) }, "true")
	m.heard(kind, "moved", 2)
	check(p.To("moved").Emit("e", "moved"))
	m.got("Parlor joins", "n1 p1", `["e","moved"]`)
	p.To("in-n1").SocketsLeave("moved")
	m.eventually("left", func() string { return m.node[1].run(`return io.sockets.adapter.rooms.has("moved")`) }, "false")
	n.run(`io.to("moved").emit("e", "again")`)
	m.got("Parlor leaves", "p1", `["e","again"]`)
	n.run(`io.in("in-p0").socketsJoin(["j1", "j2"]); io.in("in-p1").socketsLeave("moved")`)
	m.eventually("Node moves", func() string {
		return fmt.Sprint(m.parlor[0].Of("/").RoomSize("j2"), m.parlor[1].Of("/").RoomSize("moved"))
	}, "1 0")

	// Descriptions.
	sockets, err := p.To("all").FetchSockets(ctx)
	check(err)
	if len(sockets) != 4 {
		t.Errorf("Parlor fetches %d sockets", len(sockets))
	}
	for _, s := range sockets {
		var data struct{ From string }
		check(s.Data().Decode(&data))
		if s.ID() == m.ids["n1"] && (data.From != "node" || s.Handshake().Headers["host"] == "" || len(s.Rooms()) < 3) {
			t.Errorf("of Node: %+v, %q, %v", s.Handshake(), data, s.Rooms())
		}
	}
	m.eventually("Node fetches", func() string {
		return n.run(`const l = await io.in("all").fetchSockets();
			return l.map((s) => [s.id == %q && s.handshake.address + s.handshake.auth.rooms[1] + s.rooms.has("j1"), s.data.from].join()).sort()`, m.ids["p0"])
	}, `["127.0.0.1in-p0true,parlor","false,node","false,node","false,parlor"]`)
	for _, s := range sockets {
		if s.ID() == m.ids["n1"] {
			check(s.Emit("e", "remote"))
			m.got("Parlor to a remote socket", "n1", `["e","remote"]`)
		}
	}
	n.run(`const [s] = await io.in("in-p1").fetchSockets(); s.emit("e", "remote"); s.join("rj")`)
	m.got("Node to a remote socket", "p1", `["e","remote"]`)
	m.eventually("Node has a remote socket join", func() string { return fmt.Sprint(m.parlor[1].Of("/").RoomSize("rj")) }, "1")

	// Acknowledgements.
	var answers []string
	for a, err := range p.To("all").Timeout(guard).AskEach(ctx, "q", []byte{7}) {
		check(err)
		var name string
		check(a.Scan(&name))
		answers = append(answers, name)
	}
	if len(answers) != 4 {
		t.Errorf("Parlor is answered by %q", answers)
	}
	m.got("Parlor asks", everyone, `["q",{"bytes":"07"}]`)
	if got := n.run(`return (await io.to("all").timeout(20000).emitWithAck("q", 1)).sort()`); got != `["n0","n1","p0","p1"]` {
		t.Errorf("Node is answered by %s", got)
	}
	m.got("Node asks", everyone, `["q",1]`)
	if got := n.run(`return (await io.to("nobody").timeout(20000).emitWithAck("q", 1)).length`); got != "0" {
		t.Errorf("Node asks nobody: %s", got)
	}
	for range p.To("nobody").Timeout(guard).AskEach(ctx, "q") {
		t.Error("an answer of nobody")
	}

	// Servers.
	list, err := p.ServerSideAsk(ctx, "ask", 5)
	check(err)
	if len(list) != 3 {
		t.Errorf("Parlor's servers: %d answers", len(list))
	}
	if got := n.run(`return (await io.serverSideEmitWithAck("ask", 5)).sort()`); got != `["n1","p0","p1"]` {
		t.Errorf("Node's servers answer %s", got)
	}
	check(p.ServerSideEmit("tell", 1, []byte{5}))
	for _, x := range m.node {
		m.eventually("Node is told", func() string { return x.run(`return state.told`) }, `[[1,{"bytes":"05"}]]`)
	}

	if kind == "classic" {
		testEmitter(m)
	}
	testOurEmitter(ctx, m, kind)

	// The end of sockets.
	p.To("in-n1").DisconnectSockets(false)
	m.got("Parlor disconnects", "n1", `["disconnect","io server disconnect"]`)
	n.run(`io.in("in-p1").disconnectSockets(true)`)
	m.got("Node disconnects", "p1", `["disconnect","io server disconnect"]`)

	for _, c := range m.clusters {
		if s := c.Stats(); s.Malformed != 0 || s.Dropped != 0 || s.Unanswered != 0 || s.Refused != 0 || s.Overflowed != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// heard waits until instances hear what is sent to a room. In the sharded form they
// do a moment after it has its first member there, when its channel is subscribed.
func (m *mixed) heard(kind, room string, instances int) {
	m.t.Helper()
	if kind != "sharded" {
		return
	}
	rdb := m.redis.Client()
	defer rdb.Close()
	channel := "mixed#/#" + room + "#"
	m.eventually("the channel of "+room, func() string {
		return fmt.Sprint(rdb.PubSubShardNumSub(m.t.Context(), channel).Val())
	}, fmt.Sprint(map[string]int64{channel: int64(instances)}))
}

// testEmitter has Node's emitter reach the clients of all.
func testEmitter(m *mixed) {
	n := m.node[0]
	n.run(`emitter.emit("e", "emitter", Buffer.from([1]))`)
	m.got("Node's emitter", everyone, `["e","emitter",{"bytes":"01"}]`)
	n.run(`emitter.to("in-p0").to("in-n1").except("in-n1").volatile.emit("e", "room")`)
	m.got("Node's emitter to rooms", "p0", `["e","room"]`)
	n.run(`emitter.in("in-p0").socketsJoin("em"); emitter.to("em").emit("e", "joined")`)
	m.got("Node's emitter moves", "p0", `["e","joined"]`)
}

// testOurEmitter has ours do so.
func testOurEmitter(ctx context.Context, m *mixed, kind string) {
	rdb := m.redis.Client()
	defer rdb.Close()
	newEmitter := redisadapter.NewEmitter
	if kind == "sharded" {
		newEmitter = redisadapter.NewShardedEmitter
	}
	e := newEmitter(rdb, redisadapter.WithPrefix("mixed"), redisadapter.Patient)
	defer e.Close()
	check := func(err error) {
		m.t.Helper()
		if err != nil {
			m.t.Fatal(err)
		}
	}
	check(e.Emit(ctx, "e", "ours", []byte{1}))
	m.got("our emitter", everyone, `["e","ours",{"bytes":"01"}]`)
	check(e.To("in-p0", "in-n1").In("in-n0").Except("in-n1").Volatile().Compress(false).Emit(ctx, "e", "room"))
	m.got("our emitter to rooms", "p0 n0", `["e","room"]`)
	check(e.To("in-n0", "in-p1").SocketsJoin(ctx, "ours"))
	m.eventually("our emitter moves", func() string {
		return m.node[0].run(`return io.sockets.adapter.rooms.has("ours")`) + fmt.Sprint(m.parlor[1].Of("/").RoomSize("ours"))
	}, "true1")
	m.heard(kind, "ours", 2)
	check(e.To("ours").Emit(ctx, "e", "joined"))
	m.got("our emitter to those", "n0 p1", `["e","joined"]`)
	check(e.To("in-n0").SocketsLeave(ctx, "ours"))
	m.eventually("our emitter moves again", func() string { return m.node[0].run(`return io.sockets.adapter.rooms.has("ours")`) }, "false")
	check(e.Of("/").ServerSideEmit(ctx, "tell", "servers"))
	for _, x := range m.node {
		m.eventually("Node is told by our emitter", func() string { return x.run(`return state.told.at(-1)`) }, `["servers"]`)
	}
	check(e.Of("nowhere").To("x").DisconnectSockets(ctx, true))
	if err := e.Emit(ctx, "disconnect"); err == nil {
		m.t.Error("a reserved name is emitted")
	}
}
