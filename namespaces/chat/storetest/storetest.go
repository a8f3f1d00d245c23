// Package storetest is the conformance kit of [chat.Store]: what every store has
// to do, whatever keeps its state.
//
//	func TestMemory(t *testing.T) {
//		storetest.Run(t, func(_ testing.TB, o chat.MemoryOptions) []chat.Store {
//			m := chat.NewMemory(o)
//			return []chat.Store{m, m}
//		})
//	}
//
// RunWatch is for one that is a [chat.Watcher] too. Each case works with two handles on one state, as two instances have them, and
// expects that what is done by one is seen by the other at once.
package storetest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// A Maker makes two handles on an empty state of their own, and cleans up by
// t.Cleanup. The state keeps as much as the options say, at least.
type Maker func(t testing.TB, o chat.MemoryOptions) []chat.Store

// A testCase is something that a store has to do.
type testCase struct {
	name        string
	explanation string
	run         func(c *rig)
}

func cases() []testCase { return slices.Concat(roomCases, presenceCases, postCases, historyCases) }

// Run checks a store.
func Run(t *testing.T, newStores Maker) {
	t.Helper()
	for _, tc := range cases() {
		t.Run(tc.name, func(t *testing.T) {
			t.Cleanup(func() {
				if t.Failed() {
					t.Log(tc.explanation)
				}
			})
			tc.run(newRig(t, newStores))
		})
	}
}

// What the stores of the kit keep.
const (
	keptMessages = 10
	keptBytes    = 1000
	remembered   = 10_000
)

// A rig is a store under test.
type rig struct {
	testing.TB

	a, b  chat.Store
	ctx   context.Context
	begun time.Time
	guard time.Duration // of await
}

func newRig(tb testing.TB, newStores Maker) *rig {
	tb.Helper()
	stores := newStores(tb, chat.MemoryOptions{History: keptMessages, HistoryBytes: keptBytes, HistoryTotal: 1 << 20, Remembered: remembered})
	if len(stores) != 2 {
		tb.Fatalf("%d handles, want 2", len(stores))
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	tb.Cleanup(cancel)
	return &rig{TB: tb, a: stores[0], b: stores[1], ctx: ctx, begun: time.Now()}
}

// each calls f with both handles.
func (c *rig) each(f func(s chat.Store)) {
	f(c.a)
	f(c.b)
}

// result fails the test on an error: result(t)(store.Method(…)).
func result[T any](c *rig) func(v T, err error) T {
	return func(v T, err error) T {
		c.Helper()
		if err != nil {
			c.Fatal(err)
		}
		return v
	}
}

func equal[T any](c *rig, what string, got, want T) {
	c.Helper()
	if !reflect.DeepEqual(got, want) {
		c.Errorf("%s: %+v, want %+v", what, got, want)
	}
}

func user(id string) chat.User { return chat.User{ID: id, Name: "name of " + id} }

// join and leave report whether the user has turned, and the count after it.
func (c *rig) join(s chat.Store, room, socket, userID string) string {
	c.Helper()
	got := result[chat.Change](c)(s.Join(c.ctx, room, socket, user(userID), -1))
	if got.Members != nil {
		c.Errorf("members that nobody has asked for: %+v", got.Members)
	}
	return change(got)
}

func (c *rig) leave(s chat.Store, room, socket, userID string) string {
	c.Helper()
	return change(result[chat.Change](c)(s.Leave(c.ctx, room, socket, userID)))
}

func change(got chat.Change) string {
	if got.Turned {
		return fmt.Sprint("turned, ", got.Count)
	}
	return fmt.Sprint(got.Count)
}

// list returns the ids of a room's users with their statuses, and their number.
func (c *rig) list(s chat.Store, room string, atMost int) []string {
	c.Helper()
	members, count, err := s.Members(c.ctx, room, atMost)
	if err != nil {
		c.Fatal(err)
	}
	return append(texts(members), fmt.Sprint(count))
}

func texts(members []chat.Member) []string {
	var list []string
	for _, m := range members {
		text := m.User.ID
		if m.Status != chat.Online {
			text += " " + m.Status.String()
		}
		if m.User != user(m.User.ID) {
			text += " called " + m.User.Name
		}
		list = append(list, text)
	}
	return list
}

// id makes the id of message n.
func (c *rig) id(n int) chat.MessageID { return chat.MakeMessageID(c.begun, uint32(n), 7) }

// names are texts that a store may be tempted to put together, take apart, or
// clean.
var names = []string{
	"a", "A", "a:b", "a:b:c", "b", "b:c", ":", "::", "a b", " a", "a ", "*", "a*", "?", "[a]", "{a}", "{a}b", "a\x00b", "\x00", "\x00a", "a\nb",
	"__proto__", "constructor", "nil", "0", "-1", "é", "e\u0301", "\u2028", "😀", "'", `"`, "`", "$a", "%s", "a/b", "../a", "user:a", "room:a",
}
