package admin

import (
	"sync/atomic"
	"time"
)

// What admins are told is bounded by one thing, the time that the page's only
// thread needs for it: whatever it is told while it is busy waits, as do clicks.
// These are measured with @socket.io/admin-ui 0.5.1 in headless Chromium, on a
// machine with little to spare; one at rest needs a half to a fifth.
//
// An event, or a change of a socket or a room, is a row of Events, which draws all
// of its rows anew for each: 21 ms with 5 of them, 86 with 100, 187 with 200, 382
// with 400, 818 with 1000.
//
// For each socket of a list the page goes through all sockets and clients that it
// has put into its own lists by then and, for each of its rooms, through all rooms
// and the sockets in it. 500 sockets in a room each take 180 ms, 1000 take 0.8 to
// 1.7 s, 2000 take 6 s; with five rooms each 1.0 to 1.7 s, 7 to 10 s, 27 s.
const (
	rowTime    = 10 * time.Millisecond // of a row,
	rowsTime   = time.Millisecond      // and for each that is there
	pageRows   = 1000                  // that it keeps
	stepTime   = 250 * time.Nanosecond // for each thing that is gone through
	socketTime = 50 * time.Microsecond // for a socket besides
)

const (
	keptForChanges = 4 // a quarter of what there is in a second: events do not take it
	listShare      = 5 // a fifth of the time, for lists; the first is not to be waited for
)

// A budget is what is left of a page's time. It is looked at for each of a
// broadcast's recipients, with the adapter's lock held, and so has no clock: the
// pump's is there to fill it. What is told last may overdraw it, and is paid for
// before there is anything else.
type budget struct {
	endless bool // static

	left    atomic.Int64 // nanoseconds
	rows    atomic.Int64 // that were told of
	share   atomic.Int64 // nanoseconds for a second, of this one of
	servers atomic.Int64 // so many
}

// fill adds what there is for a second, of which one of several servers has its
// share; no more than that is kept.
func (b *budget) fill(perSecond time.Duration, servers int) {
	share := int64(perSecond) / int64(servers)
	b.share.Store(share)
	b.servers.Store(int64(servers))
	b.left.Add(min(share, share-b.left.Load())) // others only take
}

// event reports whether there is time for an event of a client, and takes it.
func (b *budget) event() bool { return b.row(b.share.Load() / keptForChanges) }

// change reports whether there is time for a row about a socket or a room, and
// takes it.
func (b *budget) change() bool { return b.row(0) }

// update is change for what is told without a row.
func (b *budget) update() bool { return b.take(0, rowTime) }

func (b *budget) row(keep int64) bool {
	if !b.take(keep, rowTime+rowsTime*time.Duration(min(b.rows.Load()*b.servers.Load(), pageRows))) {
		return false
	}
	b.rows.Add(1)
	return true
}

func (b *budget) take(keep int64, d time.Duration) bool {
	if b.endless {
		return true
	}
	for {
		n := b.left.Load()
		if n <= keep {
			return false
		}
		if b.left.CompareAndSwap(n, n-int64(d)) {
			return true
		}
	}
}

// spent reports whether all has been taken that there was.
func (b *budget) spent() bool { return !b.endless && b.left.Load() <= 0 }

// list takes the time for a list, which one server tells for all.
func (b *budget) list(d time.Duration) { b.left.Add(-int64(d) / b.servers.Load()) }

// A listing is the page's work on a list.
type listing struct {
	took       time.Duration
	clients    map[string]int // where in the page's list
	namespaces map[string]*listedNamespace
}

type listedNamespace struct {
	sockets int
	rooms   map[string]*listedRoom
}

type listedRoom struct{ place, sockets int }

func newListing() *listing {
	return &listing{clients: make(map[string]int), namespaces: make(map[string]*listedNamespace)}
}

// add adds the next socket, unless it would take more than most in all.
func (l *listing) add(s *socketInfo, most time.Duration) bool {
	ns := l.namespaces[s.Namespace]
	if ns == nil {
		ns = &listedNamespace{rooms: make(map[string]*listedRoom)}
		l.namespaces[s.Namespace] = ns
	}
	client, ok := l.clients[s.ClientID]
	if !ok {
		client = len(l.clients)
	}
	steps, rooms := ns.sockets+client, len(ns.rooms)
	for _, name := range s.Rooms {
		if room := ns.rooms[name]; room != nil {
			steps += room.place + room.sockets
		} else {
			steps += rooms
			rooms++
		}
	}
	took := socketTime + time.Duration(steps)*stepTime
	if most > 0 && l.took+took > most {
		return false
	}
	l.took += took
	l.clients[s.ClientID] = client
	ns.sockets++
	for _, name := range s.Rooms {
		room := ns.rooms[name]
		if room == nil {
			room = &listedRoom{place: len(ns.rooms)}
			ns.rooms[name] = room
		}
		room.sockets++
	}
	return true
}
