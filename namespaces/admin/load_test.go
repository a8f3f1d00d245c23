package admin_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/namespaces/admin"
	"github.com/seed3686fee0/parlor/server"
)

// A page does with what it is told what the Admin UI's page does, and says how
// long that would take.
type page struct {
	rows           int
	sockets, rooms map[string][]string // by namespace
	clients        []string
	members        map[string][]string // of rooms, with their namespaces
}

func newPage() page {
	return page{sockets: make(map[string][]string), rooms: make(map[string][]string), members: make(map[string][]string)}
}

func (p *page) tell(m message) (took time.Duration) {
	text := func(i int) string { return m.args[i].(string) }
	switch m.name {
	case "all_sockets":
		rows := p.rows
		*p = newPage()
		p.rows = rows
		for _, v := range m.args[0].([]any) {
			took += 50*time.Microsecond + time.Duration(p.add(v.(map[string]any)))*250*time.Nanosecond
		}
		return took
	case "socket_connected":
		p.add(m.args[0].(map[string]any))
	case "socket_disconnected":
		p.sockets[text(0)] = slices.DeleteFunc(p.sockets[text(0)], func(s string) bool { return s == text(1) })
	case "room_joined":
		if slices.Contains(p.sockets[text(0)], text(2)) {
			p.member(text(0)+" "+text(1), text(2))
		}
	case "room_left":
		room := text(0) + " " + text(1)
		p.members[room] = slices.DeleteFunc(p.members[room], func(s string) bool { return s == text(2) })
	case "event_received", "event_sent":
	default:
		return 0
	}
	took = 10*time.Millisecond + time.Duration(min(p.rows, 1000))*time.Millisecond
	p.rows++
	return took
}

// add adds a socket, and returns how many things are gone through for it.
func (p *page) add(info map[string]any) (steps int) {
	find := func(list []string, s string) []string {
		i := slices.Index(list, s)
		if i < 0 {
			i = len(list)
			list = append(list, s)
		}
		steps += i
		return list
	}
	ns, id := info["nsp"].(string), info["id"].(string)
	p.sockets[ns] = find(p.sockets[ns], id)
	p.clients = find(p.clients, info["clientId"].(string))
	for _, v := range info["rooms"].([]any) {
		room := v.(string)
		p.rooms[ns] = find(p.rooms[ns], room)
		steps += p.member(ns+" "+room, id)
	}
	return steps
}

func (p *page) member(room, id string) (steps int) {
	if i := slices.Index(p.members[room], id); i >= 0 {
		return i
	}
	p.members[room] = append(p.members[room], id)
	return len(p.members[room]) - 1
}

// TestLoad: whatever happens on the server, what an admin is told in any second is
// no more than a page can stand, and in the end it is right.
func TestLoad(t *testing.T) {
	const (
		load   = 250 * time.Millisecond // a second, and as much at once, overdrawn by a row and by a list of as much
		rounds = 9
	)
	bubble(t, admin.Options{Auth: admin.Insecure()}, func(r *rig) {
		r.Of("/").OnConnect(func(_ context.Context, s *server.Socket) error {
			for i := range 10 {
				if err := s.Join(fmt.Sprint(s.ID(), i)); err != nil {
					return err
				}
			}
			return s.Join("all")
		})
		crowd := func() (list []*client) {
			for range 60 {
				c := r.client("/")
				c.discard()
				list = append(list, c)
			}
			return list
		}
		there := crowd()
		crowds := [][]*client{crowd(), crowd()}
		a := r.client()
		a.join("/admin", "")
		var (
			p     = newPage()
			told  []time.Duration // what each message took
			at    []time.Time
			count = make(map[string]int)
		)
		hear := func() {
			for {
				m := a.event()
				count[m.name]++
				took := p.tell(m)
				if m.name == "all_sockets" && took > load {
					t.Errorf("the page is busy for %s with a list", took)
				}
				told, at = append(told, took), append(at, time.Now())
				if m.name == "server_stats" {
					return
				}
			}
		}
		hear()

		stop := make(chan struct{})
		var flood sync.WaitGroup
		flood.Go(func() {
			for tick := time.Tick(100 * time.Millisecond); ; {
				select {
				case <-tick:
					r.must(r.Of("/").Emit("event"))
				case <-stop:
					return
				}
			}
		})
		for i := range rounds {
			for _, c := range crowds[i%2] {
				c.send("41")
			}
			crowds[i%2] = crowd()
			hear()
		}
		close(stop)
		flood.Wait()
		for _, c := range slices.Concat(crowds...) {
			c.send("41")
		}
		for range 5 {
			hear()
		}

		most := time.Duration(0)
		for i := range told {
			sum := time.Duration(0)
			for j := i; j < len(told) && at[j].Sub(at[i]) < time.Second; j++ {
				sum += told[j]
			}
			most = max(most, sum)
		}
		if row := time.Duration(10+p.rows) * time.Millisecond; most > 3*load+row {
			t.Errorf("the page is busy for %s with what it is told in a second", most)
		}
		if count["event_sent"] < 10 || count["all_sockets"] < 4 || count["all_sockets"] > 9 || count["socket_disconnected"] == 0 {
			t.Errorf("told of %v, want some of all", count)
		}
		want := map[string]bool{"/admin " + a.ids["/admin"]: true}
		for _, c := range there {
			want["/ "+c.ids["/"]] = true
		}
		got := make(map[string]bool)
		for ns, ids := range p.sockets {
			for _, id := range ids {
				got[ns+" "+id] = true
			}
		}
		if n := len(p.members["/ all"]); !maps.Equal(got, want) || n != len(there) {
			t.Errorf("in the end the page has %d sockets, want %d, and %d in a room of %d", len(got), len(want), n, len(there))
		}
	})
}
