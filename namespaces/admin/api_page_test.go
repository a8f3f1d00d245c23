package admin

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// A page is the same as of a list of all that is sorted first, and does not hold them.
func TestSocketPage(t *testing.T) {
	var all []foundSocket
	for i := range 100 { // ten at a time, as when a crowd comes
		all = append(all, foundSocket{socketInfo: &socketInfo{ID: strconv.Itoa(i), Namespace: "/", Handshake: handshakeInfo{Issued: int64(i / 10)}}})
	}
	sorted := slices.SortedFunc(slices.Values(all), func(a, b foundSocket) int { return a.key().compare(b.key()) })
	for _, limit := range []int{1, 7, 10, 99, 100, 1000} {
		var got []foundSocket
		for more, after := true, (*socketKey)(nil); more && len(got) <= len(all); {
			rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			p := socketPage{limit: limit, after: after}
			held := 0
			for _, s := range all {
				p.add(s)
				held = max(held, len(p.list))
			}
			if p.total != len(all) || held > 2*(limit+1) {
				t.Fatalf("of %d sockets %d are counted, and %d held for a page of %d", len(all), p.total, held, limit)
			}
			var list []foundSocket
			if list, more = p.sockets(); len(list) > limit || len(list) == 0 {
				t.Fatalf("a page of %d has %d", limit, len(list))
			}
			got = append(got, list...)
			key := list[len(list)-1].key()
			after = &key
		}
		if !slices.EqualFunc(got, sorted, func(a, b foundSocket) bool { return a.ID == b.ID }) {
			t.Errorf("pages of %d are not the list, which is in order", limit)
		}
	}
}
