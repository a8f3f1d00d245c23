package chat

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/seed3686fee0/parlor/server"
)

// A User is somebody in the chat.
type User struct {
	ID   string
	Name string
}

// UserOf returns the user of a socket of a namespace that a chat is mounted on;
// false before it is connected.
func UserOf(s *server.Socket) (User, bool) {
	c, ok := s.Data().(*client)
	if !ok {
		return User{}, false
	}
	return c.who(), true
}

// identify says who the user of a socket is, and whether anonymous.
func (c *Chat) identify(ctx context.Context, s *server.Socket) (u User, anonymous bool) {
	if c.opts.Identity != nil {
		if u, ok := c.opts.Identity(ctx, s); ok && u.ID != "" {
			// What is not UTF-8 cannot be sent.
			u.ID, u.Name = strings.ToValidUTF8(u.ID, "\ufffd"), strings.ToValidUTF8(u.Name, "\ufffd")
			if u.Name == "" {
				u.Name = u.ID
			}
			return u, false
		}
	}
	u = User{ID: s.ID(), Name: s.ID()}
	for name, value := range s.Handshake().Auth.Fields() {
		if name != "username" {
			continue
		}
		u.Name = s.ID() // of several the last holds, as in JavaScript
		if said, ok := value.Text(); ok {
			if said = strings.TrimSpace(firstRunes(said, maxUserName)); said != "" {
				u.Name = said
			}
		}
	}
	return u, true
}

// firstRunes cuts a text to n characters.
func firstRunes(s string, n int) string {
	s = strings.TrimSpace(s)
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// longer reports whether a text has more than n characters.
func longer(s string, n int) bool {
	return len(s) > n && utf8.RuneCountInString(s) > n
}
