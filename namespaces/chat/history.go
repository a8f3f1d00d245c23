package chat

import (
	"math"
	"strconv"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

const (
	pastMessages = 50 // in the answer to a join
	pastBytes    = 64 << 10
	pageMessages = 50 // in the answer to history, unless it says how many
	pageMost     = 100
	pageBytes    = 512 << 10
)

// past returns what was said last in a room, for the answer to a join. It runs in
// the room's lane, so that of the messages of this instance none is both in the
// answer and sent to the socket, and none is in neither.
func (c *Chat) past(x *call, room string) ([]string, error) {
	if !c.keeps || !x.args.WantsAck() {
		return nil, nil
	}
	// The list has two brackets, and a comma less than messages.
	page, err := c.store.History(x.ctx, Query{Room: room, Bound: LastMessageID, Limit: pastMessages, Bytes: pastBytes - 1})
	if err != nil {
		return nil, err
	}
	if len(page.Messages) == 1 && len(page.Messages[0]) > pastBytes-2 {
		return nil, nil // alone too large; history has it
	}
	return page.Messages, nil
}

// history answers with messages of one of the socket's rooms.
func (c *Chat) history(x call) error {
	room, q, err := parseQuery(x.args.At(0))
	if err != nil {
		return err
	}
	if q.Room, err = c.roomOf(&x, room); err != nil {
		return err
	}
	if !x.args.WantsAck() {
		return nil
	}
	var page Page
	if c.keeps {
		if page, err = c.store.History(x.ctx, q); err != nil {
			return c.internal(&x, err)
		}
	}
	return x.reply(&pageAck{q.Room, page})
}

// parseQuery takes the argument of history apart.
func parseQuery(arg server.Arg) (room server.Arg, q Query, err error) {
	q = Query{Bound: LastMessageID, Limit: pageMessages, Bytes: pageBytes}
	switch arg.Kind() {
	case packet.String, packet.Number:
		return arg, q, nil
	case packet.Null, packet.Object:
	default:
		return room, q, errNoObject
	}
	var roomID, before, after, limit server.Arg
	for name, value := range arg.Fields() {
		switch name {
		case "room":
			room = value
		case "roomId":
			roomID = value
		case "before":
			before = value
		case "after":
			after = value
		case "limit":
			limit = value
		}
	}
	room = either(room, roomID)
	if before.Kind() != packet.Null && after.Kind() != packet.Null {
		return room, q, errBothBounds
	}
	q.After = after.Kind() != packet.Null
	if bound := either(before, after); bound.Kind() != packet.Null {
		text, _ := bound.Text()
		var ok bool
		if q.Bound, ok = ParseMessageID(text); !ok {
			return room, q, errBound
		}
	}
	if limit.Kind() != packet.Null {
		n, ok := wholeNumber(limit)
		if !ok || n < 1 {
			return room, q, errLimit
		}
		q.Limit = int(min(n, pageMost))
	}
	return room, q, nil
}

// wholeNumber returns an integer, however it is written.
func wholeNumber(arg server.Arg) (float64, bool) {
	text, _ := arg.Number()
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil && f == math.Trunc(f)
}
