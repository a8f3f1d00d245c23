package redisadapter

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/wire"
	"github.com/seed3686fee0/parlor/internal/redistest"
)

// Public advisories about what goes over Redis, each replayed here; the numbers are
// those of the conformance tests, which have the others.

// TestAdvisory31 (CVE-2025-61765): what would be code to others is data, or
// nothing. Pickles, serialized objects, scripts and prototypes on every channel are
// read as messages that mean what they say, or refused.
func TestAdvisory31_Code(t *testing.T) {
	for _, payload := range []string{
		"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94.", // pickle, protocol 4
		"cos\nsystem\n(S'id'\ntR.",                                    // protocol 0
		"\xac\xed\x00\x05sr\x00\x11java.util.HashMap",                 // Java
		`O:8:"stdClass":0:{}`,                                         // PHP
		`{"rce":"_$$ND_FUNC$$_function(){}()"}`,                       // of Node
		`{"type":0,"uid":"x","nsp":"/g","data":{"__proto__":{}}}`,     //
		`{"type":6,"uid":"x","data":{"toString":1}}`,                  //
		"\x93\xa1x\xc7\x01\x2a\x00\xc0",                               // MessagePack, an extension of no known type
		"\x93\xa6forged\x82\xa4type\x02\xa4data\xc7\x05\x63abcde\xc0", // within a packet
		"*3\r\n$7\r\nPUBLISH\r\n",
	} {
		for name, f := range map[string]form{"classic": classic{"p"}, "sharded": sharded{"p", Dynamic}} {
			r := wire.NewReader(1 << 20)
			for _, s := range f.subs("/g", "uid") {
				channel := s.Name
				if s.Kind == link.Pattern {
					channel = strings.TrimSuffix(channel, "*")
				}
				m, err := f.decode(r, "/g", &link.Event{Sub: s, Channel: channel, Payload: payload})
				if err == nil && (m.Args.Len() > 0 || len(m.Rooms) > 0 || m.Close) {
					t.Errorf("%s, %s: %q is %+v", name, channel, payload, m)
				}
			}
		}
	}
}

// awkward are names that hold what separates names. Namespaces hold no "#".
var awkward = []string{"a", "a_b", "a_b_c", "b_c", "a#b", "b#", "#", "##", "a,b", "a\r\nb", "a\nPUBLISH p#/g# x", "a\x1eb", "a\x00b", "a b", "*", "?", "[a]", `\`, "a:b", "{a}", "uid", ""}

// TestAdvisory35 (CVE-2026-39972): no two pairs of a namespace and a room have the
// same channel, and each is read from its channel as it was.
func TestAdvisory35_Names(t *testing.T) {
	for name, f := range map[string]form{"classic": classic{"p"}, "sharded": sharded{"p", DynamicPrivate}} {
		owner := map[string]string{}
		for _, ns := range awkward {
			if ns = "/" + ns; strings.Contains(ns, "#") {
				continue
			}
			for _, room := range awkward {
				if room == "" {
					continue
				}
				pair := fmt.Sprintf("%q of %q", room, ns)
				out, err := f.encode(&wire.Message{Op: wire.Broadcast, UID: "x", Args: event("e").Packet().Args, Target: adapter.Target{Rooms: []string{room}}}, ns, "")
				if err != nil {
					t.Fatal(err)
				}
				if other, taken := owner[out.Channel]; taken {
					t.Errorf("%s: %s and %s share the channel %q", name, pair, other, out.Channel)
				}
				owner[out.Channel] = pair
				e := link.Event{Sub: f.subs(ns, "uid")[0], Channel: out.Channel, Payload: string(out.Payload)}
				if got, ok := f.room(ns, &e); !ok || got != room {
					t.Errorf("%s: the channel of %s is that of %q, %v", name, pair, got, ok)
				}
				m, err := f.decode(wire.NewReader(1<<20), ns, &e)
				if err != nil || len(m.Target.Rooms) != 1 || m.Target.Rooms[0] != room {
					t.Errorf("%s: %s is read as %+v, %v", name, pair, m, err)
				}
			}
		}
	}
}

// TestAdvisory36 (GHSA-qrcv-3558-gj4f): over a real Redis, a room whose name has
// line breaks and separators in it hears what is sent to it, and nobody else does.
func TestAdvisory36_LineBreaks(t *testing.T) {
	server := redistest.Start(t)
	inForms(t, func(t *testing.T, on clusters) {
		nodes, members := startAll(t, 2, on(t, server.Addr))
		there := members[1]
		for i, room := range awkward {
			if room == "" {
				continue
			}
			nodes[1].Join(there.id, room)
			word := fmt.Sprint("to ", i)
			eventually(t, "the room is heard", func() bool {
				nodes[0].Broadcast(event(word), adapter.Target{Rooms: []string{room}})
				time.Sleep(time.Millisecond)
				return there.count() > 0
			})
			nodes[1].Leave(there.id, room)
			settle(t, nodes)
			there.take()
			nodes[0].Broadcast(event("gone"), adapter.Target{Rooms: []string{room}})
			nodes[0].Broadcast(event("last"), adapter.Target{Rooms: []string{"r"}})
			eventually(t, "what comes last is there", func() bool { return there.count() > 0 })
			if got := there.take(); len(got) != 1 || got[0] != `"last"` {
				t.Errorf("who has left %q gets %q", room, got)
			}
		}
		for i, n := range nodes {
			if s := n.cluster.Stats(); s.Malformed != 0 || s.Connects != 1 {
				t.Errorf("instance %d: %+v", i, s)
			}
		}
	})
}

// TestAdvisory39 (CVE-2025-29923): a Redis that stalls while it is connected to,
// and answers later, answers what it was asked.
func TestAdvisory39_StalledDial(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	server.Do("SET", "a", "1")
	proxy := redistest.NewProxy(t, server.Addr)
	proxy.Latency(150 * time.Millisecond)
	rdb := redis.NewClient(&redis.Options{Addr: proxy.Addr, PoolSize: 1, DialTimeout: time.Second, ReadTimeout: 100 * time.Millisecond, MaxRetries: -1})
	defer rdb.Close()
	for i := range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		if got, err := rdb.Get(ctx, "a").Result(); err == nil && got != "1" {
			t.Errorf("%d: GET was answered %q", i, got)
		}
		cancel()
	}
	proxy.Latency(0)
	eventually(t, "it answers again", func() bool {
		got, err := rdb.Get(t.Context(), "a").Result()
		if err == nil && got != "1" {
			t.Errorf("GET was answered %q", got)
		}
		return err == nil
	})
	eventually(t, "it echoes", func() bool {
		got, err := rdb.Echo(t.Context(), "word").Result()
		if err == nil && got != "word" {
			t.Errorf("ECHO was answered %q", got)
		}
		return err == nil
	})
}
