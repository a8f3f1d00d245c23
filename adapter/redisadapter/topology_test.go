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
		count := make(map[string]int)
		for _, s := range m.take() {
			count[s]++
		}
		if count[`"all"`] != 100 || count[`"room"`] != 100 {
			t.Errorf("%s got %v", m.id, count)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	if infos, err := nodes[1].FetchSockets(ctx, adapter.Target{}); err != nil || len(infos) != len(members) {
		t.Errorf("%d sockets, %v", len(infos), err)
	}
}

// TestRedisCluster: a Redis Cluster, where ordinary pub/sub goes through the
// cluster's bus and every node knows of its own connections only, and each shard
// channel is at a node of its own.
func TestRedisCluster(t *testing.T) {
	t.Parallel()
	servers := redistest.StartCluster(t)
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{servers[0].Addr, servers[1].Addr}})
	defer rdb.Close()
	again := func(t *testing.T, nodes []*node, members []*member, connects uint64) {
		t.Helper()
		eventually(t, "all have connected again", func() bool {
			return nodes[0].cluster.Stats().Connects >= connects && nodes[1].cluster.Stats().Connects >= connects
		})
		complete(t, nodes)
		operations(t, nodes, members)
	}
	for name, newCluster := range map[string]func(redis.UniversalClient, ...Option) *Cluster{"classic": NewPubSub, "sharded": NewSharded} {
		t.Run(name, func(t *testing.T) {
			nodes, members := startAll(t, 2, func() *Cluster { return newCluster(rdb, Patient) })
			operations(t, nodes, members)
			for _, s := range servers {
				s.Do("CLIENT", "KILL", "TYPE", "pubsub")
				s.Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			}
			again(t, nodes, members, 2)
			if name != "sharded" {
				return
			}
			// The slot of the channel that all listen to moves to the other master.
			slot := servers[0].Do("CLUSTER", "KEYSLOT", nodes[0].counted.Name).(int64)
			from, to := servers[1], servers[0]
			if slot < 8192 {
				from, to = to, from
			}
			// As it imports the slot its claim gets a new epoch, and wins over what the
			// other still says on the cluster's bus.
			to.Do("CLUSTER", "SETSLOT", slot, "IMPORTING", from.Do("CLUSTER", "MYID"))
			for _, s := range []*redistest.Server{to, from} {
				s.Do("CLUSTER", "SETSLOT", slot, "NODE", to.Do("CLUSTER", "MYID"))
			}
			again(t, nodes, members, 3)
		})
	}
}

// TestSentinel: Redis behind Sentinel, whose master dies.
func TestSentinel(t *testing.T) {
	t.Parallel()
	master := redistest.Start(t)
	host, port, err := net.SplitHostPort(master.Addr)
	if err != nil {
		t.Fatal(err)
	}
	replica := redistest.Start(t, "--replicaof", host+" "+port)
	conf := t.TempDir() + "/sentinel.conf"
	text := "sentinel monitor it " + host + " " + port + " 1\nsentinel down-after-milliseconds it 60000\nsentinel failover-timeout it 2000\n"
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
	for _, form := range []func() *Cluster{func() *Cluster { return NewPubSub(rdb, Patient) }} {
		nodes, members := startAll(t, 2, form)
		operations(t, nodes, members)
		sentinel.Do("SENTINEL", "SET", "it", "down-after-milliseconds", "500") // from now on
		master.Kill()
		before := time.Now()
		eventually(t, "all are at the new master", func() bool {
			return nodes[0].cluster.Stats().Connects >= 2 && nodes[1].cluster.Stats().Connects >= 2
		})
		t.Logf("connected to the new master %v after the end of the old", time.Since(before).Round(time.Millisecond))
		complete(t, nodes)
		operations(t, nodes, members)
	}
}
