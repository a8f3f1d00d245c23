package chat

import "slices"

// people are the connected users of a single instance: nil for one of whom there
// is nothing to know but that, which is one socket, of the user's own id, online.
// Most users are such, where users are anonymous.
type people map[string]*person

// A person is a user with sockets and rooms.
type person struct {
	sockets []socketStatus
	rooms   []string // sorted; not of a user that is its socket
}

type socketStatus struct {
	socket string
	status Status
}

// status is the most present of the sockets'.
func (p *person) status() Status {
	if p == nil || len(p.sockets) == 0 {
		return Online
	}
	status := Offline
	for _, s := range p.sockets {
		status = min(status, s.status)
	}
	return status
}

// get returns what is known of a user, to be changed, and put back.
func (all people) get(userID string) *person {
	p, there := all[userID]
	switch {
	case p != nil:
		return p
	case there:
		return &person{sockets: []socketStatus{{userID, Online}}}
	}
	return &person{}
}

func (all people) put(userID string, p *person) {
	switch {
	case len(p.sockets) == 0 && len(p.rooms) == 0:
		delete(all, userID)
	case len(p.sockets) == 1 && p.sockets[0] == socketStatus{userID, Online} && len(p.rooms) == 0:
		all[userID] = nil
	default:
		all[userID] = p
	}
}

// set notes the status of a socket.
func (all people) set(socket, userID string, s Status) Standing {
	if _, there := all[userID]; !there && socket == userID && s == Online {
		all[userID] = nil
		return Standing{}
	}
	p := all.get(userID)
	known, before := len(p.sockets) > 0, p.status()
	i := slices.IndexFunc(p.sockets, func(x socketStatus) bool { return x.socket == socket })
	if i < 0 {
		p.sockets = append(p.sockets, socketStatus{socket, s})
	} else {
		p.sockets[i].status = s
	}
	all.put(userID, p)
	standing := p.standing(known, before)
	standing.Rooms = slices.Clone(p.rooms)
	return standing
}

// remove forgets a socket.
func (all people) remove(socket, userID string) Standing {
	p, there := all[userID]
	if !there {
		return Standing{}
	}
	if p == nil {
		if socket == userID {
			delete(all, userID)
		}
		return Standing{}
	}
	before := p.status()
	p.sockets = slices.DeleteFunc(p.sockets, func(x socketStatus) bool { return x.socket == socket })
	all.put(userID, p)
	standing := p.standing(len(p.sockets) > 0, before)
	if standing.Changed {
		standing.Rooms = slices.Clone(p.rooms)
	}
	return standing
}

func (p *person) standing(known bool, before Status) Standing {
	return Standing{
		Status:  p.status(),
		Changed: known && p.status() != before,
	}
}

// connected reports whether a user has a socket.
func (all people) connected(userID string) bool {
	p, there := all[userID]
	return there && (p == nil || len(p.sockets) > 0)
}

// enter and exit note the rooms of a user who may have several sockets.
func (all people) enter(room, userID string) {
	p := all.get(userID)
	if i, found := slices.BinarySearch(p.rooms, room); !found {
		p.rooms = slices.Insert(p.rooms, i, room)
	}
	all.put(userID, p)
}

func (all people) exit(room, userID string) {
	p := all[userID]
	if p == nil {
		return
	}
	if i, found := slices.BinarySearch(p.rooms, room); found {
		p.rooms = slices.Delete(p.rooms, i, i+1)
	}
	all.put(userID, p)
}
