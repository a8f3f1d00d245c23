package redisadapter_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/seed3686fee0/parlor/adapter/redisadapter"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/server"
)

const guard = 30 * time.Second

// startParlor starts a Parlor server in a cluster with the prefix "mixed". It puts
// clients where they ask to be, and answers the other servers' "ask" with its name.
func startParlor(t testing.TB, from *redistest.Server, kind, name string) (*server.Server, *redisadapter.Cluster, string) {
	t.Helper()
	rdb := from.Client()
	t.Cleanup(func() { rdb.Close() })
	cluster := newCluster(rdb, kind)
	io := server.New(server.WithAdapter(cluster.Adapter))
	io.Of("/").OnConnect(func(_ context.Context, s *server.Socket) error {
		s.SetData(map[string]any{"from": "parlor"})
		var auth struct {
			Rooms []string `json:"rooms"`
		}
		if err := s.Handshake().Auth.Decode(&auth); err != nil {
			return err
		}
		return s.Join(auth.Rooms...)
	})
	io.Of("/").OnServerSide("ask", func(_ context.Context, a server.Args) error {
		return a.Ack(name, a.At(0))
	})
	hs := httptest.NewServer(io)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), guard)
		defer cancel()
		io.Shutdown(ctx)
		hs.Close()
	})
	return io, cluster, hs.URL
}

func newCluster(rdb redis.UniversalClient, kind string) *redisadapter.Cluster {
	if kind == "classic" {
		return redisadapter.NewPubSub(rdb, redisadapter.WithPrefix("mixed"), redisadapter.Patient)
	}
	return redisadapter.NewSharded(rdb, redisadapter.WithPrefix("mixed"), redisadapter.Patient)
}

// A peer is a process with another server in the cluster. It takes commands, lines
// of JSON with a number, and answers each with a line that has that number.
type peer struct {
	t       testing.TB
	url     string
	process *os.Process

	mu      sync.Mutex
	in      *json.Encoder
	next    int
	replies map[int]chan reply
}

type reply struct {
	ID    int             `json:"id"`
	Value json.RawMessage `json:"value"`
	Error string          `json:"error"`
}

// startNode starts a Node server; see testdata/node/peer.mjs.
func startNode(t testing.TB, redisAddr, prefix, kind string) *peer {
	t.Helper()
	if _, err := os.Stat("testdata/node/node_modules/.package-lock.json"); err != nil {
		t.Fatal("the tests with a Node peer need its packages; run: make deps")
	}
	cmd := exec.Command("node", "peer.mjs", "redis://"+redisAddr, prefix, kind)
	cmd.Dir = "testdata/node"
	p, ready := startPeer(t, cmd)
	p.run(`return 1`)
	var port int
	json.Unmarshal(p.wait("to listen", ready), &port)
	p.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	return p
}

// startPeer starts a process. What ready gets, of number -1, is where it listens.
func startPeer(t testing.TB, cmd *exec.Cmd) (p *peer, ready chan reply) {
	t.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p = &peer{t: t, process: cmd.Process, in: json.NewEncoder(stdin), replies: make(map[int]chan reply)}
	ready = p.expect(-1)
	var reading sync.WaitGroup
	reading.Go(func() {
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			var r reply
			if json.Unmarshal(lines.Bytes(), &r) != nil {
				continue
			}
			p.mu.Lock()
			c := p.replies[r.ID]
			delete(p.replies, r.ID)
			p.mu.Unlock()
			if c != nil {
				c <- r
			}
		}
	})
	t.Cleanup(func() {
		stdin.Close()
		end := time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() })
		reading.Wait()
		cmd.Wait()
		end.Stop()
	})
	return p, ready
}

func (p *peer) expect(id int) chan reply {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := make(chan reply, 1)
	p.replies[id] = c
	return c
}

func (p *peer) wait(what string, c chan reply) json.RawMessage {
	p.t.Helper()
	select {
	case r := <-c:
		if r.Error != "" {
			p.t.Fatalf("%s: %s", what, r.Error)
		}
		return r.Value
	case <-time.After(guard):
		p.t.Fatalf("%s: no answer", what)
	}
	return nil
}

// do has the process do a command, and returns its answer as JSON.
func (p *peer) do(what string, command map[string]any) string {
	p.t.Helper()
	p.mu.Lock()
	id := p.next
	p.next++
	p.mu.Unlock()
	c := p.expect(id)
	command["id"] = id
	p.mu.Lock()
	err := p.in.Encode(command)
	p.mu.Unlock()
	if err != nil {
		p.t.Fatal(err)
	}
	return string(p.wait(what, c))
}

// run runs JavaScript in a Node process and returns its value as JSON.
func (p *peer) run(format string, args ...any) string {
	p.t.Helper()
	code := fmt.Sprintf(format, args...)
	return p.do(code, map[string]any{"code": code})
}

// The clients of a cluster live in one Node process: one at each server, in the
// room "all", and in one of its own, such as "in-p0".
type clients struct {
	t     testing.TB
	at    *peer
	names []string
	ids   map[string]string
}

func (c *clients) connect(name, url string) {
	c.t.Helper()
	var id string
	json.Unmarshal([]byte(c.at.run(`return connect(%q, %q, ["all", %q])`, name, url, "in-"+name)), &id)
	c.names = append(c.names, name)
	c.ids[name] = id
}

func (c *clients) eventually(what string, f func() string, want string) {
	c.t.Helper()
	got := ""
	for deadline := time.Now().Add(guard); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if got = f(); got == want {
			return
		}
	}
	c.t.Fatalf("%s: %s, want %s", what, got, want)
}

// got checks what clients have got since the last check: these ones all of this,
// and the others nothing.
func (c *clients) got(what, receivers string, events ...string) {
	c.t.Helper()
	want := make(map[string]json.RawMessage)
	for _, name := range c.names {
		want[name] = json.RawMessage("[]")
		if slices.Contains(strings.Fields(receivers), name) {
			want[name] = json.RawMessage("[" + strings.Join(events, ",") + "]")
		}
	}
	text, err := json.Marshal(want)
	if err != nil {
		c.t.Fatal(err)
	}
	received := func() string {
		var v map[string]json.RawMessage
		json.Unmarshal([]byte(c.at.run(`return got`)), &v)
		sorted, err := json.Marshal(v)
		if err != nil {
			c.t.Fatal(err)
		}
		return string(sorted)
	}
	c.eventually(what, received, string(text))
	// What comes twice comes soon.
	time.Sleep(20 * time.Millisecond)
	c.eventually(what, received, string(text))
	c.at.run(`for (const name in got) got[name].length = 0`)
}
