package conformance

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Section A, the bodies of POSTs.

// echoOf is an echo event of n bytes in all.
func echoOf(n int) string {
	const head, tail = `42["echo","`, `"]`
	return head + strings.Repeat("a", n-len(head)-len(tail)) + tail
}

// TestA17_DeclaredLength: a body that is declared too long is refused unread.
func TestA17_DeclaredLength(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	c, err := wire.Dial(f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	begun := time.Now()
	if err := c.Send(p.Request("POST", "", "Content-Length: 1000000000") + "42"); err != nil {
		t.Fatal(err)
	}
	res, err := c.ReadResponse("POST")
	if err != nil || res.Status != 413 {
		t.Fatalf("got %v, %v, want 413", res, err)
	}
	if d := time.Since(begun); d > f.busy(time.Second) {
		t.Errorf("after %v", d)
	}
	if _, err := c.WaitEOF(wire.Timeout); err != nil {
		t.Errorf("the connection stays open: %v", err)
	}
	f.wantEcho(p)
}

// TestA18_BodyAtLimit: a body of the limit passes, one byte more does not, whether its length is
// declared or not; the session lives on.
func TestA18_BodyAtLimit(t *testing.T) {
	const limit = 1_000_000
	l := countReads(t)
	f := startServer(t, settings{listen: l})
	p := f.poll()
	post := func(body string, chunked bool) *wire.Response {
		t.Helper()
		request := p.Request("POST", body)
		if chunked {
			request = p.Request("POST", "", "Transfer-Encoding: chunked") + inChunks(body) + "0\r\n\r\n"
		}
		res, err := wire.Exchange(f.addr, request)
		if err != nil {
			t.Fatalf("chunked %t: %v", chunked, err)
		}
		return res
	}
	for _, chunked := range []bool{false, true} {
		if res := post(echoOf(limit), chunked); res.Status != 200 {
			t.Errorf("chunked %t, at the limit: %s", chunked, res)
		}
		f.expect(p, echoOf(limit))
		before := l.read.Load()
		if res := post(echoOf(limit+1), chunked); res.Status != 413 {
			t.Errorf("chunked %t, over the limit: %s", chunked, res)
		}
		if n := l.read.Load() - before; n > limit+64<<10 {
			t.Errorf("chunked %t: %d bytes were read", chunked, n)
		}
		f.wantEcho(p)
	}
	// Without an end, too, reading ends at the limit.
	before := l.read.Load()
	if res := post(strings.Repeat("a", 4*limit), true); res.Status != 413 {
		t.Errorf("without an end: %s", res)
	}
	if n := l.read.Load() - before; n > limit+512<<10 { // net/http reads 256 KiB more to keep the connection
		t.Errorf("without an end: %d bytes were read", n)
	}
	f.wantEcho(p)
}

func inChunks(body string) string {
	var b strings.Builder
	for len(body) > 0 {
		n := min(len(body), 8<<10)
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return b.String()
}

// countReads listens on a loopback port and counts the bytes that the server reads.
func countReads(t *testing.T) *countingListener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &countingListener{Listener: l}
}

type countingListener struct {
	net.Listener
	read atomic.Int64
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &countingConn{c, &l.read}, nil
}

// countingConn has no more methods than a net.Conn, so that nobody reads past it.
type countingConn struct {
	net.Conn
	read *atomic.Int64
}

func (c *countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read.Add(int64(n))
	return n, err
}

// TestA20_SlowBody: a body that makes no progress ends, however steadily it drips.
func TestA20_SlowBody(t *testing.T) {
	inBubble(t, settings{}, func(t *testing.T, f *fixture) {
		p := f.poll()
		c, err := wire.Dial(f.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		begun := time.Now()
		if err := c.Send(p.Request("POST", "", "Content-Length: 1000") + `42["echo","`); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			time.Sleep(4 * time.Second)
			if err := c.Send("a"); err != nil {
				t.Fatal(err)
			}
		}
		rest, err := c.WaitEOF(time.Minute)
		if err != nil || strings.Contains(rest, " 200 ") {
			t.Errorf("ended with %q, %v", rest, err)
		}
		if d := time.Since(begun); d > 11*time.Second {
			t.Errorf("ended after %v", d)
		}
	})
}

// TestA20_SteadyBody: a large body on a slow line makes its progress, and is not ended.
func TestA20_SteadyBody(t *testing.T) {
	// The heartbeat's answer would be a second POST.
	patient := settings{options: []server.Option{server.WithPingTimeout(10 * time.Minute)}}
	inBubble(t, patient, func(t *testing.T, f *fixture) {
		p := f.poll()
		c, err := wire.Dial(f.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		body := echoOf(300_000)
		if err := c.Send(p.Request("POST", "", fmt.Sprintf("Content-Length: %d", len(body)))); err != nil {
			t.Fatal(err)
		}
		// Twice the pace that is asked for at least.
		for sent := 0; sent < len(body); sent += 16 << 10 {
			if err := c.Send(body[sent:min(len(body), sent+16<<10)]); err != nil {
				t.Fatal(err)
			}
			time.Sleep(4 * time.Second)
		}
		if res, err := c.ReadResponse("POST"); err != nil || res.Status != 200 {
			t.Errorf("got %v, %v", res, err)
		}
	})
}

// TestA23_BadPayload: what is not a payload is refused, and the session ended: the two sides would not
// agree on what has been said.
func TestA23_BadPayload(t *testing.T) {
	for name, body := range map[string]string{
		"text": "abc", "empty": "", "separator": "\x1e", "trailing separator": `42["echo",1]` + "\x1e", "leading separator": "\x1e" + `42["echo",1]`,
		"type 9": "9", "type 7": "7", "bad base64": "b!!!", "base64 cut short": "bAAA", "one bad of two": `42["echo",1]` + "\x1e" + "9",
		"NUL": "\x00",
	} {
		t.Run(name, func(t *testing.T) {
			f := startServer(t, settings{})
			p := f.poll()
			res, err := p.Do("POST", "text/plain;charset=UTF-8", body)
			if err != nil || refusal(res, 400, 3) != nil {
				t.Errorf("got %v, %v, want 400 with code 3", res, err)
			}
			f.wantGone(server.ParseError)
			if res, err = p.Get(); err != nil || refusal(res, 400, 1) != nil {
				t.Errorf("then %v, %v, want 400 with code 1", res, err)
			}
		})
	}
}

// TestA24_ManyPackets: a payload of very many packets is refused before any of them is acted on.
func TestA24_ManyPackets(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	begun := time.Now()
	res, err := p.Post(strings.Repeat("6\x1e", 99_999) + "6")
	if err != nil || refusal(res, 400, 3) != nil {
		t.Errorf("got %v, %v, want 400 with code 3", res, err)
	}
	if d := time.Since(begun); d > f.busy(400*time.Millisecond) {
		t.Errorf("took %v", d)
	}
	f.wantGone(server.ParseError)
}

// TestA25_ContentType: text of any type is taken, the binary payloads of older protocols are not.
func TestA25_ContentType(t *testing.T) {
	f := startServer(t, settings{})
	for _, contentType := range []string{"", "application/json", "text/plain", "text/plain; charset=ISO-8859-1"} {
		p := f.poll()
		if res, err := p.Do("POST", contentType, `42["echo",1]`); err != nil || res.Status != 200 {
			t.Errorf("%q: %v, %v", contentType, res, err)
		}
		f.expect(p, `42["echo",1]`)
	}
	p := f.poll()
	res, err := p.Do("POST", "application/octet-stream", `42["echo",1]`)
	if err != nil || refusal(res, 400, 3) != nil {
		t.Errorf("octet-stream: %v, %v, want 400 with code 3", res, err)
	}
	f.wantGone(server.TransportError)
}

// TestA25_CompressedBody: a compressed body is refused without a look into it.
func TestA25_CompressedBody(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 12 {
		if _, err := z.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	f := startServer(t, settings{})
	p := f.poll()
	var res *wire.Response
	var err error
	n := allocated(func() {
		res, err = wire.Exchange(f.addr, p.Request("POST", bomb.String(), "Content-Encoding: gzip", "Connection: close"))
	})
	if err != nil || res.Status != 415 {
		t.Errorf("got %v, %v, want 415", res, err)
	}
	if n > 4<<20 {
		t.Errorf("%d bytes were allocated", n)
	}
	f.wantEcho(p)
}

// TestA32_BytesBehindUpgrade: what follows the request of an upgrade is WebSocket frames already, or
// else an error of the protocol, in a handshake as in the upgrade of a session.
func TestA32_BytesBehindUpgrade(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	for _, query := range []string{"EIO=4&transport=websocket", "EIO=4&transport=websocket&sid=" + p.SID()} {
		w, err := wire.DialWS(f.addr, wire.Handshake{Query: query, Extra: "test"})
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if ce, _, err := wire.WaitClosed(w); err != nil || ce.Code != wire.CloseProtocol {
			t.Errorf("%s: %v, %v, want 1002", query, ce, err)
		}
		_ = w.Close() // closed by the server
	}
	f.wantEcho(p)
	w, err := wire.DialWS(f.addr, wire.Handshake{Extra: string(wire.Text("40").Append(nil))})
	if err != nil {
		t.Fatal(err)
	}
	f.track(w)
	f.expect(w, `0{*}`, `40{"sid":"*"}`)
	f.wantEcho(w)
}
