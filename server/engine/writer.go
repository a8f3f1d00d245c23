package engine

import (
	"errors"
	"os"
	"slices"
	"sync"
	"time"
)

// Buffers in which small frames are gathered for one write.
const (
	smallWrite = 4 << 10
	largeWrite = 64 << 10
)

var (
	smallWrites = sync.Pool{New: func() any { b := make([]byte, 0, smallWrite); return &b }}
	largeWrites = sync.Pool{New: func() any { b := make([]byte, 0, largeWrite); return &b }}
)

// plainGrace is how long a write may be under way before the peer, and not a
// busy machine, is what it waits for, where the kernel cannot be asked.
const plainGrace = 50 * time.Millisecond

// patience is how long emitters wait for a peer that has fallen behind, from
// then until it has caught up, all taken together.
const patience = 100 * time.Millisecond

// refused reports whether the peer, and not the server, is what the queue
// waits for. Without non-blocking writes that takes some time to tell.
func (w *wsConn) refused() bool {
	since := w.since.Load()
	return since != 0 && (w.raw != nil || now()-since > int64(plainGrace))
}

// A writer writes what has gathered for a connection, and ends: on a goroutine
// of its own where a write has to wait, on a flusher's else.
type writer struct {
	s *Session
	w *wsConn

	waited bool  // a write deadline is set
	final  bool  // ... which covers the whole rest
	err    error // of the last write
	closes bool  // all is written and the reader has ended: the connection is to be closed
	hangs  bool  // all is written, and nothing that the peer may still say matters
	last   bool  // the reader has ended, and left the end to the writer
}

// Where every write has to wait a writer starts for nearly every message.
var writers = sync.Pool{New: func() any { return &writer{} }}

// startWriter writes on a goroutine of its own until nothing is left.
func startWriter(s *Session, w *wsConn) {
	x := writers.Get().(*writer)
	x.s, x.w = s, w
	go x.write()
}

func (x *writer) write() {
	var err error
	if x.w.raw == nil {
		err = x.writePlain()
	} else if err = x.w.raw.Write(x.tryWrite); err == nil {
		err = x.err
	}
	x.done(err)
	*x = writer{}
	writers.Put(x)
}

// done settles what follows the last write.
func (x *writer) done(err error) {
	s, w := x.s, x.w
	if err != nil {
		s.writeFailed(w, err)
		return
	}
	switch {
	case x.closes:
		_ = w.conn.Close() // it may be closed already
	case x.hangs:
		w.hangUp()
	}
	if x.last {
		s.server.done(w)
	}
}

// tryWrite writes until nothing is left, which ends the writer, or the kernel
// refuses, which makes the runtime call it again when there is room.
func (x *writer) tryWrite(fd uintptr) bool {
	w := x.w
	w.wmu.Lock()
	defer w.wmu.Unlock()
	full, _, err := x.s.step(w, fd, x, 0)
	x.err = err
	switch {
	case full:
		x.extend()
	case x.waited && !x.final:
		_ = w.conn.SetWriteDeadline(time.Time{}) // fails on a closed connection, which is at its end
	}
	return !full
}

// extend gives the peer time to take more. While the session is open that is
// WriteTimeout from here; after its end, WriteTimeout for all that is left.
func (x *writer) extend() {
	if x.final {
		return
	}
	x.waited, x.final = true, x.s.state.Load() != stateOpen
	// Fails on a closed connection, as the write will.
	_ = x.w.conn.SetWriteDeadline(time.Now().Add(x.s.server.opts.WriteTimeout))
}

// step writes until nothing is left, the kernel refuses, or it has written so
// many times; 0 is no limit. x is nil for a helper. The caller holds wmu.
func (s *Session) step(w *wsConn, fd uintptr, x *writer, times int) (full, more bool, err error) {
	for i := 1; ; i++ {
		if len(w.out) == 0 && !s.fill(w, x) {
			return false, false, nil
		}
		n, full, err := writeNow(fd, w.out)
		w.wrote(n)
		if err != nil {
			return false, false, err
		}
		if full {
			w.since.Store(now())
			w.fallsBehind()
			return true, false, nil
		}
		w.since.Store(0)
		if i == times {
			return false, true, nil
		}
	}
}

func (x *writer) writePlain() error {
	s, w := x.s, x.w
	for {
		w.wmu.Lock()
		ok := len(w.out) > 0 || s.fill(w, x)
		out := w.out[:min(len(w.out), largeWrite)]
		if !ok && x.waited && !x.final {
			// TLS writes by itself too, when the peer asks for new keys. Under wmu, so
			// that the next writer's deadline stands.
			_ = w.conn.SetWriteDeadline(time.Time{}) // fails on a closed connection, which is at its end
		}
		w.wmu.Unlock()
		if !ok {
			return nil
		}
		w.since.Store(now())
		w.fallsBehind()
		x.extend()
		n, err := w.conn.Write(out)
		w.since.Store(0)
		w.wmu.Lock()
		w.wrote(n)
		w.wmu.Unlock()
		if err != nil {
			return err
		}
	}
}

// Flush helps to write what is queued. It is for emitters that [Session.Send]
// asks to: a burst then takes no more memory than its emitter can be made to
// wait for. It waits for the kernel or another writer, and for a peer that has
// fallen behind just now, 100 ms at most until that has caught up: one that
// reads gets all of a burst, and one that does not holds nobody up again.
func (s *Session) Flush() {
	s.mu.Lock()
	w := s.ws
	s.mu.Unlock()
	if w == nil {
		return
	}
	if w.raw != nil && !w.refused() {
		// Fails on a closed connection, which the reader tells the session.
		// After an error the writer meets it too.
		_ = w.raw.Control(func(fd uintptr) {
			w.wmu.Lock()
			defer w.wmu.Unlock()
			_, _, _ = s.step(w, fd, nil, 0)
		})
	}
	w.await()
}

