// Command chatpeer is the part of Parlor's chat that the loads of the comparison use,
// on github.com/zishang520/socket.io/servers/socket/v3. It is a module of its own: v2 is in that around it.
package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/zishang520/socket.io/servers/socket/v3"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "chatpeer:", err)
		os.Exit(1)
	}
}

func run() error {
	io := socket.NewServer(nil, nil)
	chat := io.Of("/chat", nil)
	var messages atomic.Int64
	if err := chat.On("connection", func(args ...any) {
		s := args[0].(*socket.Socket)
		_ = s.On("join", func(args ...any) { join(s, args) })
		_ = s.On("message", func(args ...any) { message(s, chat, messages.Add(1), args) })
	}); err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", io.ServeHandler(nil))
	server := &http.Server{Addr: "127.0.0.1:" + os.Args[1], Handler: mux, ReadHeaderTimeout: time.Minute}
	return server.ListenAndServe()
}

func join(s *socket.Socket, args []any) {
	name, _ := args[0].(string)
	room := socket.Room(name)
	s.Join(room)
	users := 1
	if sockets, ok := s.Nsp().Adapter().Rooms().Load(room); ok {
		users = sockets.Len()
	}
	_ = s.To(room).Emit("user_joined", map[string]any{"room": name, "userId": s.Id(), "user": s.Id(), "userCount": users})
	answer(args, map[string]any{"ok": true, "room": name, "userCount": users, "users": []any{}, "history": []any{}})
}

func message(s *socket.Socket, chat socket.Namespace, number int64, args []any) {
	m, _ := args[0].(map[string]any)
	name, _ := m["room"].(string)
	id, timestamp := strconv.FormatInt(number, 10), time.Now().UnixMilli()
	m["id"], m["from"], m["user"], m["text"], m["timestamp"] = id, s.Id(), s.Id(), m["content"], timestamp
	_ = chat.To(socket.Room(name)).Emit("message", m)
	answer(args, map[string]any{"ok": true, "id": id, "timestamp": timestamp})
}

// answer acknowledges, if that is asked for.
func answer(args []any, value any) {
	if ack, ok := args[len(args)-1].(socket.Ack); ok {
		ack([]any{value}, nil)
	}
}
