package jstest

import (
	"fmt"
	"strings"
	"time"
)

// The transports of a client, for [Options]. Nil leaves the client's default, which is Upgrade.
var (
	WebSocket = []string{"websocket"}
	Polling   = []string{"polling"}
	Upgrade   = []string{"polling", "websocket"}
)

// Options are a client's. The zero value is what io(url) does.
type Options struct {
	Namespace  string   // "/" when empty
	Transports []string // nil: the client's default, polling and then the upgrade
	Auth       any      // nil: none
	Query      map[string]string
	Headers    map[string]string
	CA         string // PEM: the certificate that one of the server is to be signed by

	// Msgpack makes socket.io-msgpack-parser the client's parser.
	Msgpack bool

	// NoReconnect turns reconnection off. Where it is on, the first attempt comes after ReconnectDelay,
	// 20 ms when that is zero: the client's own second would only make tests slow.
	NoReconnect    bool
	ReconnectDelay time.Duration

	// Share makes a namespace of another client's connection instead of opening one.
	Share *Client
	// Frames records the Engine.IO packets of the connection, for WaitIn and In.
	Frames bool
	// Collect names events whose first argument is gathered in the process instead of being recorded one by
	// one, for Collected: an event that comes by the thousand.
	Collect []string
	// Numbers is an event that is emitted once a millisecond from the connection on, with 0, 1, 2, …, until
	// StopNumbers.
	Numbers string
}

// Client is one socket of socket.io-client. What happens to it is recorded in order; a wait takes the first
// record of its kind that no earlier wait took.
type Client struct {
	d      *Driver
	number int

	records []record // guarded by d.mu
}

// Connect makes a client and lets it connect; it does not wait for that, see [Client.WaitConnect].
func (d *Driver) Connect(url string, o Options) *Client {
	d.t.Helper()
	c := &Client{d: d}
	d.mu.Lock()
	d.clients = append(d.clients, c)
	c.number = len(d.clients)
	d.mu.Unlock()

	delay := o.ReconnectDelay
	if delay == 0 {
		delay = 20 * time.Millisecond
	}
	opts := map[string]any{
		"reconnection":         !o.NoReconnect,
		"reconnectionDelay":    delay.Milliseconds(),
		"reconnectionDelayMax": delay.Milliseconds(),
		"randomizationFactor":  0,
	}
	if o.Transports != nil {
		opts["transports"] = o.Transports
	}
	if o.Query != nil {
		opts["query"] = o.Query
	}
	if o.Headers != nil {
		opts["extraHeaders"] = o.Headers
	}
	if o.CA != "" {
		opts["ca"] = o.CA
	}
	fields := map[string]any{"url": url, "nsp": "/", "opts": opts, "frames": o.Frames, "msgpack": o.Msgpack, "collect": o.Collect, "numbers": o.Numbers}
	if o.Namespace != "" {
		fields["nsp"] = o.Namespace
	}
	if o.Auth != nil {
		fields["auth"] = wrap(o.Auth)
	}
	if o.Share != nil {
		fields["share"] = o.Share.number
	}
	c.do("connect", fields, nil)
	return c
}

// Connected makes a client and waits until it is connected.
func (d *Driver) Connected(url string, o Options) *Client {
	d.t.Helper()
	c := d.Connect(url, o)
	c.WaitConnect()
	return c
}

func (c *Client) send(cmd string, fields map[string]any) *Pending {
	c.d.t.Helper()
	fields["c"] = c.number
	return c.d.send(cmd, fields)
}

func (c *Client) do(cmd string, fields map[string]any, v any) {
	c.d.t.Helper()
	fields["c"] = c.number
	c.d.do(cmd, fields, v)
}

// ---- what the client does

// Emit emits an event. Arguments are what JSON can say, and []byte and time.Time (a Date), also within []any
// and map[string]any.
func (c *Client) Emit(event string, args ...any) {
	c.d.t.Helper()
	c.do("emit", map[string]any{"ev": event, "args": wrapAll(args)}, nil)
}

// Volatile emits an event that is dropped unless the transport can take it at once.
func (c *Client) Volatile(event string, args ...any) {
	c.d.t.Helper()
	c.do("volatile", map[string]any{"ev": event, "args": wrapAll(args)}, nil)
}

// Burst emits the event n times in one turn of the client's event loop, with 0 … n-1 as first argument.
func (c *Client) Burst(event string, n int) {
	c.d.t.Helper()
	c.do("burst", map[string]any{"ev": event, "n": n}, nil)
}

