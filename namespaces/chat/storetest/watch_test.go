package storetest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/failing"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// A family is two handles on one memory, of which one that does not watch is dead
// soon. Its faults are what the kit is to notice.
type family struct {
	chat.Store

	mu      sync.Mutex
	members []*relative
	fault   string
}

// A relative is one of the handles.
type relative struct {
	*family

	alive   bool
	heard   time.Time // when it was not alive any more
	buried  bool      // it was taken for dead
	sockets map[string]*chat.Orphan
	status  map[string]chat.Status
	waiting []chat.Orphan
	back    []chat.Returned
}

func newFamily(o chat.MemoryOptions, fault string) []chat.Watcher {
	f := &family{Store: chat.NewMemory(o), fault: fault}
	var list []chat.Watcher
	for range 2 {
		r := &relative{family: f, heard: time.Now(), sockets: make(map[string]*chat.Orphan), status: make(map[string]chat.Status)}
		f.members, list = append(f.members, r), append(list, r)
	}
	return list
}

func (r *relative) Join(ctx context.Context, room, socket string, u chat.User, atMost int) (chat.Change, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.sockets[socket]
	o.User = u
	o.Rooms = append(o.Rooms, room)
	return r.Store.Join(ctx, room, socket, u, atMost)
}

func (r *relative) SetStatus(ctx context.Context, socket, userID string, s chat.Status) (chat.Standing, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sockets[socket] == nil {
		r.sockets[socket] = &chat.Orphan{Socket: socket, User: chat.User{ID: userID}}
	}
	r.status[socket] = s
	return r.Store.SetStatus(ctx, socket, userID, s)
}

func (r *relative) Watch(
	ctx context.Context,
	gone func(ctx context.Context, o chat.Orphan) error,
	returned func(ctx context.Context, r chat.Returned) error,
) error {
	r.mu.Lock()
	r.alive = true
	if r.buried {
		r.restore()
	}
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.alive, r.heard = false, time.Now()
		r.mu.Unlock()
	}()
	for ctx.Err() == nil {
		r.mu.Lock()
		r.adopt()
		waiting, back := r.waiting, r.back
		r.waiting, r.back = nil, nil
		r.mu.Unlock()
		var failed []chat.Orphan
		for _, o := range waiting {
			if gone(ctx, o) != nil && r.fault != "does not try again" {
				failed = append(failed, o)
			}
		}
		var unsaid []chat.Returned
		for _, b := range back {
			if returned(ctx, b) != nil {
				unsaid = append(unsaid, b)
			}
		}
		r.mu.Lock()
		r.waiting, r.back = append(r.waiting, failed...), append(r.back, unsaid...)
		r.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
	return nil
}

// adopt takes over from one that is dead. The caller holds mu.
func (r *relative) adopt() {
	dead := 200 * time.Millisecond
	if r.fault == "" { // a good store has to be right on a busy machine
		dead = 2 * time.Second
	}
	for _, other := range r.members {
		if other == r || other.alive || other.buried || time.Since(other.heard) < dead {
			continue
		}
		other.buried = true
		for _, o := range other.sockets {
			orphan := *o
			orphan.Rooms = slices.Clone(o.Rooms)
			if r.fault == "forgets the rooms" {
				orphan.Rooms = nil
			}
			r.waiting = append(r.waiting, orphan)
		}
	}
}

// restore has the lists as they were. The caller holds mu.
func (r *relative) restore() {
	r.buried = r.fault == "dies once"
	if r.fault == "forgets its own" {
		return
	}
	for _, o := range r.sockets {
		standing, _ := r.Store.SetStatus(context.Background(), o.Socket, o.User.ID, r.status[o.Socket])
		back := chat.Returned{Socket: o.Socket, Changed: standing.Changed && r.fault != "says nothing of presence"}
		for _, room := range o.Rooms {
			change, _ := r.Store.Join(context.Background(), room, o.Socket, o.User, -1)
			if change.Turned || r.fault == "welcomes who has stayed" {
				back.Rooms = append(back.Rooms, room)
			}
		}
		if len(back.Rooms) > 0 || back.Changed {
			r.back = append(r.back, back)
		}
	}
	switch r.fault {
	case "is silent":
		r.back = nil
	case "tells another":
		r.members[1].back, r.back = r.back, nil
	}
}

// TestWatchFaults shows that the kit notices: each of these faults fails a case,
// and none does not.
func TestWatchFaults(t *testing.T) {
	const dead, back = "the dead", "the dead who return"
	for fault, by := range map[string]string{
		"": "", "forgets the rooms": dead, "does not try again": dead,
		"is silent": back, "forgets its own": back, "says nothing of presence": back, "welcomes who has stayed": back, "tells another": back, "dies once": back,
	} {
		patience := time.Second // for what does not come
		if by == "" {
			patience = guard
		}
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			for _, tc := range watchCases {
				failed := failing.Fails(t, func(t testing.TB) {
					tc.start(t, func(testing.TB) []chat.Watcher { return newFamily(chat.MemoryOptions{}, fault) }, patience)
				})
				if by == "" && failed || by == tc.name && !failed {
					t.Errorf("the case %q fails: %t", tc.name, failed)
				}
			}
		})
	}
}
