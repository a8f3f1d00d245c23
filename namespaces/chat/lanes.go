package chat

import (
	"hash/maphash"
	"slices"
	"sync"
)

// lanes let those who change a room, or post to it, take turns: one after another
// in each room, in the order of their arrival, with nothing between the change
// and what is said of it. Otherwise two who join at once could be announced in
// one order and counted in the other, and one who joins could be told of another
// before it is told who was there already.
//
// It is not a lock: a handler that waits for its turn waits for emits, which
// take no time of their own, and for the store, and holds nothing meanwhile. Who
// takes several lanes takes them in the order of their names. A room costs
// something here only while somebody is at work in it, and nothing is allocated
// for who finds it free. Safe for concurrent use.
type lanes struct {
	seed   maphash.Seed
	shards [laneShards]laneShard
}

const laneShards = 64

type laneShard struct {
	mu   sync.Mutex
	busy map[string]*queue // rooms at work; nil: nobody waits
}

type queue struct{ turns []turn }

// A turn is somebody who waits: to be woken, or for work to be done instead.
type turn struct {
	ready chan struct{} // closed by who comes before; nil if there is work
	work  func()
}

func newLanes() *lanes {
	l := &lanes{seed: maphash.MakeSeed()}
	for i := range l.shards {
		l.shards[i].busy = make(map[string]*queue)
	}
	return l
}

func (l *lanes) shard(room string) *laneShard {
	return &l.shards[maphash.String(l.seed, room)%laneShards]
}

// enter waits until the room's turn has come. Whoever has entered exits.
func (l *lanes) enter(room string) {
	s := l.shard(room)
	s.mu.Lock()
	q, busy := s.busy[room]
	if !busy {
		s.busy[room] = nil
		s.mu.Unlock()
		return
	}
	ready := make(chan struct{})
	s.wait(room, q, turn{ready: ready})
	s.mu.Unlock()
	<-ready
}

// post is enter, work and exit for one who may be at work in the same room
// already, which waits for nothing: if the room is not free, work is done by who
// leaves it.
func (l *lanes) post(room string, work func()) {
	s := l.shard(room)
	s.mu.Lock()
	q, busy := s.busy[room]
	if busy {
		s.wait(room, q, turn{work: work})
		s.mu.Unlock()
		return
	}
	s.busy[room] = nil
	s.mu.Unlock()
	defer l.exit(room)
	work()
}

// wait queues a turn. The caller holds mu.
func (s *laneShard) wait(room string, q *queue, t turn) {
	if q == nil {
		q = &queue{}
		s.busy[room] = q
	}
	q.turns = append(q.turns, t)
}

// exit hands the room to the one who has waited longest.
func (l *lanes) exit(room string) {
	s := l.shard(room)
	s.mu.Lock()
	q := s.busy[room]
	if q == nil || len(q.turns) == 0 {
		delete(s.busy, room)
		s.mu.Unlock()
		return
	}
	t := q.turns[0]
	q.turns[0] = turn{}
	q.turns = q.turns[1:]
	s.mu.Unlock()
	if t.ready != nil {
		close(t.ready)
		return
	}
	defer l.exit(room)
	t.work()
}

// enterAll enters several rooms, and returns them in the order in which it has. The
// list is the caller's, to be sorted.
func (l *lanes) enterAll(rooms []string) []string {
	slices.Sort(rooms)
	rooms = slices.Compact(rooms)
	for _, room := range rooms {
		l.enter(room)
	}
	return rooms
}

func (l *lanes) exitAll(rooms []string) {
	for _, room := range slices.Backward(rooms) {
		l.exit(room)
	}
}

// idle reports whether nobody is at work.
func (l *lanes) idle() bool {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		n := len(s.busy)
		s.mu.Unlock()
		if n > 0 {
			return false
		}
	}
	return true
}
