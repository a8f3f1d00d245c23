package stress

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

const (
	path = "/socket.io/?EIO=4&transport="
	// connectTimeout is that of socket.io-client.
	connectTimeout = 20 * time.Second
	// silence is above ping interval and timeout together, both of the server's defaults.
	silence = 50 * time.Second
	// maxMessage is above a page of history.
	maxMessage = 1 << 20
)

var errClosed = errors.New("closed by the server")

// A link is an Engine.IO session, after its handshake. One goroutine may read while
// others send.
type link interface {
	send(text string) error
	next() (texts []string, err error)
	close()
}

type wsLink struct {
	conn net.Conn
	in   *bufio.Reader
	mu   sync.Mutex // a frame at a time
}

func dialWebSocket(ctx context.Context, addr string) (link, error) {
	dialer := ws.Dialer{Timeout: connectTimeout}
	conn, early, _, err := dialer.Dial(ctx, "ws://"+addr+path+"websocket")
	if err != nil {
		return nil, err
	}
	if early == nil {
		early = bufio.NewReader(conn)
	}
	l := &wsLink{conn: conn, in: early}
	if _, err := l.next(); err != nil { // the open packet
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *wsLink) send(text string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return ws.WriteFrame(l.conn, ws.MaskFrameInPlace(ws.NewTextFrame([]byte(text))))
}

func (l *wsLink) next() ([]string, error) {
	if err := l.conn.SetReadDeadline(time.Now().Add(silence)); err != nil {
		return nil, err
	}
	header, err := ws.ReadHeader(l.in)
	switch {
	case err != nil:
		return nil, err
	case header.OpCode == ws.OpClose:
		return nil, errClosed
	case header.OpCode != ws.OpText || !header.Fin || header.Length > maxMessage:
		return nil, fmt.Errorf("an unexpected frame: %+v", header)
	}
	text := make([]byte, header.Length)
	if _, err := io.ReadFull(l.in, text); err != nil {
		return nil, err
	}
	return []string{string(text)}, nil
}

func (l *wsLink) close() { l.conn.Close() }

type pollLink struct {
	ctx    context.Context //nolint:containedctx // of the session's requests, which end with it
	cancel context.CancelFunc
	client *http.Client
	url    string
	mu     sync.Mutex // a POST at a time
}

func dialPolling(ctx context.Context, client *http.Client, addr string) (link, error) {
	ctx, cancel := context.WithCancel(ctx)
	l := &pollLink{ctx: ctx, cancel: cancel, client: client, url: "http://" + addr + path + "polling"}
	handshake, err := l.do(http.MethodGet, "")
	var open struct {
		SID string `json:"sid"`
	}
	if err == nil {
		err = json.Unmarshal([]byte(strings.TrimPrefix(handshake, "0")), &open)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	l.url += "&sid=" + open.SID
	return l, nil
}

func (l *pollLink) do(method, body string) (string, error) {
	ctx, cancel := context.WithTimeout(l.ctx, silence)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, l.url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	res, err := l.client.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s is answered with %s", method, res.Status)
	}
	return string(answer), err
}

func (l *pollLink) send(text string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.do(http.MethodPost, text)
	return err
}

func (l *pollLink) next() ([]string, error) {
	body, err := l.do(http.MethodGet, "")
	return strings.Split(body, "\x1e"), err
}

func (l *pollLink) close() { l.cancel() }
