package admin

import (
	"context"
	"errors"
	"net/http"

	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
	"github.com/seed3686fee0/parlor/server/packet"
)

const (
	// apiMostTargets is how many sockets a command by user may be about: it goes
	// to each of them, and the log has a line for each.
	apiMostTargets = 1000
	// apiMaxName is the length of the name of a room or an event, in bytes.
	apiMaxName = 1024
)

// disconnect is POST /v1/disconnect.
func (h *api) disconnect(r *http.Request, p Principal) (any, error) {
	var body adminapi.Disconnect
	err := readBody(r, &body)
	c := Command{Name: "disconnect", Namespace: body.Namespace, Close: body.Close}
	return h.command(r.Context(), p, c, body.Target, err)
}

// join is POST /v1/join.
func (h *api) join(r *http.Request, p Principal) (any, error) { return h.move(r, p, "join") }

// leave is POST /v1/leave.
func (h *api) leave(r *http.Request, p Principal) (any, error) { return h.move(r, p, "leave") }

func (h *api) move(r *http.Request, p Principal, name string) (any, error) {
	var body adminapi.Move
	err := readBody(r, &body)
	if err == nil {
		err = checkName("/room", "a room", body.Room)
	}
	c := Command{Name: name, Namespace: body.Namespace, Room: body.Room}
	return h.command(r.Context(), p, c, body.Target, err)
}

// emit is POST /v1/emit.
func (h *api) emit(r *http.Request, p Principal) (any, error) {
	var body adminapi.Emit
	err := readBody(r, &body)
	if err == nil {
		err = checkName("/event", "an event", body.Event)
	}
	if err == nil && packet.Reserved(body.Event) {
		err = badRequest("/event", "%q is a name that the protocol keeps for itself; choose another", body.Event)
	}
	c := Command{Name: "emit", Namespace: body.Namespace, Event: body.Event}
	if err == nil {
		values := make([]any, len(body.Args))
		for i, v := range body.Args {
			values[i] = v
		}
		if c.Args, err = packet.NewArgs(values...); err != nil {
			err = badRequest("/args", "these cannot be sent: %v", err)
		}
	}
	return h.command(r.Context(), p, c, body.Target, err)
}

func checkName(field, what, name string) error {
	switch {
	case name == "":
		return badRequest(field, "%s has a name; give it", what)
	case len(name) > apiMaxName:
		return badRequest(field, "this is longer than %d bytes", apiMaxName)
	}
	return nil
}

// command gives a command to those that a target names. err is what is wrong with
// the request.
func (h *api) command(ctx context.Context, p Principal, c Command, target adminapi.Target, err error) (any, error) {
	if err == nil {
		err = h.checkTarget(&c, target)
	}
	if err != nil {
		return nil, h.refuse(p, c, err)
	}
	if h.admin.opts.ReadOnly || p.ReadOnly { // before anything is looked up
		_, err := h.admin.execute(ctx, p, c)
		return nil, refusal(err)
	}
	commands, reach, err := h.aim(ctx, c, target)
	if err != nil {
		return nil, h.refuse(p, c, err)
	}
	done := adminapi.Done{Reach: reach}
	for _, c := range commands {
		n, err := h.admin.execute(ctx, p, c)
		if err != nil {
			return nil, refusal(err)
		}
		done.Sockets += n
	}
	return done, nil
}

// refuse logs what is refused before execute has seen it.
func (h *api) refuse(p Principal, c Command, err error) error {
	h.admin.opts.Logger.Warn("admin command refused", "admin", p.Name, "command", c.Name, "namespace", c.Namespace, "error", err)
	return err
}

// refusal is what execute has refused, and logged.
func refusal(err error) error {
	if errors.Is(err, errExpired) {
		return errBadCredentials
	}
	return &apiError{status: http.StatusForbidden, code: "forbidden", message: err.Error()}
}

// checkTarget wants one target, so that none is never everyone, and a namespace
// where it matters which.
func (h *api) checkTarget(c *Command, t adminapi.Target) error {
	named := 0
	for name, value := range map[string]string{"socket": t.Socket, "user": t.User, "name": t.Name, "room": t.Room} {
		if value == "" {
			continue
		}
		named++
		if len(value) > apiMaxName {
			return badRequest("/target/"+name, "this is longer than %d bytes", apiMaxName)
		}
	}
	if t.All {
		named++
	}
	switch {
	case named != 1:
		return badRequest("/target", "say who is meant with one of socket, user, name, room, or all: true; there are %d", named)
	case c.Namespace == "" && (c.Name != "disconnect" || t.All || t.Room != ""):
		return badRequest("/namespace", "say in which namespace, as in /chat")
	case c.Namespace == h.admin.ns.Name():
		return &apiError{status: http.StatusForbidden, code: "forbidden", field: "/namespace", message: c.Namespace + " is the admins' own namespace"}
	}
	return h.knows(c.Namespace)
}

// aim makes of a command and its target the commands that reach it.
func (h *api) aim(ctx context.Context, c Command, t adminapi.Target) ([]Command, adminapi.Reach, error) {
	c.uncounted = true
	if t.All || t.Room != "" {
		return h.aimAtRoom(ctx, c, t.Room)
	}
	page := socketPage{limit: apiMostTargets}
	reach := h.find(ctx, &socketFilter{namespace: c.Namespace, id: t.Socket, user: t.User, name: t.Name}, func(s foundSocket) {
		if s.Namespace != h.admin.ns.Name() {
			page.add(s)
		}
	})
	found, more := page.sockets()
	if more {
		return nil, reach, badRequest("/target", "%d sockets match, and a command by user is for %d at most; use a room", page.total, apiMostTargets)
	}
	var commands []Command
	for i := range found {
		c.Namespace, c.Filter, c.counted = found[i].Namespace, found[i].ID, 1
		commands = append(commands, c)
	}
	switch {
	case len(commands) == 0 && reach.Missing > 0 && t.Socket != "" && c.Namespace != "":
		c.Filter = t.Socket // a server that does not answer may have it, and hear of it
		commands = append(commands, c)
	case len(commands) == 0:
		return nil, reach, nobody(reach)
	}
	return commands, reach, nil
}

func (h *api) aimAtRoom(ctx context.Context, c Command, room string) ([]Command, adminapi.Reach, error) {
	ns := h.admin.namespace(c.Namespace)
	if ns == nil { // it was dynamic, and its last socket has left
		return nil, adminapi.Reach{}, nobody(adminapi.Reach{})
	}
	var rooms []string // everyone
	if room != "" {
		rooms = []string{room}
	}
	ctx, cancel := context.WithTimeout(ctx, countPatience)
	defer cancel()
	sockets, err := ns.To(rooms...).FetchSockets(ctx)
	c.Filter, c.counted = room, len(sockets)
	answer := reach(err)
	if room != "" && len(sockets) == 0 && answer.Missing == 0 {
		return nil, answer, nobody(answer)
	}
	return []Command{c}, answer, nil
}

func nobody(reach adminapi.Reach) error {
	if reach.Missing > 0 {
		return notFound("nobody matches on the servers that have answered; %d have not", reach.Missing)
	}
	return notFound("nobody matches")
}
