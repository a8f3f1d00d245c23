package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/server"
)

// stormServerEnv makes the test binary the server of TestH03_Storm: in a process of its own, because both ends of
// 10,000 connections are more files than many systems let one process open.
const stormServerEnv = "PARLOR_TEST_STORM_SERVER"

// TestH03_Storm: 10,000 clients that open a WebSocket and connect all at once are all answered; none hangs.
func TestH03_Storm(t *testing.T) {
	clients := 10_000
	if raceEnabled || testing.Short() {
		clients = 2_000
	}
	addr := startStormServer(t)

	ctx, cancel := context.WithTimeout(t.Context(), 2*jstest.Deadline)
	defer cancel()
	type outcome struct {
		conn net.Conn
		took time.Duration
		err  error
	}
	outcomes := make(chan outcome, clients)
	start := make(chan struct{})
	var began time.Time // written before start is closed
	for range clients {
		go func() {
			<-start
			c, err := stormClient(ctx, addr)
			outcomes <- outcome{c, time.Since(began), err}
		}()
	}
	began = time.Now()
	close(start)

	var took []time.Duration
	failed := map[string]int{}
	for range clients {
		o := <-outcomes
		if o.err != nil {
			failed[o.err.Error()]++
			continue
		}
		took = append(took, o.took)
		defer reset(o.conn) // all stay open until all are in
	}
	for err, n := range failed {
		t.Errorf("%d clients: %s", n, err)
	}
	if len(took) > 0 {
		slices.Sort(took)
		t.Logf("%d of %d clients connected: median %v, last %v", len(took), clients,
			took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	}
}

// reset closes without leaving a port in TIME_WAIT, of which a few runs would use up all there are.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	c.Close()
}

// stormClient opens a WebSocket, connects to the main namespace and returns once it is answered.
func stormClient(ctx context.Context, addr string) (_ net.Conn, err error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", errors.Unwrap(err)) // without the address, so that equal failures count as one
	}
	defer func() {
		if err != nil {
			reset(c)
		}
	}()
	if deadline, ok := ctx.Deadline(); ok {
		c.SetDeadline(deadline)
	}
	request := "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: " + addr +
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	if _, err := io.WriteString(c, request); err != nil {
		return nil, fmt.Errorf("handshake: %w", cause(err))
	}
	r := bufio.NewReaderSize(c, 512)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, fmt.Errorf("handshake: %w", cause(err))
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("handshake: status %d", res.StatusCode)
	}
	if err := expectFrame(r, "0{"); err != nil {
		return nil, err
	}
	connect := []byte{0x81, 0x80 | 2, 0, 0, 0, 0, '4', '0'} // a masked text frame, RFC 6455, 5.2; the mask is zero
	if _, err := c.Write(connect); err != nil {
		return nil, fmt.Errorf("connect: %w", cause(err))
	}
	if err := expectFrame(r, `40{"sid":`); err != nil {
		return nil, err
	}
	return c, nil
}

// expectFrame reads one short unmasked text frame.
func expectFrame(r *bufio.Reader, prefix string) error {
	var header [2]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return fmt.Errorf("wait for %s: %w", prefix, cause(err))
	}
	size := int(header[1])
	if header[0] != 0x81 || size > 126 {
		return fmt.Errorf("wait for %s: a frame that starts % x", prefix, header)
	}
	if size == 126 {
		if _, err := io.ReadFull(r, header[:]); err != nil {
			return fmt.Errorf("wait for %s: %w", prefix, cause(err))
		}
		size = int(header[0])<<8 | int(header[1])
	}
	payload := make([]byte, size)
	if _, err := io.ReadFull(r, payload); err != nil {
		return fmt.Errorf("wait for %s: %w", prefix, cause(err))
	}
	if !bytes.HasPrefix(payload, []byte(prefix)) {
		return fmt.Errorf("wait for %s: got %s", prefix, payload)
	}
	return nil
}

// cause is a network error without the ports.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}

// startStormServer starts the server's process and returns its address.
func startStormServer(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), stormServerEnv+"=1")
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		late := time.AfterFunc(jstest.Deadline, func() { cmd.Process.Kill() })
		defer late.Stop()
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server's process: %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the server's process said no address: %v", err)
	}
	return strings.TrimSpace(line)
}

// runStormServer is the process: it serves until its stdin is closed.
func runStormServer() {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, "storm server:", err)
			os.Exit(1)
		}
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	fail(err)
	sio := server.New()
	sio.Of("/").OnConnect(func(context.Context, *server.Socket) error { return nil })
	hs := &http.Server{Handler: sio}
	go hs.Serve(ln)
	fmt.Println(ln.Addr())
	io.Copy(io.Discard, os.Stdin)
	hs.Close()
	ctx, cancel := context.WithTimeout(context.Background(), jstest.Deadline)
	defer cancel()
	fail(sio.Shutdown(ctx))
}
