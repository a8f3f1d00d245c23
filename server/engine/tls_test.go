package engine_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/seed3686fee0/parlor/server/engine"
)

// TestTLS: everything holds there too: the echo, a burst, the close handshake,
// and that a peer that does not read holds nobody up, not even by its close.
func TestTLS(t *testing.T) {
	dial := func(f *fixture) (*tls.Conn, *bufio.Reader, *session) {
		t.Helper()
		hs := httptest.NewTLSServer(f.Server)
		t.Cleanup(hs.Close)
		c, err := tls.Dial("tcp", hs.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		ok(t, err)
		t.Cleanup(func() { _ = c.NetConn().Close() })
		ok(t, c.SetDeadline(time.Now().Add(guard)))
		var d ws.Dialer
		br, _, err := d.Upgrade(c, mustParse(t, "wss://x/socket.io/?EIO=4&transport=websocket"))
		ok(t, err)
		if br == nil {
			br = bufio.NewReader(c)
		}
		s := get(t, f.opened, "the session")
		return c, br, s
	}
	next := func(r io.Reader) string {
		t.Helper()
		frame, err := readFrame(r)
		ok(t, err)
		if frame.Header.OpCode == ws.OpClose {
			return "close"
		}
		return string(frame.Payload)
	}

	// This one reads, when the machine lets it: there is room, and time, for all of the burst.
	f := newFixture(t, engine.Options{WriteTimeout: guard, MaxQueue: 32 << 20})
	f.onText = echo
	c, r, s := dial(f)
	if got := next(r); !strings.HasPrefix(got, "0{") {
		t.Errorf("got %q", got)
	}
	ok(t, wsutil.WriteClientText(c, []byte("4hello")))
	if got := next(r); got != "4hello" {
		t.Errorf("got %q", got)
	}
	const messages = 2000
	m := engine.NewText(long(8000))
	var sender sync.WaitGroup
	sender.Go(func() {
		for range messages {
			if s.Send(0, m) {
				s.Flush()
			}
		}
		s.Close(engine.ForcedClose)
	})
	for i := range messages {
		if got := next(r); len(got) != 8001 {
			t.Fatalf("message %d of %d: %d bytes %.10q", i, messages, len(got), got)
		}
	}
	if got := next(r); got != "close" {
		t.Errorf("got %q", got)
	}
	sender.Wait()
	ok(t, ws.WriteFrame(c, ws.MaskFrame(ws.NewCloseFrame(nil))))
	_ = c.Close()

	eventually(t, "the connection is closed", func() bool { return engine.Conns(f.Server) == 0 })
	ok(t, f.Shutdown(t.Context()))

	f = newFixture(t, engine.Options{WriteTimeout: time.Second})
	_, _, slow := dial(f)
	began := time.Now()
	for i := 0; len(slow.ended) == 0; i++ {
		if slow.Send(0, m) {
			slow.Flush()
		}
		if i > 1_000_000 || time.Since(began) > guard {
			t.Fatal("never let go")
		}
	}
	slow.wantEnd(t, engine.SlowConsumer)
	eventually(t, "the slow one is closed too", func() bool { return engine.Conns(f.Server) == 0 })
	ok(t, f.Shutdown(t.Context()))
}
