package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/adapter/redisadapter"
	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/internal/servertest"
	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
	"github.com/seed3686fee0/parlor/server"
)

// joins opens an office in a cluster.
func joins(t *testing.T, redis, id string) *office {
	t.Helper()
	rdb := redistest.Client(redis)
	cluster := redisadapter.NewPubSub(rdb)
	o := openOffice(t, admin.Options{Auth: admin.Basic(apiUser, hash), ServerID: id}, server.WithAdapter(cluster.Adapter))
	t.Cleanup(func() { rdb.Close() })
	return o
}

// Whatever instance is asked, the answer is about all, and commands reach all.
// One that does not answer is missing, and said to be, in time.
func TestAPICluster(t *testing.T) {
	redis := redistest.Start(t)
	proxy := redistest.NewProxy(t, redis.Addr)
	a, b := joins(t, redis.Addr, "a"), joins(t, proxy.Addr, "b")
	d := jstest.Start(t)
	const adas = `{"userId":"u1","user":"Ada"}`
	here, hereID := a.comes(d, "/chat", adas, jstest.WebSocket, "lobby")
	there, thereID := b.comes(d, "/chat", adas, jstest.Polling, "lobby", "news")
	bob, bobID := b.comes(d, "/chat", `{"userId":"u2"}`, jstest.WebSocket, "lobby")

	// Until they know of each other.
	for deadline := time.Now().Add(jstest.Deadline); ; time.Sleep(10 * time.Millisecond) {
		both := len(ask[adminapi.Stats](a, call{path: "v1/stats"}).Servers) + len(ask[adminapi.Stats](b, call{path: "v1/stats"}).Servers)
		if both == 4 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the two do not find each other")
		}
	}

	for _, o := range []*office{a, b} {
		found := ask[adminapi.Sockets](o, call{path: "v1/sockets?user=u1"})
		if !sameSockets(found.Sockets, hereID, thereID) || found.Missing != 0 {
			t.Errorf("%+v", found)
		}
		for _, s := range found.Sockets {
			want := "websocket"
			if s.ID == thereID {
				want = "polling"
			}
			if s.Transport != want || s.ClientID == "" || strings.Contains(string(s.Data), "_admin") {
				t.Errorf("%+v", s)
			}
		}
		rooms := ask[adminapi.Rooms](o, call{path: "v1/rooms"})
		if got := fmt.Sprint(rooms.Rooms); got != "[{lobby /chat 3} {news /chat 1}]" {
			t.Errorf("rooms %s", got)
		}
		if s := ask[adminapi.Socket](o, call{path: "v1/sockets/" + thereID}); s.Handshake == nil || strings.Contains(fmt.Sprint(s), "s3cret") {
			t.Errorf("%+v", s)
		}
	}

	stats := ask[adminapi.Stats](b, call{path: "v1/stats"})
	if len(stats.Servers) != 2 || stats.Servers[0].ID != "b" || stats.Servers[1].ID != "a" || stats.Missing != 0 {
		t.Fatalf("%+v", stats)
	}
	if s := stats.Servers[0]; s.Clients != 2 || s.Polling != 1 || s.Opened != 2 || s.PacketsIn == 0 || s.PID == 0 || s.Uptime <= 0 ||
		fmt.Sprint(s.Namespaces) != "[{/ 0} {/chat 2} {/admin 0}]" {
		t.Errorf("%+v", s)
	}

	if got := ask[adminapi.Done](a, call{path: "v1/join", body: `{"namespace":"/chat","target":{"socket":"` + bobID + `"},"room":"vip"}`}); got.Sockets != 1 {
		t.Errorf("%+v", got)
	}
	if got := ask[adminapi.Done](a, call{path: "v1/emit", body: `{"namespace":"/chat","target":{"room":"lobby"},"event":"notice","args":[1]}`}); got.Sockets != 3 || got.Missing != 0 {
		t.Errorf("%+v", got)
	}
	for _, c := range []*jstest.Client{here, there, bob} {
		c.Wait("notice")
	}
	// A kick by user, given to the other instance.
	if got := ask[adminapi.Done](a, call{path: "v1/disconnect", body: `{"target":{"user":"u1"},"close":true}`}); got.Sockets != 2 || got.Missing != 0 {
		t.Errorf("%+v", got)
	}
	here.WaitDisconnect()
	there.WaitDisconnect()
	servertest.Eventually(t, "it has left", func() bool { return a.io.Of("/chat").RoomSize("lobby") == 0 })

	// b is still counted, but does not answer.
	proxy.Hole(true)
	var asking sync.WaitGroup
	for what, missing := range map[string]func() int{
		"sockets": func() int {
			found := ask[adminapi.Sockets](a, call{path: "v1/sockets?namespace=/chat"})
			return found.Missing*100 + found.Total
		},
		"stats": func() int {
			stats := ask[adminapi.Stats](a, call{path: "v1/stats"})
			return stats.Missing*100 + len(stats.Servers) - 1
		},
		"emit": func() int {
			done := ask[adminapi.Done](a, call{path: "v1/emit", body: `{"namespace":"/chat","target":{"room":"lobby"},"event":"notice"}`})
			return done.Missing*100 + done.Sockets
		},
		"a socket that may be there": func() int {
			done := ask[adminapi.Done](a, call{path: "v1/leave", body: `{"namespace":"/chat","target":{"socket":"` + bobID + `"},"room":"vip"}`})
			return done.Missing*100 + done.Sockets
		},
		"a user who may be": func() int {
			e, _ := a.refused(call{path: "v1/disconnect", body: `{"target":{"user":"u2"}}`}, http.StatusNotFound)
			return 100 * strings.Count(e.Message, "1 have not")
		},
	} {
		asking.Go(func() {
			begun := time.Now()
			if got := missing(); got != 100 {
				t.Errorf("%s: %d", what, got)
			}
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("%s took %v", what, took)
			}
		})
	}
	asking.Wait()
	proxy.Hole(false)
}
