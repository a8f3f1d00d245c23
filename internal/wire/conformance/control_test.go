package conformance

import (
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// control is what the server is compared with where time is the measure: a byte that comes back over a connection of its own, again
// and again, with no server between. Where the process has to wait for the machine, with clients of the case
// at work in it and other tests beside it, the control waits too; what the server holds up it does not notice.
type control struct {
	near, far net.Conn
	quit      chan struct{}
	echoed    chan struct{} // closed when far has sent all back
	stopped   chan struct{}
	worst     atomic.Int64 // the longest time that the byte took, in nanoseconds
}

func startControl(t testing.TB) *control {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := &control{quit: make(chan struct{}), echoed: make(chan struct{}), stopped: make(chan struct{})}
	if c.near, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if c.far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.echoed)
		buf := make([]byte, 1)
		for {
			if _, err := io.ReadFull(c.far, buf); err != nil {
				return
			}
			if _, err := c.far.Write(buf); err != nil {
				return
			}
		}
	}()
	go func() {
		defer close(c.stopped)
		buf := make([]byte, 1)
		for begun := time.Now(); ; {
			if _, err := c.near.Write(buf); err != nil {
				t.Errorf("control: %v", err)
				return
			}
			if _, err := io.ReadFull(c.near, buf); err != nil {
				t.Errorf("control: %v", err)
				return
			}
			// The pause is in it: the machine may stop there too.
			c.worst.Store(max(c.worst.Load(), int64(time.Since(begun)-canaryPause)))
			begun = time.Now()
			select {
			case <-c.quit:
				return
			case <-time.After(canaryPause):
			}
		}
	}()
	return c
}

func (c *control) stop() {
	close(c.quit)
	<-c.stopped
	c.near.Close()
	<-c.echoed
	c.far.Close()
}
