package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// Timeout bounds each single operation of a client. It is a guard against a server that hangs, far
// above what any step takes, so that a loaded machine does not fail a test.
const Timeout = 30 * time.Second

// Conn is a TCP connection on which a test writes exact bytes. Not safe for concurrent use, except
// that one goroutine may write while another reads.
type Conn struct {
	net.Conn
	br *bufio.Reader
}

// Dial connects to addr: "host:port", or the address of [Pipes].
func Dial(addr string) (*Conn, error) {
	c, err := dialAny(addr)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	return &Conn{Conn: c, br: bufio.NewReader(c)}, nil
}

// Send writes data as it is.
func (c *Conn) Send(data string) error {
	if err := c.SetWriteDeadline(time.Now().Add(Timeout)); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if _, err := io.WriteString(c.Conn, data); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// Response is an HTTP response that has been read to its end.
type Response struct {
	Proto  string // such as "HTTP/1.1"
	Status int
	Header http.Header
	Body   string
	Close  bool // the server said that it closes the connection
}

// String is the status and the body, for messages of failing tests.
func (r *Response) String() string { return fmt.Sprintf("%d %q", r.Status, r.Body) }

// ReadResponse reads one response to a request of the given method. A 101 has no body, what follows
// it stays to be read.
func (c *Conn) ReadResponse(method string) (*Response, error) {
	if err := c.SetReadDeadline(time.Now().Add(Timeout)); err != nil {
		return nil, fmt.Errorf("read response: %w", err)
	}
	res, err := http.ReadResponse(c.br, &http.Request{Method: method})
	if err != nil {
		return nil, fmt.Errorf("read response: %w", err)
	}
	r := &Response{Proto: res.Proto, Status: res.StatusCode, Header: res.Header, Close: res.Close}
	if res.StatusCode == http.StatusSwitchingProtocols {
		return r, nil
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("read body of %d: %w", res.StatusCode, err)
	}
	r.Body = string(body)
	return r, nil
}

// WaitEOF reads until the server has ended the connection and reports what came before. A reset
// counts as an end too: that is what TCP makes of a close while sent bytes were still unread.
func (c *Conn) WaitEOF(within time.Duration) (rest string, err error) {
	if err := c.SetReadDeadline(time.Now().Add(within)); err != nil {
		return "", fmt.Errorf("wait for end: %w", err)
	}
	var sb strings.Builder
	_, err = io.Copy(&sb, c.br)
	if err != nil && !Ended(err) {
		return sb.String(), fmt.Errorf("wait for end: %w", err)
	}
	return sb.String(), nil
}

// Reset ends the connection with a TCP RST, as a peer does that has crashed.
func (c *Conn) Reset() error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		if err := tcp.SetLinger(0); err != nil {
			return fmt.Errorf("reset: %w", err)
		}
	}
	return c.Close()
}

// Ended reports whether err says that the peer has ended the connection, in whatever way.
func Ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe) || errors.Is(err, net.ErrClosed)
}

// TimedOut reports whether err is a deadline that has passed.
func TimedOut(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// Exchange sends request on a fresh connection and reads one response.
func Exchange(addr, request string) (*Response, error) {
	c, err := Dial(addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }() // the response has been read, nothing depends on the close
	// A server may refuse and close before it has read everything: the answer counts, not the write.
	sendErr := c.Send(request)
	method, _, _ := strings.Cut(request, " ")
	res, err := c.ReadResponse(method)
	if err != nil {
		return nil, errors.Join(err, sendErr)
	}
	return res, nil
}
