package chat

import (
	"strconv"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
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

// turned is what a room is told of a user: that it has come, or gone.
type turned struct {
	room  string
	user  User
	count int
}

func (e turned) AppendJSON(dst []byte) ([]byte, error) {
	dst = appendField(append(dst, '{'), "room", e.room)
	dst = appendField(append(dst, ','), "userId", e.user.ID)
	dst = appendField(append(dst, ','), "user", e.user.Name)
	dst = appendInt(append(dst, ','), "userCount", int64(e.count))
	return append(dst, '}'), nil
}

// presence is what rooms are told of how present a user is.
type presence struct {
	user   User
	status Status
	millis int64
}

func (e presence) AppendJSON(dst []byte) ([]byte, error) {
	dst = appendField(append(dst, '{'), "userId", e.user.ID)
	dst = appendField(append(dst, ','), "user", e.user.Name)
	dst = appendField(append(dst, ','), "status", e.status.String())
	dst = appendInt(append(dst, ','), "timestamp", e.millis)
	return append(dst, '}'), nil
}

// okAck is all that there is to say.
type okAck struct{}

func (okAck) AppendJSON(dst []byte) ([]byte, error) { return append(dst, `{"ok":true}`...), nil }

// roomAck answers join, leave and who.
type roomAck struct {
	room    string
	count   int
	members []Member
	listed  bool // count and members are told
	past    []string
	history bool // so is past, which may be none
}

func (e *roomAck) AppendJSON(dst []byte) ([]byte, error) {
	dst = appendField(append(dst, `{"ok":true,`...), "room", e.room)
	if e.listed {
		dst = appendInt(append(dst, ','), "userCount", int64(e.count))
		dst = append(dst, `,"users":[`...)
		for i, m := range e.members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendField(append(dst, '{'), "userId", m.User.ID)
			dst = appendField(append(dst, ','), "user", m.User.Name)
			dst = appendField(append(dst, ','), "status", m.Status.String())
			dst = append(dst, '}')
		}
		dst = append(dst, ']')
	}
	if e.history {
		dst = appendList(appendName(append(dst, ','), "history"), e.past)
	}
	return append(dst, '}'), nil
}

// appendList appends an array of what is JSON already.
func appendList(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, text := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, text...)
	}
	return append(dst, ']')
}

// pageAck answers history.
type pageAck struct {
	room string
	page Page
}

func (e *pageAck) AppendJSON(dst []byte) ([]byte, error) {
	dst = appendField(append(dst, `{"ok":true,`...), "room", e.room)
	dst = appendList(appendName(append(dst, ','), "messages"), e.page.Messages)
	dst = strconv.AppendBool(appendName(append(dst, ','), "more"), e.page.More)
	return append(dst, '}'), nil
}

// messageAck answers a message.
type messageAck MessageID

func (e messageAck) AppendJSON(dst []byte) ([]byte, error) {
	dst = MessageID(e).appendTo(append(dst, `{"ok":true,"id":"`...))
	dst = appendInt(append(dst, '"', ','), "timestamp", MessageID(e).millis())
	return append(dst, '}'), nil
}

// undeliveredAck answers a direct message that has reached nobody.
type undeliveredAck MessageID

func (e undeliveredAck) AppendJSON(dst []byte) ([]byte, error) {
	dst = MessageID(e).appendTo(append(dst, `{"ok":true,"id":"`...))
	dst = appendInt(append(dst, '"', ','), "timestamp", MessageID(e).millis())
	return append(dst, `,"delivered":false}`...), nil
}

// fileAck answers a file.
type fileAck struct {
	id   MessageID
	size int
}

func (e fileAck) AppendJSON(dst []byte) ([]byte, error) {
	dst = e.id.appendTo(append(dst, `{"ok":true,"id":"`...))
	dst = appendInt(append(dst, '"', ','), "size", int64(e.size))
	return append(dst, '}'), nil
}

// direct is a direct message.
type direct struct {
	id          MessageID
	user        User
	to          string
	content     server.Arg
	clientMsgID server.Arg
}

func (e *direct) AppendJSON(dst []byte) ([]byte, error) {
	dst = e.id.appendTo(append(dst, `{"id":"`...))
	dst = appendField(append(dst, '"', ','), "from", e.user.ID)
	dst = appendField(append(dst, ','), "user", e.user.Name)
	dst = appendField(append(dst, ','), "to", e.to)
	dst = e.content.AppendJSON(appendName(append(dst, ','), "content"))
	dst = appendInt(append(dst, ','), "timestamp", e.id.millis())
	if e.clientMsgID.Kind() != packet.Null {
		dst = e.clientMsgID.AppendJSON(appendName(append(dst, ','), "clientMsgId"))
	}
	return append(dst, '}'), nil
}

// file is what a room is told of a file, before its bytes.
type file struct {
	id         MessageID
	room       string
	user       User
	name, mime string
	size       int
}

func (e *file) AppendJSON(dst []byte) ([]byte, error) {
	dst = e.id.appendTo(append(dst, `{"id":"`...))
	dst = appendField(append(dst, '"', ','), "room", e.room)
	dst = appendField(append(dst, ','), "from", e.user.ID)
	dst = appendField(append(dst, ','), "user", e.user.Name)
	dst = appendField(append(dst, ','), "name", e.name)
	dst = appendField(append(dst, ','), "type", e.mime)
	dst = appendInt(append(dst, ','), "size", int64(e.size))
	dst = appendInt(append(dst, ','), "timestamp", e.id.millis())
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
