package engine

import (
	"io"
	"testing"
)

// One session at a time is written to, and has its turn again when others have had theirs.
func TestTurns(t *testing.T) {
	x, _, peer := pairedSession(t)
	f := &x.server.flushers
	f.mu.Lock()
	f.running += f.most // the test is the flusher
	f.mu.Unlock()
	m := NewText(string(make([]byte, largeWrite/2))) // too large to share a write
	const n = 3
	read := make(chan error, 1)
	go func() {
		_, err := io.CopyN(io.Discard, peer, int64(len(openFrame(x))+n*len(m.frame(false))))
		read <- err
	}()
	for range n {
		x.Send(0, m)
	}
	if f.next() != x || f.waiting != 0 {
		t.Fatal("the session that has been sent to has not one turn")
	}
	turn := func() (left bool) {
		var more bool
		err := x.ws.raw.Control(func(fd uintptr) {
			x.ws.wmu.Lock()
			defer x.ws.wmu.Unlock()
			var full bool
			var err error
			if full, more, err = x.step(x.ws, fd, &writer{s: x, w: x.ws}, 2); full || err != nil {
				t.Errorf("full %v, %v", full, err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return more
	}
	turns := 1
	for turn() {
		turns++
	}
	if want := n/2 + 1; turns != want {
		t.Errorf("%d turns, want %d", turns, want)
	}
	if err := <-read; err != nil {
		t.Error(err)
	}
	f.mu.Lock()
	f.running = 0
	f.mu.Unlock()
}
