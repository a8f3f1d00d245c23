package chat

import (
	"mime"
	"strings"
	"unicode"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// upload is a file as the client has sent it, taken apart.
type upload struct {
	room        server.Arg
	clientMsgID server.Arg
	name        string
	mime        string
	content     server.Arg
	size        int
}

const (
	unnamed     = "file"
	unknownType = "application/octet-stream"
)

func parseUpload(args server.Args) (upload, error) {
	f := upload{name: unnamed, mime: unknownType, content: args.At(0)}
	if about := args.At(0); about.Kind() == packet.Object || about.Kind() == packet.Null {
		f.content = args.At(1)
		var roomID, name, mediaType server.Arg
		for key, value := range about.Fields() {
			switch key {
			case "room":
				f.room = value
			case "roomId":
				roomID = value
			case "name":
				name = value
			case "type":
				mediaType = value
			case "clientMsgId":
				f.clientMsgID = value
			}
		}
		f.room = either(f.room, roomID)
		f.mime = fileType(mediaType)
		if name.Kind() != packet.Null {
			text, ok := name.Text()
			if !ok || longer(text, maxFileName) {
				return f, errFileName
			}
			f.name = fileName(text)
		}
	}
	content, ok := f.content.Bytes()
	if !ok {
		return f, errNoBinary
	}
	f.size = len(content)
	return f, nil
}

// fileName returns what is left of a name when nothing in it can lead a receiver
// astray: a path, control characters, and those that reverse what is read.
func fileName(s string) string {
	if i := strings.LastIndexAny(s, `/\`); i >= 0 {
		s = s[i+1:]
	}
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s))
	if strings.Trim(s, ".") == "" {
		return unnamed
	}
	return s
}

// fileType returns the MIME type of a file, without parameters.
func fileType(arg server.Arg) string {
	text, ok := arg.Text()
	if !ok || len(text) > maxType {
		return unknownType
	}
	mediaType, _, err := mime.ParseMediaType(text)
	if err != nil || !strings.Contains(mediaType, "/") {
		return unknownType
	}
	return mediaType // in lower case
}

// fileUpload sends a file to the others in a room that the socket is in.
func (c *Chat) fileUpload(x call) error {
	if !c.spend(&x) {
		return errRateLimited
	}
	f, err := parseUpload(x.args)
	if err != nil {
		return err
	}
	if f.size > c.opts.FileBytes {
		return c.errTooBig
	}
	key, err := clientMsgID(f.clientMsgID)
	if err != nil {
		return err
	}
	u := x.client.who()
	room, err := c.roomOf(&x, f.room)
	if err != nil {
		return c.orRepeat(&x, u, key, err, func(id MessageID) any { return fileAck{id, f.size} })
	}
	if c.keeps { // it has an id of the room's
		c.lanes.enter(room)
		defer c.lanes.exit(room)
		if !x.client.in(room) {
			return errNotInRoom
		}
	}
	id, repeated, err := c.number(&x, Post{Room: room, UserID: u.ID, Key: key}, nil)
	if err != nil {
		return err
	}
	if repeated {
		return c.repeat(&x, fileAck{id, f.size})
	}
	// The bytes are the packet's, in all copies of it.
	err = x.socket.To(room).Emit("file", &file{id, room, u, f.name, f.mime, f.size}, f.content)
	if err != nil {
		return err
	}
	c.files.Add(1)
	return x.reply(fileAck{id, f.size})
}
