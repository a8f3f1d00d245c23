package redisstore

import (
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/adapter/redisadapter"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/server"
)

// An instance does nothing for so long that it is taken for dead, and goes on.
// Those elsewhere who were told that its people have left are told that they are
// there, each once.
func TestBack(t *testing.T) {
	redis := redistest.Start(t)
	join := func() *site {
		rdb := redis.Client()
		t.Cleanup(func() { rdb.Close() })
		c := redisadapter.NewPubSub(rdb)
		s := serve(t, redis.Addr, server.WithAdapter(c.Adapter))
		await(t, "up", func() bool { return c.Stats().Up }, true)
		return s
	}
	a, b := join(), join()
	ann, cid, x := a.as("ann"), a.as("cid"), a.as("")
	tab, bob := b.as("cid"), b.as("bob")
	contains(t, tab.call("presence", `{"status":"away"}`), `"ok":true`)
	for _, c := range []*client{tab, bob, ann, cid} {
		c.call("join", `"tea"`)
	}
	bob.await(`42["user_joined",{"room":"tea","userId":"ann"`)
	contains(t, ann.call("presence", `{"status":"away"}`), `"ok":true`)
	contains(t, x.call("join", `{"room":"tea","username":"Xenia"}`), `"userCount":4`)
	bob.await(`42["user_joined",{"room":"tea","userId":"`)
	await(t, "judging", b.judges, true)

	for range 2 {
		bob.rest = nil
		a.die()
		for range 2 { // in either order
			bob.await(`42["user_left"`)
		}
		contains(t, bob.await(`42["presence",{"userId":"cid"`), `"status":"away"`)
		contains(t, bob.call("who", `"tea"`), `"userCount":2`)
		await(t, "sockets", func() int64 { return redis.Do("hlen", "{parlor#/}sockets").(int64) }, 2)
		bob.rest = nil
		a.live()
		said := bob.await(`42["user_joined"`) + bob.await(`42["user_joined"`)
		contains(t, said, `"user":"ANN"`, `"user":"Xenia"`, `"userCount":4`)
		contains(t, bob.await(`42["presence",{"userId":"ann"`), `"status":"away"`)
		contains(t, bob.await(`42["presence",{"userId":"cid"`), `"status":"online"`)
		contains(t, bob.call("who", `"tea"`), `"userCount":4`)
	}
	// One of them leaves, of whom nothing is said any more.
	a.die()
	for range 2 {
		bob.await(`42["user_left"`)
	}
	bob.await(`42["presence",{"userId":"cid"`)
	await(t, "sockets", func() int64 { return redis.Do("hlen", "{parlor#/}sockets").(int64) }, 2)
	contains(t, ann.call("leave", `"tea"`), `"ok":true`)
	a.live()
	contains(t, bob.await(`42["user_joined"`), `"user":"Xenia"`, `"userCount":3`)
	contains(t, bob.await(`42["presence",{"userId":"cid"`), `"status":"online"`)
	contains(t, bob.call("who", `"tea"`), `"userCount":3`)
	if got := strings.Join(bob.rest, ""); strings.Contains(got, "user_joined") || strings.Count(got, "user_left") != 1 {
		t.Errorf("told of too much: %s", got)
	}
}
