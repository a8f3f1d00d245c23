package wire

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// player is one performance of a transcript.
type player struct {
	addr, transport string
	clients         map[string]*client
	order           []string // the clients' names, as they came
}

// client is one of the transcript's clients.
type client struct {
	addr      string
	s         Session
	ws        *WS   // the session, when it is on a WebSocket
	poll      *Poll // … on polling
	dialled   bool  // only a handshake: no open packet, no Socket.IO
	joined    bool  // to "/"
	closed    bool  // by the server
	ended     bool  // by us
	refused   error // a POST was refused: the session has to be closed now
	responses map[string]*pending
}

// pending is a response that may still be on its way.
type pending struct {
	ch   chan struct{} // closed once the rest is set
	res  *Response
	err  error
	seen bool
}

func (p *pending) wait() (*Response, error) {
	select {
	case <-p.ch:
		p.seen = true
		return p.res, p.err
	case <-time.After(2 * Timeout): // the request has a deadline of its own
		return nil, errors.New("no response")
	}
}

func (p *player) close() {
	for _, c := range p.clients {
		if c.poll != nil && !c.closed && !c.ended {
			c.poll.Leave()
		}
		if c.s != nil {
			_ = c.s.Close() // may be closed already
		}
		for _, r := range c.responses {
			<-r.ch
			if r.res != nil { // a handshake that was made by hand has made a session
				_ = LeaveOpened(p.addr, r.res) // most have not
			}
		}
	}
}

func (p *player) client(name string) *client {
	c, ok := p.clients[name]
	if !ok {
		c = &client{addr: p.addr, responses: map[string]*pending{}}
		p.clients[name] = c
		p.order = append(p.order, name)
	}
	return c
}

// expand fills in what an argument only names.
func (p *player) expand(arg, self string) string {
	arg = strings.ReplaceAll(arg, "␞", Separator)
	for name, c := range p.clients {
		if c.s != nil && name != "" {
			arg = strings.ReplaceAll(arg, "$sid@"+name, c.s.SID())
		}
	}
	for _, name := range []string{self, ""} {
		if c, ok := p.clients[name]; ok && c.s != nil && c.s.SID() != "" {
			arg = strings.ReplaceAll(arg, "$sid", c.s.SID())
		}
	}
	return arg
}

func (p *player) play(st step) error {
	c := p.client(st.client)
	arg := p.expand(st.arg, st.client)
	switch st.verb {
	case "open":
		if arg == "each" {
			arg = p.transport
		}
		s, err := Open(p.addr, arg)
		if err != nil {
			return err
		}
		c.use(s)
		return nil
	case "dial":
		c.dial(arg)
		return nil
	case "moved":
		return c.takeOver(p.client(arg))
	case "request":
		c.start(st.label, func() (*Response, error) {
			return Exchange(p.addr, arg+" HTTP/1.1\r\nHost: "+p.addr+"\r\nConnection: close\r\n\r\n")
		})
		return nil
	case "status", "header", "body":
		return c.checkResponse(st, arg)
	}
	if c.s == nil {
		return errors.New("no session is open")
	}
	if c.refused != nil && st.verb != "S-close" && st.verb != "C-bin" {
		return c.refused
	}
	switch {
	case st.verb == "quiet":
		return c.quiet()
	case strings.HasPrefix(st.verb, "S"):
		return c.receive(st.verb, arg)
	case st.verb == "C" || strings.HasPrefix(st.verb, "C-"):
		return c.send(st.verb, arg)
	case st.verb == strings.ToUpper(st.verb) && c.poll != nil:
		c.start(st.label, func() (*Response, error) { return c.poll.Do(st.verb, "text/plain;charset=UTF-8", arg) })
		return nil
	default:
		return errors.New("unknown verb")
	}
}

func (c *client) use(s Session) {
	c.s = s
	c.ws, _ = s.(*WS)
	c.poll, _ = s.(*Poll)
}

// dial makes a handshake whose outcome, either way, can be looked at as a response.
func (c *client) dial(query string) {
	c.dialled = true
	c.start("", func() (*Response, error) {
		w, err := DialWS(c.addr, Handshake{Query: "EIO=4&" + query})
		if res := Refusal(err); res != nil {
			return res, nil
		}
		if err != nil {
			return nil, err
		}
		c.use(w)
		return w.Response, nil
	})
	<-c.responses[""].ch
	c.responses[""].seen = c.s != nil // a refusal has to be looked at, a success need not
}

// takeOver makes this client's WebSocket the transport of the session that from had on polling.
func (c *client) takeOver(from *client) error {
	if c.ws == nil || from.poll == nil {
		return errors.New("needs a WebSocket and a polling session")
	}
	c.dialled, c.joined, from.ended = false, from.joined, true
	c.ws.sid = from.poll.SID()
	return nil
}

