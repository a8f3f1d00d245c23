package redisadapter

import "sync"

// A serial does things one after another, in the order in which they were given
// to it. Its goroutine lives only while there is something to do.
type serial[T any] struct {
	do       func(T)
	max      int // items that wait
	maxBytes int
	overflow func()
	mu       sync.Mutex
	items    []T
	bytes    int
	sizes    []int
	running  bool
	closed   bool
	idle     chan struct{} // closed when it stops running after close
}

// push adds something of a size, or reports that there is too much already.
func (s *serial[T]) push(item T, size int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return
	case len(s.items) >= s.max || s.bytes+size > s.maxBytes && len(s.items) > 0:
		s.overflow()
		return
	}
	s.items = append(s.items, item)
	s.sizes = append(s.sizes, size)
	s.bytes += size
	if !s.running {
		s.running = true
		go s.run()
	}
}

func (s *serial[T]) run() {
	var items []T
	var sizes []int
	for {
		s.mu.Lock()
		if s.closed || len(s.items) == 0 {
			s.running = false
			if s.closed && s.idle != nil {
				close(s.idle)
				s.idle = nil
			}
			s.mu.Unlock()
			return
		}
		// The lists are swapped: what has been done makes room for what comes.
		clear(items)
		items, s.items = s.items, items[:0]
		sizes, s.sizes = s.sizes, sizes[:0]
		s.mu.Unlock()
		for i, item := range items {
			s.mu.Lock()
			closed := s.closed
			s.bytes -= sizes[i]
			s.mu.Unlock()
			if closed {
				break
			}
			s.do(item)
		}
		if cap(items) > 1024 {
			items, sizes = nil, nil
		}
	}
}

// close drops what waits and returns what is closed once nothing is being done.
func (s *serial[T]) close() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	idle := make(chan struct{})
	if s.closed || !s.running {
		close(idle)
	} else {
		s.idle = idle
	}
	s.closed = true
	s.items, s.sizes = nil, nil
	return idle
}
