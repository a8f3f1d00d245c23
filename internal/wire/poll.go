package wire

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Separator stands between the packets of a polling payload.
const Separator = "\x1e"

// maxPolled bounds the body of one poll that is read.
const maxPolled = 64 << 20

// Poll is a long-polling session, driven by an ordinary HTTP client that keeps its connections.
// Get and Post may run at the same time; Next belongs to one goroutine.
type Poll struct {
	Open OpenPacket

	addr    string
	base    string // URL of the session, with its sid
	client  *http.Client
	ctx     context.Context // of all requests; ended by Close, so that a parked poll ends too
	cancel  context.CancelFunc
	pending []Packet // read, not yet returned by Next; owned by Next
	closed  bool     // the server has said "1"; owned by Next
}

// LeaveOpened is [Poll.Leave] for the session that the response to a handshake has opened.
func LeaveOpened(addr string, handshake *Response) error {
	open, err := parseOpen(handshake.Body)
	if err != nil {
		return err
	}
	request := DefaultPath + "?EIO=4&transport=polling&sid=" + open.SID + " HTTP/1.1\r\nHost: " + addr + "\r\nConnection: close\r\n"
	if _, err := Exchange(addr, "POST "+request+"Content-Length: 1\r\n\r\n1"); err != nil {
		return err
	}
	_, err = Exchange(addr, "GET "+request+"\r\n")
	return err
}

// OpenPoll opens a polling session. Query is added to that of the handshake: "k=v&…" or "".
func OpenPoll(addr, query string) (*Poll, error) {
	if query != "" {
		query = "&" + query
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Poll{
		ctx:    ctx,
		cancel: cancel,
		addr:   addr,
		base:   "http://" + addr + DefaultPath + "?EIO=4&transport=polling" + query,
		client: &http.Client{
			Timeout: Timeout,
			// Not asking for gzip keeps a body what the server meant; a test that wants it asks itself.
			Transport: &http.Transport{
				DisableCompression: true,
				DialContext:        func(context.Context, string, string) (net.Conn, error) { return dialAny(addr) },
			},
		},
	}
	res, err := p.Get()
	if err == nil && res.Status != http.StatusOK {
		err = &RefusedError{res}
	}
	if err == nil {
		p.Open, err = parseOpen(res.Body)
	}
	if err != nil {
		_ = p.Close() // nothing is open yet
		return nil, err
	}
	p.base += "&sid=" + p.Open.SID
	return p, nil
}

// SID implements [Session].
func (p *Poll) SID() string { return p.Open.SID }

// Addr is the address of the server.
func (p *Poll) Addr() string { return p.addr }

// Get makes one poll and returns the response, whatever its status.
func (p *Poll) Get() (*Response, error) { return p.Do("GET", "", "") }

// Post posts a payload as it is.
func (p *Poll) Post(body string) (*Response, error) {
	return p.Do("POST", "text/plain;charset=UTF-8", body)
}

// Do makes a request of any method to the session.
func (p *Poll) Do(method, contentType, body string) (*Response, error) {
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(p.ctx, method, p.base, r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := p.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	defer func() { _ = res.Body.Close() }() // read to its end below
	b, err := io.ReadAll(io.LimitReader(res.Body, maxPolled))
	if err != nil {
		return nil, fmt.Errorf("%s: body of %d: %w", method, res.StatusCode, err)
	}
	return &Response{Proto: res.Proto, Status: res.StatusCode, Header: res.Header, Body: string(b), Close: res.Close}, nil
}

// Request is the session's request as bytes, for tests that send it by hand. Header lines are added
// as they are; a body gets its Content-Length.
func (p *Poll) Request(method, body string, header ...string) string {
	lines := append([]string{"Host: " + p.addr}, header...)
	if body != "" {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)))
	}
	_, path, _ := strings.Cut(strings.TrimPrefix(p.base, "http://"), "/")
	return method + " /" + path + " HTTP/1.1\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// Send implements [Session].
func (p *Poll) Send(texts ...string) error { return p.SendPackets(textPackets(texts)...) }

// SendPackets implements [Session]. A refusal is a [RefusedError].
func (p *Poll) SendPackets(packets ...Packet) error {
	res, err := p.Post(EncodePayload(packets...))
	if err != nil {
		return err
	}
	if res.Status != http.StatusOK || res.Body != "ok" {
		return &RefusedError{res}
	}
	return nil
}

