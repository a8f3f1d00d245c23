//go:build !race

package engine

import (
	"io"
	"testing"
	"unsafe"
)

// TestAllocations are budgets for what happens with every message.
func TestAllocations(t *testing.T) {
	x, in, peer := pairedSession(t)
	m := NewText(string(make([]byte, 100)))
	b := make([]byte, 1<<16)
	x.Send(0, m) // the open packet and this, which the reads below may take in pieces
	discard := func(n int) {
		if _, err := io.ReadFull(peer, b[:n]); err != nil {
			t.Fatal(err)
		}
	}
	discard(len(m.frame(false)) + len(openFrame(x)))
	check := func(what string, budget float64, f func()) {
		t.Helper()
		if n := testing.AllocsPerRun(2000, f); n > budget {
			t.Errorf("%s: %v allocations, want at most %v", what, n, budget)
		}
	}
	check("sending a shared message", 0, func() {
		x.Send(0, m)
		discard(len(m.frame(false)))
	})
	check("a text message", 2, func() { TextMessage(append(TextBuffer(100), "hello"...)) })

	frame := maskedFrame(0x81, "4"+string(make([]byte, 100)))
	check("reading a text frame", 0, func() {
		if _, err := peer.Write(frame); err != nil {
			t.Fatal(err)
		}
		op, data, err := in.next()
		if err != nil {
			t.Fatal(err)
		}
		x.received(op, data, in)
	})
	t.Logf("bytes: Session %d, wsConn %d, reader %d, pollState %d, Message %d",
		unsafe.Sizeof(Session{}), unsafe.Sizeof(wsConn{}), unsafe.Sizeof(reader{}), unsafe.Sizeof(pollState{}), unsafe.Sizeof(Message{}))
}
