package chat

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

// A Chat is the chat of one namespace. Its methods are safe for concurrent use.
type Chat struct {
	// Static.
	ns          *server.Namespace
	opts        Options // with their defaults
	store       store
	ids         *ids
	now         func() time.Time
	errRoomName error
	errTooMany  error
	errTooLarge error

	lanes    lanes
	relays   sync.Pool // of *relay
	messages atomic.Uint64
	repeated atomic.Uint64
	limited  atomic.Uint64
	excess   atomic.Uint64
	homeless atomic.Uint64
}

// Stats are counts of a chat since it was mounted.
type Stats struct {
	Messages           uint64 // sent to their rooms
	Repeated           uint64 // not sent again, by their clientMsgId
	RateLimited        uint64 // refused as too many: the error rate_limited
	SignalsOverBudget  uint64 // typing and cursors dropped as too many
	SignalsWithoutRoom uint64 // typing and cursors dropped for want of a room
}

// Mount makes a chat of a namespace, which has its own rooms: it adds handlers
// for the events of the package, attaches its own data to the sockets, and
// watches the rooms. Call it before clients connect, once for a namespace. It
// panics on what OfFunc and OfPattern return: mount on the namespaces themselves.
func Mount(ns *server.Namespace, opts Options) *Chat {
	return mount(ns, opts, time.Now)
}

func mount(ns *server.Namespace, opts Options, now func() time.Time) *Chat {
	if ns.Adapter() == nil {
		panic("chat: Mount: dynamic namespaces have no rooms of their own") //nolint:forbidigo // a mistake of the program, as server.New treats them
	}
	opts = opts.withDefaults()
	c := &Chat{
		ns:          ns,
		opts:        opts,
		store:       newMemory(opts.Remembered, now),
		ids:         newIDs(),
		now:         now,
		errRoomName: errRoomName(opts.RoomName),
		errTooMany:  &server.ClientError{Code: codeTooManyRooms, Message: fmt.Sprintf("In %d rooms already, the most that are allowed", opts.Rooms)},
		errTooLarge: &server.ClientError{Code: codeMessageTooLarge, Message: fmt.Sprintf("content is longer than %d bytes", opts.MessageBytes)},
	}
	c.relays.New = func() any { return new(relay) }

	ns.OnConnect(c.connect)
	ns.OnDisconnecting(c.disconnecting)
	ns.OnRoom(c.room)
	for event, h := range map[string]handler{
		"join":            c.join,
		"join_room":       c.join,
		"leave":           c.leave,
		"leave_room":      c.leave,
		"who":             c.who,
		"message":         c.message,
		"send_message":    c.message,
		"chat_message":    c.message,
		"typing":          c.typing,
		"cursor_position": c.cursorPosition,
	} {
		ns.On(event, func(ctx context.Context, s *server.Socket, args server.Args) error {
			cl, err := clientOf(s)
			if err != nil {
				return err
			}
			return h(call{ctx, s, cl, args})
		})
	}
	return c
}

// A call is an event on its way to its handler.
type call struct {
	ctx    context.Context
	socket *server.Socket
	client *client
	args   server.Args
}

type handler func(call) error

// reply acknowledges the event where that is wanted.
func (x *call) reply(v any) error {
	if !x.args.WantsAck() {
		return nil
	}
	return x.args.Ack(v)
}

// internal logs what went wrong, and returns what the client is told of it.
func (c *Chat) internal(x *call, err error) error {
	c.opts.Logger.Error("chat state cannot be reached", "namespace", c.ns.Name(),
		"socket", x.socket.ID(), "event", x.args.Event(), "error", err)
	return errInternal
}

// Stats returns the chat's counts.
func (c *Chat) Stats() Stats {
	return Stats{
		Messages:           c.messages.Load(),
		Repeated:           c.repeated.Load(),
		RateLimited:        c.limited.Load(),
		SignalsOverBudget:  c.excess.Load(),
		SignalsWithoutRoom: c.homeless.Load(),
	}
}

// connect gives a socket its user, and tells it who it is.
func (c *Chat) connect(ctx context.Context, s *server.Socket) error {
	u, anonymous := c.identify(ctx, s)
	s.SetData(&client{user: u, anonymous: anonymous})
	return s.Emit("connected", connected{
		user:              u,
		messageBytes:      c.opts.MessageBytes,
		fileBytes:         c.opts.FileBytes,
		messagesPerSecond: c.opts.MessageRate,
	})
}
