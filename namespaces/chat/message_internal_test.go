package chat

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

func object(t testing.TB, text string) server.Arg {
	t.Helper()
	p, err := packet.NewDecoder(packet.Limits{}).Text([]byte(`2["message",` + text + `]`))
	if err != nil {
		t.Fatal(err)
	}
	return p.Args.At(1)
}

const typical = `{"room":"room-1","content":"Hello there, how are you today?","clientMsgId":"3f0c6a52-7f0e-4f49-9d0b-d9f0f1d1a5b1","color":"#aabbcc"}`

// The budget of a message, on top of what the server spends on an event, a
// broadcast and an acknowledgement: nothing.
func TestAllocations(t *testing.T) {
	arg := object(t, typical)
	cl := &client{user: User{ID: "u1", Name: "Ann"}, rooms: []string{"room-1"}}
	g := newIDs()
	m := newMemory(1000, time.Now)
	now := time.Unix(1_700_000_000, 0)
	cl.spend(&cl.messages, now, 1e9, 1e9)
	buf := make([]byte, 0, 4<<10)
	c := &Chat{opts: Options{}.withDefaults()}
	var r relay
	for name, f := range map[string]func(){
		"budget": func() {
			if !cl.spend(&cl.messages, now, 1e9, 1e9) {
				t.Fatal("over")
			}
		},
		"parse and relay": func() {
			d, err := parseDraft(arg)
			if err != nil {
				t.Fatal(err)
			}
			room, err := c.roomOf(&call{client: cl}, d.room)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := clientMsgID(d.clientMsgID); err != nil {
				t.Fatal(err)
			}
			r = relay{draft: d, id: g.next(now), room: room, user: cl.who()}
			if buf, err = r.AppendJSON(buf[:0]); err != nil {
				t.Fatal(err)
			}
		},
		"ack":  func() { buf, _ = messageAck(g.next(now)).AppendJSON(buf[:0]) },
		"find": func() { _, _, _ = m.recall(t.Context(), "u1", "3f0c6a52") },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestUnescapedText(t *testing.T) {
	for _, s := range []string{"", "a", `"\`, "\x00\x1f\n\r\t\x7f", "é😀\u2028<>&", strings.Repeat(`a"`, 100)} {
		text := string(appendString(nil, s))
		if got, ok := object(t, text).Text(); !ok || got != s {
			t.Errorf("%q became %s", s, text)
		}
	}
}

// What a store remembers is bounded, and one user's messages push out few others.
func TestReceiptsAreBounded(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	const most = 32 * receiptShards
	m := newMemory(most, func() time.Time { return now })
	g := newIDs()
	ctx := t.Context()
	if _, _, err := m.remember(ctx, "quiet", "first", g.next(now)); err != nil {
		t.Fatal(err)
	}
	quiet, _ := m.receipts.place("quiet", "")
	loud := "loud"
	for n := 0; ; n++ {
		if s, _ := m.receipts.place(loud, ""); s != quiet {
			break
		}
		loud = fmt.Sprint("loud ", n)
	}
	for i := range 10 * most {
		if _, repeated, _ := m.remember(ctx, loud, fmt.Sprint(i), g.next(now)); repeated {
			t.Fatal("taken for a repeat:", i)
		}
	}
	if _, ok, _ := m.recall(ctx, loud, fmt.Sprint(10*most-1)); !ok {
		t.Error("the last is forgotten")
	}
	if _, ok, _ := m.recall(ctx, "quiet", "first"); !ok {
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
	if _, ok, _ := m.recall(ctx, "quiet", "first"); ok {
		t.Error("an old one is remembered")
	}
	none := newMemory(-1, time.Now)
	for range 2 {
		if _, repeated, _ := none.remember(ctx, "u", "k", g.next(now)); repeated {
			t.Error("remembered")
		}
	}
}

// A room keeps its users in the order in which they came, with and without index.
func TestCrowd(t *testing.T) {
	m := newMemory(0, time.Now)
	ctx := t.Context()
	user := func(i int) User { return User{ID: fmt.Sprint("u", i), Name: fmt.Sprint("n", i)} }
	const n = 3 * few
	for i := range n {
		for socket := range 2 {
			got, _ := m.join(ctx, "r", "", user(i))
			if want := (change{turned: socket == 0, count: i + 1}); got != want {
				t.Fatalf("join %d: %+v, want %+v", i, got, want)
			}
		}
	}
	left := n
	for i := 1; i < n; i += 2 {
		for socket := range 2 {
			left -= socket
			got, _ := m.leave(ctx, "r", "", user(i).ID)
			if want := (change{turned: socket == 1, count: left}); got != want {
				t.Fatalf("leave %d: %+v, want %+v", i, got, want)
			}
		}
	}
	users, count, _ := m.members(ctx, "r", n)
	if count != left || len(users) != left {
		t.Fatalf("%d users, count %d, want %d", len(users), count, left)
	}
	for i, u := range users {
		if u != user(2*i) {
			t.Errorf("user %d is %+v", i, u)
		}
	}
	if got, _ := m.leave(ctx, "r", "", "nobody"); got != (change{count: left}) {
		t.Errorf("nobody left: %+v", got)
	}
	for i := 0; i < n; i += 2 {
		_, _ = m.leave(ctx, "r", "", user(i).ID)
		_, _ = m.leave(ctx, "r", "", user(i).ID)
	}
	if len(m.rooms) != 0 {
		t.Errorf("%d rooms are left", len(m.rooms))
	}
}

func TestMessageIDs(t *testing.T) {
	g := newIDs()
	now := time.UnixMilli(1_700_000_000_123)
	last := ""
	for i := range 1_100_000 { // more than the counter holds in a millisecond
		id := g.next(now)
		if i%1000 != 0 {
			continue
		}
		text := id.String()
		if len(text) != idLength || text <= last {
			t.Fatalf("%s after %s", text, last)
		}
		last = text
	}
	if id := newIDs().next(now); id.millis() != now.UnixMilli() {
		t.Errorf("an id of %d says %d", now.UnixMilli(), id.millis())
	}
	if a, b := newIDs().next(now), newIDs().next(now); a == b {
		t.Error("two instances made the same id")
	}
}

func BenchmarkRelay(b *testing.B) {
	for name, text := range map[string]string{
		"typical": typical,
		"8KiB":    `{"room":"room-1","content":"` + strings.Repeat("x", 8<<10) + `"}`,
	} {
		b.Run(name, func(b *testing.B) {
			arg := object(b, text)
			g, now := newIDs(), time.Unix(1_700_000_000, 0)
			buf := make([]byte, 0, 64<<10)
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				d, _ := parseDraft(arg)
				r := relay{draft: d, id: g.next(now), room: "room-1", user: User{ID: "0123456789abcdefghij", Name: "Ann"}}
				buf, _ = r.AppendJSON(buf[:0])
			}
		})
	}
}
