package engine

import (
	"io"
	"net"
	"testing"
	"time"
)

// A timed connection takes the plain path, as TLS does, and tells its write deadlines.
type timed struct {
	net.Conn
	deadlines chan time.Time
}

func (c *timed) SetWriteDeadline(t time.Time) error {
	c.deadlines <- t
	return c.Conn.SetWriteDeadline(t)
}

// A write deadline goes with the write: one that has passed would fail what TLS
// writes by itself, an answer to the peer's KeyUpdate (RFC 8446, 4.6.3), and with
// it all that follows.
func TestPlainWriteDeadline(t *testing.T) {
	x, _, peer := pairedSession(t)
	conn := &timed{x.ws.conn, make(chan time.Time, 16)}
	x.ws.conn, x.ws.raw = conn, nil
	m := NewText("hello")
	x.Send(0, m)
	if _, err := io.CopyN(io.Discard, peer, int64(len(openFrame(x))+len(m.frame(false)))); err != nil {
		t.Fatal(err)
	}
	for set := false; ; set = true {
		select {
		case at := <-conn.deadlines:
			if !set && at.IsZero() {
				t.Error("no deadline was set")
			}
			if at.IsZero() {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the deadline has outlived the write")
		}
	}
}
