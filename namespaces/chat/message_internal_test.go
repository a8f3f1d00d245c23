package chat

import (
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
	m := NewMemory(MemoryOptions{Remembered: 1000, History: 100, HistoryBytes: 1 << 20, HistoryTotal: 1 << 30})
	l := newLanes()
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
		"ack": func() { buf, _ = messageAck(g.next(now)).AppendJSON(buf[:0]) },
		"lane": func() {
			l.enter("room-1")
			l.exit("room-1")
		},
		"find": func() { _, _, _ = m.Recall(t.Context(), "u1", "3f0c6a52") },
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
	ahead := newIDs().next(now.Add(time.Hour))
	g.follow(ahead)
	g.follow(MessageID{})
	if next := g.next(now); next.Compare(ahead) <= 0 {
		t.Errorf("%s follows %s", next, ahead)
	}
}

func TestParseMessageID(t *testing.T) {
	for _, id := range []MessageID{{}, {1, 2}, newIDs().next(time.Now()), LastMessageID} {
		if got, ok := ParseMessageID(id.String()); !ok || got != id {
			t.Errorf("%v became %v, %v", id, got, ok)
		}
	}
	last := LastMessageID.String()
	for _, text := range []string{
		"", "0", strings.Repeat("0", idLength-1), strings.Repeat("0", idLength+1), strings.Repeat("z", idLength),
		"g" + last[1:], last[:idAtDigits] + "4" + last[idAtDigits+1:], strings.ToUpper(last), strings.Repeat("0", idLength-1) + "i",
		strings.Repeat("é", idLength/2), strings.Repeat(" ", idLength), strings.Repeat("\x00", idLength),
	} {
		if id, ok := ParseMessageID(text); ok {
			t.Errorf("%q was taken for %v", text, id)
		}
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
