package adapter

import (
	"context"
	"slices"
	"sync"

	"github.com/seed3686fee0/parlor/server/packet"
)

// Memory is the adapter of a single instance, and the local half of any other.
//
// One lock guards rooms and covers a broadcast's walk over its members, which
// gives all broadcasts one order; a walk only queues, so that a join waits for
// as long as that takes.
type Memory struct {
	// Static.
	host     Host
	recorder Recorder // the host, if it is one

	mu      sync.Mutex
	members map[string]*entry
	rooms   map[string]*room
	all     []*entry // every member, for broadcasts to everyone
	epoch   uint64   // of the marks of entries
	news    []RoomEvent
	noted   int                                       // of news, what the recorder knows
	watch   func(room string, private, occupied bool) // or nil
	telling bool                                      // a goroutine tells the host the news
}

// An entry is a member with its places. Guarded by Memory.mu.
type entry struct {
	member Member
	joined []place
	at     int    // in Memory.all
	mark   uint64 // the walk that has seen it
	away   bool   // it has left the room of its own id
}

// A room keeps its members in a slice, which is what a broadcast walks; a
// member knows its index in it.
type room struct {
	name    string
	members []*entry
}

type place struct {
	room *room
	at   int
}

// NewMemory makes the in-memory adapter of a namespace. It is a [Factory], but
// for its result's type.
func NewMemory(h Host) *Memory {
	recorder, _ := h.(Recorder)
	return &Memory{host: h, recorder: recorder, members: make(map[string]*entry), rooms: make(map[string]*room)}
}

// InMemory is the [Factory] of [Memory].
func InMemory(h Host) Adapter { return NewMemory(h) }

// Watch has f called whenever a room gets its first member here, and when it has
// lost its last; private tells that it is the room of a member's id. It is for
// adapters made of a Memory, which call it before the first Add. f is called under
// the lock, in the order of the changes: it does not block and does not call the
// Memory.
func (m *Memory) Watch(f func(room string, private, occupied bool)) { m.watch = f }

// Add implements [Adapter].
func (m *Memory) Add(x Member) {
	id := x.ID()
	m.mu.Lock()
	if m.members[id] != nil {
		m.mu.Unlock()
		return
	}
	e := &entry{member: x, at: len(m.all)}
	if m.watch != nil && m.rooms[id] == nil {
		m.watch(id, true, true)
	}
	m.members[id] = e
	m.all = append(m.all, e)
	if m.host.WantsRoomEvents() {
		if m.rooms[id] == nil {
			m.news = append(m.news, RoomEvent{Kind: RoomCreated, Room: id})
		}
		m.news = append(m.news, RoomEvent{Kind: RoomJoined, Room: id, ID: id})
	}
	m.unlock()
}

// unlock gives mu back after a change and tells the host of it: a recorder at
// once, and then as handlers can be told. One goroutine tells at a time, and then what has happened meanwhile too: events arrive in
// the order of what they are about, and a handler of theirs may change rooms.
func (m *Memory) unlock() {
	defer m.mu.Unlock()
	if m.recorder != nil && m.noted < len(m.news) {
		m.recorder.RecordRooms(m.news[m.noted:])
		m.noted = len(m.news)
	}
	if m.telling || len(m.news) == 0 {
		return
	}
	m.telling = true
	for len(m.news) > 0 {
		news := m.news
		m.news, m.noted = nil, 0
		m.mu.Unlock()
		m.host.RoomEvents(news)
		m.mu.Lock()
	}
	m.telling = false
}

// Join implements [Adapter].
func (m *Memory) Join(id string, rooms ...string) bool {
	m.mu.Lock()
	e := m.members[id]
	if e != nil {
		for _, name := range rooms {
			m.join(e, id, name)
		}
	}
	m.unlock()
	return e != nil
}

// JoinWithin implements [Adapter].
func (m *Memory) JoinWithin(most int, id string, rooms ...string) bool {
	m.mu.Lock()
	e := m.members[id]
	within := e == nil || m.within(most, e, id, rooms)
	if e != nil && within {
		for _, name := range rooms {
			m.join(e, id, name)
		}
	}
	m.unlock()
	return within
}

// within reports whether a member that joins rooms is in at most so many beside
// its own, or in no more than it was.
func (m *Memory) within(most int, e *entry, id string, rooms []string) bool {
	if len(e.joined)+len(rooms) <= most {
		return true // far from it: most members
	}
	anew := make(map[string]struct{}, len(rooms))
	for _, name := range rooms {
		if name != id && !e.in(id, name, m.rooms[name]) {
			anew[name] = struct{}{}
		}
	}
	return len(anew) == 0 || len(e.joined)+len(anew) <= most
}

func (m *Memory) join(e *entry, id, name string) {
	r := m.rooms[name]
	if e.in(id, name, r) {
		return
	}
	wants := m.host.WantsRoomEvents()
	if m.watch != nil && m.count(name) == 0 {
		m.watch(name, name == id, true)
	}
	if wants && m.count(name) == 0 {
		m.news = append(m.news, RoomEvent{Kind: RoomCreated, Room: name})
	}
	if name == id {
		e.away = false
	} else {
		if r == nil {
			r = &room{name: name}
			m.rooms[name] = r
		}
		e.joined = append(e.joined, place{r, len(r.members)})
		r.members = append(r.members, e)
	}
	if wants {
		m.news = append(m.news, RoomEvent{Kind: RoomJoined, Room: name, ID: id})
	}
}

