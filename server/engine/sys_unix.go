//go:build unix

package engine

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// rawConn gives access to the descriptor of a plain TCP connection. TLS and
// in-memory connections take the plain path.
func rawConn(c net.Conn) syscall.RawConn {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := t.SyscallConn()
	if err != nil { // the connection is closed, which its next use will tell
		return nil
	}
	return raw
}

// sysReader reads into the reader's buffer. On a plain TCP connection it takes
// a buffer only to try a read, and gives it back when there is nothing, so
// that a connection that waits holds none.
type sysReader struct {
	r   *reader
	try func(fd uintptr) bool
	n   int
	err error
}

func (s *sysReader) init(r *reader) {
	s.r = r
	s.try = s.tryRead
}

func (s *sysReader) tryRead(fd uintptr) bool {
	s.r.acquire()
	for {
		s.n, s.err = syscall.Read(int(fd), *s.r.buf)
		if !errors.Is(s.err, syscall.EINTR) {
			break
		}
	}
	if errors.Is(s.err, syscall.EAGAIN) {
		s.r.waiting()
		s.r.release()
		return false
	}
	return true
}

// read replaces the buffer's content, all of which has been taken.
func (s *sysReader) read() (int, error) {
	r := s.r
	if r.ws.raw == nil {
		return r.plainRead()
	}
	if err := r.ws.raw.Read(s.try); err != nil {
		return 0, err
	}
	if s.err != nil {
		return 0, s.err
	}
	if s.n == 0 {
		return 0, io.EOF
	}
	r.r, r.w = 0, s.n
	return s.n, nil
}

// writeNow writes what the kernel takes at once. full says that it refused
// the rest.
func writeNow(fd uintptr, p []byte) (n int, full bool, err error) {
	for {
		n, err = syscall.Write(int(fd), p)
		if err != syscall.EINTR {
			break
		}
	}
	if n < 0 {
		n = 0
	}
	if err == syscall.EAGAIN {
		return n, true, nil
	}
	return n, false, err
}
