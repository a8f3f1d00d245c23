package redisadapter

import (
	"sync"
	"time"
)

// rare lets through one of many log lines.
type rare struct {
	mu     sync.Mutex
	last   time.Time
	missed int
}

// now reports whether a line is due, and how many were not since the last.
func (r *rare) now() (missed int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); r.last.IsZero() || now.Sub(r.last) >= 10*time.Second {
		missed, r.missed, r.last = r.missed, 0, now
		return missed, true
	}
	r.missed++
	return 0, false
}
