package chat

import (
	"slices"
	"strings"
	"sync"
)

// logs keep the messages of rooms, in bounded memory. Safe for concurrent use.
type logs struct {
	// Static; what is not positive is none.
	most      int // messages of a room
	mostBytes int // of a room
	total     int // bytes of all rooms

	mu          sync.Mutex
	rooms       map[string]*log
	first, last *log // all of them, the one written to longest ago first
	bytes       int
}

// A log is the messages of a room, oldest first. It may outlive the room.
type log struct {
	room       string
	entries    []logEntry
	bytes      int
	prev, next *log
}

type logEntry struct {
	id   MessageID
	text string
}

// What a message and a room are taken to cost beside their texts, so that many
// small ones are bounded too.
const (
	logEntryCost = 64
	logCost      = 256
)

func (e *logEntry) cost() int { return len(e.text) + logEntryCost }

func (l *logs) init(most, mostBytes, total int) {
	l.most, l.mostBytes, l.total = most, mostBytes, total
	l.rooms = make(map[string]*log)
}

// newest returns the last message of a room, if any is kept. The caller holds mu.
func (l *logs) newest(room string) (MessageID, bool) {
	g := l.rooms[room]
	if g == nil {
		return MessageID{}, false
	}
	return g.entries[len(g.entries)-1].id, true
}

// add keeps a message, which is newer than those of its room that are kept, and
// forgets what is then too much. One that is too large alone is not kept. The
// caller holds mu.
func (l *logs) add(room string, id MessageID, text []byte) {
	cost := len(text) + logEntryCost
	if l.most <= 0 || len(text) > l.mostBytes || cost+logCost+len(room) > l.total {
		return
	}
	g := l.rooms[room]
	if g == nil {
		g = &log{room: strings.Clone(room)}
		l.rooms[g.room] = g
		l.grow(g, logCost+len(room))
	} else {
		l.unlink(g)
	}
	l.link(g)
	g.entries = append(g.entries, logEntry{id, string(text)})
	l.grow(g, cost)
	for l.bytes > l.total && l.first != g {
		l.forget(l.first)
	}
	for len(g.entries) > l.most || g.texts() > l.mostBytes || l.bytes > l.total {
		l.grow(g, -g.entries[0].cost())
		g.entries[0] = logEntry{}
		g.entries = g.entries[1:]
	}
}

// texts is the size of the messages alone.
func (g *log) texts() int { return g.bytes - logCost - len(g.room) - len(g.entries)*logEntryCost }

func (l *logs) grow(g *log, bytes int) {
	g.bytes += bytes
	l.bytes += bytes
}

func (l *logs) forget(g *log) {
	l.unlink(g)
	delete(l.rooms, g.room)
	l.bytes -= g.bytes
}

func (l *logs) link(g *log) {
	if g.prev = l.last; g.prev != nil {
		g.prev.next = g
	} else {
		l.first = g
	}
	l.last = g
}

func (l *logs) unlink(g *log) {
	if g.prev != nil {
		g.prev.next = g.next
	} else {
		l.first = g.next
	}
	if g.next != nil {
		g.next.prev = g.prev
	} else {
		l.last = g.prev
	}
	g.prev, g.next = nil, nil
}

// page answers a query.
func (l *logs) page(q Query) Page {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.rooms[q.Room]
	if g == nil || q.Limit <= 0 {
		return Page{}
	}
	at, found := slices.BinarySearchFunc(g.entries, q.Bound, func(e logEntry, id MessageID) int { return e.id.Compare(id) })
	cut, list := backward, g.entries[:at]
	if q.After {
		if found {
			at++
		}
		cut, list = forward, g.entries[at:]
	}
	part, more := cut(list, q)
	p := Page{Messages: make([]string, len(part)), More: more}
	for i, e := range part {
		p.Messages[i] = e.text
	}
	return p
}

// forward and backward return as much of the beginning, or of the end, of a list
// as a query wants, and whether that is not all.
func forward(list []logEntry, q Query) (part []logEntry, more bool) {
	n, bytes := 0, 0
	for n < len(list) && n < q.Limit {
		if bytes += len(list[n].text) + 1; bytes > q.Bytes && n > 0 {
			break
		}
		n++
	}
	return list[:n], n < len(list)
}

func backward(list []logEntry, q Query) (part []logEntry, more bool) {
	n, bytes := len(list), 0
	for n > 0 && len(list)-n < q.Limit {
		if bytes += len(list[n-1].text) + 1; bytes > q.Bytes && n < len(list) {
			break
		}
		n--
	}
	return list[n:], n > 0
}
