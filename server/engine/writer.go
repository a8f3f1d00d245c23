package engine

import (
	"errors"
	"os"
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

// plainGrace is how long a write may be under way on a connection without
// non-blocking writes before the kernel counts as having refused it.
const plainGrace = 100 * time.Millisecond

// refused reports whether the peer, and not the server, is what the queue
// waits for.
func (w *wsConn) refused() bool {
	if w.raw != nil {
		return w.blocked.Load()
	}
	since := w.since.Load()
	return since != 0 && time.Now().UnixNano()-since > int64(plainGrace)
}

// write is the writer goroutine: it writes what has gathered and ends.
func (s *Session) write(w *wsConn) {
	var (
		err  error
		last bool
	)
	if w.raw != nil {
		err = s.writeRaw(w, &last)
	} else {
		err = s.writePlain(w, &last)
	}
	switch {
	case err != nil:
		s.writeFailed(w, err)
	case last:
		// Not where the writer finds that it is: there it may be inside of a
		// call of the connection's, which a close would wait for.
		_ = w.conn.Close()
		s.server.running.Done()
	}
}

func (s *Session) writeRaw(w *wsConn, last *bool) error {
	waited := false
	err := w.raw.Write(func(fd uintptr) bool {
		w.wmu.Lock()
		defer w.wmu.Unlock()
		full := s.step(w, fd, last)
		if full {
			waited = true
			// Fails on a closed connection, as the wait then does.
			_ = w.conn.SetWriteDeadline(time.Now().Add(s.server.opts.WriteTimeout))
		} else if waited {
			_ = w.conn.SetWriteDeadline(time.Time{})
		}
		return !full
	})
	if err != nil {
		return err
	}
	w.wmu.Lock()
	defer w.wmu.Unlock()
	return w.err
}

// step writes until nothing is left or the kernel refuses. The writer
// goroutine, as opposed to a helper, which passes no last, is gone when nothing
// is left; see writerDone. The caller holds wmu.
func (s *Session) step(w *wsConn, fd uintptr, last *bool) (full bool) {
	for {
		if len(w.out) == 0 && !s.fill(w, last) {
			return false
		}
		n, full, err := writeNow(fd, w.out)
		w.wrote(n)
		if err != nil {
			w.err = err
			return false
		}
		w.blocked.Store(full)
		if full {
			return true
		}
	}
}

// Flush helps to write what is queued. It is for emitters that [Session.Send]
// asks to, so that a burst takes no more memory than its emitter can be made
// to wait for; it waits for the kernel or another writer, never for the peer.
func (s *Session) Flush() {
	s.mu.Lock()
	w := s.ws
	s.mu.Unlock()
	if w == nil || w.refused() {
		return
	}
	if w.raw == nil {
		w.await()
		return
	}
	// Fails on a closed connection, which the reader tells the session.
	_ = w.raw.Control(func(fd uintptr) {
		w.wmu.Lock()
		defer w.wmu.Unlock()
		if w.err == nil {
			s.step(w, fd, nil)
		}
	})
}

// await waits until a plain write has ended, or has taken too long.
func (w *wsConn) await() {
	t := time.NewTimer(plainGrace)
	defer t.Stop()
	select {
	case <-w.progress:
	case <-t.C:
	}
}

func (s *Session) writePlain(w *wsConn, last *bool) error {
	for {
		w.wmu.Lock()
		ok := len(w.out) > 0 || s.fill(w, last)
		out := w.out
		w.wmu.Unlock()
		if !ok {
			return nil
		}
		now := time.Now()
		w.since.Store(now.UnixNano())
		_ = w.conn.SetWriteDeadline(now.Add(s.server.opts.WriteTimeout)) // fails as the write will
		n, err := w.conn.Write(out)
		w.since.Store(0)
		w.wmu.Lock()
		w.wrote(n)
		w.wmu.Unlock()
		select {
		case w.progress <- struct{}{}:
		default:
		}
		if err != nil {
			return err
		}
	}
}

// wrote takes n bytes off what is to be written. The caller holds wmu.
func (w *wsConn) wrote(n int) {
	w.out = w.out[n:]
	w.unsent.Add(-int64(n))
	if len(w.out) > 0 {
		return
	}
	w.out = nil
	if w.buf != nil {
		b := (*w.buf)[:0]
		*w.buf = b
		if cap(b) == smallWrite {
			smallWrites.Put(w.buf)
		} else {
			largeWrites.Put(w.buf)
		}
		w.buf = nil
	}
}

// fill gets the next bytes to be written into out. It reports false when there
// are none; a writer goroutine is then no longer the session's writer. The
// caller holds wmu.
func (s *Session) fill(w *wsConn, last *bool) bool {
	if w.next == len(w.batch) && !s.takeBatch(w, last) {
		return false
	}
	if len(w.out) > 0 { // a control frame, or a single message
		return true
	}
	if w.next == len(w.batch)-1 && w.off == 0 { // the last one needs no copy
		w.out = w.batch[w.next].frame(w.deflate)
		w.endBatch()
		return true
	}
	pool := &largeWrites
	if w.unsent.Load() <= smallWrite {
		pool = &smallWrites
	}
	w.buf = pool.Get().(*[]byte)
	b := *w.buf
	for w.next < len(w.batch) && len(b) < cap(b) {
		frame := w.batch[w.next].frame(w.deflate)[w.off:]
		n := min(len(frame), cap(b)-len(b))
		b = append(b, frame[:n]...)
		if w.off += n; n == len(frame) {
			w.next, w.off = w.next+1, 0
		}
	}
	if w.next == len(w.batch) {
		w.endBatch()
	}
	*w.buf, w.out = b, b
	return true
}

func (w *wsConn) endBatch() {
	recycle(w.batch)
	w.batch, w.next, w.off = nil, 0, 0
}

// takeBatch takes over the queue: a control frame first, the close frame last.
// The caller holds wmu.
func (s *Session) takeBatch(w *wsConn, last *bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case w.pong != nil:
		w.out, w.pong = w.pong, nil
		w.unsent.Store(int64(len(w.out)))
	case s.first != nil && s.queue == nil:
		w.out = s.first.frame(w.deflate)
		s.first, s.queued = nil, 0
		w.unsent.Store(int64(len(w.out)))
	case s.first != nil:
		// The queue's slice becomes the batch: the head goes in front of it.
		w.batch = append(s.queue, nil)
		copy(w.batch[1:], s.queue)
		w.batch[0] = s.first
		w.next, w.off = 0, 0
		w.unsent.Store(int64(s.frameBytes(w)))
		s.first, s.queue, s.queued = nil, nil, 0
	case w.closeFrame != nil && !w.closeTaken:
		w.closeTaken = true
		w.out = w.closeFrame
		w.unsent.Store(int64(len(w.out)))
	default:
		if last != nil {
			*last = s.writerDone(w)
		}
		return false
	}
	return true
}

