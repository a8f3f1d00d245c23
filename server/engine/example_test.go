package engine_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

// A parrot says what it is told.
type parrot struct{ session *engine.Session }

func (p parrot) Text(data []byte)   { p.send(engine.NewText(string(data))) }
func (p parrot) Binary(data []byte) { p.send(engine.NewBinary(data)) }

func (parrot) Closed(engine.Reason, error) {}

func (p parrot) send(m *engine.Message) {
	if p.session.Send(0, m) {
		p.session.Flush()
	}
}

// A server of Engine.IO alone, and a client at the level of packets.
func Example() {
	server := engine.New(engine.Options{
		Open: func(s *engine.Session, _ *http.Request) engine.Receiver { return parrot{s} },
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	h := &http.Server{Handler: server}
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Serve(l) }() // ends by Close

	client, err := wire.OpenWS(l.Addr().String(), wire.Handshake{})
	if err != nil {
		log.Fatal(err)
	}
	if err := client.Send("4hello"); err != nil { // 4: a message
		log.Fatal(err)
	}
	answer, err := client.Next()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer)
	client.Close()

	if err := server.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	_ = h.Close()
	<-done
	// Output:
	// 4hello
}
