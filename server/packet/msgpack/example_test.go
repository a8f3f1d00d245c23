package msgpack_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet/msgpack"
)

// Clients have npm's socket.io-msgpack-parser, and handlers are the same.
func Example() {
	io := server.New(server.WithParser(msgpack.Parser{}))
	io.Of("/").On("upload", func(_ context.Context, s *server.Socket, args server.Args) error {
		var file struct {
			Name string `json:"name"`
			Data []byte `json:"data"`
		}
		if err := args.Scan(&file); err != nil {
			return err
		}
		return s.Broadcast().Emit("file", file)
	})
	http.Handle(io.Path(), io)
	fmt.Println("MessagePack on", io.Path())
	// Output: MessagePack on /socket.io/
}
