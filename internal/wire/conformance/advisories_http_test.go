package conformance

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Public advisories of this field that came in over HTTP, each replayed against our server. The
// numbers are our own list's; the identifiers are those under which they were published.

// TestAdvisory01_SessionIDs (CVE-2017-16031): ids that can be guessed. 500 stand for a million: at 128
// random bits no two share more than a few characters at either end.
func TestAdvisory01_SessionIDs(t *testing.T) {
	f := startServer(t, settings{})
	seen := map[string]bool{}
	last := ""
	for range 500 {
		res, err := wire.Exchange(f.addr, f.get("EIO=4&transport=polling", "Connection: close"))
		if err != nil {
			t.Fatal(err)
		}
		f.forget(res)
		sid := strings.Split(res.Body, `"`)[3]
		if !sessionID.MatchString(sid) || seen[sid] {
			t.Fatalf("id %q", sid)
		}
		seen[sid] = true
		const most = 5
		if last != "" && (sid[:most] == last[:most] || sid[len(sid)-most:] == last[len(last)-most:]) {
			t.Errorf("%s and %s look alike", last, sid)
		}
		last = sid
	}
}

// TestAdvisory02_Origins (CVE-2020-28481, WS-2020-0443, CVE-2019-13611, GHSA-p8f7-22gq-m7j9): other
// sites' pages that use a visitor's cookies. Scheme, host and port have to be equal, on both transports.
func TestAdvisory02_Origins(t *testing.T) {
	const good = "https://app.example"
	f := startServer(t, settings{options: []server.Option{server.WithAllowedOrigins(good, "http://other.example:8080")}})
	for origin, allowed := range map[string]bool{
		good: true, "http://other.example:8080": true, "": true, // no browser, no origin
		"http://app.example": false, "https://app.example:8443": false, "http://other.example": false,
		"https://app.example.evil.com": false, "https://evilapp.example": false, "https://app.example`evil": false,
		"https://evil.com#app.example": false, "https://app.example@evil.com": false, "https://user@app.example": false,
		"https://evil.com/app.example": false, "https://app.example/": false, "https://app.example, https://evil.com": false,
		"null": false, "https://": false, "app.example": false, "*": false, "https://app.exаmple": false, "file://": false,
	} {
		var header []string
		if origin != "" {
			header = []string{"Origin: " + origin}
		}
		res, err := wire.Exchange(f.addr, f.get("EIO=4&transport=polling", header...))
		if err != nil {
			t.Errorf("%s: %v", origin, err)
			continue
		}
		acao := res.Header.Get("Access-Control-Allow-Origin")
		switch {
		case !allowed && acao != "":
			t.Errorf("polling, %s: Access-Control-Allow-Origin %q", origin, acao)
		case allowed && origin != "" && acao != origin:
			t.Errorf("polling, %s: Access-Control-Allow-Origin %q", origin, acao)
		case acao == "*":
			t.Errorf("polling, %s: any origin may read", origin)
		case allowed != (res.Status == 200):
			t.Errorf("polling, %s: %s", origin, res)
		}
		if res.Status == 200 {
			f.forget(res)
		}
		w, err := wire.OpenWS(f.addr, wire.Handshake{Header: header})
		if err == nil {
			f.track(w)
		}
		if refused := wire.Refusal(err); allowed && err != nil || !allowed && (refused == nil || refused.Status != 403) {
			t.Errorf("websocket, %s: %v", origin, err)
		}
	}
}

// TestAdvisory02_OriginList: "any" is never said together with credentials.
func TestAdvisory02_OriginList(t *testing.T) {
	f := startServer(t, settings{options: []server.Option{server.WithAllowedOrigins("*")}})
	res, err := wire.Exchange(f.addr, f.get("EIO=4&transport=polling", "Origin: https://any.example"))
	if err != nil || res.Status != 200 {
		t.Fatalf("got %v, %v", res, err)
	}
	f.forget(res)
	if res.Header.Get("Access-Control-Allow-Credentials") == "true" {
		t.Errorf("credentials with Access-Control-Allow-Origin %q", res.Header.Get("Access-Control-Allow-Origin"))
	}
}

