package chat

import (
	"strconv"

	"github.com/seed3686fee0/parlor/server"
)

// What the chat sends writes its own JSON: some of it is sent to thousands, and
// all of it has a form that is fixed here, field by field.

// appendString appends a text as JSON. It is valid UTF-8: so is all that comes
// in packets, and user.go sees to the rest.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		ch := s[i]
		if ch >= ' ' && ch != '"' && ch != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch ch {
		case '"', '\\':
			dst = append(dst, '\\', ch)
		case '\n':
			dst = append(dst, '\\', 'n')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[ch>>4], hex[ch&15])
		}
	}
	return append(append(dst, s[start:]...), '"')
}

// appendField appends a member of an object. The name needs no escapes.
func appendField(dst []byte, name, value string) []byte {
	return appendString(appendName(dst, name), value)
}

func appendName(dst []byte, name string) []byte {
	return append(append(append(dst, '"'), name...), '"', ':')
}

func appendInt(dst []byte, name string, value int64) []byte {
	return strconv.AppendInt(appendName(dst, name), value, 10)
}

// connected is what a client is told first.
type connected struct {
	user                    User
	messageBytes, fileBytes int
	messagesPerSecond       float64
}

func (e connected) AppendJSON(dst []byte) ([]byte, error) {
	dst = appendField(append(dst, '{'), "userId", e.user.ID)
	dst = appendField(append(dst, ','), "user", e.user.Name)
	dst = append(appendName(append(dst, ','), "limits"), '{')
	dst = appendInt(dst, "messageBytes", int64(told(e.messageBytes)))
	dst = appendInt(append(dst, ','), "fileBytes", int64(told(e.fileBytes)))
	dst = appendName(append(dst, ','), "messagesPerSecond")
	dst = strconv.AppendFloat(dst, told(e.messagesPerSecond), 'f', -1, 64)
	return append(dst, "}}"...), nil
}

// presence is what a room is told of a user: that it has come, or gone.
type presence struct {
	room  string
	user  User
	count int
}

func (e presence) AppendJSON(dst []byte) ([]byte, error) {
	dst = appendField(append(dst, '{'), "room", e.room)
	dst = appendField(append(dst, ','), "userId", e.user.ID)
	dst = appendField(append(dst, ','), "user", e.user.Name)
	dst = appendInt(append(dst, ','), "userCount", int64(e.count))
	return append(dst, '}'), nil
}

// roomAck answers join, leave and who.
type roomAck struct {
	room    string
	count   int
	users   []User
	listed  bool // count and users are told
	history bool // so is what was said before: nothing
}

func (e *roomAck) AppendJSON(dst []byte) ([]byte, error) {
	dst = appendField(append(dst, `{"ok":true,`...), "room", e.room)
	if e.listed {
		dst = appendInt(append(dst, ','), "userCount", int64(e.count))
		dst = append(dst, `,"users":[`...)
		for i, u := range e.users {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendField(append(dst, '{'), "userId", u.ID)
			dst = appendField(append(dst, ','), "user", u.Name)
			// Who is in a room has a connection.
			dst = append(dst, `,"status":"online"}`...)
		}
		dst = append(dst, ']')
	}
	if e.history {
		dst = append(dst, `,"history":[]`...)
	}
	return append(dst, '}'), nil
}

// messageAck answers a message.
type messageAck messageID

func (e messageAck) AppendJSON(dst []byte) ([]byte, error) {
	dst = append(dst, `{"ok":true,"id":"`...)
	dst = messageID(e).appendTo(dst)
	dst = appendInt(append(dst, '"', ','), "timestamp", messageID(e).millis())
	return append(dst, '}'), nil
}

// typing is what a room is told of one who types.
type typing struct {
	room     string
	user     User
	isTyping server.Arg
}

func (e *typing) AppendJSON(dst []byte) ([]byte, error) {
	dst = appendField(append(dst, '{'), "room", e.room)
	dst = appendField(append(dst, ','), "userId", e.user.ID)
	dst = appendField(append(dst, ','), "user", e.user.Name)
	dst = e.isTyping.AppendJSON(appendName(append(dst, ','), "isTyping"))
	return append(dst, '}'), nil
}

// cursor is what a room is told of somebody's cursor.
type cursor struct {
	room string
	user User
	x, y server.Arg
}

func (e *cursor) AppendJSON(dst []byte) ([]byte, error) {
	dst = appendField(append(dst, '{'), "userId", e.user.ID)
	dst = appendField(append(dst, ','), "user", e.user.Name)
	dst = appendField(append(dst, ','), "room", e.room)
	dst = e.x.AppendJSON(appendName(append(dst, ','), "x"))
	dst = e.y.AppendJSON(appendName(append(dst, ','), "y"))
	return append(dst, '}'), nil
}
