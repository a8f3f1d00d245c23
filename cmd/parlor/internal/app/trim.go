package app

import (
	"context"
	"runtime/debug"
	"time"
)

const (
	trimInterval = time.Second
	// trimChange is by how many connections a crowd has come or gone, and by
	// what part of those that were there.
	trimChange = 1_000
	trimPart   = 5
)

// A trimmer gives memory back to the system after a crowd has come or gone.
// net/http leaves three times as much garbage for each connection as the
// connection then takes, and the runtime would keep the room for it for the
// next crowd, which for connections that live for hours is for ever. It is one
// collection a crowd, when it is over.
type trimmer struct {
	trimmed int // connections when memory was last given back
	last    int // connections when last looked
	free    func()
}

// look is called every so often with the number of connections.
func (t *trimmer) look(connections int) {
	calm := abs(connections-t.last) <= connections/100
	changed := abs(connections-t.trimmed) >= max(trimChange, t.trimmed/trimPart)
	t.last = connections
	if calm && changed {
		t.trimmed = connections
		t.free()
	}
}

// trim looks until ctx is done.
func trim(ctx context.Context, connections func() int) {
	t := trimmer{free: debug.FreeOSMemory}
	every(ctx, trimInterval, func() { t.look(connections()) })
}

func abs(n int) int { return max(n, -n) }
