package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A Command is something that an admin wants done to the sockets of a
// namespace, on all instances.
type Command struct {
	// Name is "emit", "join", "leave" or "disconnect".
	Name string
	// Namespace is the name of one that this instance has.
	Namespace string
	// Filter is the room whose members are meant, or the id of a socket. Empty:
	// everyone in the namespace.
	Filter string
	// Room is where they join, or what they leave.
	Room string
	// Event and Args are what they are sent.
	Event string
	Args  packet.Args
	// Close says that the connections of those who are disconnected are closed,
	// with all their sockets.
	Close bool

	uncounted bool // nobody asks how many there are
	counted   int  // how many there are, where somebody has asked before
}

// countPatience is how long other instances may take to say how many of their
// sockets a command concerns. Those that have not are done to all the same.
const countPatience = time.Second

// maxName is the length of the name of a room, an event or a namespace, in bytes.
const maxName = 1024

var (
	errReadOnly = errors.New("admins may only look")
	errLong     = fmt.Errorf("a name is longer than %d bytes", maxName)
)

// execute does what an admin wants, if it may, logs that, and returns how many
// sockets it concerns, as far as instances have said. All commands come this way.
func (a *Admin) execute(ctx context.Context, p Principal, c Command) (affected int, err error) {
	if max(len(c.Name), len(c.Namespace), len(c.Filter), len(c.Room), len(c.Event)) > maxName {
		a.opts.Logger.Warn("admin command refused", "admin", p.Name, "error", errLong)
		return 0, errLong
	}
	logger := a.opts.Logger.With("admin", p.Name, "command", c.Name, "namespace", c.Namespace,
		"filter", c.Filter, "room", c.Room, "event", c.Event, "close", c.Close)
	ns, err := a.permit(p, c)
	if err != nil {
		logger.Warn("admin command refused", "error", err)
		return 0, err
	}
	var rooms []string // everyone
	if c.Filter != "" {
		rooms = []string{c.Filter}
	}
	to := ns.To(rooms...)
	affected = c.counted
	if !c.uncounted {
		counting, cancel := context.WithTimeout(ctx, countPatience)
		defer cancel()
		sockets, _ := to.FetchSockets(counting) // those that are known are valid
		affected = len(sockets)
	}
	switch c.Name {
	case "emit":
		values := make([]any, c.Args.Len())
		for i, v := range c.Args.All() {
			values[i] = v
		}
		err = to.Emit(c.Event, values...)
	case "join":
		to.SocketsJoin(c.Room)
	case "leave":
		to.SocketsLeave(c.Room)
	case "disconnect":
		to.DisconnectSockets(c.Close)
	}
	if err != nil {
		logger.Warn("admin command failed", "error", err)
		return 0, err
	}
	a.commands.Add(1)
	logger.Info("admin command", "sockets", affected)
	return affected, nil
}

// permit says why not, or where.
func (a *Admin) permit(p Principal, c Command) (*server.Namespace, error) {
	switch {
	case a.opts.ReadOnly || p.ReadOnly:
		return nil, errReadOnly
	case expired(p):
		return nil, errExpired
	case c.Namespace == a.ns.Name():
		return nil, fmt.Errorf("%s is the admins' own namespace", c.Namespace)
	case c.Name == "emit" && c.Event == "":
		return nil, errors.New("an event has a name")
	case c.Name == "emit" && packet.Reserved(c.Event):
		return nil, fmt.Errorf("%q %w", c.Event, server.ErrReserved)
	case (c.Name == "join" || c.Name == "leave") && c.Room == "":
		return nil, errors.New("a room has a name")
	}
	switch c.Name {
	case "emit", "join", "leave", "disconnect":
	default:
		return nil, fmt.Errorf("there is no command %q", c.Name)
	}
	ns := a.namespace(c.Namespace)
	if ns == nil {
		return nil, fmt.Errorf("there is no namespace %q", c.Namespace)
	}
	for s := range ns.Sockets() {
		if visitOf(s) != nil { // as of all who are there
			return nil, fmt.Errorf("%s is a namespace of admins", c.Namespace)
		}
		break
	}
	if a.opts.Authorize != nil {
		if err := a.opts.Authorize(p, c); err != nil {
			return nil, err
		}
	}
	return ns, nil
}

// namespace looks one up; Of would make it.
func (a *Admin) namespace(name string) *server.Namespace {
	for _, ns := range a.io.Namespaces() {
		if ns.Name() == name {
			return ns
		}
	}
	return nil
}
