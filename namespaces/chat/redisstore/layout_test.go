package redisstore

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

var epoch = regexp.MustCompile(`"[0-9a-f]{16}"`)

// TestLayout is what doc.go says of the keys.
func TestLayout(t *testing.T) {
	server := redistest.Start(t)
	ctx := context.Background()
	a, b := open(t, server.Addr, "/chat", Options{}), open(t, server.Addr, "/chat", Options{})
	for _, step := range []func() error{
		func() error { _, err := a.SetStatus(ctx, "s1", "ann", chat.Away); return err },
		func() error { _, err := b.SetStatus(ctx, "s2", "ann", chat.Offline); return err },
		func() error { _, err := b.SetStatus(ctx, "x", "x", chat.Online); return err },
		func() error {
			_, err := a.Join(ctx, "tea room", "s1", chat.User{ID: "ann", Name: "Ann"}, -1)
			return err
		},
		func() error {
			_, err := b.Join(ctx, "tea room", "s2", chat.User{ID: "ann", Name: "Ann"}, -1)
			return err
		},
		func() error {
			_, err := b.Join(ctx, "tea room", "x", chat.User{ID: "x", Name: "Xenia"}, -1)
			return err
		},
		func() error {
			id := chat.MakeMessageID(time.UnixMilli(1_700_000_000_000), 1, 7)
			_, err := a.Post(ctx, chat.Post{Room: "tea room", ID: id, Text: []byte(`{"a":1}`), UserID: "ann", Key: "k"})
			return err
		},
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	id := chat.MakeMessageID(time.UnixMilli(1_700_000_000_000), 1, 7).String()
	history := []string{
		`histories ["tea room"]`,
		`history-total "655"`,
		`history-weights {"tea room": "655"}`,
		`history:tea room ["` + id + `{\"a\":1}"]`,
		`receipt:3:ann:k "` + id + `"`,
	}
	check := func(want ...string) {
		t.Helper()
		got := dump(t, server, a, b)
		for i, line := range got {
			line, ok := strings.CutPrefix(line, "{parlor#/chat}")
			if !ok {
				t.Errorf("%s is not of the namespace", line)
			}
			got[i] = epoch.ReplaceAllString(line, `"epoch"`)
		}
		want = append(want, history...)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
	}
	got := dump(t, server, a, b)
	for _, line := range got { // their order in a zset is chance
		if strings.Contains(line, "instances") && strings.Count(line, "AAAA") != 4 {
			t.Error(line)
		}
	}
	server.Do("zadd", "{parlor#/chat}instances", "1", a.instance, "2", b.instance)
	check(
		`doubles:tea room {"ann": "1"}`,
		`epochs {"": "epoch", "AAAAAAAAAAAAAAAA": "epoch", "BBBBBBBBBBBBBBBB": "epoch"}`,
		`in:s1 ["tea room"]`,
		`in:s2 ["tea room"]`,
		`in:x ["tea room"]`,
		`instance:AAAAAAAAAAAAAAAA ["s1"]`,
		`instance:BBBBBBBBBBBBBBBB ["s2" "x"]`,
		`instances ["AAAAAAAAAAAAAAAA" 1, "BBBBBBBBBBBBBBBB" 2]`,
		`names:tea room {"ann": "Ann", "x": "Xenia"}`,
		`rooms:ann ["tea room"]`,
		`room:tea room ["ann" 1, "x" 2]`,
		`sockets {"s1": "AAAAAAAAAAAAAAAA1:ann", "s2": "BBBBBBBBBBBBBBBB2:ann", "x": "BBBBBBBBBBBBBBBB0="}`,
		`statuses {"ann": "1"}`,
		`user:ann ["s1" 1, "s2" 2]`,
	)

	// What remains when all have gone is what was sent, for its time.
	for socket, user := range map[string]string{"s1": "ann", "s2": "ann", "x": "x"} {
		s := a
		if socket != "s1" {
			s = b
		}
		if _, err := s.Leave(ctx, "tea room", socket, user); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Remove(ctx, socket, user); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	check()
	for _, line := range dump(t, server) {
		key, _, _ := strings.Cut(line, ` "`)
		key, _, _ = strings.Cut(key, " [")
		key, _, _ = strings.Cut(key, " {")
		left, most := server.Do("pttl", key).(int64), defaultHistoryTTL.Milliseconds()
		if strings.Contains(key, "receipt") {
			most = receiptTTL.Milliseconds()
		}
		if left <= 0 || left > most {
			t.Errorf("%s is kept for %d ms", key, left)
		}
	}
}

// Names in braces, of namespaces and prefixes, lead nobody into another's keys.
func TestNamespacesAreApart(t *testing.T) {
	seen := make(map[string]string)
	for _, prefix := range []string{"a", "a#", "a#/b", "#"} {
		for _, namespace := range []string{"/", "/b", "/b#", "}", "/}room:", "%7D", "{", "#/b", ""} {
			rdb := redistest.Client("127.0.0.1:1")
			s, err := New(rdb, namespace, Options{Prefix: prefix})
			rdb.Close()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(s.base, "{") != 1 || strings.Index(s.base, "}") != len(s.base)-1 {
				t.Errorf("%q", s.base)
			}
			if other, taken := seen[s.base]; taken {
				t.Errorf("%q is %q, and %q", s.base, other, prefix+" "+namespace)
			}
			seen[s.base] = prefix + " " + namespace
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	rdb := redistest.Client("127.0.0.1:1")
	defer rdb.Close()
	if _, err := New(rdb, "/", Options{Prefix: "a}"}); err == nil {
		t.Error("a prefix with a brace is taken")
	}
}
