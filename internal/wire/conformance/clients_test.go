package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// The methods here fail the test instead of returning an error. They belong to the test's goroutine.

// open opens a session that is left at the end of the case.
func (f *fixture) open(transport string) wire.Session {
	f.t.Helper()
	s, err := wire.Open(f.addr, transport)
	if err != nil {
		f.t.Fatalf("open %s: %v", transport, err)
	}
	f.track(s)
	return s
}

// join opens a session and joins "/".
func (f *fixture) join(transport string) wire.Session {
	f.t.Helper()
	s := f.open(transport)
	f.joinOn(s, "/")
	return s
}

func (f *fixture) joinOn(s wire.Session, namespace string) {
	f.t.Helper()
	answer, err := wire.Join(s, namespace)
	if err != nil {
		f.t.Fatal(err)
	}
	if answer[:2] != "40" {
		f.t.Fatalf("join %s: %s", namespace, answer)
	}
}

// ws joins "/" over a WebSocket.
func (f *fixture) ws() *wire.WS {
	f.t.Helper()
	return f.join(wire.Websocket).(*wire.WS)
}

// poll joins "/" over polling.
func (f *fixture) poll() *wire.Poll {
	f.t.Helper()
	return f.join(wire.Polling).(*wire.Poll)
}

// rawWS opens a session on a WebSocket and joins nothing.
func (f *fixture) rawWS() *wire.WS {
	f.t.Helper()
	return f.open(wire.Websocket).(*wire.WS)
}

// upgradeOf opens a second transport for a polling session. It is closed at the end.
func (f *fixture) upgradeOf(p *wire.Poll) *wire.WS {
	f.t.Helper()
	w, err := p.DialUpgrade()
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = w.Close() }) // may be closed already
	return w
}

// send sends packets on s. Where a refusal is due, use wantClosed.
func (f *fixture) send(s wire.Session, texts ...string) {
	f.t.Helper()
	if err := s.Send(texts...); err != nil {
		f.t.Fatalf("send %s: %v", wire.Shorten(fmt.Sprint(texts)), err)
	}
}

// write sends frames.
func (f *fixture) write(w *wire.WS, frames ...wire.Frame) {
	f.t.Helper()
	if err := w.Write(frames...); err != nil {
		f.t.Fatal(err)
	}
}

// expect reads one packet for each pattern.
func (f *fixture) expect(s wire.Session, patterns ...string) {
	f.t.Helper()
	if err := wire.Expect(s, patterns...); err != nil {
		f.t.Fatal(err)
	}
}

// wantEcho checks that a session of "/" lives, and that nothing came that was not asked for.
func (f *fixture) wantEcho(s wire.Session) {
	f.t.Helper()
	const ask = `42["echo","still here"]`
	f.send(s, ask)
	f.expect(s, ask)
}

// wantClosed sends packets that must end the session, and checks that it ends: on a WebSocket with
// one of the codes (none named: with a close frame without code), on polling by a close packet or a
// refusal. Other packets may come before the end, which are returned.
func (f *fixture) wantClosed(s wire.Session, packets []wire.Packet, codes ...int) []wire.Packet {
	f.t.Helper()
	// The server may close while we still send.
	if err := s.SendPackets(packets...); err != nil && !wire.Ended(err) {
		if res := wire.Refusal(err); res == nil || res.Status != 400 && res.Status != 413 {
			f.t.Fatalf("send: %v", err)
		}
	}
	ce, before, err := wire.WaitClosed(s)
	if err != nil {
		f.t.Fatalf("not closed: %v", err)
	}
	if _, ok := s.(*wire.WS); !ok {
		return before
	}
	if len(codes) == 0 {
		codes = []int{wire.CloseNone}
	}
	if !slices.Contains(codes, ce.Code) {
		f.t.Errorf("closed with %d %q, want %v", ce.Code, ce.Reason, codes)
	}
	return before
}

// wantClosedOrRefused is wantClosed where a polling session may also live on: a body that is too large
// is refused for itself.
func (f *fixture) wantClosedOrRefused(s wire.Session, packets []wire.Packet, codes ...int) []wire.Packet {
	f.t.Helper()
	if p, ok := s.(*wire.Poll); ok {
		res := wire.Refusal(p.SendPackets(packets...))
		if res == nil || res.Status != 413 {
			f.t.Errorf("got %v, want 413", res)
		}
		return nil
	}
	return f.wantClosed(s, packets, codes...)
}

