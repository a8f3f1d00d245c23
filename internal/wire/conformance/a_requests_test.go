package conformance

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Section A, first half: requests that are refused for what their first lines say. None of them makes
// a session, which the fixture checks at the end.

// upgradeHeader asks for a WebSocket as a decent client does.
var upgradeHeader = []string{
	"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
}

// refuseBoth makes the same request for polling and for WebSocket. In query, TRANSPORT stands for the
// transport's name.
func (f *fixture) refuseBoth(query string, status, code int) {
	f.t.Helper()
	f.wantRefusal(f.get(strings.ReplaceAll(query, "TRANSPORT", "polling")), status, code)
	f.wantRefusal(f.get(strings.ReplaceAll(query, "TRANSPORT", "websocket"), upgradeHeader...), status, code)
}

func TestA01_VersionUnsupported(t *testing.T) {
	f := startServer(t, settings{})
	for _, eio := range []string{"", "EIO=&", "EIO=3&", "EIO=5&", "EIO=abc&", "EIO=04&", "EIO=4%20&"} {
		f.wantRefusal(f.get(eio+"transport=polling"), 400, 5)
	}
}

// TestA02_VersionRefusedBeforeUpgrade: no 101 may come before the refusal. wantRefusal reads the first
// status line.
func TestA02_VersionRefusedBeforeUpgrade(t *testing.T) {
	f := startServer(t, settings{})
	for _, eio := range []string{"", "EIO=3&", "EIO=5&", "EIO=abc&"} {
		f.wantRefusal(f.get(eio+"transport=websocket", upgradeHeader...), 400, 5)
	}
}

// TestA03_RepeatedParameter: a proxy that reads the first and a server that reads the last would not
// speak of the same thing.
func TestA03_RepeatedParameter(t *testing.T) {
	f := startServer(t, settings{})
	f.refuseBoth("EIO=4&EIO=4&transport=TRANSPORT", 400, 3)
	f.refuseBoth("EIO=3&EIO=4&transport=TRANSPORT", 400, 3)
	f.refuseBoth("EIO=4&transport=TRANSPORT&transport=TRANSPORT", 400, 3)
	f.refuseBoth("EIO=4&transport=polling&transport=websocket", 400, 3)
	p := f.poll()
	f.refuseBoth("EIO=4&transport=TRANSPORT&sid="+p.SID()+"&sid="+p.SID(), 400, 3)
	f.refuseBoth("EIO=4&transport=TRANSPORT&sid=&sid="+p.SID(), 400, 3)
	f.wantEcho(p)
}

func TestA04_TransportUnknown(t *testing.T) {
	f := startServer(t, settings{})
	for _, query := range []string{
		"EIO=4", "EIO=4&transport=", "EIO=4&transport=tcp", "EIO=4&transport=__proto__", "EIO=4&transport=constructor",
		"EIO=4&transport=webtransport", "EIO=4&transport[]=polling", "EIO=4&transport=Polling", "EIO=4&transport=websocket%20",
	} {
		f.refuseBoth(query, 400, 0)
	}
}

// TestA05_TransportContradictsRequest: a transport that the request itself does not ask for.
func TestA05_TransportContradictsRequest(t *testing.T) {
	f := startServer(t, settings{})
	f.wantRefusal(f.get("EIO=4&transport=polling", upgradeHeader...), 400, 3)
	f.wantRefusal(f.get("EIO=4&transport=websocket"), 400, 3)
	p := f.poll()
	f.wantRefusal(f.get("EIO=4&transport=polling&sid="+p.SID(), upgradeHeader...), 400, 3)
	f.wantRefusal(f.get("EIO=4&transport=websocket&sid="+p.SID()), 400, 3)
	f.wantEcho(p)
}

func TestA06_SessionUnknown(t *testing.T) {
	f := startServer(t, settings{})
	for _, sid := range []string{"nobody", "__proto__", "constructor", "toString", "%00", "..%2f..%2fetc", strings.Repeat("A", 8<<10)} {
		for _, request := range []string{
			f.get("EIO=4&transport=polling&sid=" + sid),
			f.get("EIO=4&transport=websocket&sid="+sid, upgradeHeader...),
			f.request("POST", "EIO=4&transport=polling&sid="+sid, "Content-Length: 0"),
		} {
			if res := f.wantRefusal(request, 400, 1); strings.Contains(res.Body, sid) {
				t.Errorf("the answer has the sid in it: %s", wire.Shorten(res.Body))
			}
		}
	}
}

