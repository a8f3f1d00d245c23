package admin

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

// A mirror is what admins have been told of the sockets of this instance. What
// they are told comes from it alone, so that a change which a list already has is
// not told again: the page would count it twice. It is owned by the goroutine
// that reads the queue.
type mirror struct {
	sockets map[string]*known // by id
	early   map[string][]string
	partial bool // there were more sockets than are shown
}

// known is a socket that admins know.
type known struct {
	socket *server.Socket
	rooms  []string // its own first
	data   json.RawMessage
}

// newMirror begins with the sockets that there are, the newest most of them.
// The observer is at work already.
func newMirror(io *server.Server, most int) *mirror {
	m := &mirror{sockets: make(map[string]*known), early: make(map[string][]string)}
	type dated struct {
		socket *server.Socket
		issued time.Time
	}
	var all []dated
	for _, ns := range io.Namespaces() {
		for s := range ns.Sockets() {
			// Of one that has ended already nobody may say so any more; one that
			// is about to be connected may have been so before anybody watched.
			if s.Context().Err() == nil {
				all = append(all, dated{s, s.Handshake().Issued})
			}
		}
	}
	if len(all) > most {
		slices.SortStableFunc(all, func(a, b dated) int { return b.issued.Compare(a.issued) })
		all = all[:most]
		m.partial = true
	}
	for _, x := range all {
		m.add(x.socket, x.socket.Rooms())
	}
	return m
}

func (m *mirror) add(s *server.Socket, rooms []string) *known {
	rooms = shownRooms(rooms)
	if len(rooms) == 0 || rooms[0] != s.ID() {
		rooms = append([]string{s.ID()}, rooms...)
	}
	k := &known{socket: s, rooms: rooms}
	m.sockets[s.ID()] = k
	return k
}

// connect takes up a socket, with the rooms that it was in from the start, and
// reports whether it is new and there is a place for it.
func (m *mirror) connect(s *server.Socket, most int) (*known, bool) {
	if m.sockets[s.ID()] != nil {
		return nil, false
	}
	rooms := m.early[s.ID()]
	delete(m.early, s.ID())
	if len(m.sockets) >= most {
		m.partial = true
		clear(m.early)
		return nil, false
	}
	if m.partial { // then nobody has written down its rooms
		rooms = s.Rooms()
	}
	return m.add(s, rooms), true
}

// join reports whether it is news that a socket is in a room. A socket that is
// not known is about to be, unless there are too many.
func (m *mirror) join(id, room string) bool {
	k := m.sockets[id]
	if k == nil {
		if !m.partial && room != id && !slices.Contains(m.early[id], room) {
			m.early[id] = append(m.early[id], room)
		}
		return false
	}
	if slices.Contains(k.rooms, room) {
		return false
	}
	k.rooms = append(k.rooms, room) // who has been given the list has it up to its own length
	return true
}

// leave reports whether it is news that a socket is in a room no more.
func (m *mirror) leave(id, room string) bool {
	k := m.sockets[id]
	if k == nil {
		rooms := m.early[id]
		if i := slices.Index(rooms, room); i >= 0 {
			rooms = slices.Delete(rooms, i, i+1)
			m.early[id] = rooms
		}
		if len(rooms) == 0 {
			delete(m.early, id)
		}
		return false
	}
	i := slices.Index(k.rooms, room)
	if i < 0 {
		return false
	}
	k.rooms = slices.Delete(slices.Clone(k.rooms), i, i+1)
	return true
}

// list is all sockets, the oldest first.
func (m *mirror) list() []*known {
	list := make([]*known, 0, len(m.sockets))
	for _, k := range m.sockets {
		list = append(list, k)
	}
	slices.SortFunc(list, func(a, b *known) int {
		return cmp.Or(a.socket.Handshake().Issued.Compare(b.socket.Handshake().Issued), cmp.Compare(a.socket.ID(), b.socket.ID()))
	})
	return list
}
