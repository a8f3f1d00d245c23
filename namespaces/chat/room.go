package chat

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A request is the argument of an event that is about a room: the room alone,
// or an object with it. The zero value says nothing.
type request struct {
	room     server.Arg // null: none
	plain    bool       // the room was all
	isTyping server.Arg
	username server.Arg
	x, y     server.Arg
}

// parseRequest takes a request apart. Of several members with the same name the
// last holds, as in JavaScript, and null is as good as nothing.
func parseRequest(arg server.Arg) (request, error) {
	var r request
	switch arg.Kind() {
	case packet.String, packet.Number:
		r.room, r.plain = arg, true
		return r, nil
	case packet.Null:
		return r, nil
	case packet.Object:
	default:
		return r, errNoObject
	}
	var roomID server.Arg
	for name, value := range arg.Fields() {
		switch name {
		case "room":
			r.room = value
		case "roomId":
			roomID = value
		case "isTyping":
			r.isTyping = value
		case "username":
			r.username = value
		case "x":
			r.x = value
		case "y":
			r.y = value
		}
	}
	r.room = either(r.room, roomID)
	return r, nil
}

// either returns the first of two that is not null.
func either(a, b server.Arg) server.Arg {
	if a.Kind() != packet.Null {
		return a
	}
	return b
}

// roomName returns the room that a client names. The result may share memory
// with the packet: it is to be cloned where it is kept.
func (c *Chat) roomName(arg server.Arg) (string, error) {
	if arg.Kind() == packet.Null {
		return "", errNoRoom
	}
	name, ok := arg.Text()
	if !ok {
		number, _ := arg.Number()
		if name, ok = decimal(number); !ok {
			return "", c.errRoomName
		}
	}
	if name == "" || longer(name, c.opts.RoomName) {
		return "", c.errRoomName
	}
	if strings.HasPrefix(name, reserved) {
		return "", errReserved
	}
	return name, nil
}

// reserved begins the names of rooms that are the chat's own: no client enters
// them or posts to them.
const reserved = "\x00"

// userRoom is the room of a user, whose sockets are in it. It is not one of the
// chat's rooms: nobody is counted in it.
func userRoom(userID string) string { return reserved + "user/" + userID }

func errRoomName(limit int) *server.ClientError {
	return invalid(fmt.Sprintf("room is to be a string of 1 to %d characters, or a number", limit))
}

// decimal returns the decimal text of a JSON number. An integer is what was
// written, however long; what has a fraction or an exponent is what JavaScript
// would take it for.
func decimal(number string) (string, bool) {
	if number == "" {
		return "", false
	}
	if !strings.ContainsAny(number, ".eE") {
		if number == "-0" {
			return "0", true
		}
		return number, true
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsInf(f, 0) {
		return "", false
	}
	if f == 0 {
		return "0", true // not "-0"
	}
	return strconv.FormatFloat(f, 'f', -1, 64), true
}
