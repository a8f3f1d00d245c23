package redisstore

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

func keep(t testing.TB, s *Store, room string, n int, text string) {
	t.Helper()
	p := chat.Post{Room: room, ID: chat.MakeMessageID(time.UnixMilli(1_700_000_000_000), uint32(n), 7), Text: []byte(text)}
	if r, err := s.Post(background, p); err != nil || r.Outcome != chat.Accepted {
		t.Fatalf("%d to %s: %+v, %v", n, room, r, err)
	}
}

func kept(t testing.TB, s *Store, room string) string {
	t.Helper()
	page, err := s.History(background, chat.Query{Room: room, Bound: chat.LastMessageID, Limit: 1000, Bytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(page.Messages, " ")
}

// Of more than is to be kept in all rooms those written to longest ago go first,
// and what is kept is counted right all along.
func TestHistoryTotal(t *testing.T) {
	server := redistest.Start(t)
	text := strings.Repeat("x", 1000)
	one := historyOf("r0", 1000)
	s := open(t, server.Addr, "/", Options{HistoryTotal: 3 * one, HistoryBytes: -1})
	total := func() string { return fmt.Sprint(server.Do("get", "{parlor#/}history-total")) }
	for n := range 3 {
		keep(t, s, fmt.Sprint("r", n), n, text)
		time.Sleep(2 * time.Millisecond) // rooms are told apart by Redis' milliseconds
	}
	keep(t, s, "r0", 3, "small") // not the oldest any more, and r1 has to go for it
	if kept(t, s, "r0") != text+" small" || kept(t, s, "r1") != "" || kept(t, s, "r2") != text {
		t.Errorf("kept are %q, %q, %q", kept(t, s, "r0"), kept(t, s, "r1"), kept(t, s, "r2"))
	}
	if got, want := total(), fmt.Sprint(2*one+5+128); got != want {
		t.Errorf("the total is %s, want %s", got, want)
	}
	time.Sleep(2 * time.Millisecond)
	keep(t, s, "r3", 4, strings.Repeat("y", 3*one-512-2-128)) // just fits, alone
	if kept(t, s, "r0")+kept(t, s, "r2") != "" || len(kept(t, s, "r3")) < one {
		t.Error("the largest that fits is not kept alone")
	}
	if got, want := total(), fmt.Sprint(3*one); got != want {
		t.Errorf("the total is %s, want %s", got, want)
	}
	keep(t, s, "r3", 5, strings.Repeat("y", 3*one)) // does not fit, and is sent all the same
	if len(kept(t, s, "r3")) < one {
		t.Error("what does not fit drops what does")
	}
}

// History that nobody writes to goes when its time is over, with instances and
// without.
func TestHistoryExpires(t *testing.T) {
	server := redistest.Start(t)
	const ttl = 300 * time.Millisecond
	a := start(t, server.Addr, "/", Options{Heartbeat: quick, HistoryTTL: ttl})
	keep(t, a.Store, "r1", 1, "old")
	await(t, "r1", func() string { return kept(t, a.Store, "r1") }, "")
	keep(t, a.Store, "r2", 1, "new")
	await(t, "r2", func() string { return kept(t, a.Store, "r2") }, "")
	await(t, "keys", func() string { return strings.Join(dump(t, server, a.Store), "\n") }, // but the instance's own
		strings.Join(withoutHistory(dump(t, server, a.Store)), "\n"))

	keep(t, a.Store, "r3", 1, "last")
	a.stop()
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	await(t, "keys", func() int { return len(dump(t, server)) }, 0)
}

func withoutHistory(lines []string) []string {
	var left []string
	for _, line := range lines {
		if !strings.Contains(line, "histor") {
			left = append(left, line)
		}
	}
	return left
}
