package chat

import "sync"

// lanes let those who change who is in a room take turns: one after another in
// each room, in the order of their arrival, with nothing between the change and
// what is said of it. Otherwise two who join at once could be announced in one
// order and counted in the other, and one who joins could be told of another
// before it is told who was there already.
//
// It is not a lock: a handler that waits for its turn waits for emits, which
// take no time of their own, and holds nothing meanwhile. A room costs something
// here only while somebody is at work in it. Safe for concurrent use.
type lanes struct {
	mu   sync.Mutex
	busy map[string][]turn // rooms at work, with those who wait
}

// A turn is somebody who waits: to be woken, or for work to be done instead.
type turn struct {
	ready chan struct{} // closed by who comes before; nil if there is work
	work  func()
}

// do runs f when its turn has come, and returns when it is done.
func (l *lanes) do(room string, f func() error) error {
	l.mu.Lock()
	waiting, busy := l.busy[room]
	if !busy {
		l.start(room)
		l.mu.Unlock()
	} else {
		ready := make(chan struct{})
		l.busy[room] = append(waiting, turn{ready: ready})
		l.mu.Unlock()
		<-ready
	}
	defer l.next(room)
	return f()
}

// post is do for one who may be at work in the same room already, which waits
// for nothing: if the room is not free, work is done by who leaves it.
func (l *lanes) post(room string, work func()) {
	l.mu.Lock()
	waiting, busy := l.busy[room]
	if busy {
		l.busy[room] = append(waiting, turn{work: work})
		l.mu.Unlock()
		return
	}
	l.start(room)
	l.mu.Unlock()
	defer l.next(room)
	work()
}

// start makes a room busy. The caller holds mu.
func (l *lanes) start(room string) {
	if l.busy == nil {
		l.busy = make(map[string][]turn)
	}
	l.busy[room] = nil
}

// next hands the room to the one who has waited longest.
func (l *lanes) next(room string) {
	l.mu.Lock()
	waiting := l.busy[room]
	if len(waiting) == 0 {
		delete(l.busy, room)
		l.mu.Unlock()
		return
	}
	t := waiting[0]
	waiting[0] = turn{}
	l.busy[room] = waiting[1:]
	l.mu.Unlock()
	if t.ready != nil {
		close(t.ready)
		return
	}
	defer l.next(room)
	t.work()
}
