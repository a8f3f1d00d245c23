//go:build unix

package redisadapter

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/internal/redistest"
)

// TestClusterFailover: a master of a Redis Cluster gives its place to a replica, and
// closes no connection. Whoever listened there is not counted any more, for only
// masters are asked; so it listens elsewhere.
func TestClusterFailover(t *testing.T) {
	t.Parallel()
	servers := redistest.StartCluster(t)
	home := servers[0]
	if home.Do("CLUSTER", "KEYSLOT", "socket.io").(int64) >= 8192 {
		home = servers[1]
	}
	bus := redistest.FreePort(t)
	replica := redistest.Start(t, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", bus)
	host, port, err := net.SplitHostPort(replica.Addr)
	if err != nil {
		t.Fatal(err)
	}
	home.Do("CLUSTER", "MEET", host, port, bus)
	id := home.Do("CLUSTER", "MYID").(string)
	eventually(t, "they have met", func() bool { return strings.Contains(replica.Do("CLUSTER", "NODES").(string), id) })
	replica.Do("CLUSTER", "REPLICATE", id)
	eventually(t, "it is a replica", func() bool {
		return strings.Contains(replica.Do("INFO", "replication").(string), "master_link_status:up") &&
			strings.Contains(servers[0].Do("CLUSTER", "NODES").(string), "slave "+id) && strings.Contains(servers[1].Do("CLUSTER", "NODES").(string), "slave "+id)
	})

	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{servers[0].Addr, servers[1].Addr}, ClusterStateReloadInterval: 100 * time.Millisecond})
	defer rdb.Close()
	soon := func(c *config) { c.pingEvery, c.silences = 100*time.Millisecond, 100 } // a ping finds who has the slot
	nodes, members := startAll(t, 2, func() *Cluster { return NewPubSub(rdb, Patient, soon) })
	operations(t, nodes, members)
	var asked time.Time
	eventually(t, "it is the master", func() bool {
		// Redis gives up after five seconds, which a busy machine may take to vote.
		if time.Since(asked) > 6*time.Second && strings.Contains(replica.Do("INFO", "replication").(string), "role:slave") {
			asked = time.Now()
			replica.Do("CLUSTER", "FAILOVER")
		}
		c, err := rdb.MasterForKey(t.Context(), "socket.io")
		return err == nil && c.Options().Addr == replica.Addr
	})
	eventually(t, "both are counted", func() bool {
		for _, n := range nodes {
			infos, err := n.FetchSockets(t.Context(), adapter.Target{})
			if err != nil || len(infos) != 2 {
				return false
			}
		}
		return nodes[0].cluster.Stats().Connects > 1 && nodes[1].cluster.Stats().Connects > 1
	})
	operations(t, nodes, members)
}