func (c *client) start(label string, f func() (*Response, error)) {
	r := &pending{ch: make(chan struct{})}
	c.responses[label] = r
	go func() {
		defer close(r.ch)
		r.res, r.err = f()
	}()
}

func (c *client) checkResponse(st step, arg string) error {
	r, ok := c.responses[st.label]
	if !ok {
		return errors.New("no request was made")
	}
	res, err := r.wait()
	if err != nil {
		return err
	}
	got, want := "", arg
	switch st.verb {
	case "status":
		got = strconv.Itoa(res.Status)
	case "header":
		name, value, _ := strings.Cut(arg, ":")
		got, want = res.Header.Get(name), strings.TrimSpace(value)
	case "body":
		got = res.Body
	}
	if !Match(want, got) {
		return fmt.Errorf("got %q, want %q (%s)", Shorten(got), want, Shorten(res.String()))
	}
	return nil
}

func (c *client) send(verb, arg string) error {
	if arg == "41" {
		c.joined = false
	}
	switch verb {
	case "C":
		return c.mayBeRefused(c.s.Send(arg))
	case "C-bin":
		b, err := unhex(arg)
		if err != nil {
			return err
		}
		return c.mayBeRefused(c.s.SendPackets(Packet{Data: b, Binary: true}))
	case "C-end":
		c.ended = true
		return c.s.Close()
	}
	if c.ws == nil {
		return errors.New("needs a WebSocket")
	}
	switch verb {
	case "C-frame":
		b, err := unhex(arg)
		if err != nil {
			return err
		}
		return c.ws.Conn.Send(b)
	case "C-close":
		code, err := strconv.Atoi(arg)
		if err != nil {
			return fmt.Errorf("code: %w", err)
		}
		return c.ws.Write(Close(code, ""))
	default:
		return errors.New("unknown verb")
	}
}

// mayBeRefused lets a 400 to a POST pass, and remembers that the session has to be closed now.
func (c *client) mayBeRefused(err error) error {
	if res := Refusal(err); res != nil && res.Status == 400 {
		c.refused = err
		return nil
	}
	return err
}

func (c *client) receive(verb, arg string) error {
	p, err := c.s.Next()
	if verb == "S-close" {
		c.refused = nil
		if err == nil {
			return fmt.Errorf("got %s", Shorten(p.String()))
		}
		return c.checkClose(err, arg)
	}
	if err != nil {
		return err
	}
	switch verb {
	case "S":
	case "S-bin":
		b, err := unhex(arg)
		if err != nil {
			return err
		}
		arg = Packet{Data: b, Binary: true}.String()
	default:
		return errors.New("unknown verb")
	}
	if !Match(arg, p.String()) {
		return fmt.Errorf("got %s, want %s", Shorten(p.String()), Shorten(arg))
	}
	switch {
	case strings.HasPrefix(p.Data, "40{"):
		c.joined = true
	case p.Data == "41":
		c.joined = false
	}
	return nil
}

// checkClose holds the end of a session against the code that was expected. Polling has no codes.
func (c *client) checkClose(err error, arg string) error {
	ce, ok := errors.AsType[*CloseError](err)
	if !ok {
		return err
	}
	c.closed = true
	if c.ws == nil {
		return nil
	}
	if !Match(arg, strconv.Itoa(ce.Code)) {
		return fmt.Errorf("got %w, want %s", ce, arg)
	}
	if ce.Code == CloseAbnormal {
		return nil
	}
	// A decent client answers. The server may be gone by then, which is as good.
	if err := c.ws.Write(Close(0, "")); err != nil && !Ended(err) {
		return err
	}
	rest, err := c.ws.WaitEOF(Timeout)
	if err == nil && rest != "" {
		err = fmt.Errorf("%x came after the close frame", rest)
	}
	_ = c.ws.Close() // the server has closed already
	return err
}

// quiet makes a round trip: what it brings before its own answer was not asked for.
func (c *client) quiet() error {
	ask, answer := "40/nothing-more,", `44/nothing-more,{"message":"Invalid namespace"}`
	if c.joined {
		ask = `42["echo","nothing more"]`
		answer = ask
	}
	if err := c.s.Send(ask); err != nil {
		return err
	}
	return Expect(c.s, answer)
}

// finish checks that nothing is left that the transcript did not say.
func (c *client) finish() error {
	for label, r := range c.responses {
		if !r.seen {
			return fmt.Errorf("the response%s was not looked at", label)
		}
	}
	if c.refused != nil {
		return c.refused
	}
	if c.s == nil || c.closed || c.ended || c.dialled {
		return nil
	}
	return c.quiet()
}

func unhex(arg string) (string, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(arg, " ", ""))
	if err != nil {
		return "", fmt.Errorf("hexadecimal: %w", err)
	}
	return string(b), nil
}
