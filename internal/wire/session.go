package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Packet is one Engine.IO packet: its text with the type's digit, or the bytes of a binary message.
type Packet struct {
	Data   string
	Binary bool
}

// String is the packet as transcripts write it.
func (p Packet) String() string {
	if p.Binary {
		return fmt.Sprintf("binary %x", p.Data)
	}
	return p.Data
}

// Session is what a test needs of an Engine.IO session on any transport.
type Session interface {
	// Send sends text packets, such as "40" or `42["echo",1]`, together: in one write or one payload.
	Send(texts ...string) error

	// SendPackets is Send for packets of both kinds.
	SendPackets(packets ...Packet) error

	// Next returns the next packet. The end of the session comes as a [CloseError].
	Next() (Packet, error)

	// SID is the session's id, which is a secret between server and client.
	SID() string

	// Close ends the session without a word: it closes its connections.
	Close() error
}

// OpenPacket is what the server says first.
type OpenPacket struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int64    `json:"pingInterval"`
	PingTimeout  int64    `json:"pingTimeout"`
	MaxPayload   int64    `json:"maxPayload"`
}

func parseOpen(text string) (open OpenPacket, err error) {
	body, ok := strings.CutPrefix(text, "0")
	if !ok {
		return open, fmt.Errorf("%q is not an open packet", text)
	}
	if err := json.Unmarshal([]byte(body), &open); err != nil {
		return open, fmt.Errorf("open packet: %w", err)
	}
	if open.SID == "" {
		return open, fmt.Errorf("open packet %q has no sid", text)
	}
	return open, nil
}

// The transports of [Open].
const (
	Websocket = "websocket"
	Polling   = "polling"
	Upgraded  = "upgraded" // polling first, then the upgrade
)

// Transports are all of them, for tests that hold on each.
func Transports() []string { return []string{Websocket, Polling, Upgraded} }

// Open opens an Engine.IO session.
func Open(addr, transport string) (Session, error) {
	switch transport {
	case Websocket:
		return OpenWS(addr, Handshake{})
	case Polling:
		return OpenPoll(addr, "")
	case Upgraded:
		p, err := OpenPoll(addr, "")
		if err != nil {
			return nil, err
		}
		return p.Upgrade()
	default:
		return nil, fmt.Errorf("unknown transport %q", transport)
	}
}

// In is how a packet names its namespace: not at all if it is "/".
func In(namespace string) string {
	if namespace == "/" {
		return ""
	}
	return namespace + ","
}

// NextMessage returns the next packet that is no ping, and answers those.
func NextMessage(s Session) (Packet, error) {
	for {
		p, err := s.Next()
		if err != nil || p != (Packet{Data: "2"}) {
			return p, err
		}
		if err := s.Send("3"); err != nil {
			return Packet{}, err
		}
	}
}

// Connect sends the CONNECT of a namespace, with a payload of JSON or none, and returns the socket's id. The answer
// has to be next, but for pings.
func Connect(s Session, namespace, payload string) (id string, err error) {
	if err := s.Send("40" + In(namespace) + payload); err != nil {
		return "", err
	}
	p, err := NextMessage(s)
	if err != nil {
		return "", fmt.Errorf("connect to %s: %w", namespace, err)
	}
	id, found := strings.CutPrefix(p.String(), "40"+In(namespace)+`{"sid":"`)
	id, whole := strings.CutSuffix(id, `"}`)
	if !found || !whole || len(id) != 20 {
		return "", fmt.Errorf("connect to %s: the answer is %s", namespace, Shorten(p.String()))
	}
	return id, nil
}

// Join sends the CONNECT of a namespace and waits for its answer. Packets before that are dropped. It returns the
// answer.
func Join(s Session, namespace string) (string, error) {
	nsp := In(namespace)
	if err := s.Send("40" + nsp); err != nil {
		return "", err
	}
	for {
		p, err := s.Next()
		if err != nil {
			return "", fmt.Errorf("join %s: %w", namespace, err)
		}
		if !p.Binary && (strings.HasPrefix(p.Data, "40"+nsp) || strings.HasPrefix(p.Data, "44"+nsp)) {
			return p.Data, nil
		}
	}
}

// OpenWS opens a session that is born on a WebSocket and reads its open packet.
func OpenWS(addr string, h Handshake) (*WS, error) {
	w, err := DialWS(addr, h)
	if err != nil {
		return nil, err
	}
	p, err := w.Next()
	if err == nil {
		var open OpenPacket
		open, err = parseOpen(p.Data)
		w.sid = open.SID
	}
	if err != nil {
		_ = w.Close() // the reason is in err
		return nil, err
	}
	return w, nil
}

// Send implements [Session].
func (w *WS) Send(texts ...string) error {
	return w.SendPackets(textPackets(texts)...)
}

// SendPackets implements [Session].
func (w *WS) SendPackets(packets ...Packet) error {
	frames := make([]Frame, len(packets))
	for i, p := range packets {
		if frames[i] = Text(p.Data); p.Binary {
			frames[i].Opcode = OpBinary
		}
	}
	return w.Write(frames...)
}

// Next implements [Session].
func (w *WS) Next() (Packet, error) {
	f, err := w.NextFrame()
	if err != nil {
		return Packet{}, err
	}
	if !f.Fin || f.RSV != 0 || f.Opcode != OpText && f.Opcode != OpBinary {
		return Packet{}, fmt.Errorf("%w: fin %t rsv %#x opcode %#x where a message is due", ErrServerFrame, f.Fin, f.RSV, f.Opcode)
	}
	return Packet{Data: string(f.Payload), Binary: f.Opcode == OpBinary}, nil
}

// SID implements [Session].
func (w *WS) SID() string { return w.sid }

func textPackets(texts []string) []Packet {
	packets := make([]Packet, len(texts))
	for i, t := range texts {
		packets[i].Data = t
	}
	return packets
}

// WaitClosed reads until the session ends and returns how, and the packets before that.
func WaitClosed(s Session) (*CloseError, []Packet, error) {
	var before []Packet
	for {
		p, err := s.Next()
		if ce, ok := errors.AsType[*CloseError](err); ok {
			return ce, before, nil
		}
		if err != nil {
			return nil, before, err
		}
		before = append(before, p)
	}
}

// Expect reads one packet for each pattern, in order. In a pattern, "*" stands for any text. A ping where none is
// expected is answered and passed over: when it is time for one is not for who expects something else to know.
func Expect(s Session, patterns ...string) error {
	for _, want := range patterns {
		next := NextMessage
		if Match(want, "2") {
			next = Session.Next
		}
		p, err := next(s)
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", want, err)
		}
		if !Match(want, p.String()) {
			return fmt.Errorf("got %s, want %s", Shorten(p.String()), Shorten(want))
		}
	}
	return nil
}

// Match reports whether text is what pattern says, where "*" stands for any text, the empty one too.
func Match(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last, middle := parts[0], parts[len(parts)-1], parts[1:len(parts)-1]
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	return !slices.ContainsFunc(middle, func(part string) bool {
		_, after, found := strings.Cut(text, part)
		text = after
		return !found
	})
}

// Shorten cuts a long text for the message of a failing test.
func Shorten(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return fmt.Sprintf("%s… (%d bytes)", s[:most], len(s))
}
