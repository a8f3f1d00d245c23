package storetest

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

func (c *rig) post(s chat.Store, p chat.Post) chat.Receipt {
	c.Helper()
	return result[chat.Receipt](c)(s.Post(c.ctx, p))
}

// keep posts messages n to m of a room, of a byte more than their number's text.
func (c *rig) keep(s chat.Store, room string, n, m int) {
	c.Helper()
	for ; n <= m; n++ {
		got := c.post(s, chat.Post{Room: room, ID: c.id(n), Text: fmt.Appendf(nil, "%d", n)})
		equal(c, "kept", got, chat.Receipt{Outcome: chat.Accepted, ID: c.id(n)})
	}
}

// page asks for messages, and returns them in one text, with a + if there are
// more.
func (c *rig) page(s chat.Store, q chat.Query) string {
	c.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	if q.Bytes == 0 {
		q.Bytes = 1 << 20
	}
	got := result[chat.Page](c)(s.History(c.ctx, q))
	text := strings.Join(got.Messages, " ")
	if got.More {
		text += " +"
	}
	return text
}

func (c *rig) newest(s chat.Store, room string) string {
	c.Helper()
	return c.page(s, chat.Query{Room: room, Bound: chat.LastMessageID})
}

var postCases = []testCase{
	{
		name:        "repeats",
		explanation: "A message that a user has sent under a key is not sent again, whatever the room; the answer is the first's. Nothing is kept of a repeat.",
		run: func(c *rig) {
			p := chat.Post{Room: "r", ID: c.id(1), Text: []byte("1"), UserID: "ann", Key: "k"}
			equal(c, "first", c.post(c.a, p), chat.Receipt{Outcome: chat.Accepted, ID: c.id(1)})
			p.ID, p.Text = c.id(2), []byte("2")
			equal(c, "again", c.post(c.b, p), chat.Receipt{Outcome: chat.Repeated, ID: c.id(1)})
			p.Room, p.Text = "r2", nil
			equal(c, "elsewhere", c.post(c.a, p), chat.Receipt{Outcome: chat.Repeated, ID: c.id(1)})
			equal(c, "history", c.newest(c.a, "r")+c.newest(c.a, "r2"), "1")
			p = chat.Post{ID: c.id(3), UserID: "ann", Key: "direct"}
			equal(c, "without a room", c.post(c.a, p).Outcome, chat.Accepted)
			equal(c, "without a room", c.post(c.b, p).Outcome, chat.Repeated)
			p = chat.Post{Room: "r", ID: c.id(4), UserID: "ann"}
			equal(c, "without a key", c.post(c.a, p).Outcome, chat.Accepted)
			equal(c, "without a key", c.post(c.a, p).Outcome, chat.Accepted)
		},
	},
	{
		name:        "recall",
		explanation: "A message is found by the user and the key, and by nothing else; asking remembers nothing.",
		run: func(c *rig) {
			recall := func(s chat.Store, userID, key string) string {
				id, ok, err := s.Recall(c.ctx, userID, key)
				if err != nil {
					c.Fatal(err)
				}
				if !ok {
					return ""
				}
				return id.String()
			}
			n := 0
			for _, u := range names {
				for _, key := range names {
					if got := recall(c.b, u, key); got != "" {
						c.Fatalf("%q of %q is %s", key, u, got)
					}
					n++
					if got := c.post(c.a, chat.Post{ID: c.id(n), UserID: u, Key: key}); got.Outcome != chat.Accepted {
						c.Fatalf("%q of %q: %+v", key, u, got)
					}
				}
			}
			n = 0
			for _, u := range names {
				for _, key := range names {
					n++
					equal(c, key+" of "+u, recall(c.b, u, key), c.id(n).String())
				}
			}
		},
	},
	{
		name:        "one is first",
		explanation: "Of messages that come at once under one key one is first, and all the others are told its id.",
		run: func(c *rig) {
			for round := range 20 {
				var wg sync.WaitGroup
				receipts := make([]chat.Receipt, 8)
				for i := range receipts {
					s := c.a
					if i%2 == 1 {
						s = c.b
					}
					wg.Go(func() {
						receipts[i] = c.post(s, chat.Post{ID: c.id(100*round + i), UserID: "ann", Key: fmt.Sprint(round)})
					})
				}
				wg.Wait()
				first := 0
				for i, r := range receipts {
					if r.Outcome == chat.Accepted {
						first++
						equal(c, "id", r.ID, c.id(100*round+i))
					}
					equal(c, "id", r.ID, receipts[0].ID)
				}
				equal(c, "first ones", first, 1)
			}
		},
	},
	{
		name:        "late",
		explanation: "Ids ascend in a room: a message that is not newer is neither kept nor remembered, and is told of the newest. What is not kept is never late.",
		run: func(c *rig) {
			c.keep(c.a, "r", 10, 10)
			for _, n := range []int{9, 10} {
				p := chat.Post{Room: "r", ID: c.id(n), Text: []byte("late"), UserID: "ann", Key: "k"}
				equal(c, "late", c.post(c.b, p), chat.Receipt{Outcome: chat.Late, ID: c.id(10)})
			}
			if _, ok, err := c.a.Recall(c.ctx, "ann", "k"); ok || err != nil {
				c.Errorf("remembered: %v, %v", ok, err)
			}
			equal(c, "history", c.newest(c.a, "r"), "10")
			equal(c, "not kept", c.post(c.b, chat.Post{Room: "r", ID: c.id(1), UserID: "ann", Key: "k2"}).Outcome, chat.Accepted)
			c.keep(c.b, "r2", 1, 1)
			c.keep(c.b, "r", 11, 11)
			equal(c, "history", c.newest(c.a, "r"), "10 11")
		},
	},
}

