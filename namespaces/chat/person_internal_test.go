//go:build !race

package chat

import (
	"fmt"
	"testing"
)

// A status of somebody with many rooms copies their list once: for whoever tells
// the rooms. A tab that comes and goes and changes nothing copies it not at all
// where it goes.
func TestRoomsAreCopiedOnce(t *testing.T) {
	all, l := make(people), newLanes()
	all.set("s1", "ann", Online)
	for n := range 2000 {
		all.enter(fmt.Sprintf("room %04d", n), "ann")
	}
	statuses := []Status{Away, Online}
	n := testing.AllocsPerRun(50, func() {
		for _, s := range statuses {
			l.exitAll(l.enterAll(all.set("s1", "ann", s).Rooms))
		}
	})
	if n > 3 {
		t.Errorf("two statuses take %v allocations", n)
	}
	all.set("s2", "ann", Online)
	if standing := all.remove("s2", "ann"); standing.Changed || standing.Rooms != nil {
		t.Errorf("%d rooms of a change that is none: %t", len(standing.Rooms), standing.Changed)
	}
}
