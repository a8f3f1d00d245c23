//go:build unix

package redisadapter

import (
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/internal/redistest"
)

// TestG05: rubbish on every channel is counted and ignored, and nothing of it
// reaches a client.
func TestG05(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	nodes, members := startAll(t, 2, onRedis(t, server.Addr))
	rdb := server.Client()
	defer rdb.Close()
	f := nodes[0].form.(classic)
	channels := []string{f.broadcasts("/g"), f.broadcasts("/g") + "r#", f.requests("/g"), f.responses("/g"), f.responses("/g") + nodes[0].own.uid + "#"}
	data, err := os.ReadFile("internal/wire/testdata/redis-tolerance.json")
	if err != nil {
		t.Fatal(err)
	}
	var inputs []struct{ Hex string }
	if err := json.Unmarshal(data, &inputs); err != nil {
		t.Fatal(err)
	}
	pipe := rdb.Pipeline()
	count := 0
	publish := func(payload []byte) {
		for _, channel := range channels {
			pipe.Publish(t.Context(), channel, payload)
			count++
		}
	}
	random := rand.New(rand.NewPCG(1, 2)) // the same every time
	for _, in := range inputs {
		payload, err := hex.DecodeString(in.Hex)
		if err != nil {
			t.Fatal(err)
		}
		publish(payload) // they name the namespace "/": none of them is for /g
		for range 20 {
			x := append([]byte{}, payload...)
			for range 1 + random.IntN(4) {
				if len(x) > 0 {
					x[random.IntN(len(x))] = byte(random.IntN(256))
				}
			}
			publish(x)
		}
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	reaches(t, nodes[0], members[1:])
	settle(t, nodes)
	for i, n := range nodes {
		s := n.cluster.Stats()
		t.Logf("%d published, %+v", count, s)
		if s.Malformed == 0 || !s.Up || s.Connects != 1 {
			t.Errorf("instance %d: %+v", i, s)
		}
	}
	for _, m := range members {
		for _, got := range m.take() {
			if len(got) == 0 || got[0] != '"' && (got[0] < '0' || got[0] > '9') && got[0] != '-' {
				t.Errorf("a client got %q", got)
			}
		}
	}
}

// TestG06: messages that are too large, and too many.
func TestG06(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	nodes, members := startAll(t, 2, onRedis(t, server.Addr))
	rdb := server.Client()
	defer rdb.Close()
	channel := nodes[0].form.(classic).broadcasts("/g")
	// Over the limit here, under that of Redis for what waits for a subscriber.
	if err := rdb.Publish(t.Context(), channel, strings.Repeat("x", 20<<20)).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is counted", func() bool { return nodes[0].cluster.Stats().Malformed == 1 })
	// Over that of Redis too, which ends the connections.
	if err := rdb.Publish(t.Context(), channel, strings.Repeat("x", 64<<20)).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all are connected again", func() bool {
		return nodes[0].cluster.Stats().Connects+nodes[1].cluster.Stats().Connects >= 4 || nodes[0].cluster.Stats().Malformed == 2
	})
	complete(t, nodes)
	reaches(t, nodes[0], members)
	// Many, for a room that nobody is in.
	pipe := rdb.Pipeline()
	for range 20_000 {
		pipe.Publish(t.Context(), channel+"nobody#", "x")
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	reaches(t, nodes[0], members)
	nodes[0].Broadcast(event(strings.Repeat("x", 17<<20)), adapter.Target{})
	if s := nodes[0].cluster.Stats(); s.Dropped != 1 {
		t.Errorf("a message over the limit: %+v", s)
	}
	for _, m := range members {
		m.take()
	}
}

// TestG07: what a later version may write is understood as far as it can be.
func TestG07(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	nodes, members := startAll(t, 1, onRedis(t, server.Addr))
	rdb := server.Client()
	defer rdb.Close()
	f := nodes[0].form.(classic)
	for _, payload := range []string{
		`{"type":99,"uid":"x"}`, `{"type":2,"uid":"x","opts":{"rooms":["r"],"except":[],"new":[1]},"rooms":["s"],"new":{"a":1}}`, `{"uid":"x"}`,
	} {
		if err := rdb.Publish(t.Context(), f.requests("/g"), payload).Err(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "what is known is done", func() bool { return nodes[0].In(members[0].id, "s") })
	eventually(t, "the rest is counted", func() bool { return nodes[0].cluster.Stats().Malformed == 2 })
}