// TestA07_SessionGuessing: who names many sessions that are not there is told to wait, and only he:
// neither the sessions of his address nor new ones pay for it. 3,000 guesses stand for 50,000; that a
// lookup's time does not depend on the guess follows from the ids' randomness, not from a measurement.
func TestA07_SessionGuessing(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	c, err := wire.Dial(f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	unknown, tooMany := 0, 0
	for range 3000 {
		if err := c.Send(f.get("EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAAAAAA")); err != nil {
			t.Fatal(err)
		}
		res, err := c.ReadResponse("GET")
		switch {
		case err != nil:
			t.Fatal(err)
		case res.Status == 400 && tooMany == 0:
			unknown++
		case res.Status == 429 && res.Header.Get("Retry-After") != "":
			tooMany++
		case res.Status != 400: // a budget that fills up again lets single ones through
			t.Fatalf("got %s", res)
		}
	}
	if unknown == 0 || tooMany == 0 {
		t.Errorf("%d unknown, then %d told to wait; want both", unknown, tooMany)
	}
	f.wantEcho(p)
	f.wantEcho(f.ws())
}

func TestA13_HandshakeMethod(t *testing.T) {
	f := startServer(t, settings{})
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} {
		f.wantRefusal(f.request(method, "EIO=4&transport=polling", "Content-Length: 0"), 400, 2)
	}
	f.wantRefusal(f.request("HEAD", "EIO=4&transport=polling"), 400, -1) // has no body to look at
}

func TestA14_Preflight(t *testing.T) {
	preflight := []string{"Origin: https://app.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"}
	for name, options := range map[string][]server.Option{
		"off": nil,
		"on":  {server.WithAllowedOrigins("https://app.example")},
	} {
		t.Run(name, func(t *testing.T) {
			f := startServer(t, settings{options: options})
			res, err := wire.Exchange(f.addr, f.request("OPTIONS", "EIO=4&transport=polling", preflight...))
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if options != nil {
				want = "https://app.example"
			}
			if got := res.Header.Get("Access-Control-Allow-Origin"); res.Status != 204 || got != want {
				t.Errorf("status %d, Access-Control-Allow-Origin %q, want 204 and %q", res.Status, got, want)
			}
		})
	}
}

// TestA14_MethodNotAllowed: another method on a session says which there are, and harms nothing.
func TestA14_MethodNotAllowed(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	for _, method := range []string{"PUT", "PATCH", "DELETE", "HEAD"} {
		res, err := p.Do(method, "", "")
		if err != nil {
			t.Fatal(err)
		}
		if allow := res.Header.Get("Allow"); res.Status != 405 || !strings.Contains(allow, "GET") || !strings.Contains(allow, "POST") {
			t.Errorf("%s: %s, Allow %q", method, res, allow)
		}
	}
	f.wantEcho(p)
}

// TestA26_NoScript: JSONP, of older protocols, answers with a script that any page could include.
func TestA26_NoScript(t *testing.T) {
	f := startServer(t, settings{})
	for _, j := range []string{"0", "alert(1)", ""} {
		f.wantRefusal(f.get("EIO=4&transport=polling&j="+j), 400, 3)
	}
	p, err := wire.OpenPoll(f.addr, "b64=1")
	if err != nil {
		t.Fatalf("b64 is not ignored: %v", err)
	}
	f.track(p)
	f.joinOn(p, "/")
	if err := p.SendPackets(wire.Packet{Data: `451-["echo",{"_placeholder":true,"num":0}]`}, binary(0, 0xff)); err != nil {
		t.Fatal(err)
	}
	res, err := p.Get()
	if err != nil {
		t.Fatal(err)
	}
	if ct := res.Header.Get("Content-Type"); ct != "text/plain; charset=UTF-8" {
		t.Errorf("content type %q", ct)
	}
}

// TestA27_Origins: a page of another site gets neither a WebSocket nor anything that it could read, also of
// a session that is there. TestAdvisory02_Origins has more of what does not equal an origin.
func TestA27_Origins(t *testing.T) {
	const good = "https://app.example"
	f := startServer(t, settings{options: []server.Option{server.WithAllowedOrigins(good)}})
	p := f.poll()
	for _, origin := range []string{"https://evil.example", "null", good + ".evil.example", "https://app.example@evil.example", "http://app.example", good + ":8443"} {
		header := []string{"Origin: " + origin, "Cookie: a=b"}
		for _, query := range []string{"EIO=4&transport=websocket", "EIO=4&transport=websocket&sid=" + p.SID()} {
			w, err := wire.DialWS(f.addr, wire.Handshake{Query: query, Header: header})
			if err == nil {
				_ = w.Close() // should not be there
			}
			if res := wire.Refusal(err); res == nil || res.Status != 403 {
				t.Errorf("%s, %s: %v", origin, query, err)
			}
		}
		for _, request := range []string{
			f.get("EIO=4&transport=polling", header...),
			f.request("OPTIONS", "EIO=4&transport=polling", append(header, "Access-Control-Request-Method: POST")...),
			p.Request("POST", "3", header...),
		} {
			res, err := wire.Exchange(f.addr, request)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"} {
				if got := res.Header.Get(name); got != "" {
					t.Errorf("%s: %s: %s", origin, name, got)
				}
			}
		}
	}
	res, err := wire.Exchange(f.addr, p.Request("POST", "3", "Origin: "+good))
	if err != nil || res.Status != 200 || res.Header.Get("Access-Control-Allow-Origin") != good {
		t.Errorf("%s: %v, %v", good, res, err)
	}
	f.wantEcho(p)
}

