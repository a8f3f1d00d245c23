package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The close codes of RFC 6455, section 7.4.1, that tests name. The last two never travel: they stand
// for a close frame without a code and for an end without a close frame.
const (
	CloseNormal        = 1000
	CloseProtocol      = 1002
	CloseInvalidData   = 1007
	ClosePolicy        = 1008
	CloseTooBig        = 1009
	CloseNone          = 1005
	CloseAbnormal      = 1006
	ClosePollingClosed = -1 // a polling session told the client "1", or is unknown now
)

// CloseError is how a session ended.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string { return fmt.Sprintf("closed with %d %q", e.Code, e.Reason) }

// CloseCode returns the code of a [CloseError] within err, or 0.
func CloseCode(err error) int {
	if ce, ok := errors.AsType[*CloseError](err); ok {
		return ce.Code
	}
	return 0
}

// Handshake describes the request that opens a WebSocket. Its zero value is a decent request for a
// new session.
type Handshake struct {
	Path   string // "/socket.io/" by default
	Query  string // "EIO=4&transport=websocket" by default
	Method string // "GET" by default

	// Header lines that replace a default of the same name ("Sec-WebSocket-Version: 12"), remove it
	// (a name and a colon alone), or are added.
	Header []string

	// Extra is sent right behind the request, before the response is known.
	Extra string
}

// DefaultPath is where a Socket.IO server answers.
const DefaultPath = "/socket.io/"

// Bytes is the request as it is sent.
func (h Handshake) Bytes(addr string) string {
	path, query, method := h.Path, h.Query, h.Method
	if path == "" {
		path = DefaultPath
	}
	if query == "" {
		query = "EIO=4&transport=websocket"
	}
	if method == "" {
		method = "GET"
	}
	lines := []string{
		"Host: " + addr, "Upgrade: websocket", "Connection: Upgrade",
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
	}
	for _, line := range h.Header {
		lines = setHeader(lines, line)
	}
	return method + " " + path + "?" + query + " HTTP/1.1\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n" + h.Extra
}

// setHeader replaces the line of the same name, drops it when line holds a name alone, or appends.
func setHeader(lines []string, line string) []string {
	name, value, _ := strings.Cut(line, ":")
	for i, old := range lines {
		if oldName, _, _ := strings.Cut(old, ":"); !strings.EqualFold(oldName, name) {
			continue
		}
		if strings.TrimSpace(value) == "" {
			return append(lines[:i:i], lines[i+1:]...)
		}
		lines[i] = line
		return lines
	}
	return append(lines, line)
}

// RefusedError is a WebSocket handshake, or any request, that the server answered with a refusal.
type RefusedError struct{ *Response }

func (e *RefusedError) Error() string { return "refused: " + e.String() }

// Refusal returns the response of a [RefusedError] within err, or nil.
func Refusal(err error) *Response {
	if re, ok := errors.AsType[*RefusedError](err); ok {
		return re.Response
	}
	return nil
}

// acceptKey answers the key that [Handshake] sends: the example of RFC 6455, section 1.3.
const acceptKey = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

// WS is the client's end of a WebSocket. One goroutine may read while another writes.
type WS struct {
	*Conn
	Response *Response // the 101
	sid      string
}

// DialWS opens a WebSocket. It does not wait for any frame. A response other than 101 is a
// [RefusedError].
func DialWS(addr string, h Handshake) (*WS, error) {
	c, err := Dial(addr)
	if err != nil {
		return nil, err
	}
	sendErr := c.Send(h.Bytes(addr))
	res, err := c.ReadResponse(h.Method)
	switch {
	case err != nil:
		err = errors.Join(err, sendErr)
	case res.Status != 101:
		err = &RefusedError{res}
	case res.Header.Get("Sec-WebSocket-Accept") != acceptKey:
		err = fmt.Errorf("websocket handshake: accept key %q", res.Header.Get("Sec-WebSocket-Accept"))
	}
	if err != nil {
		_ = c.Close() // the handshake's error says more
		return nil, err
	}
	return &WS{Conn: c, Response: res}, nil
}

// Write sends frames in one write.
func (w *WS) Write(frames ...Frame) error {
	var b []byte
	for _, f := range frames {
		b = f.Append(b)
	}
	return w.Conn.Send(string(b))
}

// ReadFrame returns the next frame of any kind.
func (w *WS) ReadFrame() (Frame, error) { return w.ReadFrameWithin(Timeout) }

// ReadFrameWithin is ReadFrame with a deadline of its own, for waits that are expected to fail.
func (w *WS) ReadFrameWithin(d time.Duration) (Frame, error) {
	if err := w.SetReadDeadline(time.Now().Add(d)); err != nil {
		return Frame{}, fmt.Errorf("read frame: %w", err)
	}
	f, err := readFrame(w.br)
	if err != nil {
		return f, fmt.Errorf("read frame: %w", err)
	}
	return f, nil
}

// NextFrame returns the next data or ping frame. A close frame, and the end of the connection
// without one, come as a [CloseError].
func (w *WS) NextFrame() (Frame, error) {
	f, err := w.ReadFrame()
	switch {
	case Ended(err):
		return f, &CloseError{Code: CloseAbnormal}
	case err != nil:
		return f, err
	case f.Opcode != OpClose:
		return f, nil
	case len(f.Payload) == 0:
		return f, &CloseError{Code: CloseNone}
	case len(f.Payload) == 1:
		return f, fmt.Errorf("%w: close of one byte", ErrServerFrame)
	}
	return f, &CloseError{Code: int(binary.BigEndian.Uint16(f.Payload)), Reason: string(f.Payload[2:])}
}

// WaitClose reads until the server closes and returns how. Data frames before that are dropped.
func (w *WS) WaitClose() (*CloseError, error) {
	for {
		_, err := w.NextFrame()
		if ce, ok := errors.AsType[*CloseError](err); ok {
			return ce, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
