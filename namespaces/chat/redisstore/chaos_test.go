package redisstore

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// TestChaos has sockets come and go on two instances while Redis is killed,
// stopped, emptied and cut off. What each was told has happened, has, and what it
// was told has not, has not: in the end the rooms are as everyone thinks.
func TestChaos(t *testing.T) {
	server := redistest.Start(t)
	proxy := redistest.NewProxy(t, server.Addr)
	opts := Options{Heartbeat: quick, Timeout: 200 * time.Millisecond}
	instances := []*instance{start(t, server.Addr, "/", opts), start(t, proxy.Addr, "/", opts)}
	for _, i := range instances {
		await(t, "up", func() bool { return i.Stats().Up }, true)
	}

	var over atomic.Bool
	var workers sync.WaitGroup
	actors := make([]*actor, 24)
	for n := range actors {
		a := &actor{i: instances[n%2], socket: fmt.Sprint("s", n), user: fmt.Sprint("u", n/3), r: rand.New(rand.NewPCG(uint64(n), 0))}
		if n%3 == 0 {
			a.user = a.socket
		}
		actors[n] = a
		workers.Go(func() {
			for !over.Load() {
				a.act()
			}
		})
	}
	pause := func(d time.Duration) { time.Sleep(d) } // in which the actors act
	for range 2 {
		for _, fault := range []func(){
			func() { server.Do("flushall") },
			func() { server.Stop(); pause(400 * time.Millisecond); server.Continue() },
			func() { proxy.Hole(true); pause(1200 * time.Millisecond); proxy.Hole(false); proxy.Cut() },
			func() { server.Kill(); pause(200 * time.Millisecond); server.Restart() },
			proxy.Cut,
		} {
			pause(200 * time.Millisecond)
			fault()
		}
	}
	pause(200 * time.Millisecond)
	over.Store(true)
	workers.Wait()

	want := make(map[string]map[string]bool)
	there, failed := int64(0), 0
	for _, a := range actors {
		failed += a.failed
		if a.there {
			there++
		}
		for room := range a.rooms {
			if want[room] == nil {
				want[room] = make(map[string]bool)
			}
			want[room][a.user] = true
		}
	}
	if failed == 0 {
		t.Error("nothing has failed")
	}
	for n := range 4 {
		room := fmt.Sprint("r", n)
		words := []string{fmt.Sprint(len(want[room]))}
		for user := range want[room] {
			words = append(words, user)
		}
		slices.Sort(words)
		await(t, room, func() string { return sorted(instances[0].Store, room) }, strings.Join(words, " "))
	}
	await(t, "sockets", func() int64 { return server.Do("hlen", "{parlor#/}sockets").(int64) }, there)
	for _, i := range instances {
		await(t, "up", func() bool { return i.Stats().Up }, true)
		t.Logf("%+v", i.Stats())
	}
}

// An actor is a socket that comes and goes.
type actor struct {
	i            *instance
	socket, user string
	r            *rand.Rand

	there  bool
	rooms  map[string]bool
	failed int
}

func (a *actor) act() {
	room := fmt.Sprint("r", a.r.IntN(4))
	var err error
	switch n := a.r.IntN(20); {
	case !a.there:
		_, err = a.i.SetStatus(background, a.socket, a.user, chat.Online)
		a.there, a.rooms = true, make(map[string]bool) // whatever came of it
	case n == 0: // as a chat does whose socket is closed
		for room := range a.rooms {
			_, failure := a.i.Leave(background, room, a.socket, a.user)
			err = firstOf(err, failure)
		}
		_, failure := a.i.Remove(background, a.socket, a.user)
		err = firstOf(err, failure)
		a.there, a.rooms = false, nil
		a.socket += "'" // which does not come again
		if !strings.HasPrefix(a.user, "u") {
			a.user = a.socket
		}
	case a.rooms[room]:
		if _, err = a.i.Leave(background, room, a.socket, a.user); err == nil {
			delete(a.rooms, room)
		}
	default:
		if _, err = a.i.Join(background, room, a.socket, chat.User{ID: a.user}, -1); err == nil {
			a.rooms[room] = true
		}
	}
	if err != nil {
		a.failed++
		time.Sleep(time.Millisecond) // an error may take no time at all
	}
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