// fallsBehind notes when the peer stopped keeping up.
func (w *wsConn) fallsBehind() {
	if w.behind.Load() == 0 {
		w.behind.Store(now())
	}
}

// await waits for a peer that is behind, until a write to it has got on or
// patience is at its end.
func (w *wsConn) await() {
	since := w.behind.Load()
	left := patience - time.Duration(now()-since)
	if since == 0 || left <= 0 {
		return
	}
	w.wmu.Lock()
	if w.since.Load() == 0 || len(w.out) == 0 { // it has got on
		w.wmu.Unlock()
		return
	}
	if w.progress == nil {
		w.progress = make(chan struct{})
	}
	progress := w.progress
	w.wmu.Unlock()
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-progress:
	case <-t.C:
	}
}

// wrote takes n bytes off what is to be written. The caller holds wmu.
func (w *wsConn) wrote(n int) {
	w.out = w.out[n:]
	w.unsent.Store(int64(len(w.out) + w.rest))
	if n > 0 && w.progress != nil {
		close(w.progress)
		w.progress = nil
	}
	if len(w.out) > 0 {
		return
	}
	w.out = nil
	if w.buf != nil {
		if cap(*w.buf) == smallWrite {
			smallWrites.Put(w.buf)
		} else {
			largeWrites.Put(w.buf)
		}
		w.buf = nil
	}
}

// fill gets the next bytes to be written into out. It reports false when there
// are none; x is then no longer the session's writer. The caller holds wmu.
func (s *Session) fill(w *wsConn, x *writer) bool {
	if w.next == len(w.batch) {
		if !s.takeBatch(w, x) {
			return false
		}
		if len(w.out) > 0 { // a control frame, or a single message
			return true
		}
	}
	var sent load
	frame := w.batch[w.next].frame(w.deflate)
	if w.next == len(w.batch)-1 || len(frame) > largeWrite/2 { // needs no copy
		w.out = frame
		w.took(&sent)
		s.flow().out(sent)
		return true
	}
	pool := &largeWrites
	if w.rest <= smallWrite {
		pool = &smallWrites
	}
	w.buf = pool.Get().(*[]byte)
	b := (*w.buf)[:0]
	for len(b)+len(frame) <= cap(b) {
		b = append(b, frame...)
		w.took(&sent)
		if w.next == len(w.batch) {
			break
		}
		frame = w.batch[w.next].frame(w.deflate)
	}
	if len(b) == 0 { // inflated by compression
		w.out = frame
		w.took(&sent)
	} else {
		w.out = b
	}
	s.flow().out(sent)
	w.unsent.Store(int64(len(w.out) + w.rest))
	return true
}

// took takes the next message off the batch, and counts it. The caller holds wmu.
func (w *wsConn) took(sent *load) {
	sent.add(w.batch[w.next])
	w.rest -= w.batch[w.next].cost()
	w.batch[w.next] = nil // what has been written is not to be kept by what has not
	w.next++
	if w.next == len(w.batch) {
		recycle(w.batch)
		w.batch, w.next, w.rest = nil, 0, 0
	}
}

// takeBatch takes over the queue: a control frame first, the close frame last.
// Compressing, which fill does, is too long for mu. The caller holds wmu.
func (s *Session) takeBatch(w *wsConn, x *writer) bool {
	s.mu.Lock()
	var single *Message
	switch {
	case w.pong != nil:
		w.out, w.pong = w.pong, nil
	case s.first != nil && s.queue == nil:
		single = s.first
		s.first, s.queued = nil, 0
	case s.first != nil:
		// The queue's slice becomes the batch, its head in front.
		w.batch = slices.Insert(s.queue, 0, s.first)
		w.next, w.rest = 0, s.queued
		s.first, s.queue, s.queued = nil, nil, 0
	case w.closeFrame != nil && !w.closeTaken:
		w.closeTaken = true
		w.out = w.closeFrame
	default:
		w.behind.Store(0)
		if x != nil {
			s.writerDone(x)
		}
		s.mu.Unlock()
		return false
	}
	s.mu.Unlock()
	if single != nil {
		var sent load
		sent.add(single)
		s.flow().out(sent)
		w.out = single.frame(w.deflate)
	}
	w.unsent.Store(int64(len(w.out) + w.rest))
	return true
}

// writerDone ends the writer: all is written. The caller holds mu.
func (s *Session) writerDone(x *writer) {
	w := x.w
	w.writing = false
	if w.closeTaken && !w.closeWritten {
		w.closeWritten = true
		s.state.Store(stateClosed)
		x.closes = w.readDone
		x.hangs = len(w.closeFrame) > 2 // for a fault of the peer's
		w.linger()
	}
	x.last = w.readDone
}

// writeFailed ends the session after the writer's error, and the writer.
func (s *Session) writeFailed(w *wsConn, err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.endSlow()
	} else {
		s.end(TransportClose, hideEOF(err), closing{fault: true})
	}
	w.cut() // the reader ends with it
	s.mu.Lock()
	s.over()
	w.writing, w.closeWritten = false, true
	last := w.readDone
	s.mu.Unlock()
	if last {
		s.server.done(w)
	}
}
