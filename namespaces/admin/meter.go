package admin

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

const (
	remembered  = 600              // seconds
	coarse      = 10 * time.Second // of the history: the page's own buckets are as long
	maxSlots    = 1000             // namespaces
	disconnects = "rawDisconnection"
)

// counters are counts since the server began.
type counters struct {
	opened                                   int64
	closed                                   map[string]int64 // by reason
	packetsIn, bytesIn, packetsOut, bytesOut int64
}

// A meter turns counters into what has happened in each second of the last ten
// minutes.
type meter struct {
	last    counters
	at      time.Time // of last
	seconds []sample  // that have been told, the oldest first
	pending []sample  // that have not
}

// A sample is what has happened in a second.
type sample struct {
	at     int64 // its beginning, in milliseconds since 1970
	events []bucket
}

func newMeter(c counters, now time.Time) *meter { return &meter{last: c, at: now} }

// sample is told the counters once a second.
func (m *meter) sample(c counters, now time.Time) {
	at := m.at.Truncate(time.Second).UnixMilli()
	var events []bucket
	add := func(name, reason string, n int64) {
		if n > 0 {
			events = append(events, bucket{at, name, reason, n})
		}
	}
	add("rawConnection", "", c.opened-m.last.opened)
	for _, reason := range slices.Sorted(maps.Keys(c.closed)) {
		add(disconnects, reason, c.closed[reason]-m.last.closed[reason])
	}
	add("packetsIn", "", c.packetsIn-m.last.packetsIn)
	add("bytesIn", "", c.bytesIn-m.last.bytesIn)
	add("packetsOut", "", c.packetsOut-m.last.packetsOut)
	add("bytesOut", "", c.bytesOut-m.last.bytesOut)
	m.last, m.at = c, now
	m.pending = append(m.pending, sample{at, events})
}

// flush returns what has not been told, and remembers it.
func (m *meter) flush() []bucket {
	list := []bucket{} // not null
	for _, s := range m.pending {
		list = append(list, s.events...)
	}
	m.seconds = append(m.seconds, m.pending...)
	m.seconds = slices.Delete(m.seconds, 0, max(0, len(m.seconds)-remembered))
	m.pending = m.pending[:0]
	return list
}

// history is all that has been told, in longer buckets: whoever hears it now has
// not heard what has been told, and will hear the rest.
func (m *meter) history() []bucket {
	type name struct {
		at           int64
		kind, reason string
	}
	sums := make(map[name]int64)
	for _, s := range m.seconds {
		at := s.at - s.at%coarse.Milliseconds()
		for _, e := range s.events {
			sums[name{at, e.Type, e.SubType}] += e.Count
		}
	}
	list := make([]bucket, 0, len(sums))
	for n, count := range sums {
		list = append(list, bucket{n.at, n.kind, n.reason, count})
	}
	slices.SortFunc(list, func(a, b bucket) int {
		return cmp.Or(cmp.Compare(a.Timestamp, b.Timestamp), cmp.Compare(a.Type, b.Type), cmp.Compare(a.SubType, b.SubType))
	})
	return list
}

// slots are the places of namespaces in the list that admins get. The page
// goes by the place: none is ever taken away, and one whose namespace is gone
// has zero until another has it.
type slots struct {
	names []string
}

// fill puts namespaces into their places.
func (s *slots) fill(list []namespaceStats) []namespaceStats {
	counts := make(map[string]int, len(list))
	for _, x := range list {
		counts[x.Name] = x.Sockets
	}
	places := make(map[string]bool, len(s.names))
	var free []int
	for i, name := range s.names {
		places[name] = true
		if _, there := counts[name]; !there {
			free = append(free, i)
		}
	}
	for _, x := range list {
		switch {
		case places[x.Name]:
		case len(s.names) < maxSlots && len(free) == 0:
			s.names = append(s.names, x.Name)
		case len(free) > 0:
			s.names[free[0]] = x.Name
			free = free[1:]
		}
	}
	out := make([]namespaceStats, len(s.names))
	for i, name := range s.names {
		out[i] = namespaceStats{name, counts[name]}
	}
	return out
}
