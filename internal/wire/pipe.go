package wire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// pipeBuffer is what one direction of an in-memory connection holds, as a kernel's buffers do. Without
// it a server could not even say "ping" to a client that does not read.
const pipeBuffer = 64 << 10

// Pipes is a listener whose connections live in memory, for tests in a testing/synctest bubble: there
// a minute's timeout takes no time. [Dial] knows its address. All methods are safe for concurrent use.
type Pipes struct {
	name   string
	accept chan net.Conn // never closed
	closed chan struct{}
	once   sync.Once
}

// Listeners in memory, by address. A name looks like "pipe:1", so that it can stand in a URL.
var (
	pipes    sync.Map // string → *Pipes
	pipeName atomic.Int64
)

// ListenPipe makes a listener in memory.
func ListenPipe() *Pipes {
	l := &Pipes{
		name:   fmt.Sprintf("pipe:%d", pipeName.Add(1)),
		accept: make(chan net.Conn),
		closed: make(chan struct{}),
	}
	pipes.Store(l.name, l)
	return l
}

// Accept implements [net.Listener].
func (l *Pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.accept:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener].
func (l *Pipes) Close() error {
	l.once.Do(func() {
		pipes.Delete(l.name)
		close(l.closed)
	})
	return nil
}

// Addr implements [net.Listener].
func (l *Pipes) Addr() net.Addr { return pipeAddr(l.name) }

type pipeAddr string

func (pipeAddr) Network() string  { return "pipe" }
func (a pipeAddr) String() string { return string(a) }

// dialAny connects to a TCP address or to a listener in memory.
func dialAny(addr string) (net.Conn, error) {
	if !strings.HasPrefix(addr, "pipe:") {
		return net.DialTimeout("tcp", addr, Timeout)
	}
	v, ok := pipes.Load(addr)
	if !ok {
		return nil, errors.New("nobody listens on " + addr)
	}
	l := v.(*Pipes)
	there, back := newHalf(), newHalf()
	client := &pipeConn{r: back, w: there, local: "pipe:0", remote: pipeAddr(l.name)}
	server := &pipeConn{r: there, w: back, local: pipeAddr(l.name), remote: "192.0.2.1:1"}
	select {
	case l.accept <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// half is one direction of a connection: bytes on their way.
type half struct {
	mu    sync.Mutex
	cond  sync.Cond
	data  []byte
	ended bool // the writer has closed: the reader gets the rest and then EOF
	gone  bool // the reader has closed: the writer gets an error

	readBy, writeBy deadline
}

type deadline struct {
	at    time.Time
	timer *time.Timer
}

func newHalf() *half {
	h := &half{}
	h.cond.L = &h.mu
	return h
}

// set changes a deadline of h.
func (h *half) set(d *deadline, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = at
	if left := time.Until(at); !at.IsZero() && left > 0 { // what has passed wakes them below
		// The lock keeps the wake-up from falling between a waiter's look at the clock and its sleep.
		d.timer = time.AfterFunc(left, func() { h.mu.Lock(); h.mu.Unlock(); h.cond.Broadcast() }) //nolint:staticcheck // see above
	}
	h.cond.Broadcast()
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (h *half) read(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.gone:
			return 0, net.ErrClosed
		case h.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(h.data) > 0:
			n := copy(b, h.data)
			h.data = h.data[n:]
			h.cond.Broadcast()
			return n, nil
		case h.ended:
			return 0, io.EOF
		}
		h.cond.Wait()
	}
}

func (h *half) write(b []byte) (n int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		switch {
		case h.ended, h.gone:
			return n, io.ErrClosedPipe
		case h.writeBy.passed():
			return n, os.ErrDeadlineExceeded
		}
		if k := min(len(b), pipeBuffer-len(h.data)); k > 0 {
			h.data = append(h.data, b[:k]...)
			b, n = b[k:], n+k
			h.cond.Broadcast()
		}
		if len(b) == 0 {
			return n, nil
		}
		h.cond.Wait()
	}
}

// end marks one side of h as closed.
func (h *half) end(side *bool, d *deadline) {
	h.set(d, time.Time{})
	h.mu.Lock()
	defer h.mu.Unlock()
	*side = true
	h.cond.Broadcast()
}

// pipeConn is one end of an in-memory connection.
type pipeConn struct {
	r, w          *half
	local, remote pipeAddr
}

func (c *pipeConn) Read(b []byte) (int, error)  { return c.r.read(b) }
func (c *pipeConn) Write(b []byte) (int, error) { return c.w.write(b) }
func (c *pipeConn) LocalAddr() net.Addr         { return c.local }
func (c *pipeConn) RemoteAddr() net.Addr        { return c.remote }

func (c *pipeConn) Close() error {
	c.r.end(&c.r.gone, &c.r.readBy)
	c.w.end(&c.w.ended, &c.w.writeBy)
	return nil
}

func (c *pipeConn) SetReadDeadline(t time.Time) error {
	c.r.set(&c.r.readBy, t)
	return nil
}

func (c *pipeConn) SetWriteDeadline(t time.Time) error {
	c.w.set(&c.w.writeBy, t)
	return nil
}

func (c *pipeConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}
