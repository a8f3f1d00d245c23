package redisstore

import (
	"slices"
	"strings"
	"sync"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// A mirror is what Redis should have of this instance's sockets: what it is told
// again when it has lost it. Safe for concurrent use.
type mirror struct {
	mu      sync.Mutex
	sockets map[string]*socket
	gone    map[string]struct{} // those that are gone, which Redis could not be told
	burying string              // the socket that Watch makes leave
}

// A socket is one of this instance's.
type socket struct {
	user   chat.User
	status chat.Status
	there  bool     // SetStatus has been called, and Remove has not
	rooms  []string // sorted
}

func newMirror() *mirror {
	return &mirror{sockets: make(map[string]*socket), gone: make(map[string]struct{})}
}

// arrive notes that a socket is there, and reports whether that is new.
func (m *mirror) arrive(id, userID string, s chat.Status) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	x := m.get(id, userID)
	if x.there {
		return false
	}
	x.there, x.status = true, s
	return true
}

// set notes the status of a socket that is there.
func (m *mirror) set(id, userID string, s chat.Status) {
	m.mu.Lock()
	defer m.mu.Unlock()
	x := m.get(id, userID)
	x.there, x.status = true, s
}

// get returns a socket, a new one perhaps. The caller holds mu.
func (m *mirror) get(id, userID string) *socket {
	x := m.sockets[id]
	if x == nil {
		id = strings.Clone(id)
		x = &socket{user: chat.User{ID: id}}
		if id != userID {
			x.user.ID = strings.Clone(userID)
		}
		m.sockets[id] = x
	}
	return x
}

func (m *mirror) rename(u chat.User) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x := m.sockets[u.ID]; x != nil {
		x.user.Name = u.Name
	}
}

func (m *mirror) join(room, id string, u chat.User) {
	m.mu.Lock()
	defer m.mu.Unlock()
	x := m.get(id, u.ID)
	x.user.Name = u.Name
	if i, found := slices.BinarySearch(x.rooms, room); !found {
		x.rooms = slices.Insert(x.rooms, i, room)
	}
}

func (m *mirror) leave(room, id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	x := m.sockets[id]
	if x == nil {
		return
	}
	if i, found := slices.BinarySearch(x.rooms, room); found {
		x.rooms = slices.Delete(x.rooms, i, i+1)
	}
	m.forget(id, x)
}

// leaveFailed is about a socket that may be gone: nobody would try again.
func (m *mirror) leaveFailed(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if x := m.sockets[id]; x != nil && !x.there {
		m.gone[strings.Clone(id)] = struct{}{}
	}
}

func (m *mirror) remove(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	x := m.sockets[id]
	if x == nil {
		return
	}
	x.there = false
	m.forget(id, x)
	if m.sockets[id] != nil { // it could not be made to leave
		m.gone[strings.Clone(id)] = struct{}{}
	}
}

func (m *mirror) removeFailed(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.sockets[id] != nil {
		m.gone[strings.Clone(id)] = struct{}{}
	}
}

// forget drops a socket of which there is nothing to know. The caller holds mu.
func (m *mirror) forget(id string, x *socket) {
	if !x.there && len(x.rooms) == 0 {
		delete(m.sockets, id)
		delete(m.gone, id)
	}
}

// bury notes which socket Watch makes leave: what is said of it holds only if it
// is still this instance's. "" is none.
func (m *mirror) bury(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.burying = id
}

// only is 1 for the socket that Watch makes leave.
func (m *mirror) only(id string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id != "" && id == m.burying {
		return 1
	}
	return 0
}

// departed returns the sockets that are gone, which Redis could not be told.
func (m *mirror) departed() []chat.Orphan {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []chat.Orphan
	for id := range m.gone {
		x := m.sockets[id]
		list = append(list, chat.Orphan{Socket: id, User: x.user, Rooms: slices.Clone(x.rooms)})
	}
	slices.SortFunc(list, bySocket)
	return list
}

func (m *mirror) hasDeparted() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.gone) > 0
}

func (m *mirror) has(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sockets[id] != nil
}

func (m *mirror) ids() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]string, 0, len(m.sockets))
	for id := range m.sockets {
		list = append(list, id)
	}
	return list
}

// appendTo appends what the script restore is told of a socket.
func (m *mirror) appendTo(args []any, id string) []any {
	m.mu.Lock()
	defer m.mu.Unlock()
	x := m.sockets[id]
	if x == nil {
		return append(args, id, "", "", "-", 0)
	}
	status := "-"
	if x.there {
		status = string('0' + rune(x.status))
	}
	args = append(args, id, x.user.ID, x.user.Name, status, len(x.rooms))
	for _, room := range x.rooms {
		args = append(args, room)
	}
	return args
}
