package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"
)

// A link carries Engine.IO packets, text alone. One goroutine may call next while
// others send; close may be called by any, more than once.
type link interface {
	// next returns the next packet. It is good until the call after it.
	next() ([]byte, error)
	// send writes a packet; it does not keep it.
	send(packet []byte) error
	// expect says by when something is to come.
	expect(deadline time.Time)
	// interrupt has next fail. What ends the session may still be sent.
	interrupt()
	close()
}

// A dialer opens links.
type dialer struct {
	opts *Options
	net  net.Dialer
}

// handshake is what the server says first.
type handshake struct {
	SID          string `json:"sid"`
	PingInterval int64  `json:"pingInterval"`
	PingTimeout  int64  `json:"pingTimeout"`
	MaxPayload   int    `json:"maxPayload"`
}

// silence is how long a healthy server may say nothing.
func (h *handshake) silence() time.Duration {
	return time.Duration(h.PingInterval+h.PingTimeout) * time.Millisecond
}

// A cause is why something failed, in words that are the same whenever it fails so:
// failures are counted by them.
type cause string

func (c cause) Error() string { return string(c) }

// Causes that more than one place knows.
const (
	errTimeout     = cause("no answer in time")
	errClosed      = cause("the server closed the connection")
	errInterrupted = cause("interrupted")
)

// refused is the cause of an answer that is not that of a Socket.IO server, or of
// one that wants no more clients.
func refused(status int, body []byte) error {
	var said struct {
		Code    *int   `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &said) == nil && said.Code != nil {
		return cause(fmt.Sprintf("the server refused the handshake: status %d, %q", status, said.Message))
	}
	return cause(fmt.Sprintf("status %d to the handshake: not a Socket.IO server, or its path is another (--path)", status))
}

// parseOpen reads the packet that a session begins with.
func parseOpen(packet []byte) (*handshake, error) {
	h := &handshake{}
	if len(packet) == 0 || packet[0] != '0' || json.Unmarshal(packet[1:], h) != nil || h.SID == "" {
		return nil, cause("the server's first packet is not an Engine.IO handshake: not a Socket.IO 3 or 4 server")
	}
	if h.PingInterval <= 0 || h.PingTimeout <= 0 {
		h.PingInterval, h.PingTimeout = 25_000, 20_000
	}
	if h.MaxPayload <= 0 {
		h.MaxPayload = 1_000_000
	}
	return h, nil
}

// endpoint is where a session, or its transport, is asked for.
func endpoint(target *url.URL, transport, sid string) *url.URL {
	u := *target
	q := u.Query()
	q.Set("EIO", "4")
	q.Set("transport", transport)
	if sid != "" {
		q.Set("sid", sid)
	}
	u.RawQuery = q.Encode()
	return &u
}

// networkCause names what a network error is about, without the addresses and ports
// that make each one differ.
func networkCause(err error) error {
	if c, ok := errors.AsType[cause](err); ok {
		return c
	}
	if t, ok := errors.AsType[net.Error](err); ok && t.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return errTimeout
	}
	if errors.Is(err, context.Canceled) {
		return errInterrupted
	}
	if c, ok := systemCause(err); ok {
		return c
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return cause(op.Err.Error())
	}
	return cause(err.Error())
}