// TestA28_ControlCharacters: bytes that would end a header line or a log line.
func TestA28_ControlCharacters(t *testing.T) {
	f := startServer(t, settings{options: []server.Option{server.WithAllowedOrigins("https://app.example")}})
	for name, request := range map[string]string{
		"NUL in Origin":   f.get("EIO=4&transport=polling", "Origin: https://app.example\x00"),
		"0x01 in Origin":  f.get("EIO=4&transport=polling", "Origin: https://app\x01.example"),
		"CR in Origin":    f.get("EIO=4&transport=polling", "Origin: https://app.example\rX: y"),
		"0x01 in query":   f.get("EIO=4&transport=polling&x=\x01"),
		"NUL in query":    f.get("EIO=4&transport=polling&x=\x00"),
		"space in query":  f.get("EIO=4&transport=polling&x=a b"),
		"NUL in a cookie": f.get("EIO=4&transport=polling", "Cookie: io=\x00"),
	} {
		res, err := wire.Exchange(f.addr, request)
		if err != nil || res.Status != 400 {
			t.Errorf("%s: %v, %v, want 400", name, res, err)
		}
	}
	// Escaped, they are data: they reach nothing but the handshake's query, and no header.
	res, err := wire.Exchange(f.addr, f.get("EIO=4&transport=polling&x=%0d%0aSet-Cookie:a=b", "Origin: https://app.example", "Connection: close"))
	if err != nil || res.Status != 200 || res.Header.Get("Set-Cookie") != "" {
		t.Fatalf("escaped: %v, %v", res, err)
	}
	f.forget(res)
}

// forget ends the session that a handshake's response has opened.
func (f *fixture) forget(res *wire.Response) {
	f.t.Helper()
	if err := wire.LeaveOpened(f.addr, res); err != nil {
		f.t.Fatal(err)
	}
}

// TestA29_ExactPath: nothing but the path itself is served, and nothing is redirected.
func TestA29_ExactPath(t *testing.T) {
	f := startServer(t, settings{})
	for _, path := range []string{
		"/", "/socket.io", "//socket.io/", "/socket.io//", "/SOCKET.IO/", "/socket.io/../x", "/socket.io/./", "/x/../socket.io/",
		"/%2e%2e/etc/passwd", "/socket.io/%2e%2e/etc/passwd", "/socket.io/x", "/socket.io%2f", "/socket.io/?/../../etc/passwd&",
	} {
		want := 404
		if strings.HasPrefix(path, "/socket.io/?") {
			want = 400 // the path is right, the query is not a handshake
		}
		res, err := wire.Exchange(f.addr, "GET "+path+" HTTP/1.1\r\nHost: "+f.addr+"\r\nConnection: close\r\n\r\n")
		if err != nil || res.Status != want || res.Header.Get("Location") != "" {
			t.Errorf("%s: %v, %v, want %d", path, res, err, want)
		}
		// The absolute form, and a handshake's query, change nothing.
		res, err = wire.Exchange(f.addr, "GET "+path+"?EIO=4&transport=polling HTTP/1.1\r\nHost: "+f.addr+"\r\nConnection: close\r\n\r\n")
		if err != nil || res.Status != want {
			t.Errorf("%s with a query: %v, %v, want %d", path, res, err, want)
		}
	}
}

func TestA30_TooMuchHeader(t *testing.T) {
	f := startServer(t, settings{})
	for name, request := range map[string]string{
		"2,000 headers":             f.get("EIO=4&transport=polling", strings.Split(strings.Repeat("X: y\n", 2000)+"Z: z", "\n")...),
		"2,000 headers and upgrade": f.get("EIO=4&transport=websocket", append(strings.Split(strings.Repeat("X: y\n", 2000)+"Z: z", "\n"), upgradeHeader...)...),
		"a header of 1.1 MB":        f.get("EIO=4&transport=polling", "X: "+strings.Repeat("y", 1_100_000)),
		"a URL of 64 KB":            f.get("EIO=4&transport=polling&x=" + strings.Repeat("y", 64<<10)),
		"a URL of 64 KB, upgrade":   f.get("EIO=4&transport=websocket&x="+strings.Repeat("y", 64<<10), upgradeHeader...),
	} {
		res, err := wire.Exchange(f.addr, request)
		if err != nil || res.Status != 431 && res.Status != 414 && res.Status != 400 {
			t.Errorf("%s: %v, %v, want 431, 414 or 400", name, res, err)
			if err == nil && res.Status == 200 {
				f.forget(res)
			}
		}
	}
}