// TestAdvisory03_Size (CVE-2016-10542, CVE-2026-44545): a size without a limit. The matrix is in
// TestA18_BodyAtLimit and TestD04_MessageAtLimit; this is another limit than the default.
func TestAdvisory03_Size(t *testing.T) {
	each(t, settings{options: []server.Option{server.WithMaxPayload(5000)}}, func(t *testing.T, f *fixture, transport string) {
		s := f.join(transport)
		f.send(s, echoOf(5000))
		f.expect(s, echoOf(5000))
		f.wantClosedOrRefused(s, text(echoOf(5001)), wire.CloseTooBig)
		if p, ok := s.(*wire.Poll); ok {
			f.wantEcho(p)
		}
	})
}

// TestAdvisory04_ExtensionName (GHSA-5v72-xg48-5rpm).
func TestAdvisory04_ExtensionName(t *testing.T) {
	f := startServer(t, settings{})
	for _, name := range []string{"constructor", "__proto__", "hasOwnProperty", "x; constructor=1", "x; __proto__"} {
		w, err := wire.OpenWS(f.addr, wire.Handshake{Header: []string{"Sec-WebSocket-Extensions: " + name}})
		if err != nil {
			if res := wire.Refusal(err); res == nil || res.Status != 400 {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		f.track(w)
		if got := w.Response.Header.Get("Sec-WebSocket-Extensions"); got != "" {
			t.Errorf("%s: accepted as %q", name, got)
		}
	}
}

// TestAdvisory05_PayloadPackets (CVE-2020-36048): a payload of nothing but packets.
func TestAdvisory05_PayloadPackets(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	begun := time.Now()
	res, err := p.Post(strings.Repeat("6\x1e", 499_999) + "6")
	if err != nil || refusal(res, 400, 3) != nil {
		t.Errorf("got %v, %v, want 400 with code 3", res, err)
	}
	if d := time.Since(begun); d > f.busy(time.Second) {
		t.Errorf("took %v", d)
	}
	f.wantGone(server.ParseError)
	p = f.poll() // as many as are allowed are fine
	if res, err := p.Post(strings.Repeat("6\x1e", 9_999) + "6"); err != nil || res.Status != 200 {
		t.Errorf("10,000 packets: %v, %v", res, err)
	}
	f.wantEcho(p)
}

// TestAdvisory07_ProtocolHeader (CVE-2021-32640): a header that takes long to parse.
func TestAdvisory07_ProtocolHeader(t *testing.T) {
	f := startServer(t, settings{})
	begun := time.Now()
	w, err := wire.OpenWS(f.addr, wire.Handshake{Header: []string{"Sec-WebSocket-Protocol: b" + strings.Repeat(" ", 14_000) + "x"}})
	if err == nil {
		f.track(w)
	} else if res := wire.Refusal(err); res == nil || res.Status != 400 && res.Status != 431 {
		t.Error(err)
	}
	if d := time.Since(begun); d > f.busy(200*time.Millisecond) {
		t.Errorf("took %v", d)
	}
}

// TestAdvisory08_BytesBehindUpgrade (CVE-2022-21676) is TestA32_BytesBehindUpgrade with the bytes in a
// segment of their own, which the server's first read does not have yet.
func TestAdvisory08_BytesBehindUpgrade(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	for _, query := range []string{"", "EIO=4&transport=websocket&sid=" + p.SID()} {
		w, err := wire.DialWS(f.addr, wire.Handshake{Query: query})
		if err != nil {
			t.Fatal(err)
		}
		f.wantCode(w, []byte("test"), wire.CloseProtocol)
	}
	f.wantEcho(p)
}

// TestAdvisory09_ResetDuringUpgrade (CVE-2022-41940).
func TestAdvisory09_ResetDuringUpgrade(t *testing.T) {
	f := startServer(t, settings{})
	for _, request := range []string{
		"GET /x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
		wire.Handshake{}.Bytes(f.addr),
		wire.Handshake{Query: "EIO=4&transport=tcp"}.Bytes(f.addr),
		f.get("EIO=4&transport=polling&sid=x"),
	} {
		for range 20 {
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
}

// TestAdvisory11_PrototypeNames (CVE-2023-31125, CVE-2026-59724).
func TestAdvisory11_PrototypeNames(t *testing.T) {
	f := startServer(t, settings{})
	for _, name := range []string{"__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"} {
		f.refuseBoth("EIO=4&transport="+name, 400, 0)
		f.refuseBoth("EIO=4&transport=TRANSPORT&sid="+name, 400, 1)
	}
}

// TestAdvisory14_ManyHeaders (CVE-2024-37890): more headers than are kept, in front of "Upgrade".
func TestAdvisory14_ManyHeaders(t *testing.T) {
	f := startServer(t, settings{})
	header := make([]string, 0, 2010)
	for i := range 2000 {
		header = append(header, fmt.Sprintf("X-%d: y", i))
	}
	res, err := wire.Exchange(f.addr, f.get("EIO=4&transport=websocket", append(header, upgradeHeader...)...))
	if err != nil || res.Status != 400 && res.Status != 431 {
		t.Errorf("got %v, %v, want 431 or 400", res, err)
	}
}

// TestAdvisory17_OctetStream (CVE-2026-59725): an answer that never comes keeps a connection each. 200
// sessions stand for 10,000; the fixture counts descriptors.
func TestAdvisory17_OctetStream(t *testing.T) {
	f := startServer(t, settings{})
	for range 200 {
		p, err := wire.OpenPoll(f.addr, "")
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		res, err := p.Do("POST", "application/octet-stream", "4hello")
		if err != nil || refusal(res, 400, 3) != nil {
			t.Errorf("got %v, %v, want 400 with code 3", res, err)
		}
		if d := time.Since(begun); d > f.busy(2*time.Second) {
			t.Errorf("took %v", d)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestAdvisory18_UpgradeVersion (CVE-2026-102599): the upgrade of a session in another protocol than
// its own.
func TestAdvisory18_UpgradeVersion(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	for _, eio := range []string{"", "EIO=3&"} {
		f.refuseUpgrade(eio + "transport=websocket&sid=" + p.SID())
	}
	f.wantEcho(p)
}

// TestAdvisory27_BeforeConnect (CVE-2026-33219, GHSA-r72h-j7qq-v6qg): memory for those who have not been
// let in. 100 connections that send 1 MB each stand for 1,000.
func TestAdvisory27_BeforeConnect(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		const conns = 100
		var list []wire.Session
		for range conns {
			list = append(list, f.open(transport))
		}
		before := heapInUse()
		for _, s := range list {
			switch s := s.(type) {
			case *wire.WS:
				// All but the end of a message of the size that is allowed later.
				head := wire.Text(`40{"x":"` + strings.Repeat("a", 30_000))
				head.Length = 999_999
				if err := s.Write(head); err != nil && !wire.Ended(err) {
					t.Fatal(err)
				}
			case *wire.Poll:
				if res, err := s.Post(`40{"x":"` + strings.Repeat("a", 30_000) + `"}`); err != nil || res.Status != 413 {
					t.Fatalf("got %v, %v, want 413", res, err)
				}
			}
		}
		for _, s := range list {
			if w, ok := s.(*wire.WS); ok {
				f.wantClosed(w, nil, wire.CloseTooBig)
			}
		}
		if n := heapInUse() - before; n > conns*16<<10+1<<20 {
			t.Errorf("the heap has grown by %d bytes", n)
		}
		// 16 KiB are enough for a token.
		s := f.open(transport)
		f.send(s, `40/auth,{"token":"`+strings.Repeat("a", 12<<10)+`"}`)
		f.expect(s, `40/auth,{"sid":"*"}`, `42/auth,["auth",{"token":"a*a"}]`)
	})
}

// TestAdvisory40_HTTP (CVE-2023-39326, CVE-2025-22871, CVE-2025-61726, GO-2026-6218): what Go's own HTTP
// has had to learn, so that a build with an old one is noticed.
func TestAdvisory40_HTTP(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	extension := p.Request("POST", "", "Transfer-Encoding: chunked") + strings.Repeat("1;"+strings.Repeat("x", 4000)+"\r\n3\r\n", 200) + "0\r\n\r\n"
	if res, err := wire.Exchange(f.addr, extension); err == nil && res.Status == http.StatusOK {
		t.Errorf("chunk extensions of 800 KB: %v", res)
	}
	bareLF := p.Request("POST", "", "Transfer-Encoding: chunked") + "1;a\n3\r\n0\r\n\r\n"
	if res, err := wire.Exchange(f.addr, bareLF); err == nil && res.Status == http.StatusOK {
		t.Errorf("bare LF in a chunk's line: %v", res)
	}
	begun := time.Now()
	res, err := wire.Exchange(f.addr, f.get("EIO=4&transport=polling"+strings.Repeat("&a", 400_000)))
	if err != nil || res.Status < 400 || res.Status >= 500 {
		t.Errorf("400,000 parameters: %v, %v", res, err)
	}
	if d := time.Since(begun); d > f.busy(2*time.Second) {
		t.Errorf("took %v", d)
	}
}

// TestAdvisory41_NoWebTransport (CVE-2025-59530, CVE-2025-64702, CVE-2026-21434, CVE-2026-21438): there is
// no WebTransport, which is how we have none of its faults; nobody is told that there were.
func TestAdvisory41_NoWebTransport(t *testing.T) {
	f := startServer(t, settings{})
	p := f.poll()
	if got := p.Open.Upgrades; len(got) != 1 || got[0] != wire.Websocket {
		t.Errorf("upgrades: %q", got)
	}
	f.wantRefusal(f.get("EIO=4&transport=webtransport"), 400, 0)
	for _, query := range []string{"EIO=4", "EIO=4&transport=webtransport"} {
		res, err := wire.Exchange(f.addr, f.request("CONNECT", query, ":protocol: webtransport"))
		if err == nil && res.Status < 400 {
			t.Errorf("CONNECT %s: %s", query, res)
		}
	}
	f.wantEcho(p)
}

// TestAdvisory42_OldPayloads: payloads in the binary form of Engine.IO 3, with lengths that are none, and
// upgrades that are left before they are complete. Neither leaves a session behind.
func TestAdvisory42_OldPayloads(t *testing.T) {
	f := startServer(t, settings{})
	for _, body := range []string{
		"\x00\xd0\xff4x", "\x00\xff\xff\xff\xff\xff", "\x01\x09\x09\xff\x04", "\x00\x01\x05\xff40", "\x00", "\xff", "7:40", "-1:40", "99999999999999999999:4",
	} {
		for _, contentType := range []string{"application/octet-stream", "text/plain;charset=UTF-8"} {
			p := f.poll()
			res, err := p.Do("POST", contentType, body)
			if err != nil || res.Status != 400 {
				t.Errorf("%q as %s: %v, %v", body, contentType, res, err)
			}
			if res, err := p.Get(); err != nil || res.Status != 400 && res.Body != "1" {
				t.Errorf("%q as %s, the session: %v, %v", body, contentType, res, err)
			}
		}
	}
	for range 20 {
		p := f.poll()
		w, err := p.Probe()
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Reset(); err != nil {
			t.Fatal(err)
		}
		f.wantEcho(p)
	}
}