// in reports whether the entry of id is in the room with a name, nil where there
// is none: by the shorter of two lists, for who is in many rooms is in small ones.
func (e *entry) in(id, name string, r *room) bool {
	switch {
	case name == id:
		return !e.away
	case r == nil:
		return false
	case len(r.members) < len(e.joined):
		return slices.Contains(r.members, e)
	}
	return e.index(r) >= 0
}

// index is where a room is in joined, or -1.
func (e *entry) index(r *room) int {
	return slices.IndexFunc(e.joined, func(p place) bool { return p.room == r })
}

// Leave implements [Adapter].
func (m *Memory) Leave(id string, rooms ...string) {
	m.mu.Lock()
	if e := m.members[id]; e != nil {
		for _, name := range rooms {
			m.leave(e, id, name)
		}
	}
	m.unlock()
}

func (m *Memory) leave(e *entry, id, name string) {
	r := m.rooms[name]
	if !e.in(id, name, r) {
		return
	}
	if name == id {
		e.away = true
	} else {
		i := e.index(r)
		m.vacate(e.joined[i])
		e.joined = slices.Delete(e.joined, i, i+1)
	}
	m.left(id, name)
}

// vacate takes a member's place in a room; the room's last member moves there.
func (m *Memory) vacate(p place) {
	r, last := p.room, len(p.room.members)-1
	moved := r.members[last]
	r.members[p.at] = moved
	r.members[last] = nil
	r.members = r.members[:last]
	if p.at != last {
		moved.joined[moved.index(r)].at = p.at
	}
	switch {
	case last == 0:
		delete(m.rooms, r.name)
	case cap(r.members) > 64 && last < cap(r.members)/4: // a crowd has gone: so does its memory
		r.members = slices.Clip(append(make([]*entry, 0, 2*last), r.members...))
	}
}

func (m *Memory) left(id, name string) {
	if m.watch != nil && m.count(name) == 0 {
		m.watch(name, name == id, false)
	}
	if !m.host.WantsRoomEvents() {
		return
	}
	m.news = append(m.news, RoomEvent{Kind: RoomLeft, Room: name, ID: id})
	if m.count(name) == 0 {
		m.news = append(m.news, RoomEvent{Kind: RoomDeleted, Room: name})
	}
}

// Remove implements [Adapter].
func (m *Memory) Remove(id string) {
	m.mu.Lock()
	e := m.members[id]
	if e == nil {
		m.mu.Unlock()
		return
	}
	delete(m.members, id)
	last := len(m.all) - 1
	m.all[last].at = e.at
	m.all[e.at] = m.all[last]
	m.all[last] = nil
	m.all = m.all[:last]
	if !e.away { // its own room first, as in Node
		e.away = true
		m.left(id, id)
	}
	for _, p := range e.joined {
		m.vacate(p)
		m.left(id, p.room.name)
	}
	e.joined = nil
	m.unlock()
}

// count is the number of members of a room: those who joined it, and the one
// whose id is its name. The caller holds mu.
func (m *Memory) count(name string) int {
	n := 0
	if r := m.rooms[name]; r != nil {
		n = len(r.members)
	}
	if e := m.members[name]; e != nil && !e.away {
		n++
	}
	return n
}

// Len implements [Adapter].
func (m *Memory) Len(room string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count(room)
}

// Member implements [Adapter].
func (m *Memory) Member(id string) (Member, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.members[id]; e != nil {
		return e.member, true
	}
	return nil, false
}

// Count implements [Adapter].
func (m *Memory) Count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.all)
}

// In implements [Adapter].
func (m *Memory) In(id, room string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.members[id]
	return e != nil && e.in(id, room, m.rooms[room])
}

// RoomsOf implements [Adapter].
func (m *Memory) RoomsOf(id string) ([]string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.members[id]
	if e == nil {
		return nil, false
	}
	return e.rooms(id), true
}

func (e *entry) rooms(id string) []string {
	names := make([]string, 0, len(e.joined)+1)
	if !e.away {
		names = append(names, id)
	}
	for _, p := range e.joined {
		names = append(names, p.room.name)
	}
	return names
}

// RoomNames implements [Adapter].
func (m *Memory) RoomNames() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := make([]string, 0, len(m.rooms)+len(m.members))
	for name := range m.rooms {
		names = append(names, name)
	}
	for id, e := range m.members {
		if !e.away && m.rooms[id] == nil {
			names = append(names, id)
		}
	}
	return names
}

// Close implements [Adapter].
func (m *Memory) Close() error { return nil }

// ServerCount implements [Adapter]: there is one.
func (m *Memory) ServerCount(context.Context) (int, error) { return 1, nil }

// ServerSideEmit implements [Adapter]: there is nobody else.
func (m *Memory) ServerSideEmit(packet.Args) error { return nil }

// ServerSideAsk implements [Adapter]: there is nobody else.
func (m *Memory) ServerSideAsk(context.Context, packet.Args) ([]packet.Args, error) { return nil, nil }

var _ Adapter = (*Memory)(nil)
