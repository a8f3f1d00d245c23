package adapter

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/seed3686fee0/parlor/server/packet"
)

// Broadcast implements [Adapter].
func (m *Memory) Broadcast(p *packet.Shared, t Target) {
	var behind []Member // those who ask for help with writing
	m.mu.Lock()
	for e := range m.meant(&t) {
		if e.member.Deliver(p, t.Flags) {
			behind = append(behind, e.member)
		}
	}
	m.mu.Unlock()
	for _, x := range behind {
		x.Flush()
	}
}

// BroadcastWithAck implements [Adapter].
func (m *Memory) BroadcastWithAck(ctx context.Context, p *packet.Shared, t Target, clients func(int), reply func(packet.Args, bool)) {
	id := p.Packet().ID
	var (
		asked, behind []Member
		calls         sync.Mutex
		over          bool
	)
	one := func(args packet.Args, ok bool) {
		calls.Lock()
		defer calls.Unlock()
		if !over {
			reply(args, ok)
		}
	}
	// Nobody may answer before the number of those who are asked is told, so
	// the members are picked first; one that is gone meanwhile says so.
	asked = slices.DeleteFunc(m.Members(t), unreachable)
	clients(len(asked))
	if len(asked) == 0 {
		return
	}
	m.mu.Lock()
	for _, x := range asked {
		if x.Ask(p, t.Flags, one) {
			behind = append(behind, x)
		}
	}
	m.mu.Unlock()
	// Not before everyone has been asked: ctx may be over already, and nobody
	// would forget what is asked after that.
	context.AfterFunc(ctx, func() {
		calls.Lock()
		over = true
		calls.Unlock()
		for _, x := range asked {
			x.Forget(id)
		}
	})
	for _, x := range behind {
		x.Flush()
	}
}

func unreachable(x Member) bool {
	r, ok := x.(Reacher)
	return ok && !r.Reachable()
}

// Members implements [Adapter].
func (m *Memory) Members(t Target) []Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Member
	for e := range m.meant(&t) {
		list = append(list, e.member)
	}
	return list
}

// FetchSockets implements [Adapter].
func (m *Memory) FetchSockets(_ context.Context, t Target) ([]SocketInfo, error) {
	members := m.Members(t)
	infos := make([]SocketInfo, 0, len(members))
	for _, x := range members { // not under the lock: a description encodes the socket's data
		info := x.Describe()
		rooms, ok := m.RoomsOf(info.ID)
		if !ok {
			continue // gone meanwhile
		}
		info.Rooms = rooms
		infos = append(infos, info)
	}
	return infos, nil
}

// SocketsJoin implements [Adapter].
func (m *Memory) SocketsJoin(t Target, rooms ...string) {
	m.update(t, rooms, m.join)
}

// SocketsLeave implements [Adapter].
func (m *Memory) SocketsLeave(t Target, rooms ...string) {
	m.update(t, rooms, m.leave)
}

func (m *Memory) update(t Target, rooms []string, change func(*entry, string, string)) {
	m.mu.Lock()
	var list []*entry // first, since a change moves what is walked over
	for e := range m.meant(&t) {
		list = append(list, e)
	}
	for _, e := range list {
		for _, name := range rooms {
			change(e, e.member.ID(), name)
		}
	}
	m.unlock()
}

// DisconnectSockets implements [Adapter].
func (m *Memory) DisconnectSockets(t Target, closeConn bool) {
	for _, x := range m.Members(t) {
		x.Disconnect(closeConn)
	}
}

// meant walks over the entries that a target means, each once. The caller
// holds mu, and changes nothing during the walk.
func (m *Memory) meant(t *Target) iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		// An entry with the mark of this walk has been seen, or is left out.
		m.epoch++
		mark := m.epoch
		for _, name := range t.Except {
			if e := m.members[name]; e != nil && !e.away {
				e.mark = mark
			}
			if r := m.rooms[name]; r != nil {
				for _, e := range r.members {
					e.mark = mark
				}
			}
		}
		if len(t.Rooms) == 0 {
			walk(m.all, mark, yield)
			return
		}
		for _, name := range t.Rooms {
			if e := m.members[name]; e != nil && !e.away && e.mark != mark {
				e.mark = mark
				if !yield(e) {
					return
				}
			}
			if r := m.rooms[name]; r != nil && !walk(r.members, mark, yield) {
				return
			}
		}
	}
}

func walk(entries []*entry, mark uint64, yield func(*entry) bool) bool {
	for _, e := range entries {
		if e.mark == mark {
			continue
		}
		e.mark = mark
		if !yield(e) {
			return false
		}
	}
	return true
}