var historyCases = []testCase{
	{
		name:        "pages",
		explanation: "The bound is not on its page, and need not be the id of a message.",
		run: func(c *rig) {
			for n := 10; n <= 90; n += 10 {
				s := c.a
				if n%20 == 0 {
					s = c.b
				}
				c.keep(s, "r", n, n)
			}
			c.each(func(s chat.Store) {
				for _, tc := range []struct {
					bound, limit int
					after        bool
					want         string
				}{
					{95, 100, false, "10 20 30 40 50 60 70 80 90"},
					{95, 3, false, "70 80 90 +"},
					{70, 3, false, "40 50 60 +"},
					{65, 3, false, "40 50 60 +"},
					{40, 3, false, "10 20 30"},
					{40, 4, false, "10 20 30"},
					{20, 5, false, "10"},
					{10, 5, false, ""},
					{0, 5, false, ""},
					{0, 3, true, "10 20 30 +"},
					{5, 1, true, "10 +"},
					{30, 3, true, "40 50 60 +"},
					{35, 3, true, "40 50 60 +"},
					{60, 3, true, "70 80 90"},
					{70, 3, true, "80 90"},
					{90, 3, true, ""},
					{95, 3, true, ""},
				} {
					q := chat.Query{Room: "r", Bound: c.id(tc.bound), After: tc.after, Limit: tc.limit}
					equal(c, fmt.Sprintf("%+v", tc), c.page(s, q), tc.want)
				}
				equal(c, "newest", c.newest(s, "r"), "10 20 30 40 50 60 70 80 90")
				equal(c, "after all", c.page(s, chat.Query{Room: "r", Bound: chat.LastMessageID, After: true}), "")
				equal(c, "from the first", c.page(s, chat.Query{Room: "r", After: true, Limit: 1}), "10 +")
				equal(c, "another room", c.newest(s, "r2"), "")
			})
		},
	},
	{
		name:        "pages have a size",
		explanation: "A page ends where it would be too large, each message counted with a comma. It has one message, if there is any.",
		run: func(c *rig) {
			c.keep(c.a, "r", 1, 9)
			for _, tc := range []struct {
				bytes int
				after bool
				want  string
			}{
				{1, false, "9 +"},
				{3, false, "9 +"},
				{4, false, "8 9 +"},
				{17, false, "2 3 4 5 6 7 8 9 +"},
				{18, false, "1 2 3 4 5 6 7 8 9"},
				{1, true, "1 +"},
				{5, true, "1 2 +"},
				{18, true, "1 2 3 4 5 6 7 8 9"},
			} {
				q := chat.Query{Room: "r", After: tc.after, Bytes: tc.bytes}
				if !tc.after {
					q.Bound = chat.LastMessageID
				}
				equal(c, fmt.Sprintf("%+v", tc), c.page(c.b, q), tc.want)
			}
		},
	},
	{
		name:        "what is kept",
		explanation: "Of more messages, or more bytes, than are to be kept the oldest are forgotten. Who comes and goes makes no difference.",
		run: func(c *rig) {
			c.keep(c.a, "r", 1, 5)
			c.join(c.a, "r", "s", "ann")
			c.leave(c.a, "r", "s", "ann")
			equal(c, "empty room", c.newest(c.b, "r"), "1 2 3 4 5")
			c.keep(c.b, "r", 6, 2*keptMessages)
			if got := strings.Fields(c.newest(c.a, "r")); len(got) != keptMessages || got[0] != fmt.Sprint(keptMessages+1) {
				c.Errorf("kept are %q", got)
			}
			long := strings.Repeat("x", keptBytes/4)
			for i := range 6 {
				c.post(c.a, chat.Post{Room: "long", ID: c.id(i), Text: []byte(long)})
			}
			if got := strings.Fields(c.newest(c.b, "long")); len(got) == 0 || len(got) > 4 || got[0] != long {
				c.Errorf("%d of 4 long messages are kept", len(got))
			}
		},
	},
	{
		name:        "texts are as they were",
		explanation: "A message is kept byte by byte, and the buffer that it came in is the caller's.",
		run: func(c *rig) {
			var want []string
			buf := make([]byte, 0, 100)
			for i, text := range []string{`{"a":1e999,"\ud800":"\u0000"}`, "{\"é\":\"😀\u2028\"}", `{ "a" : [ ] }`, "{\"a\":\"\x7f\"}"} {
				buf = append(buf[:0], text...)
				c.post(c.a, chat.Post{Room: "r", ID: c.id(i), Text: buf})
				want = append(want, text)
			}
			copy(buf, "overwritten")
			got := result[chat.Page](c)(c.b.History(c.ctx, chat.Query{Room: "r", Bound: chat.LastMessageID, Limit: 10, Bytes: 1000}))
			equal(c, "texts", got.Messages, want)
		},
	},
	{
		name:        "histories do not collide",
		explanation: "Rooms may be called anything.",
		run: func(c *rig) {
			for i, room := range names {
				c.keep(c.a, room, i, i)
			}
			for i, room := range names {
				equal(c, room, c.newest(c.b, room), fmt.Sprint(i))
			}
		},
	},
	{
		name:        "order of many",
		explanation: "Messages of several instances that come at once are kept in the order of their ids, each once, and whoever asks for what is after the last that it has seen gets to the last.",
		run: func(c *rig) {
			const each = 40
			var wg sync.WaitGroup
			var mu sync.Mutex
			accepted := make(map[string]bool)
			for i, s := range []chat.Store{c.a, c.b, c.a, c.b} {
				wg.Go(func() {
					for n := range each {
						text := fmt.Sprint(4*n + i)
						got := c.post(s, chat.Post{Room: "r", ID: c.id(4*n + i), Text: []byte(text)})
						mu.Lock()
						accepted[text] = got.Outcome == chat.Accepted
						mu.Unlock()
					}
				})
			}
			seen := make(map[string]bool)
			over := make(chan struct{})
			go func() {
				defer close(over)
				wg.Wait()
			}()
			last := chat.MessageID{}
			for ended := false; ; {
				if !ended {
					select {
					case <-over:
						ended = true
					default:
					}
				}
				page, err := c.b.History(c.ctx, chat.Query{Room: "r", Bound: last, After: true, Limit: 3, Bytes: 1000})
				if err != nil {
					c.Error(err)
					break
				}
				for _, text := range page.Messages {
					n, err := strconv.Atoi(text)
					if err != nil {
						c.Errorf("kept is %q", text)
					}
					if id := c.id(n); id.Compare(last) <= 0 && last != (chat.MessageID{}) {
						c.Errorf("%s after %s", id, last)
					}
					last = c.id(n)
					seen[text] = true
				}
				if ended && len(page.Messages) == 0 {
					break
				}
			}
			<-over
			for text := range seen {
				if !accepted[text] {
					c.Errorf("%s is kept and was refused", text)
				}
			}
			kept := strings.Fields(c.newest(c.a, "r"))
			for _, text := range kept {
				if !accepted[text] {
					c.Errorf("%s is kept and was refused", text)
				}
			}
			equal(c, "kept", len(kept), keptMessages)
			equal(c, "for both", c.newest(c.a, "r"), c.newest(c.b, "r"))
			if len(kept) > 0 && !seen[kept[len(kept)-1]] {
				c.Error("the last message was missed")
			}
		},
	},
}