// TestA31_OddHTTP: no Host, HTTP/1.0, the preface of HTTP/2, and two handshakes in one write.
func TestA31_OddHTTP(t *testing.T) {
	f := startServer(t, settings{})
	handshake := wire.DefaultPath + "?EIO=4&transport=polling"
	if res, err := wire.Exchange(f.addr, "GET "+handshake+" HTTP/1.1\r\n\r\n"); err != nil || res.Status != 400 {
		t.Errorf("no Host: %v, %v", res, err)
	}
	res, err := wire.Exchange(f.addr, "GET "+handshake+" HTTP/1.0\r\n\r\n")
	if err != nil || res.Status != 200 {
		t.Fatalf("HTTP/1.0: %v, %v", res, err)
	}
	f.forget(res)
	if res, err := wire.Exchange(f.addr, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); err != nil || res.Status < 400 || res.Status > 505 {
		t.Errorf("HTTP/2 preface: %v, %v", res, err)
	}

	c, err := wire.Dial(f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Send(f.get("EIO=4&transport=polling") + f.get("EIO=4&transport=tcp")); err != nil {
		t.Fatal(err)
	}
	first, err := c.ReadResponse("GET")
	if err != nil || first.Status != 200 {
		t.Fatalf("pipelined, first: %v, %v", first, err)
	}
	second, err := c.ReadResponse("GET")
	if err != nil || second.Status != 400 {
		t.Errorf("pipelined, second: %v, %v", second, err)
	}
	f.forget(first)
}

// TestA32_HTTP2Upgrade: h2c is not spoken, and a peer that asks for it and resets leaves no trace.
func TestA32_HTTP2Upgrade(t *testing.T) {
	f := startServer(t, settings{})
	for _, path := range []string{"/x", wire.DefaultPath, wire.DefaultPath + "?EIO=4&transport=polling"} {
		request := "GET " + path + " HTTP/1.1\r\nHost: " + f.addr +
			"\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
		res, err := wire.Exchange(f.addr, request)
		if err != nil || res.Status == http.StatusSwitchingProtocols {
			t.Errorf("%s: %v, %v", path, res, err)
		}
		if err == nil && res.Status == 200 { // an offer to upgrade may be ignored
			f.forget(res)
			continue
		}
		c, err := wire.Dial(f.addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Send(request); err != nil {
			t.Fatal(err)
		}
		if err := c.Reset(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestA20_SlowHeaders: headers that do not come end the connection, and cost the others nothing. The
// limit is that of the HTTP server around us, which every one of ours has. 50 connections stand for
// 1,000.
func TestA20_SlowHeaders(t *testing.T) {
	inBubble(t, settings{}, func(t *testing.T, f *fixture) {
		begun := time.Now()
		conns := make([]*wire.Conn, 50)
		for i := range conns {
			c, err := wire.Dial(f.addr)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Send("GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nX: "); err != nil {
				t.Fatal(err)
			}
			conns[i] = c
		}
		for range 2 { // a byte now and then does not help
			time.Sleep(4 * time.Second)
			for _, c := range conns {
				if err := c.Send("y"); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, c := range conns {
			rest, err := c.WaitEOF(time.Minute)
			if err != nil || rest != "" && !strings.HasPrefix(rest, "HTTP/1.1 4") {
				t.Errorf("ended with %q, %v", rest, err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		if d := time.Since(begun); d > 11*time.Second {
			t.Errorf("ended after %v", d)
		}
	})
}

// TestA19_SmuggledRequest: two lengths that contradict each other, so that a proxy and we would not
// agree where the request ends. There is one answer, and no further request on that connection.
func TestA19_SmuggledRequest(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	hidden := "GET /socket.io/?EIO=4&transport=tcp HTTP/1.1\r\nHost: x\r\n\r\n"
	c, err := wire.Dial(f.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	request := strings.Replace(p.Request("POST", "0\r\n\r\n"+hidden), "\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n", 1)
	if err := c.Send(request); err != nil {
		t.Fatal(err)
	}
	rest, err := c.WaitEOF(wire.Timeout)
	if err != nil {
		t.Errorf("the connection stays open: %v", err)
	}
	br := bufio.NewReader(strings.NewReader(rest))
	if _, err := http.ReadResponse(br, nil); err != nil {
		t.Fatalf("no response: %v", err)
	}
	if n := strings.Count(rest, "HTTP/1.1 "); n != 1 {
		t.Errorf("%d responses: %s", n, wire.Shorten(rest))
	}
}