// Call emits an event and returns the arguments of its acknowledgement.
func (c *Client) Call(event string, args ...any) Values {
	c.d.t.Helper()
	values, err := c.StartCall(Deadline, event, args...).Result()
	if err != nil {
		c.d.t.Fatalf("call %q: %v", event, err)
	}
	return values
}

// Reply is a call's acknowledgement to come.
type Reply struct{ *Pending }

// StartCall is Call without the wait, with the client's own timeout.
func (c *Client) StartCall(timeout time.Duration, event string, args ...any) Reply {
	c.d.t.Helper()
	return Reply{c.send("call", map[string]any{"ev": event, "args": wrapAll(args), "timeout": timeout.Milliseconds()})}
}

// Result waits for the acknowledgement. Its error is the client's: "operation has timed out", or "socket has
// been disconnected".
func (r Reply) Result() (Values, error) {
	r.d.t.Helper()
	var values []any
	if err := r.result(&values); err != nil {
		return nil, err
	}
	return unwrap(values).([]any), nil
}

// Answer sets what the client acknowledges the server's event with from now on. Without it the test answers
// each with [Event.Ack], or leaves it without.
func (c *Client) Answer(event string, values ...any) {
	c.d.t.Helper()
	c.do("answer", map[string]any{"ev": event, "args": wrapAll(values)}, nil)
}

// SetAuth replaces the auth payload of the client's next connections.
func (c *Client) SetAuth(auth any) {
	c.d.t.Helper()
	c.do("auth", map[string]any{"auth": wrap(auth)}, nil)
}

// Reconnect connects a client again that is not connected and does not try to be.
func (c *Client) Reconnect() { c.d.t.Helper(); c.do("reconnect", map[string]any{}, nil) }

// Disconnect is the client's socket.disconnect().
func (c *Client) Disconnect() { c.d.t.Helper(); c.do("disconnect", map[string]any{}, nil) }

// StopNumbers ends the numbers of Options and says how many there were.
func (c *Client) StopNumbers() (n int) {
	c.d.t.Helper()
	c.do("stopNumbers", map[string]any{}, &n)
	return n
}

// ---- what no well-behaved client does

// SendMessage sends one Engine.IO message, a Socket.IO packet's text, on the current transport.
func (c *Client) SendMessage(text string) {
	c.d.t.Helper()
	c.do("message", map[string]any{"text": text}, nil)
}

// SendFrame sends one WebSocket text frame as it is.
func (c *Client) SendFrame(text string) {
	c.d.t.Helper()
	c.do("frame", map[string]any{"text": text}, nil)
}

// CloseEngine closes the connection without a DISCONNECT of its namespaces.
func (c *Client) CloseEngine() { c.d.t.Helper(); c.do("closeEngine", map[string]any{}, nil) }

// Terminate ends the TCP connection under a WebSocket without a close frame.
func (c *Client) Terminate() { c.d.t.Helper(); c.do("terminate", map[string]any{}, nil) }

// ---- what happened to it

// Values are an event's or an acknowledgement's arguments. Numbers are float64, bytes are []byte.
type Values []any

// String is the values' JSON, see [JSON].
func (v Values) String() string {
	if v == nil {
		return "[]"
	}
	return JSON([]any(v))
}

// Event is one that the client received.
type Event struct {
	Name string
	Args Values

	c   *Client
	ack int
}

func (e Event) String() string { return e.Args.String() }

// WantsAck reports whether the server waits for an acknowledgement.
func (e Event) WantsAck() bool { return e.ack != 0 }

// Ack acknowledges the event.
func (e Event) Ack(values ...any) {
	e.c.d.t.Helper()
	if e.ack == 0 {
		e.c.d.t.Fatalf("acknowledge %q: the server asked for none", e.Name)
	}
	e.c.do("ack", map[string]any{"ack": e.ack, "args": wrapAll(values)}, nil)
}

// Connection is what a client knows when it is connected.
type Connection struct {
	ID        string // of the socket
	Transport string // at that moment
	Engine    string // the connection's session id
}

// ConnectError is a refusal of the namespace, or of the connection.
type ConnectError struct {
	Message string
	Data    any
	HasData bool
}

// WaitConnect waits for the client's next "connect".
func (c *Client) WaitConnect() Connection {
	c.d.t.Helper()
	r := c.wait("a connect", func(r record) bool { return r.Kind == "connect" })
	return Connection{ID: r.Name, Transport: fmt.Sprint(r.Args[0]), Engine: fmt.Sprint(r.Args[1])}
}

