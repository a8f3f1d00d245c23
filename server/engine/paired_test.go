package engine

import (
	"net"
	"net/http"
	"testing"
	"time"
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

func openFrame(s *Session) []byte {
	return packet(packetOpen, `{"sid":`+quote(s.id)+s.upgrades()+s.server.open).frame(false)
}