// Next implements [Session]. It polls when no packet is left of the last poll. A noop, which only
// ends a poll, is left out.
func (p *Poll) Next() (Packet, error) {
	for len(p.pending) == 0 {
		if p.closed {
			return Packet{}, &CloseError{Code: ClosePollingClosed}
		}
		res, err := p.Get()
		switch {
		case err != nil:
			return Packet{}, err
		case res.Status == http.StatusBadRequest && strings.Contains(res.Body, `"code":1,`):
			p.closed = true
			return Packet{}, &CloseError{Code: ClosePollingClosed, Reason: res.Body}
		case res.Status != http.StatusOK:
			return Packet{}, &RefusedError{res}
		}
		if p.pending, err = DecodePayload(res.Body); err != nil {
			return Packet{}, err
		}
	}
	next := p.pending[0]
	p.pending = p.pending[1:]
	if next == (Packet{Data: "6"}) {
		return p.Next()
	}
	if next == (Packet{Data: "1"}) {
		p.closed = true
		return Packet{}, &CloseError{Code: ClosePollingClosed}
	}
	return next, nil
}

// Close implements [Session]: it ends the TCP connections, that of a parked poll too. The server is
// told nothing.
func (p *Poll) Close() error {
	p.cancel()
	p.client.CloseIdleConnections()
	return nil
}

// Leave says goodbye, as a client does that is closed, and takes the server's: without it the server
// could only find out by its heartbeat. A session that is gone already is left as well.
func (p *Poll) Leave() {
	_, err := p.Post("1")
	// What the server had still to say comes first, and its goodbye in a payload of its own.
	for err == nil {
		var res *Response
		if res, err = p.Get(); err == nil && (res.Status != http.StatusOK || res.Body == "1") {
			break
		}
	}
	_ = p.Close() // never fails
}

// Probe opens a second transport for the session and probes it: a WebSocket on which `3probe` has
// been received. The session stays on polling until the client sends "5".
func (p *Poll) Probe() (*WS, error) {
	w, err := p.DialUpgrade()
	if err != nil {
		return nil, err
	}
	err = w.Send("2probe")
	if err == nil {
		err = Expect(w, "3probe")
	}
	if err != nil {
		_ = w.Close() // the reason is in err
		return nil, fmt.Errorf("probe: %w", err)
	}
	return w, nil
}

// DialUpgrade opens a WebSocket for the session and sends nothing.
func (p *Poll) DialUpgrade() (*WS, error) {
	w, err := DialWS(p.addr, Handshake{Query: "EIO=4&transport=websocket&sid=" + p.SID()})
	if err != nil {
		return nil, err
	}
	w.sid = p.SID()
	return w, nil
}

// Upgrade moves the session to a WebSocket as a browser does: it probes while a poll is parked, waits
// until the server has let that poll go, and only then says "5". Packets that the poll brought are
// lost, so a test upgrades before anything is under way.
func (p *Poll) Upgrade() (*WS, error) {
	type result struct {
		res *Response
		err error
	}
	parked := make(chan result, 1)
	go func() {
		res, err := p.Get()
		for err == nil && res.Body == "2" { // a ping may be due just now
			if _, err = p.Post("3"); err == nil {
				res, err = p.Get()
			}
		}
		parked <- result{res, err}
	}()
	w, err := p.Probe()
	if err != nil {
		return nil, err
	}
	select {
	case r := <-parked:
		if r.err == nil && r.res.Body != "6" {
			r.err = fmt.Errorf("upgrade: the parked poll brought %s", r.res)
		}
		err = r.err
	case <-time.After(Timeout):
		err = fmt.Errorf("upgrade: the parked poll was not let go")
	}
	if err == nil {
		err = w.Send("5")
	}
	if err != nil {
		_ = w.Close() // the reason is in err
		return nil, err
	}
	p.client.CloseIdleConnections()
	return w, nil
}

// EncodePayload joins packets into a polling payload.
func EncodePayload(packets ...Packet) string {
	parts := make([]string, len(packets))
	for i, pk := range packets {
		parts[i] = pk.Data
		if pk.Binary {
			parts[i] = "b" + base64.StdEncoding.EncodeToString([]byte(pk.Data))
		}
	}
	return strings.Join(parts, Separator)
}

// DecodePayload splits a polling payload into its packets.
func DecodePayload(body string) ([]Packet, error) {
	var packets []Packet
	for part := range strings.SplitSeq(body, Separator) {
		b64, ok := strings.CutPrefix(part, "b")
		if !ok {
			packets = append(packets, Packet{Data: part})
			continue
		}
		b, err := base64.StdEncoding.DecodeString(b64)
		if err != nil {
			return nil, fmt.Errorf("binary packet %q: %w", part, err)
		}
		packets = append(packets, Packet{Data: string(b), Binary: true})
	}
	return packets, nil
}
