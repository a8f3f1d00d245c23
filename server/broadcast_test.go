package server_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

// Behaviour 18: who gets a broadcast, each once.
func TestBroadcastTargets(t *testing.T) {
	r := serve(t)
	ns := r.Of("/")
	var clients []*client
	var sockets []*server.Socket
	for _, rooms := range [][]string{{"r", "s"}, {"r"}, {"s"}, {}} {
		c, id := r.connect()
		s := r.socket("/", id)
		if err := s.Join(rooms...); err != nil {
			t.Fatal(err)
		}
		clients, sockets = append(clients, c), append(sockets, s)
	}
	one, own := sockets[1].ID(), sockets[0]
	for i, tt := range []struct {
		to   server.Emitter
		want string // the numbers of the clients
	}{
		{ns, "0123"},
		{ns.To("r"), "01"},
		{ns.In("r", "s"), "012"},
		{ns.To("r").To("s").In("r"), "012"},
		{ns.To("nobody"), ""},
		{ns.Except("r"), "23"},
		{ns.To("r").Except("s"), "1"},
		{ns.To("r").Except("s", one), ""},
		{ns.To(one, "s"), "012"},
		{ns.Local(), "0123"},
		{ns.Local().To("r"), "01"},
		{ns.Compress(false).To("r").Timeout(time.Second), "01"},
		{own, "0"},
		{own.Compress(false), "0"},
		{own.Timeout(time.Second), "0"},
		{own.Broadcast(), "123"},
		{own.To("r"), "1"},
		{own.In("r", "s"), "12"},
		{own.Except("s"), "13"},
		{own.Local(), "123"},
		{own.To(own.ID()), ""},
		{own.To("r").Except("s").Local(), "1"},
		{own.Compress(false).To("s"), "2"},
		{own.Compress(false).In("s"), "2"},
		{own.Compress(false).Except("s"), "13"},
		{own.Compress(false).Local(), "123"},
	} {
		if err := tt.to.Emit("e", i); err != nil {
			t.Fatal(err)
		}
		for k, c := range clients {
			var want []string
			if strings.Contains(tt.want, fmt.Sprint(k)) {
				want = []string{fmt.Sprintf(`42["e",%d]`, i)}
			}
			c.only(sockets[k], want...)
		}
	}
}

// Behaviour 15 by its effect: while a client does not read, volatile events to
// it are dropped and counted, and none of the others are.
func TestVolatile(t *testing.T) {
	r := serve(t, server.WithMaxQueue(64<<20))
	c, id := r.connect()
	s := r.socket("/", id)
	var dropped int64
	eventually(t, "a volatile event is sent", func() bool { // once the CONNECT is
		dropped = r.Stats().VolatileDropped
		if err := s.Volatile().Emit("v", 0); err != nil {
			t.Fatal(err)
		}
		return r.Stats().VolatileDropped == dropped
	})
	c.expect(`42["v",0]`)
	large := strings.Repeat("x", 16<<20)
	if err := s.Emit("large", large); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if err := errors.Join(s.Volatile().Emit("v", i), r.Of("/").Volatile().Emit("v", i), s.Emit("e", i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.Stats().VolatileDropped - dropped; n != 40 {
		t.Errorf("%d dropped, want 40", n)
	}
	want := []string{`42["large",*]`}
	for i := range 20 {
		want = append(want, fmt.Sprintf(`42["e",%d]`, i))
	}
	c.only(s, want...)
}

// Broadcasts from one instance reach all members of a room in one order, the
// emits to one socket keep theirs.
func TestBroadcastOrder(t *testing.T) {
	r := serve(t)
	ns := r.Of("/")
	const senders, each = 4, 200
	var clients []*client
	for range 3 {
		c, id := r.connect()
		if err := r.socket("/", id).Join("r"); err != nil {
			t.Fatal(err)
		}
		clients = append(clients, c)
	}
	var sending sync.WaitGroup
	for s := range senders {
		sending.Go(func() {
			for n := range each {
				if err := ns.To("r").Emit("e", s, n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	orders := make([][]string, len(clients))
	for i, c := range clients {
		for range senders * each {
			orders[i] = append(orders[i], c.next())
		}
		if !slices.Equal(orders[i], orders[0]) {
			t.Errorf("client %d got another order", i)
		}
	}
	sending.Wait()
	last := make([]int, senders)
	for _, got := range orders[0] {
		var s, n int
		if _, err := fmt.Sscanf(got, `42["e",%d,%d]`, &s, &n); err != nil || n != last[s] {
			t.Fatalf("got %s where number %d of the sender is due, %v", got, last[s], err)
		}
		last[s]++
	}
}

// D13: many goroutines emit to, ask and end one socket.
func TestSocketConcurrently(t *testing.T) {
	r := serve(t)
	for range 10 {
		c, id := r.connect()
		s := r.socket("/", id)
		var work sync.WaitGroup
		for i := range 64 {
			work.Go(func() {
				_ = s.Emit("e", i)
				_ = s.To(id).Emit("e", i)
				_ = s.Volatile().Emit("e", i)
				_ = s.Join("r", fmt.Sprint(i))
				_ = s.Leave("r")
				s.SetData(i)
				_ = s.Data()
				_, _ = s.Rooms(), s.Handshake().Header()
				if i == 40 {
					s.Disconnect(true)
				}
			})
		}
		if before := c.closed(); !slices.Contains(before, "41") {
			t.Errorf("no DISCONNECT among %q", before)
		}
		work.Wait()
	}
	eventually(t, "all are gone", func() bool { return r.Of("/").Count() == 0 && len(r.Of("/").Rooms()) == 0 })
}
