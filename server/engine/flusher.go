package engine

import (
	"runtime"
	"sync"
)

// turnWrites is how many writes a session gets before the next one's turn.
const turnWrites = 16

// perFlusher is how many sessions may wait for each flusher that is there
// before another one is worth its start, which costs as much as a few writes.
const perFlusher = 16

// flushers are the goroutines that write to the connections whose writes do not
// block: one for each processor at most, which take one session after another.
// To start a goroutine for each message would take a fifth of a paced
// broadcast's time. Where the kernel refuses, a writer of the session's own
// waits; nothing of a session's receiver is called from here, so that none
// holds up the others.
type flushers struct {
	server *Server
	most   int
	work   func() // run, as a value: to start it takes no memory

	mu          sync.Mutex
	first, last *Session // whose turn is next, by Session.turn
	waiting     int
	running     int
}

func (f *flushers) init(s *Server) {
	f.server, f.most, f.work = s, runtime.GOMAXPROCS(0), f.run
}

// add gives a session its turn. The caller has set its writing, and so it is
// not among those that wait.
func (f *flushers) add(s *Session) {
	f.mu.Lock()
	if f.first == nil {
		f.first = s
	} else {
		f.last.turn = s
	}
	f.last = s
	f.waiting++
	start := f.running < f.most && f.waiting > perFlusher*f.running
	if start {
		f.running++
	}
	f.mu.Unlock()
	if start {
		f.server.running.Add(1)
		go f.work()
	}
}

// next takes the session whose turn it is; nil ends the flusher.
func (f *flushers) next() *Session {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.first
	if s == nil {
		f.running--
		return nil
	}
	f.first, s.turn = s.turn, nil
	f.waiting--
	return s
}

func (f *flushers) run() {
	defer f.server.running.Done()
	x := idle.Get().(*flusher)
	for s := f.next(); s != nil; s = f.next() {
		x.writer = writer{s: s, w: s.ws}
		x.full, x.more = false, false
		err := s.ws.raw.Control(x.control)
		if err == nil {
			err = x.err
		}
		switch {
		case err != nil, x.full:
			startWriter(s, s.ws) // to wait, or to fail too: the receiver hears of it from there
		case x.more:
			f.add(s)
		default:
			x.done(nil)
		}
	}
	x.writer = writer{}
	idle.Put(x)
}

// A flusher is a writer that does not wait.
type flusher struct {
	writer
	control func(fd uintptr) // try
	full    bool             // the kernel has refused
	more    bool             // something is left for the next turn
}

var idle = sync.Pool{New: func() any {
	x := &flusher{}
	x.control = x.try
	return x
}}

func (x *flusher) try(fd uintptr) {
	x.w.wmu.Lock()
	defer x.w.wmu.Unlock()
	x.full, x.more, x.err = x.s.step(x.w, fd, &x.writer, turnWrites)
}