// frameBytes is what the batch is going to be on the wire.
func (s *Session) frameBytes(w *wsConn) int {
	if !w.deflate {
		return s.queued
	}
	n := 0
	for _, m := range w.batch {
		n += len(m.frame(true))
	}
	return n
}

// writerDone ends the writer: all is written. It reports whether the reader has
// ended too, so that the writer has to close the connection. The caller holds
// mu.
func (s *Session) writerDone(w *wsConn) (last bool) {
	w.writing = false
	if w.closeTaken && !w.closeWritten {
		w.closeWritten = true
		w.lingering.Store(true)
		s.state.Store(stateClosed)
		if !w.readDone {
			_ = w.conn.SetReadDeadline(time.Now().Add(closeTimeout))
			if len(w.closeFrame) > 2 { // a peer at fault: nothing it may still say matters
				w.hangUp()
			}
		}
	}
	return w.readDone
}

// writeFailed ends the session after the writer's error, and the writer.
func (s *Session) writeFailed(w *wsConn, err error) {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.endSlow()
	} else {
		s.end(TransportClose, hideEOF(err), closing{fault: true})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
	s.state.Store(stateClosed)
	w.writing, w.closeWritten = false, true
	_ = w.conn.Close() // the reader ends with it
	if w.readDone {
		s.server.running.Done()
	}
}

// hangUp says that nothing more will be written, so that the peer closes its
// side once it has read what was. To close with bytes of the peer's unread
// would reset the connection, and a close frame that is on its way with it.
func (w *wsConn) hangUp() {
	if t, ok := w.conn.(interface{ CloseWrite() error }); ok {
		_ = t.CloseWrite() // fails on a closed connection
	}
}

// cut ends a connection whose peer does not read: what the kernel holds for it
// is given up too.
func (w *wsConn) cut() {
	if t, ok := w.conn.(interface{ SetLinger(int) error }); ok {
		_ = t.SetLinger(0)
	}
	_ = w.conn.Close()
}
