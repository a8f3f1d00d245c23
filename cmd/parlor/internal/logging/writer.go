package logging

import (
	"bytes"
	"io"
	"sync"
	"time"
)

// writer passes lines on to another writer without ever making its caller wait:
// a log pipe that nobody reads, or a full disk, must not stop the server. What
// does not fit is lost, counted, and told in a line of its own as soon as lines
// can be written again.
//
// Write may be called concurrently, each call with whole lines.
type writer struct {
	// Static after construction.
	out   io.Writer
	limit int
	note  func(lost uint64) []byte // a line that says so
	wake  chan struct{}            // one slot; never closed
	ended chan struct{}            // closed by run when it returns

	mu      sync.Mutex
	pending []byte // guarded by mu: lines not handed to out yet
	untold  uint64 // guarded by mu: lines lost since the last note
	lost    uint64 // guarded by mu: lines lost in all
	closed  bool   // guarded by mu
}

func newWriter(out io.Writer, limit int, note func(lost uint64) []byte) *writer {
	w := &writer{
		out:   out,
		limit: limit,
		note:  note,
		wake:  make(chan struct{}, 1),
		ended: make(chan struct{}),
	}
	go w.run() // ended by close
	return w
}

// Write implements [io.Writer]. It never fails: logrus would complain on the
// very stream that does not work.
func (w *writer) Write(lines []byte) (int, error) {
	w.mu.Lock()
	if w.closed || len(w.pending)+len(lines) > w.limit {
		w.lose(lines)
	} else {
		w.pending = append(w.pending, lines...)
	}
	w.mu.Unlock()
	w.signal()
	return len(lines), nil
}

// lose counts lines as lost. w.mu is held.
func (w *writer) lose(lines []byte) {
	n := uint64(bytes.Count(lines, []byte{'\n'}))
	w.untold += n
	w.lost += n
}

func (w *writer) signal() {
	select {
	case w.wake <- struct{}{}:
	default: // a wake-up is waiting already
	}
}

// run writes what gathers, in one call for all that has gathered, until the
// writer is closed and empty.
func (w *writer) run() {
	defer close(w.ended)
	var spare []byte
	for range w.wake {
		w.mu.Lock()
		batch, untold, closed := w.pending, w.untold, w.closed
		w.pending, w.untold = spare[:0], 0
		w.mu.Unlock()

		lines := len(batch)
		if untold > 0 {
			// It stands where the gap is seen: the pending lines are older than
			// the lost ones, which found no room behind them.
			batch = append(batch, w.note(untold)...)
		}
		if len(batch) > 0 {
			if n, err := w.out.Write(batch); err != nil {
				w.mu.Lock()
				w.lose(batch[min(n, lines):lines])
				w.untold += untold // the note has not arrived either
				w.mu.Unlock()
			}
		}
		spare = batch
		if closed {
			return
		}
	}
}

func (w *writer) close(timeout time.Duration) bool {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.signal()
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-w.ended:
	case <-timer.C:
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.untold == 0
}

func (w *writer) totalLost() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lost
}
