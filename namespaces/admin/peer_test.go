//go:build unix

package admin_test

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/adapter/redisadapter"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/namespaces/admin/redissessions"
	"github.com/seed3686fee0/parlor/server"
)

// startNode starts a Node server; see testdata/node/peer.mjs.
func startNode(t *testing.T, redis *redistest.Server) (addr string, process *os.Process) {
	t.Helper()
	if _, err := os.Stat("testdata/node/node_modules/.package-lock.json"); err != nil {
		t.Fatal("the tests with a Node peer need its packages; run: make deps")
	}
	cmd := exec.Command("node", "peer.mjs", "redis://"+redis.Addr, "admin", hash)
	cmd.Dir = "testdata/node"
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		end := time.AfterFunc(patience, func() { cmd.Process.Kill() })
		cmd.Wait()
		end.Stop()
	})
	port, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal("the Node peer does not listen")
	}
	return "127.0.0.1:" + strings.TrimSpace(port), cmd.Process
}

// A mixed cluster is two Parlor servers and a Node one behind one Redis, with a
// client at each.
type mixed struct {
	t       *testing.T
	parlor  [2]*rig
	node    *rig // of which there is only the address
	process *os.Process
	clients map[string]*client
}

func newMixed(t *testing.T) *mixed {
	t.Helper()
	redis := redistest.Start(t)
	m := &mixed{t: t, clients: make(map[string]*client)}
	addr, process := startNode(t, redis)
	m.node, m.process = &rig{t: t, addr: addr}, process
	for i := range m.parlor {
		rdb := redis.Client()
		t.Cleanup(func() { rdb.Close() })
		cluster := redisadapter.NewPubSub(rdb, redisadapter.WithRequestTimeout(3*time.Second))
		m.parlor[i] = serve(t, admin.Options{
			Auth:     admin.Basic("admin", hash),
			Watch:    admin.Always, // Node's admins do not say that they watch
			ServerID: fmt.Sprint("parlor", i),
			Sessions: redissessions.New(rdb, redissessions.Options{}),
		}, server.WithAdapter(cluster.Adapter))
	}
	for _, r := range m.parlor {
		for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			n, err := r.Of("/").Adapter().ServerCount(t.Context())
			if n == 3 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%d servers are counted (%v), want 3", n, err)
			}
		}
	}
	for name, r := range map[string]*rig{"p0": m.parlor[0], "p1": m.parlor[1], "n": m.node} {
		m.clients[name] = r.client("/")
	}
	return m
}

// admin logs in at a server and waits until it lists the clients of these.
func (m *mixed) admin(r *rig, auth string, names ...string) (c *client, session string) {
	m.t.Helper()
	c = r.dial(wire.Handshake{})
	c.send("40/admin," + auth)
	for begun := time.Now(); ; {
		p := c.next()
		if time.Since(begun) > 3*patience {
			m.t.Fatalf("%q are not all listed", names)
		}
		if strings.HasPrefix(p, "44") {
			m.t.Fatalf("%s: %s", auth, p)
		}
		if strings.HasPrefix(p, "40") {
			continue
		}
		switch e := parse(m.t, p); e.name {
		case "session":
			session = e.args[0].(string)
		case "all_sockets":
			if m.listed(e, names) {
				return c, session
			}
		}
	}
}

// listed reports whether a list has the clients, as they are.
func (m *mixed) listed(e message, names []string) bool {
	m.t.Helper()
	found := make(map[string]map[string]any)
	for _, v := range e.args[0].([]any) {
		s := v.(map[string]any)
		found[s["id"].(string)] = s
		if data := s["data"].(map[string]any); data["_admin"] != nil {
			m.t.Errorf("what servers tell each other is shown: %v", data)
		}
	}
	clients := make(map[string]bool)
	for _, name := range names {
		s := found[m.clients[name].ids["/"]]
		if s == nil {
			return false
		}
		if s["transport"] != "websocket" || s["clientId"] == "" {
			m.t.Errorf("%s's socket is %v", name, s)
		}
		clients[s["clientId"].(string)] = true
	}
	if len(clients) != len(names) {
		m.t.Errorf("clients are not told apart: %v", slices.Collect(maps.Keys(clients)))
	}
	return true
}

