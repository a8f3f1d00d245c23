package admin

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// A SessionStore keeps who has logged in. Its methods are safe for concurrent
// use, and end when their context does. Ids are secrets of 128 random bits and more.
type SessionStore interface {
	// Put keeps a session for ttl, with all that p says.
	Put(ctx context.Context, id string, p Principal, ttl time.Duration) error
	// Get returns whose session it is, and whether there is one, and keeps it for
	// another ttl. The id may be anything: it is what a client says.
	Get(ctx context.Context, id string, ttl time.Duration) (Principal, bool, error)
}

// MemorySessions are sessions in memory, those of one process. They are a
// [SessionStore].
type MemorySessions struct {
	max int

	mu    sync.Mutex
	byID  map[string]*list.Element // of *memorySession
	byUse *list.List               // the one that was used longest ago first
}

type memorySession struct {
	id      string
	p       Principal
	expires time.Time
}

// NewMemorySessions returns an empty store. Of more than so many sessions those
// are forgotten that were not used for the longest time.
func NewMemorySessions(most int) *MemorySessions {
	return &MemorySessions{max: max(1, most), byID: make(map[string]*list.Element), byUse: list.New()}
}

// Put implements [SessionStore].
func (m *MemorySessions) Put(_ context.Context, id string, p Principal, ttl time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(id)
	m.byID[id] = m.byUse.PushBack(&memorySession{id, p, time.Now().Add(ttl)})
	for m.byUse.Len() > m.max {
		m.remove(m.byUse.Front())
	}
	return nil
}

// Get implements [SessionStore].
func (m *MemorySessions) Get(_ context.Context, id string, ttl time.Duration) (Principal, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.byID[id]
	if !ok {
		return Principal{}, false, nil
	}
	now := time.Now()
	s := e.Value.(*memorySession)
	if !now.Before(s.expires) {
		m.remove(e)
		return Principal{}, false, nil
	}
	s.expires = now.Add(ttl)
	m.byUse.MoveToBack(e)
	return s.p, true, nil
}

func (m *MemorySessions) forget(id string) {
	if e, ok := m.byID[id]; ok {
		m.remove(e)
	}
}

func (m *MemorySessions) remove(e *list.Element) {
	delete(m.byID, e.Value.(*memorySession).id)
	m.byUse.Remove(e)
}
