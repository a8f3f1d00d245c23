package chat

import (
	"fmt"
	"reflect"
	"testing"
	"time"
)

// What a store remembers is bounded, and one user's messages push out few others.
func TestReceiptsAreBounded(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	const most = 32 * receiptShards
	m := NewMemory(MemoryOptions{Remembered: most, Now: func() time.Time { return now }})
	g := newIDs()
	ctx := t.Context()
	remember := func(m *Memory, userID, key string) (repeated bool) {
		r, err := m.Post(ctx, Post{ID: g.next(now), UserID: userID, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		return r.Outcome == Repeated
	}
	remember(m, "quiet", "first")
	quiet, _ := m.receipts.place("quiet", "")
	loud := "loud"
	for n := 0; ; n++ {
		if s, _ := m.receipts.place(loud, ""); s != quiet {
			break
		}
		loud = fmt.Sprint("loud ", n)
	}
	for i := range 10 * most {
		if remember(m, loud, fmt.Sprint(i)) {
			t.Fatal("taken for a repeat:", i)
		}
	}
	if _, ok, _ := m.Recall(ctx, loud, fmt.Sprint(10*most-1)); !ok {
		t.Error("the last is forgotten")
	}
	if _, ok, _ := m.Recall(ctx, "quiet", "first"); !ok {
		t.Error("another user's is forgotten")
	}
	n := 0
	for i := range m.receipts.shards {
		n += len(m.receipts.shards[i].young) + len(m.receipts.shards[i].old)
	}
	if n > most {
		t.Errorf("%d are remembered", n)
	}
	now = now.Add(repeatWindow)
	if _, ok, _ := m.Recall(ctx, "quiet", "first"); ok {
		t.Error("an old one is remembered")
	}
	none := NewMemory(MemoryOptions{Remembered: -1})
	for range 2 {
		if remember(none, "u", "k") {
			t.Error("remembered")
		}
	}
}

// A room keeps its users in the order in which they came, with and without index.
func TestCrowd(t *testing.T) {
	m := NewMemory(MemoryOptions{})
	ctx := t.Context()
	user := func(i int) User { return User{ID: fmt.Sprint("u", i), Name: fmt.Sprint("n", i)} }
	const n = 3 * few
	for i := range n {
		for socket := range 2 {
			got, _ := m.Join(ctx, "r", fmt.Sprint("s", i, socket), user(i), -1)
			if want := (Change{Turned: socket == 0, Count: i + 1}); !reflect.DeepEqual(got, want) {
				t.Fatalf("join %d: %+v, want %+v", i, got, want)
			}
		}
	}
	left := n
	for i := 1; i < n; i += 2 {
		for socket := range 2 {
			left -= socket
			got, _ := m.Leave(ctx, "r", fmt.Sprint("s", i, socket), user(i).ID)
			if want := (Change{Turned: socket == 1, Count: left}); !reflect.DeepEqual(got, want) {
				t.Fatalf("leave %d: %+v, want %+v", i, got, want)
			}
		}
	}
	users, count, _ := m.Members(ctx, "r", n)
	if count != left || len(users) != left {
		t.Fatalf("%d users, count %d, want %d", len(users), count, left)
	}
	for i, u := range users {
		if u.User != user(2*i) {
			t.Errorf("user %d is %+v", i, u)
		}
	}
	if got, _ := m.Leave(ctx, "r", "s", "nobody"); !reflect.DeepEqual(got, Change{Count: left}) {
		t.Errorf("nobody left: %+v", got)
	}
	for i := 0; i < n; i += 2 {
		_, _ = m.Leave(ctx, "r", fmt.Sprint("s", i, 0), user(i).ID)
		_, _ = m.Leave(ctx, "r", fmt.Sprint("s", i, 1), user(i).ID)
	}
	if len(m.rooms) != 0 {
		t.Errorf("%d rooms are left", len(m.rooms))
	}
}
