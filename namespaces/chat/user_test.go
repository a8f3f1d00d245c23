package chat_test

import (
	"context"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/server"
)

// Of two users the chat never makes one: who has an id that is somebody's socket,
// or that cannot be told from another once it is sent, is not let in.
func TestRefusedIDs(t *testing.T) {
	ids := make(chan string, 1)
	s := open(t, chat.Options{Identity: func(context.Context, *server.Socket) (chat.User, bool) {
		id := <-ids
		return chat.User{ID: id}, id != ""
	}})
	ids <- ""
	anonymous := s.connect("")
	for name, tt := range map[string]struct {
		id string
		in bool
	}{
		"an anonymous user's": {anonymous.id, false},
		"not UTF-8":           {"a\xfe", false},
		"too long":            {strings.Repeat("é", 129), false},
		"long":                {strings.Repeat("é", 128), true},
	} {
		t.Run(name, func(t *testing.T) {
			ids <- tt.id
			p := s.dial(chatNsp, "")
			p.t = t
			got := p.read()
			if in := strings.HasPrefix(got, `42/chat,["connected",`); in != tt.in || !in && got != "41/chat," {
				t.Errorf("%s, in: want %t", got, tt.in)
			}
		})
	}
	anonymous.quiet()
}
