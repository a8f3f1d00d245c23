//go:build !race

package engine

import (
	"io"
	"net"
	"net/http"
	"testing"
	"time"
	"unsafe"
)

// A pairedSession is a WebSocket session over real TCP, its reader not
// started, and its peer.
func pairedSession(t testing.TB) (*Session, *reader, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{PingInterval: time.Hour, Open: func(*Session, *http.Request) Receiver { return &meter{t: t, limit: DefaultMaxPayload} }})
	x := &Session{server: s, id: "paired"}
	x.ws = newWSConn(conn, false)
	s.running.Add(1)
	s.track(x.ws)
	x.open(nil)
	if f := x.begin(); f != nil {
		t.Fatal(f)
	}
	in := newReader(x.ws, nil)
	in.session = x
	t.Cleanup(func() {
		_ = peer.Close()
		x.read(in)
		s.running.Wait()
	})
	return x, in, peer
}

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

func openFrame(s *Session) []byte {
	return packet(packetOpen, `{"sid":`+quote(s.id)+s.upgrades()+s.server.open).frame(false)
}
