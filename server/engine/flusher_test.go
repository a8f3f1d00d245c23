package engine

import (
	"io"
	"net"
	"testing"
	"time"
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

// A blocker is a receiver that does not return from Closed, as it must, until it is let go.
type blocker struct {
	Receiver
	entered, free chan struct{}
}

func (b *blocker) Closed(reason Reason, err error) {
	close(b.entered)
	<-b.free
	b.Receiver.Closed(reason, err)
}

// A session whose receiver blocks when its connection fails holds no flusher.
func TestFlusherOfFailedConnection(t *testing.T) {
	x, _, peer := pairedSession(t)
	b := &blocker{x.receiver, make(chan struct{}), make(chan struct{})}
	defer close(b.free)
	x.receiver = b
	if err := peer.(*net.TCPConn).SetLinger(0); err != nil { // it ends with a reset
		t.Fatal(err)
	}
	if err := peer.Close(); err != nil {
		t.Fatal(err)
	}
	within := time.After(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	f, entered := &x.server.flushers, b.entered
	for failed, busy := false, true; busy; {
		select {
		case <-entered:
			entered, failed = nil, true
		case <-tick.C:
			x.Send(0, pingPacket)
		case <-within:
			t.Fatalf("failed %v, and a flusher is still busy", failed)
		}
		f.mu.Lock()
		busy = !failed || f.running > 0
		f.mu.Unlock()
	}
}
