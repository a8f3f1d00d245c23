//go:build !unix

package engine

import (
	"errors"
	"net"
	"syscall"
)

// rawConn: every connection takes the plain path on this system.
func rawConn(net.Conn) syscall.RawConn { return nil }

type sysReader struct{ r *reader }

func (s *sysReader) init(r *reader)     { s.r = r }
func (s *sysReader) read() (int, error) { return s.r.plainRead() }

func writeNow(uintptr, []byte) (int, bool, error) { return 0, false, errors.ErrUnsupported }
