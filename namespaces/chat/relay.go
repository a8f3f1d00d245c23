package chat

import "github.com/seed3686fee0/parlor/server"

// relay is a message as the room gets it: what the client has sent, as it was
// written, but for the members that are the server's.
type relay struct {
	draft draft
	id    MessageID
	room  string
	user  User
	text  []byte // encoded already, where it is kept too
}

// encode encodes the relay once and for all.
func (r *relay) encode(id MessageID) []byte {
	r.id = id
	r.text = r.append(r.text[:0])
	return r.text
}

// reuse empties a relay, but for a buffer that is not too large to be kept.
func (r *relay) reuse() {
	*r = relay{text: r.text[:0]}
	if cap(r.text) > 64<<10 {
		r.text = nil
	}
}

// owned reports whether a member of a message is the server's to give. The
// client's are left out, all of them, also those that a message does not have,
// so that nobody takes a client's word for them. Names are compared as a
// receiver does: exactly, with their escapes undone.
func owned(name string) bool {
	switch name {
	case "id", "room", "from", "userId", "user", "content", "text", "timestamp", "userCount", "status":
		return true
	}
	return false
}

// AppendJSON implements packet.Appender.
func (r *relay) AppendJSON(dst []byte) ([]byte, error) {
	if len(r.text) > 0 {
		return append(dst, r.text...), nil
	}
	return r.append(dst), nil
}

// append makes one pass over the message and builds no value of it.
func (r *relay) append(dst []byte) []byte {
	dst = appendOthers(append(dst, '{'), r.draft.all)
	dst = r.id.appendTo(append(appendName(dst, "id"), '"'))
	dst = appendField(append(dst, '"', ','), "room", r.room)
	dst = appendField(append(dst, ','), "from", r.user.ID)
	dst = appendField(append(dst, ','), "user", r.user.Name)
	dst = r.draft.content.AppendJSON(appendName(append(dst, ','), "content"))
	dst = r.draft.content.AppendJSON(appendName(append(dst, ','), "text"))
	dst = appendInt(append(dst, ','), "timestamp", r.id.millis())
	return append(dst, '}')
}

// appendOthers appends those members of an object that are not the server's,
// each with a comma after it.
//
// An argument tells the value of a name, and here its text is wanted, escapes and
// all. So the object's text is put behind dst and followed along: what is kept
// goes behind it, and in the end to its place.
func appendOthers(dst []byte, object server.Arg) []byte {
	start := len(dst)
	dst = object.AppendJSON(dst)
	out := len(dst)
	at := start + 1
	for name, value := range object.Fields() {
		for dst[at] != '"' { // a comma and white space
			at++
		}
		nameAt := at
		at = endOfString(dst, at)
		mark := len(dst)
		dst = append(append(dst, dst[nameAt:at]...), ':')
		valueAt := len(dst)
		dst = value.AppendJSON(dst)
		for dst[at] == ':' || isSpace(dst[at]) {
			at++
		}
		at += len(dst) - valueAt
		if owned(name) {
			dst = dst[:mark]
			continue
		}
		dst = append(dst, ',')
	}
	n := copy(dst[start:], dst[out:])
	return dst[:start+n]
}

// endOfString returns where the JSON string that begins at i ends.
func endOfString(b []byte, i int) int {
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

// relayBinary is a relay of a message with attachments, which a text cannot
// carry. Of members of the same name the last is kept.
func relayBinary(d draft, id MessageID, room string, u User) map[string]any {
	m := make(map[string]any)
	for name, value := range d.all.Fields() {
		if !owned(name) {
			m[name] = value
		}
	}
	m["id"], m["room"] = id.String(), room
	m["from"], m["user"] = u.ID, u.Name
	m["content"], m["text"] = d.content, d.content
	m["timestamp"] = id.millis()
	return m
}
