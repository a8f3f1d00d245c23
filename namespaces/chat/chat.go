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
	store       Store
	alone       bool // the store is the chat's own: there is no other instance
	keeps       bool // there is history
	ids         *ids
	now         func() time.Time
	errRoomName error
	errTooMany  error
	errTooLarge error
	errTooBig   error

	lanes *lanes // of rooms
	users *lanes // of users, by id, for what changes their presence; before those of rooms

	owed *owed

	pace atomic.Pointer[pace]

	relays      sync.Pool // of *relay
	messages    atomic.Uint64
	direct      atomic.Uint64
	files       atomic.Uint64
	repeated    atomic.Uint64
	undelivered atomic.Uint64
	unkept      atomic.Uint64
	limited     atomic.Uint64
	excess      atomic.Uint64
	homeless    atomic.Uint64
}

// Stats are counts of a chat since it was mounted.
type Stats struct {
	Messages           uint64 // sent to their rooms
	Direct             uint64 // direct messages, the undelivered among them
	Files              uint64 // sent to their rooms
	Repeated           uint64 // not sent again, by their clientMsgId
	Undelivered        uint64 // direct messages to users without a connection
	Unkept             uint64 // messages without a place in the history, for their attachments
	RateLimited        uint64 // refused as too many: the error rate_limited
	SignalsOverBudget  uint64 // typing, cursors and presence dropped as too many
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
		store:       opts.Store,
		alone:       opts.Store == nil,
		keeps:       opts.History > 0,
		ids:         newIDs(),
		now:         now,
		errRoomName: errRoomName(opts.RoomName),
		errTooMany:  &server.ClientError{Code: codeTooManyRooms, Message: fmt.Sprintf("In %d rooms already, the most that are allowed", opts.Rooms)},
		errTooLarge: &server.ClientError{Code: codeMessageTooLarge, Message: fmt.Sprintf("content is longer than %d bytes", opts.MessageBytes)},
		errTooBig:   &server.ClientError{Code: codeMessageTooLarge, Message: fmt.Sprintf("the file is larger than %d bytes", opts.FileBytes)},
		lanes:       newLanes(),
		users:       newLanes(),
		owed:        newOwed(),
	}
	c.SetMessageRate(opts.MessageRate, opts.MessageBurst)
	if c.alone {
		c.store = NewMemory(MemoryOptions{
			History:      opts.History,
			HistoryBytes: opts.HistoryBytes,
			HistoryTotal: opts.HistoryTotal,
			Remembered:   opts.Remembered,
			Now:          now,
		})
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
		"direct_message":  c.directMessage,
		"file_upload":     c.fileUpload,
		"history":         c.history,
		"typing":          c.typing,
		"cursor_position": c.cursorPosition,
		"presence":        c.presence,
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
	c.report(x.socket, x.args.Event(), err)
	return errInternal
}

// report logs what went wrong.
func (c *Chat) report(s *server.Socket, event string, err error) {
	c.opts.Logger.Error("chat state cannot be reached", "namespace", c.ns.Name(),
		"socket", s.ID(), "event", event, "error", err)
}

// Stats returns the chat's counts.
func (c *Chat) Stats() Stats {
	return Stats{
		Messages:           c.messages.Load(),
		Direct:             c.direct.Load(),
		Files:              c.files.Load(),
		Repeated:           c.repeated.Load(),
		Undelivered:        c.undelivered.Load(),
		Unkept:             c.unkept.Load(),
		RateLimited:        c.limited.Load(),
		SignalsOverBudget:  c.excess.Load(),
		SignalsWithoutRoom: c.homeless.Load(),
	}
}

// connect gives a socket its user, and tells it who it is.
func (c *Chat) connect(ctx context.Context, s *server.Socket) error {
	u, anonymous, err := c.identify(ctx, s)
	if err != nil {
		return err
	}
	cl := &client{user: u, anonymous: anonymous}
	s.SetData(cl)
	if u.ID != s.ID() || !c.alone {
		// Past the limits of rooms that Socket.Join has: no client chose it.
		c.ns.Adapter().Join(s.ID(), userRoom(u.ID))
	}
	c.arrive(ctx, s, cl)
	return s.Emit("connected", connected{
		user:              u,
		messageBytes:      c.opts.MessageBytes,
		fileBytes:         c.opts.FileBytes,
		messagesPerSecond: c.pace.Load().perSecond,
	})
}
