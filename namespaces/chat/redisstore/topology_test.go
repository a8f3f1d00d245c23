package redisstore

import (
	"cmp"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/namespaces/chat/storetest"
)

// openWith makes a store with a client, which is closed.
func openWith(t testing.TB, rdb redis.UniversalClient, namespace string, opts Options) *Store {
	t.Helper()
	defer rdb.Close()
	opts.Timeout = cmp.Or(opts.Timeout, guard) // the default is less than a busy machine may take
	s, err := New(rdb, namespace, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // the server may be gone
	return s
}

// TestCluster runs the kit on a Redis Cluster: what belongs to a namespace is on
// one node, and different namespaces are on different ones.
func TestCluster(t *testing.T) {
	servers := redistest.StartCluster(t)
	var n atomic.Int64
	storetest.Run(t, func(t testing.TB, o chat.MemoryOptions) []chat.Store {
		var stores []chat.Store
		namespace := fmt.Sprint("/", n.Add(1))
		for range 2 {
			rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{servers[0].Addr}, DisableIdentity: true})
			opts := Options{History: o.History, HistoryBytes: o.HistoryBytes, HistoryTotal: o.HistoryTotal}
			stores = append(stores, openWith(t, rdb, namespace, opts))
		}
		return stores
	})
	for _, s := range servers {
		if s.Do("dbsize").(int64) == 0 {
			t.Errorf("%s has nothing", s.Addr)
		}
	}
}

// TestClusterDeath lets an instance die whose state is in a Redis Cluster.
func TestClusterDeath(t *testing.T) {
	servers := redistest.StartCluster(t)
	instances := make([]*instance, 2)
	for n := range instances {
		rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{servers[1].Addr}, DisableIdentity: true})
		i := &instance{Store: openWith(t, rdb, "/chat", Options{Heartbeat: quick}), t: t}
		i.stop = i.watch()
		instances[n] = i
	}
	a, b := instances[0], instances[1]
	crew(a)
	await(t, "judging", func() bool { return judges(b) }, true)
	a.stop()
	await(t, "said", func() string { return strings.Join(b.heard(), "; ") }, "r1: ann, 1; r1: x, 0; r2: x, 0")
}

// TestUser is what doc.go says of the rights that a server needs.
func TestUser(t *testing.T) {
	server := redistest.Start(t)
	server.Do("acl", "setuser", "chat", "on", ">secret", "~{parlor#*", "+@all", "-@dangerous", "-@admin")
	client := func() *redis.Client {
		return redis.NewClient(&redis.Options{Addr: server.Addr, Username: "chat", Password: "secret", DisableIdentity: true})
	}
	a := &instance{Store: openWith(t, client(), "/", Options{Heartbeat: quick}), t: t}
	a.stop = a.watch()
	crew(a)
	keep(t, a.Store, "r1", 1, "hello")
	if got := kept(t, a.Store, "r1"); got != "hello" {
		t.Errorf("kept is %q", got)
	}
	server.Do("flushall")
	awaitCrew(t, a.Store)
	b := &instance{Store: openWith(t, client(), "/", Options{Heartbeat: quick}), t: t}
	b.stop = b.watch()
	await(t, "judging", func() bool { return judges(b) }, true)
	a.stop()
	await(t, "said", func() string { return strings.Join(b.heard(), "; ") }, "r1: ann, 1; r1: x, 0; r2: x, 0")

	// Elsewhere it can do nothing, and the password may change.
	c := openWith(t, client(), "/", Options{Prefix: "other"})
	if _, err := c.Connected(background, "ann"); err == nil || !strings.Contains(err.Error(), "NOPERM") {
		t.Errorf("%v", err)
	}
	server.Do("acl", "setuser", "chat", "resetpass", ">other")
	rdb := server.Client()
	defer rdb.Close()
	if err := rdb.Do(background, "client", "kill", "user", "chat").Err(); err != nil {
		t.Error(err)
	}
	await(t, "refused", func() bool {
		_, err := b.Connected(background, "ann")
		return err != nil && strings.Contains(err.Error(), "WRONGPASS")
	}, true)
	server.Do("acl", "setuser", "chat", ">secret")
	await(t, "back", func() bool { _, err := b.Connected(background, "ann"); return err == nil }, true)
}