// hears waits for an event that begins so.
func (m *mixed) hears(c *client, prefix string) message {
	m.t.Helper()
	for begun := time.Now(); time.Since(begun) < 3*patience; {
		if e := c.event(); strings.HasPrefix(e.String(), prefix) {
			return e
		}
	}
	m.t.Fatalf("in vain: %s", prefix)
	return message{}
}

// TestMixedCluster: the admins of each kind of server list the sockets of the
// other, with their transports, and move and disconnect them.
func TestMixedCluster(t *testing.T) {
	m := newMixed(t)
	all := []string{"p0", "p1", "n"}
	ours, session := m.admin(m.parlor[0], login, all...)
	theirs, nodeSession := m.admin(m.node, login, all...)

	for name, c := range map[string]*client{"ours": ours, "theirs": theirs} {
		for _, at := range all {
			id := m.clients[at].ids["/"]
			room := name + "-" + at
			c.send(fmt.Sprintf(`42/admin,["join","/",%q,%q]`, room, id))
			for _, admin := range []*client{ours, theirs} {
				e := m.hears(admin, fmt.Sprintf(`room_joined["/",%q,%q,`, room, id))
				if _, err := time.Parse("2006-01-02T15:04:05.000Z", e.args[3].(string)); err != nil {
					t.Errorf("%s: the time of an event is %v", name, e.args[3])
				}
			}
			c.send(fmt.Sprintf(`42/admin,["emit","/",%q,"hello",%q]`, room, name))
			if got, want := m.clients[at].next(), fmt.Sprintf(`42["hello",%q]`, name); got != want {
				t.Errorf("%s to %s: %s, want %s", name, at, got, want)
			}
			c.send(fmt.Sprintf(`42/admin,["leave","/",%q]`, room))
			m.hears(ours, fmt.Sprintf(`room_left["/",%q,%q,`, room, id))
			m.hears(theirs, fmt.Sprintf(`room_left["/",%q,%q,`, room, id))
		}
	}
	servers := make(map[any]bool)
	for len(servers) < 3 {
		servers[m.hears(ours, "server_stats").args[0].(map[string]any)["serverId"]] = true
	}

	// A session that one kind of server has made is good at the other.
	m.admin(m.node, fmt.Sprintf(`{"sessionId":%q}`, session), all...)
	m.admin(m.parlor[1], fmt.Sprintf(`{"sessionId":%q}`, nodeSession), all...)

	for c, at := range map[*client]string{ours: "n", theirs: "p1"} {
		id := m.clients[at].ids["/"]
		c.send(fmt.Sprintf(`42/admin,["_disconnect","/",false,%q]`, id))
		for {
			if p := m.clients[at].next(); p == "41" {
				break
			}
		}
		m.hears(ours, fmt.Sprintf(`socket_disconnected["/",%q,"server namespace disconnect",`, id))
		m.hears(theirs, fmt.Sprintf(`socket_disconnected["/",%q,"server namespace disconnect",`, id))
	}
}

// TestFrozenPeer: a server that does not answer holds nobody up, and what the
// others have is shown.
func TestFrozenPeer(t *testing.T) {
	m := newMixed(t)
	if err := m.process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.process.Signal(syscall.SIGCONT) })
	c, _ := m.admin(m.parlor[0], login, "p0") // at once
	c.send(fmt.Sprintf(`42/admin,7["join","/","vip",%q]`, m.clients["p0"].ids["/"]))
	for answered, listed := false, false; !answered || !listed; { // in either order
		p := c.next()
		if ack, ok := strings.CutPrefix(p, "43/admin,7"); ok {
			answered = true
			if ack != `[{"ok":true,"count":1}]` {
				t.Errorf("a command beside a frozen server: %s", ack)
			}
		} else if list := parse(t, p); list.name == "all_sockets" {
			listed = true
			if !m.listed(list, []string{"p0", "p1"}) { // what has answered
				t.Errorf("beside a frozen server there is %s", list)
			}
		}
	}
	if n := m.parlor[0].logged("some instances did not answer"); n != 1 {
		t.Errorf("%d lines say that some did not answer", n)
	}
}
