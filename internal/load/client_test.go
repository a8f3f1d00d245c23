package load

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"

	"github.com/seed3686fee0/parlor/server"
)

// limit ends whatever takes far too long.
const limit = 2 * time.Minute

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve serves io on a port of the loopback interface until the test ends, and
// returns its address.
func serve(t *testing.T, io *server.Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &http.Server{Handler: io, ReadHeaderTimeout: limit}
	done := make(chan error, 1)
	go func() { done <- h.Serve(l) }()
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if err := io.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// A client is as little of a WebSocket client as will do, so that the server
// is what a test is about.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	hdr  [ws.MaxHeaderSize]byte
}

// dial connects, up to the server's first packet. rcvbuf, when not 0, is the
// size of the kernel's receive buffer.
func dial(addr string, rcvbuf int) (*client, error) {
	conn, err := net.DialTimeout("tcp", addr, limit)
	if err != nil {
		return nil, err
	}
	if rcvbuf > 0 {
		if err := conn.(*net.TCPConn).SetReadBuffer(rcvbuf); err != nil {
			return nil, err
		}
	}
	if err := conn.SetDeadline(time.Now().Add(limit)); err != nil {
		return nil, err
	}
	c := &client{conn: conn, in: bufio.NewReaderSize(conn, 512)}
	fmt.Fprintf(conn, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n", addr)
	status, err := c.in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	if !strings.Contains(status, " 101 ") {
		return nil, fmt.Errorf("no upgrade: %s", status)
	}
	for line := ""; line != "\r\n"; {
		if line, err = c.in.ReadString('\n'); err != nil {
			return nil, err
		}
	}
	_, _, err = c.next(0)
	return c, err
}

// connect sends CONNECT and reads its answer.
func (c *client) connect() error {
	if err := c.send("40"); err != nil {
		return err
	}
	_, text, err := c.next(64)
	if err == nil && !strings.HasPrefix(string(text), "40{") {
		err = fmt.Errorf("CONNECT was answered with %q", text)
	}
	return err
}

func (c *client) send(text string) error {
	return ws.WriteFrame(c.conn, ws.MaskFrame(ws.NewTextFrame([]byte(text))))
}

// next reads a frame: its first bytes, up to keep, and the length of it. Pings
// are answered on the way.
func (c *client) next(keep int) (length int, text []byte, err error) {
	for {
		h, err := ws.ReadHeaderBuffer(c.in, c.hdr[:])
		if err != nil {
			return 0, nil, err
		}
		text = make([]byte, min(int(h.Length), max(keep, 2)))
		if _, err := io.ReadFull(c.in, text); err != nil {
			return 0, nil, err
		}
		if _, err := c.in.Discard(int(h.Length) - len(text)); err != nil {
			return 0, nil, err
		}
		switch {
		case h.OpCode == ws.OpClose:
			e := &closeError{}
			if len(text) == 2 {
				e.code = binary.BigEndian.Uint16(text)
			}
			return 0, nil, e
		case string(text) == "2":
			if err := c.send("3"); err != nil {
				return 0, nil, err
			}
		default:
			return int(h.Length), text, nil
		}
	}
}

type closeError struct{ code uint16 }

func (e *closeError) Error() string { return "closed by the server, code " + strconv.Itoa(int(e.code)) }
