package server

import (
	"fmt"
	"slices"
)

// earlyRooms are the rooms of a socket that is being let in. Its namespace's adapter
// is given them in rounds, as they may change meanwhile: rooms are joined and left
// from any goroutine, and by handlers of room events, which run while the adapter
// joins. What Join and Leave were told last holds in the end. It is guarded by
// conn.mu.
type earlyRooms struct {
	wanted []string // the adapter is to be given next
	given  []string // the adapter has, or is just being given
	left   []string // of those it was given, what the socket has left
}

// join adds to what is wanted. What the adapter was given it is given again:
// something else may have taken the socket out of it.
func (e *earlyRooms) join(own string, limit int, rooms []string) error {
	wanted := e.wanted
	for _, name := range rooms {
		if !slices.Contains(wanted, name) {
			wanted = append(wanted, name)
		}
	}
	if len(wanted) == len(e.wanted) {
		return nil
	}
	n := 0 // as an adapter counts: its own is beside them
	for _, name := range wanted {
		if name != own {
			n++
		}
	}
	for _, name := range e.given {
		if name != own && !slices.Contains(wanted, name) {
			n++
		}
	}
	if over(n, limit) {
		return fmt.Errorf("join: %w: the limit is %d", ErrTooManyRooms, limit)
	}
	e.wanted = wanted
	return nil
}

// leave takes out rooms. Whether the adapter has one that it was given cannot be
// known: it is left once more when it has.
func (e *earlyRooms) leave(rooms []string) {
	among := func(name string) bool { return slices.Contains(rooms, name) }
	e.wanted = slices.DeleteFunc(e.wanted, among)
	for _, name := range e.given {
		if among(name) {
			e.left = append(e.left, name)
		}
	}
	e.given = slices.DeleteFunc(e.given, among)
}

// next returns what the adapter is to be told, in this order; nothing when all is
// done.
func (e *earlyRooms) next() (leave, join []string) {
	if e == nil {
		return nil, nil
	}
	leave, join = e.left, e.wanted
	e.wanted, e.left = nil, nil
	for _, name := range join {
		if !slices.Contains(e.given, name) {
			e.given = append(e.given, name)
		}
	}
	return leave, join
}

// joinEarly is Join before the socket is settled.
func (s *Socket) joinEarly(rooms []string) (early bool, err error) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.settled || s.state.Load() != socketConnecting {
		return false, nil
	}
	if s.early == nil {
		s.early = &earlyRooms{}
	}
	return true, s.early.join(s.id, s.conn.server.limits.Load().RoomsPerSocket, rooms)
}

// leaveEarly is Leave before the socket is settled, for what the adapter does not
// have.
func (s *Socket) leaveEarly(rooms []string) {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.early != nil {
		s.early.leave(rooms)
	}
}

// settle joins the early rooms, and those that are joined meanwhile. From then on
// the adapter is asked and told at once.
func (s *Socket) settle() {
	for {
		s.conn.mu.Lock()
		leave, join := s.early.next()
		done := len(leave)+len(join) == 0 || s.state.Load() != socketConnecting // ended meanwhile
		if done {
			s.early, s.settled = nil, true
		}
		s.conn.mu.Unlock()
		if done {
			return
		}
		if len(leave) > 0 {
			s.ns.adapter.Leave(s.id, leave...)
		}
		if len(join) > 0 {
			s.ns.adapter.Join(s.id, join...)
		}
	}
}
