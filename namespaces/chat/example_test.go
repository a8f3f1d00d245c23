package chat_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"regexp"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/server"
)

// A chat in which clients say who they are. Whose word is to be taken for it, package auth knows.
func Example() {
	io := server.New()
	chat.Mount(io.Of("/chat"), chat.Options{
		Identity: func(_ context.Context, s *server.Socket) (chat.User, bool) {
			var said struct {
				ID string `json:"id"`
			}
			err := s.Handshake().Auth.Decode(&said)
			return chat.User{ID: said.ID, Name: said.ID}, err == nil
		},
		MessageRate: 2,
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	h := &http.Server{Handler: io}
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Serve(l) }() // ends by Close

	client, err := wire.OpenWS(l.Addr().String(), wire.Handshake{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := wire.Connect(client, "/chat", `{"id":"ada"}`); err != nil {
		log.Fatal(err)
	}
	if err := client.Send(`42/chat,1["join","lobby"]`, `42/chat,["message",{"room":"lobby","content":"hello"}]`); err != nil {
		log.Fatal(err)
	}
	changes := regexp.MustCompile(`"(id|timestamp|limits|users)":("[^"]*"|\d+|{[^}]*}|\[[^]]*\])`)
	for range 3 {
		p, err := client.Next()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(changes.ReplaceAllString(p.Data, `"$1":…`))
	}
	client.Close()

	if err := io.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	_ = h.Close()
	<-done
	// Output:
	// 42/chat,["connected",{"userId":"ada","user":"ada","limits":…}]
	// 43/chat,1[{"ok":true,"room":"lobby","userCount":1,"users":…,"history":[]}]
	// 42/chat,["message",{"id":…,"room":"lobby","from":"ada","user":"ada","content":"hello","text":"hello","timestamp":…}]
}