// WaitConnectError waits for the client's next "connect_error".
func (c *Client) WaitConnectError() ConnectError {
	c.d.t.Helper()
	r := c.wait("a connect_error", func(r record) bool { return r.Kind == "connect_error" })
	e := ConnectError{Message: r.Name, HasData: len(r.Args) > 0}
	if e.HasData {
		e.Data = r.Args[0]
	}
	return e
}

// WaitDisconnect waits for the client's next "disconnect" and returns its reason.
func (c *Client) WaitDisconnect() string {
	c.d.t.Helper()
	reason, _ := c.WaitDisconnectDetails()
	return reason
}

// WaitDisconnectDetails is WaitDisconnect with what the client's transport adds to the reason.
func (c *Client) WaitDisconnectDetails() (reason, description string) {
	c.d.t.Helper()
	r := c.wait("a disconnect", func(r record) bool { return r.Kind == "disconnect" })
	return r.Name, fmt.Sprint(r.Args[0])
}

// Wait waits for the next event of that name.
func (c *Client) Wait(event string) Event {
	c.d.t.Helper()
	r := c.wait(fmt.Sprintf("event %q", event), func(r record) bool { return r.Kind == "event" && r.Name == event })
	return Event{Name: r.Name, Args: r.Args, c: c, ack: r.Ack}
}

// WaitManager waits for the next event of the client's manager or engine: open, error, close, ping, reconnect,
// reconnect_attempt, reconnect_error, reconnect_failed, upgrade, upgrade_error.
func (c *Client) WaitManager(name string) Values {
	c.d.t.Helper()
	return c.wait("the manager's "+name, func(r record) bool { return r.Kind == "manager" && r.Name == name }).Args
}

// WaitIn waits for the next Engine.IO packet from the server that starts so, such as `41` for a DISCONNECT.
func (c *Client) WaitIn(prefix string) string {
	c.d.t.Helper()
	return c.wait("a packet "+prefix, func(r record) bool { return r.Kind == "in" && strings.HasPrefix(r.Name, prefix) }).Name
}

// In are the texts of all Engine.IO packets that came from the server so far and no wait has taken, but for
// the heartbeat's.
func (c *Client) In() []string {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	var texts []string
	for _, r := range c.records {
		if r.Kind == "in" && r.Name != "2" {
			texts = append(texts, r.Name)
		}
	}
	return texts
}

// Events are the arguments of all events of that name so far that no wait has taken.
func (c *Client) Events(event string) []string {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	var got []string
	for _, r := range c.records {
		if r.Kind == "event" && r.Name == event {
			got = append(got, Values(r.Args).String())
		}
	}
	return got
}

// ManagerEvents is how many manager events of that name, see [Client.WaitManager], no wait has taken so far.
func (c *Client) ManagerEvents(name string) (n int) {
	c.d.mu.Lock()
	defer c.d.mu.Unlock()
	for _, r := range c.records {
		if r.Kind == "manager" && r.Name == name {
			n++
		}
	}
	return n
}

// Collected waits until at least n events of a name in Options.Collect have come, and returns their first
// arguments, all that have come so far.
func (c *Client) Collected(event string, n int) Values {
	c.d.t.Helper()
	var values []any
	p := c.send("collected", map[string]any{"ev": event, "n": n})
	p.what = fmt.Sprintf("%d events %q", n, event)
	if n > 0 {
		p.instead = func() string { return fmt.Sprintf("%d came within %v", len(c.Collected(event, 0)), Deadline) }
	}
	if err := p.result(&values); err != nil {
		c.d.t.Fatalf("collected %q: %v", event, err)
	}
	return unwrap(values).([]any)
}

// State is the client's own view of itself.
type State struct {
	ID           string
	Connected    bool
	Active       bool // it is connected, or connects when its manager does
	Reconnecting bool
	Transport    string
	Engine       string // the session id
}

// State asks the client for its view of itself.
func (c *Client) State() (s State) {
	c.d.t.Helper()
	c.do("state", map[string]any{}, &s)
	return s
}

// wait takes the first record that matches.
func (c *Client) wait(what string, match func(record) bool) record {
	c.d.t.Helper()
	var found record
	if !c.d.await(func() bool {
		for i, r := range c.records {
			if match(r) {
				found = r
				c.records = append(c.records[:i:i], c.records[i+1:]...)
				return true
			}
		}
		return false
	}) {
		c.d.mu.Lock()
		defer c.d.mu.Unlock()
		recent := c.records[max(0, len(c.records)-20):]
		c.d.t.Fatalf("client %d: %s did not come within %v; untaken records, the last of %d: %v\n%s",
			c.number, what, Deadline, len(c.records), recent, c.d.process.stderr)
	}
	return found
}
