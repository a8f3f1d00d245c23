package redisadapter

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/internal/redistest"
)

// operations tries what goes different ways at Redis.
func operations(t *testing.T, nodes []*node, members []*member) {
	t.Helper()
	reaches(t, nodes[0], members)
	reaches(t, nodes[1], members)
	for range 100 {
		nodes[0].Broadcast(event("all"), adapter.Target{})
		nodes[0].Broadcast(event("room"), adapter.Target{Rooms: []string{"r"}})
	}
	settle(t, nodes)
	for _, m := range members {
		eventually(t, "all arrive", func() bool { return m.count() >= 200 })
		if got := m.take(); len(got) != 200 || got[0] != `"all"` || got[199] != `"room"` || got[101] != `"room"` {
			t.Errorf("%s got %d: %q…", m.id, len(got), got[:2])
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	if infos, err := nodes[1].FetchSockets(ctx, adapter.Target{}); err != nil || len(infos) != len(members) {
		t.Errorf("%d sockets, %v", len(infos), err)
	}
}

// TestRedisCluster: ordinary pub/sub over a Redis Cluster, where it goes through
// the cluster's bus and every node knows of its own connections only.
func TestRedisCluster(t *testing.T) {
	servers := redistest.StartCluster(t)
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{servers[0].Addr, servers[1].Addr}})
	defer rdb.Close()
	nodes, members := startAll(t, 2, func() *Cluster { return NewPubSub(rdb) })
	operations(t, nodes, members)
	for _, s := range servers {
		s.Do("CLIENT", "KILL", "TYPE", "pubsub")
		s.Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	}
	eventually(t, "all have connected again", func() bool {
		return nodes[0].cluster.Stats().Connects == 2 && nodes[1].cluster.Stats().Connects == 2
	})
	complete(t, nodes)
	operations(t, nodes, members)

	refused := NewSharded(rdb)
	n, _ := start(t, 9, refused)
	eventually(t, "the sharded form is refused", func() bool {
		_, err := refused.Up()
		return err != nil && strings.Contains(err.Error(), "not there yet")
	})
	n.Close()
}

// TestSentinel: Redis behind Sentinel, whose master dies.
func TestSentinel(t *testing.T) {
	master := redistest.Start(t)
	host, port, err := net.SplitHostPort(master.Addr)
	if err != nil {
		t.Fatal(err)
	}
	replica := redistest.Start(t, "--replicaof", host+" "+port)
	conf := t.TempDir() + "/sentinel.conf"
	text := "sentinel monitor it " + host + " " + port + " 1\nsentinel down-after-milliseconds it 500\nsentinel failover-timeout it 2000\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := redistest.StartSentinel(t, conf)
	eventually(t, "Sentinel knows the replica", func() bool {
		list, _ := sentinel.Do("SENTINEL", "REPLICAS", "it").([]any)
		return len(list) == 1 && strings.Contains(replica.Do("INFO", "replication").(string), "master_link_status:up")
	})
	rdb := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "it", SentinelAddrs: []string{sentinel.Addr}})
	defer rdb.Close()
	for _, form := range []func() *Cluster{func() *Cluster { return NewPubSub(rdb) }} {
		nodes, members := startAll(t, 2, form)
		operations(t, nodes, members)
		master.Kill()
		before := time.Now()
		eventually(t, "all are at the new master", func() bool {
			return nodes[0].cluster.Stats().Connects == 2 && nodes[1].cluster.Stats().Connects == 2
		})
		t.Logf("connected to the new master %v after the end of the old", time.Since(before).Round(time.Millisecond))
		complete(t, nodes)
		operations(t, nodes, members)
	}
}
