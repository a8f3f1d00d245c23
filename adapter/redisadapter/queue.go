package redisadapter

import (
	"slices"
	"sync"
	"time"

	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
)

// A queue is what waits to be published. It is bounded: the oldest goes first.
type queue struct {
	max, maxBytes int
	dropped       func(n int)
	wake          chan struct{} // has room for one

	mu     sync.Mutex
	items  []outgoing
	head   int
	bytes  int
	closed bool
}

type outgoing struct {
	link.Outgoing

	since time.Time
	told  func(link.Outcome) // what became of it, unless it was dropped; or nil
}

func newQueue(messages, maxBytes int, dropped func(int)) *queue {
	return &queue{max: messages, maxBytes: maxBytes, dropped: dropped, wake: make(chan struct{}, 1)}
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) - q.head
}

func (q *queue) push(m link.Outgoing, told func(link.Outcome)) {
	q.mu.Lock()
	if q.closed || len(m.Payload) > q.maxBytes {
		q.mu.Unlock()
		q.dropped(1)
		return
	}
	n := 0
	for len(q.items)-q.head >= q.max || q.bytes+len(m.Payload) > q.maxBytes {
		q.pop()
		n++
	}
	q.items = append(q.items, outgoing{m, time.Now(), told})
	q.bytes += len(m.Payload)
	q.mu.Unlock()
	if n > 0 {
		q.dropped(n)
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// pop takes the oldest. The caller holds mu, and there is one.
func (q *queue) pop() outgoing {
	x := q.items[q.head]
	q.items[q.head] = outgoing{}
	q.head++
	q.bytes -= len(x.Payload)
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
		if cap(q.items) > 4096 {
			q.items = nil
		}
	} else if q.head > 1024 && q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return x
}

// expire drops what has waited since before a time, and returns when the oldest
// of the rest came; the zero time when there is none.
func (q *queue) expire(before time.Time) time.Time {
	q.mu.Lock()
	n := 0
	for len(q.items) > q.head && q.items[q.head].since.Before(before) {
		q.pop()
		n++
	}
	var oldest time.Time
	if len(q.items) > q.head {
		oldest = q.items[q.head].since
	}
	q.mu.Unlock()
	if n > 0 {
		q.dropped(n)
	}
	return oldest
}

// take appends the oldest messages to batch, up to a number and about as many
// bytes.
func (q *queue) take(batch []outgoing, messages, bytes int) []outgoing {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(batch) < messages && bytes > 0 && len(q.items) > q.head {
		x := q.pop()
		bytes -= len(x.Payload)
		batch = append(batch, x)
	}
	return batch
}

// putBack gives back what was taken and not sent. It is older than what has come
// meanwhile.
func (q *queue) putBack(batch []outgoing) {
	if len(batch) == 0 {
		return
	}
	q.mu.Lock()
	n := 0
	if q.closed {
		n = len(batch)
	} else {
		q.items, q.head = slices.Concat(batch, q.items[q.head:]), 0
		for i := range batch {
			q.bytes += len(batch[i].Payload)
		}
		for len(q.items)-q.head > q.max || q.bytes > q.maxBytes {
			q.pop()
			n++
		}
	}
	q.mu.Unlock()
	if n > 0 {
		q.dropped(n)
	}
}

// close drops what is there and all that comes.
func (q *queue) close() {
	q.mu.Lock()
	n := len(q.items) - q.head
	q.closed = true
	q.items, q.head, q.bytes = nil, 0, 0
	q.mu.Unlock()
	if n > 0 {
		q.dropped(n)
	}
}
