//go:build unix

package bench

import (
	"errors"
	"syscall"
)

// systemCause says what to do about the errors that a load meets.
func systemCause(err error) (cause, bool) {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: nothing listens there", true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset by the server", true
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "too many open files: raise the limit (ulimit -n)", true
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "no local port is left: give several addresses of the server, or widen net.ipv4.ip_local_port_range", true
	}
	return "", false
}