// in makes a part of the case the test that f fails, until the part ends.
func (f *fixture) in(t testing.TB) *fixture {
	whole := f.t
	f.t = t
	t.Cleanup(func() { f.t = whole })
	return f
}

// wantClose is wantClosed for text packets.
func (f *fixture) wantClose(s wire.Session, texts ...string) {
	f.t.Helper()
	f.wantClosed(s, text(texts...))
}

// wantCode writes bytes to a WebSocket and checks the code of the close frame, and that nothing but
// the end comes after it.
func (f *fixture) wantCode(w *wire.WS, bytes []byte, codes ...int) {
	f.t.Helper()
	if err := w.Conn.Send(string(bytes)); err != nil && !wire.Ended(err) {
		f.t.Fatal(err)
	}
	ce, err := w.WaitClose()
	if err != nil {
		f.t.Fatalf("not closed: %v", err)
	}
	if !slices.Contains(codes, ce.Code) {
		f.t.Errorf("closed with %d %q, want %v", ce.Code, ce.Reason, codes)
	}
	// A decent client answers; the server may be gone by then.
	if err := w.Write(wire.Close(0, "")); err != nil && !wire.Ended(err) {
		f.t.Error(err)
	}
	if rest, err := w.WaitEOF(wire.Timeout); err != nil || rest != "" {
		f.t.Errorf("after the close frame: %x, %v", rest, err)
	}
}

// wantGone waits for the disconnect handler of a socket of "/".
func (f *fixture) wantGone(reasons ...server.Reason) {
	f.t.Helper()
	select {
	case got := <-f.gone:
		if !slices.Contains(reasons, got) {
			f.t.Errorf("disconnected for %q, want %q", got, reasons)
		}
	case <-time.After(wire.Timeout):
		f.t.Errorf("nobody was disconnected, want %q", reasons)
	}
}

// wantRefusal makes a request and checks the refusal: its status, and, unless code is negative, the
// code in its JSON. The response is returned.
func (f *fixture) wantRefusal(request string, status, code int) *wire.Response {
	f.t.Helper()
	res, err := wire.Exchange(f.addr, request)
	if err != nil {
		f.t.Errorf("%s: %v", wire.Shorten(request), err)
		return &wire.Response{}
	}
	if err := refusal(res, status, code); err != nil {
		f.t.Errorf("%s: %v", wire.Shorten(request), err)
	}
	return res
}

// refusal checks that res is the refusal that it should be.
func refusal(res *wire.Response, status, code int) error {
	if res.Status != status {
		return fmt.Errorf("got %s, want %d", wire.Shorten(res.String()), status)
	}
	if code < 0 {
		return nil
	}
	var body struct {
		Code    *int   `json:"code"`
		Message string `json:"message"`
	}
	err := json.Unmarshal([]byte(res.Body), &body)
	switch {
	case err != nil:
		return fmt.Errorf("%q: %w", wire.Shorten(res.Body), err)
	case body.Code == nil || *body.Code != code || body.Message == "":
		return fmt.Errorf("got %s, want code %d and a message", res.Body, code)
	case res.Header.Get("Content-Type") != "application/json":
		return errors.New("content type " + res.Header.Get("Content-Type"))
	}
	return nil
}

// get is a GET of the endpoint as bytes.
func (f *fixture) get(query string, header ...string) string {
	return f.request("GET", query, header...)
}

func (f *fixture) request(method, query string, header ...string) string {
	req := method + " " + wire.DefaultPath + "?" + query + " HTTP/1.1\r\nHost: " + f.addr + "\r\n"
	for _, line := range header {
		req += line + "\r\n"
	}
	return req + "\r\n"
}

func text(texts ...string) []wire.Packet {
	packets := make([]wire.Packet, len(texts))
	for i, s := range texts {
		packets[i].Data = s
	}
	return packets
}

func binary(b ...byte) wire.Packet { return wire.Packet{Data: string(b), Binary: true} }

// each runs a case on every transport, each time against a server of its own.
func each(t *testing.T, set settings, run func(t *testing.T, f *fixture, transport string)) {
	t.Helper()
	for _, transport := range wire.Transports() {
		t.Run(transport, func(t *testing.T) { run(t, startServer(t, set), transport) })
	}
}

func atoi(t testing.TB, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
