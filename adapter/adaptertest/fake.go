package adaptertest

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A host is a namespace that records what its adapter tells it.
type host struct {
	wants atomic.Bool // room events
	acks  atomic.Uint64

	mu     sync.Mutex
	events []string
	telling,
	overlapped bool
	onEvent func(adapter.RoomEvent) // called for each, without a lock
	server  []string                // events of other instances
	answer  func(reply func(packet.Args))
}

var _ adapter.Host = (*host)(nil)

func (h *host) Namespace() string    { return "/kit" }
func (h *host) Logger() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (h *host) WantsRoomEvents() bool { return h.wants.Load() }

func (h *host) NextAckID() uint64 { return h.acks.Add(1) - 1 }

func (h *host) RoomEvents(events []adapter.RoomEvent) {
	h.mu.Lock()
	h.overlapped = h.overlapped || h.telling
	h.telling = true
	onEvent := h.onEvent
	for _, e := range events {
		h.events = append(h.events, strings.TrimSpace(fmt.Sprint(e.Kind, " ", e.Room, " ", e.ID)))
	}
	h.mu.Unlock()
	if onEvent != nil {
		for _, e := range events {
			onEvent(e)
		}
	}
	h.mu.Lock()
	h.telling = false
	h.mu.Unlock()
}

func (h *host) takeEvents() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	events := h.events
	h.events = nil
	return events
}

func (h *host) ServerSideEvent(args packet.Args, reply func(packet.Args)) {
	h.mu.Lock()
	h.server = append(h.server, text(args))
	answer := h.answer
	h.mu.Unlock()
	if answer != nil && reply != nil {
		answer(reply)
	}
}

func (h *host) serverEvents() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.server)
}

// A member records what it is given.
type member struct {
	id     string
	behind bool       // it asks for Flush
	data   packet.Arg // of its description
	answer bool       // it acknowledges at once, with its id

	mu       sync.Mutex
	got      []string
	flags    []adapter.Flags
	pending  map[uint64]func(packet.Args, bool)
	asked    int // questions, answered ones too
	collided bool
	flushes  int
	ended    []bool // closeConn of Disconnect
}

var _ adapter.Member = (*member)(nil)

func newMember(id string) *member {
	return &member{id: id, pending: make(map[uint64]func(packet.Args, bool))}
}

func (m *member) ID() string { return m.id }

func (m *member) Deliver(p *packet.Shared, f adapter.Flags) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.got = append(m.got, text(p.Packet().Args))
	m.flags = append(m.flags, f)
	return m.behind
}

func (m *member) Flush() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flushes++
}

func (m *member) Ask(p *packet.Shared, f adapter.Flags, reply func(packet.Args, bool)) bool {
	if !p.Packet().HasID {
		panic("a question without an id")
	}
	flush := m.Deliver(p, f)
	m.mu.Lock()
	m.asked++
	if m.pending[p.Packet().ID] != nil {
		m.collided = true
	}
	m.pending[p.Packet().ID] = reply
	m.mu.Unlock()
	if m.answer {
		m.reply(true)
	}
	return flush
}

// reply answers all that is pending, with the member's id or as one that is gone.
func (m *member) reply(ok bool) {
	m.mu.Lock()
	pending := m.pending
	m.pending = make(map[uint64]func(packet.Args, bool))
	m.mu.Unlock()
	for _, f := range pending {
		if ok {
			f(args(m.id), true)
		} else {
			f(packet.Args{}, false)
		}
	}
}

// take returns what has been delivered since it was last called.
func (m *member) take() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	got := m.got
	m.got, m.flags = nil, nil
	return got
}

func (m *member) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.got)
}

func (m *member) outstanding() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.pending)
}

func (m *member) Forget(id uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.pending, id)
}

func (m *member) Disconnect(closeConn bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ended = append(m.ended, closeConn)
}

func (m *member) disconnects() []bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.ended)
}

func (m *member) Describe() adapter.SocketInfo {
	return adapter.SocketInfo{
		ID: m.id,
		Handshake: adapter.Handshake{
			Headers: map[string]string{"user-agent": "kit"},
			Time:    "Thu Jan 01 1970 00:00:00 GMT+0000 (UTC)",
			Address: "192.0.2.1",
			XDomain: true,
			Secure:  true,
			Issued:  1,
			URL:     "/socket.io/?EIO=4",
			Query:   map[string]string{"EIO": "4"},
			Auth:    args(map[string]any{"token": "t"}).At(0),
		},
		Data: m.data,
	}
}

// args encodes arguments that can be encoded.
func args(values ...any) packet.Args {
	a, err := packet.NewArgs(values...)
	if err != nil {
		panic(err)
	}
	return a
}

// event makes a packet to be broadcast.
func event(name string, values ...any) *packet.Shared {
	return packet.NewShared(packet.Packet{
		Type: packet.Event, Namespace: "/kit", Args: args(append([]any{name}, values...)...),
	})
}

// question is event for a packet with an acknowledgement id of an instance.
func (c *rig) question(instance int, name string) *packet.Shared {
	return packet.NewShared(packet.Packet{
		Type: packet.Event, Namespace: "/kit", HasID: true, ID: c.hosts[instance].NextAckID(), Args: args(name),
	})
}

// text is how the kit writes arguments down: as JSON, an attachment as <its bytes>.
func text(a packet.Args) string {
	var b strings.Builder
	for i, arg := range a.All() {
		if i > 0 {
			b.WriteByte(' ')
		}
		if data, ok := arg.Bytes(); ok {
			fmt.Fprintf(&b, "<%x>", data)
			continue
		}
		b.Write(arg.AppendJSON(nil))
	}
	return b.String()
}

// background is for operations that wait for nothing that does not come.
func background(c *rig) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	c.Cleanup(cancel)
	return ctx
}
