package redisstore

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// TestMemory is what doc.go says of the memory that things take.
func TestMemory(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.Addr, "/chat", Options{})
	i := &instance{Store: s, t: t}
	used := func() int64 {
		rdb := server.Client()
		defer rdb.Close()
		var n int64
		_, _ = fmt.Sscan(rdb.InfoMap(background, "memory").Item("Memory", "used_memory_dataset"), &n)
		return n
	}
	const sockets = 2000
	i.connect("first", "first")
	empty := used()
	for n := range sockets {
		id := fmt.Sprintf("socket-%013d", n) // as long as they are
		i.connect(id, id)
		i.join("lobby", id, id)
	}
	per := (used() - empty) / sockets
	t.Logf("a socket in a room: %d bytes", per)
	if per > 800 {
		t.Errorf("a socket costs %d bytes", per)
	}
	empty = used()
	for n := range sockets {
		p := chat.Post{ID: chat.MakeMessageID(time.Now(), uint32(n), 7), UserID: "socket-0000000000001", Key: fmt.Sprintf("%036d", n)}
		if _, err := s.Post(background, p); err != nil {
			t.Fatal(err)
		}
	}
	per = (used() - empty) / sockets
	t.Logf("a receipt: %d bytes", per)
	if per > 250 {
		t.Errorf("a receipt costs %d bytes", per)
	}
}
