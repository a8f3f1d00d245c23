package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// readBuffer is what a connection reads into: enough for a dozen events, little enough
// for ten thousand connections.
const readBuffer = 4 << 10

// maxMessage is far more than any load sends.
const maxMessage = 64 << 20

// wsLink is a WebSocket. It reads in place, from its buffer, what fits there.
type wsLink struct {
	conn net.Conn

	// Owned by who calls next.
	in      *bufio.Reader
	message []byte // what did not fit, or came in several frames
	skip    int    // of in, that the last call returned

	mu  sync.Mutex
	out []byte
}

// dialWebSocket opens a WebSocket; sid is that of a session to move, or empty.
func (d *dialer) dialWebSocket(ctx context.Context, target *url.URL, sid string) (*wsLink, error) {
	u := endpoint(target, "websocket", sid)
	u.Scheme = map[string]string{"http": "ws", "https": "wss"}[u.Scheme]
	var refusal error
	dialer := ws.Dialer{
		Header:    ws.HandshakeHeaderHTTP(d.opts.Header),
		NetDial:   d.net.DialContext,
		TLSConfig: d.opts.TLS,
		OnStatusError: func(status int, _ []byte, response io.Reader) {
			refusal = refused(status, bodyOf(response))
		},
	}
	conn, early, _, err := dialer.Dial(ctx, u.String())
	if refusal != nil {
		return nil, refusal
	}
	if err != nil {
		return nil, networkCause(err)
	}
	l := &wsLink{conn: conn}
	if early != nil { // frames that came with the answer
		begun, _ := early.Peek(early.Buffered())
		l.in = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(bytes.Clone(begun)), conn), readBuffer)
		ws.PutReader(early)
	} else {
		l.in = bufio.NewReaderSize(conn, readBuffer)
	}
	return l, nil
}

// bodyOf reads the body of a refusal, as far as one is of use.
func bodyOf(text io.Reader) []byte {
	response, err := http.ReadResponse(bufio.NewReader(text), nil)
	if err != nil {
		return nil
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10)) // what there is of it
	return body
}

// next implements link. Binary messages are skipped.
func (l *wsLink) next() ([]byte, error) {
	l.message = l.message[:0]
	text := false // a message of several frames is one
	for {
		op, fin, payload, err := l.frame()
		switch {
		case err != nil:
			return nil, l.failure(err)
		case op == ws.OpClose:
			if len(payload) >= 2 {
				if text := payload[2:]; len(text) > 0 {
					return nil, cause("the server closed the connection: " + string(text))
				}
			}
			return nil, errClosed
		case op == ws.OpPing:
			if err := l.write(ws.OpPong, payload); err != nil {
				return nil, err
			}
		case op == ws.OpText && fin:
			return payload, nil
		case op == ws.OpText, op == ws.OpContinuation && text:
			text = true
			if len(l.message)+len(payload) > maxMessage {
				return nil, cause("a message is larger than a load's can be")
			}
			l.message = append(l.message, payload...)
			if fin {
				return l.message, nil
			}
		}
	}
}

// frame reads a frame. Its payload is good until the next call.
func (l *wsLink) frame() (op ws.OpCode, fin bool, payload []byte, err error) {
	if _, err = l.in.Discard(l.skip); err != nil {
		return op, fin, nil, err
	}
	l.skip = 0
	head, err := l.in.Peek(2)
	if err != nil {
		return op, fin, nil, err
	}
	op, fin = ws.OpCode(head[0]&0x0f), head[0]&0x80 != 0
	if head[1]&0x80 != 0 || head[0]&0x70 != 0 {
		return op, fin, nil, cause("a frame of the server breaks the WebSocket protocol")
	}
	length, size := uint64(head[1]), 2
	switch length {
	case 126:
		size = 4
		if head, err = l.in.Peek(size); err == nil {
			length = uint64(binary.BigEndian.Uint16(head[2:]))
		}
	case 127:
		size = 10
		if head, err = l.in.Peek(size); err == nil {
			length = binary.BigEndian.Uint64(head[2:])
		}
	}
	switch {
	case err != nil:
		return op, fin, nil, err
	case length > maxMessage:
		return op, fin, nil, cause("a message is larger than a load's can be")
	case length <= uint64(l.in.Size()-size):
		l.skip = size + int(length)
		payload, err = l.in.Peek(l.skip)
		if err != nil {
			l.skip = 0
			return op, fin, nil, err
		}
		return op, fin, payload[size:], nil
	}
	if _, err = l.in.Discard(size); err != nil {
		return op, fin, nil, err
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(l.in, payload)
	return op, fin, payload, err
}

// failure is why reading failed.
func (l *wsLink) failure(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errClosed
	}
	return networkCause(err)
}

func (l *wsLink) send(packet []byte) error { return l.write(ws.OpText, packet) }

// write sends a frame, masked as a client's are, with one call.
func (l *wsLink) write(op ws.OpCode, payload []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.out[:0]
	b = append(b, 0x80|byte(op))
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = append(b, 0x80|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, 0x80|127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	var key [4]byte
	binary.BigEndian.PutUint32(key[:], rand.Uint32()) //nolint:gosec // there is no script here that could choose what proxies see
	b = append(b, key[:]...)
	head := len(b)
	b = append(b, payload...)
	ws.Cipher(b[head:], key, 0)
	l.out = b[:0]
	if _, err := l.conn.Write(b); err != nil {
		return networkCause(err)
	}
	return nil
}

// expect implements link. That it fails on a closed connection, next finds out.
func (l *wsLink) expect(deadline time.Time) { _ = l.conn.SetReadDeadline(deadline) }

func (l *wsLink) interrupt() { l.close() }

func (l *wsLink) close() { l.conn.Close() }
