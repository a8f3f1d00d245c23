package redisadapter

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/seed3686fee0/parlor/internal/redistest"
)

// TestACL: what docs/redis.md says a user needs is enough.
func TestACL(t *testing.T) {
	server := redistest.Start(t)
	for name, form := range map[string]struct {
		rules []any
		make  func(redis.UniversalClient, ...Option) *Cluster
	}{
		"classic": {
			[]any{
				"+publish", "+subscribe", "+unsubscribe", "+psubscribe", "+punsubscribe", "+pubsub|numsub", "+ping",
				"&shop-request#*", "&shop-response#*", "&shop#*", "&shop#/g#*",
			},
			NewPubSub,
		},
		"sharded": {[]any{"+spublish", "+ssubscribe", "+sunsubscribe", "+pubsub|shardnumsub", "+ping", "&shop#*"}, NewSharded},
	} {
		t.Run(name, func(t *testing.T) {
			server.Do(append([]any{"ACL", "SETUSER", name, "on", ">secret", "nocommands", "resetchannels"}, form.rules...)...)
			rdb := redis.NewClient(&redis.Options{Addr: server.Addr, Username: name, Password: "secret"})
			t.Cleanup(func() { rdb.Close() })
			nodes, members := startAll(t, 2, func() *Cluster { return form.make(rdb, WithPrefix("shop"), Patient) })
			operations(t, nodes, members)
		})
	}
}
