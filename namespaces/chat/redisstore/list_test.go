package redisstore

import (
	"fmt"
	"math"
	"testing"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// A room may have more users than a script reads at once, and than are listed.
func TestLargeRoom(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.Addr, "/", Options{})
	i := &instance{Store: s, t: t}
	const users = 2100
	for n := range users {
		id := fmt.Sprint("u", n)
		if n%700 == 0 {
			i.connect(id, id)
			if _, err := s.SetStatus(background, id, id, chat.Away); err != nil {
				t.Fatal(err)
			}
		}
		i.join("r", id, id)
	}
	for _, atMost := range []int{0, 1, 200, 999, 1000, 1001, 2000, users, users + 1, math.MaxInt} {
		members, count, err := s.Members(background, "r", atMost)
		if err != nil || count != users || len(members) != min(atMost, users) {
			t.Fatalf("%d of %d, want %d: %v", len(members), count, atMost, err)
		}
		for n, m := range members {
			want := chat.Member{User: chat.User{ID: fmt.Sprint("u", n), Name: fmt.Sprint("name of u", n)}}
			if n%700 == 0 {
				want.Status = chat.Away
			}
			if m != want {
				t.Fatalf("%+v, want %+v", m, want)
			}
		}
	}
}
