package server

import (
	"runtime"
	"sync/atomic"
)

// A job is an inbox that has work: to admit its socket first, when a namespace
// is named.
type job struct {
	socket *Socket
	admit  string
}

func (j job) run() {
	if j.admit != "" {
		j.socket.admit(j.admit)
		return
	}
	j.socket.work()
}

// workers are the goroutines that run inboxes. There are as many as inboxes
// with work; a few wait for the next job instead of ending, because a handler
// makes the stack of a new goroutine grow, at a cost of a tenth of an echo.
type workers struct {
	jobs    chan job // unbuffered: only one that waits takes a job
	waiting atomic.Int32
	most    int32
	ended   atomic.Bool
}

func newWorkers() *workers {
	return &workers{jobs: make(chan job), most: 16 * int32(runtime.GOMAXPROCS(0))}
}

func (w *workers) run(j job) {
	select {
	case w.jobs <- j:
	default:
		go w.work(j)
	}
}

func (w *workers) work(j job) {
	growStack(0)
	for {
		j.run()
		if w.waiting.Add(1) > w.most || w.ended.Load() {
			w.waiting.Add(-1)
			return
		}
		j = <-w.jobs
		w.waiting.Add(-1)
		if j.socket == nil {
			return
		}
	}
}

// growStack gives a new goroutine 8 KiB of stack, which is what most handlers need
// and twice or four times what it begins with. The move to a larger stack costs by
// the frames that are on the old one: here they are two, and where a handler would
// run out of room there are twenty.
//
//go:noinline
func growStack(i int) byte {
	var room [9 << 9]byte // with what the runtime keeps free, more than 4 KiB
	return room[i]
}

// end lets those that wait go, and the others when they are done.
func (w *workers) end() {
	w.ended.Store(true)
	for w.waiting.Load() > 0 {
		select {
		case w.jobs <- job{}:
		default:
			runtime.Gosched() // one is about to wait, or not to
		}
	}
}
