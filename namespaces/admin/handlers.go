package admin

import (
	"context"
	"errors"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// handleCommands adds the handlers of what the page sends. It waits for no
// answers; others may ask for one.
func (a *Admin) handleCommands() {
	for event, parse := range map[string]func(packet.Args) (Command, error){
		"emit":        parseEmit,
		"join":        parseMove("join"),
		"leave":       parseMove("leave"),
		"_disconnect": parseDisconnect,
	} {
		a.ns.On(event, func(ctx context.Context, s *server.Socket, args server.Args) error {
			p := visitOf(s).principal
			c, err := parse(args.Args)
			if err != nil {
				a.opts.Logger.Warn("admin command refused", "admin", p.Name, "command", event, "error", err)
				return acknowledge(args, 0, err)
			}
			c.uncounted = !args.WantsAck()
			n, err := a.execute(ctx, p, c)
			return acknowledge(args, n, err)
		})
	}
}

// An outcome is the acknowledgement of a command.
type outcome struct {
	OK    bool   `json:"ok,omitempty"`
	Count *int   `json:"count,omitempty"`
	Error string `json:"error,omitempty"`
}

func acknowledge(args server.Args, count int, err error) error {
	switch {
	case !args.WantsAck():
		return nil
	case err != nil:
		return args.Ack(outcome{Error: err.Error()})
	default:
		return args.Ack(outcome{OK: true, Count: &count})
	}
}

var (
	errNamespaceText = errors.New("the namespace is a text")
	errFilterText    = errors.New("the filter is a text, the name of a room or the id of a socket, or null")
	errRoomText      = errors.New("the room is a text")
	errEventText     = errors.New("the name of the event is a text")
)

// parseEmit reads namespace, filter or null, name, arguments.
func parseEmit(args packet.Args) (Command, error) {
	c, err := parseTarget("emit", args.At(0), args.At(1))
	if err != nil {
		return c, err
	}
	event, ok := args.At(2).Text()
	if !ok {
		return c, errEventText
	}
	c.Event, c.Args = event, args.Slice(3)
	return c, nil
}

// parseMove reads namespace, room, filter or nothing.
func parseMove(name string) func(packet.Args) (Command, error) {
	return func(args packet.Args) (Command, error) {
		c, err := parseTarget(name, args.At(0), args.At(2))
		if err != nil {
			return c, err
		}
		room, ok := args.At(1).Text()
		if !ok {
			return c, errRoomText
		}
		c.Room = room
		return c, nil
	}
}

// parseDisconnect reads namespace, whether to close the connection, filter or
// nothing.
func parseDisconnect(args packet.Args) (Command, error) {
	c, err := parseTarget("disconnect", args.At(0), args.At(2))
	c.Close, _ = args.At(1).Bool()
	return c, err
}

// parseTarget reads a namespace and a filter. No filter means everyone; one that
// is not understood must not.
func parseTarget(name string, namespace, filter packet.Arg) (Command, error) {
	c := Command{Name: name}
	var ok bool
	if c.Namespace, ok = namespace.Text(); !ok {
		return c, errNamespaceText
	}
	if c.Filter, ok = filter.Text(); !ok && filter.Kind() != packet.Null {
		return c, errFilterText
	}
	return c, nil
}
