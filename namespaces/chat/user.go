package chat

import (
	"context"
	"errors"
	"fmt"
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
func (c *Chat) identify(ctx context.Context, s *server.Socket) (u User, anonymous bool, err error) {
	if c.opts.Identity != nil {
		if u, ok := c.opts.Identity(ctx, s); ok && u.ID != "" {
			u.Name = strings.ToValidUTF8(u.Name, "\ufffd")
			if u.Name == "" {
				u.Name = u.ID
			}
			return u, false, c.checkID(s, u.ID)
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
	return u, true, nil
}

// checkID refuses ids that would make one user of two, or one that nobody can
// write to. It knows the sockets of this instance.
func (c *Chat) checkID(s *server.Socket, id string) error {
	switch other, taken := c.ns.Socket(id); {
	case taken && other != s:
		return errors.New("chat: Identity: the user's id is the id of another socket, which may be an anonymous user's")
	case !utf8.ValidString(id):
		return errors.New("chat: Identity: the user's id is not UTF-8, and cannot be sent")
	case longer(id, maxTo):
		return fmt.Errorf("chat: Identity: the user's id has more than %d characters", maxTo)
	}
	return nil
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
