package server_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"regexp"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

type Message struct {
	Room string `json:"room"`
	Text string `json:"text"`
}

const ( // an event's name and types are written once, for both directions
	Chat server.Event[Message]       = "chat"
	Post server.Call[Message, int64] = "post" // emitWithAck; what the handler returns is the ack
)

// The program of the README.
//
//nolint:testableexamples // it serves until it is stopped
func Example() {
	io := server.New()
	chat := io.Of("/chat")
	chat.OnConnect(func(ctx context.Context, s *server.Socket) error { return s.Join("lobby") })
	Post.Handle(chat, func(ctx context.Context, s *server.Socket, m Message) (int64, error) {
		return 1, Chat.Emit(s.To(m.Room), m)
	})
	log.Fatal(http.ListenAndServe(":3000", io))
}

// What a client, here at the level of packets, and a handler say to each other.
func ExampleNamespace_On() {
	io := server.New()
	io.Of("/").On("add", func(_ context.Context, _ *server.Socket, args server.Args) error {
		var a, b int
		if err := args.Scan(&a, &b); err != nil {
			return &server.ClientError{Code: "invalid_payload", Message: "two numbers, please"}
		}
		return args.Ack(a + b)
	})
	talk(io, turn{"40", 1}, turn{`421["add",2,3]`, 1}, turn{`422["add","x"]`, 1})
	// Output:
	// C: 40
	// S: 40{"sid":"…"}
	// C: 421["add",2,3]
	// S: 431[5]
	// C: 422["add","x"]
	// S: 432[{"ok":false,"error":{"code":"invalid_payload","message":"two numbers, please"}}]
}

// Middleware decides who may connect, and says who it is.
func ExampleNamespace_Use() {
	type user struct{}
	io := server.New()
	io.Of("/").Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			var auth struct {
				Name string `json:"name"`
			}
			if err := s.Handshake().Auth.Decode(&auth); err != nil || auth.Name == "" {
				return &server.ConnectError{Message: "who are you?", Data: map[string]string{"code": "unauthorized"}}
			}
			return next(context.WithValue(ctx, user{}, auth.Name), s)
		}
	})
	io.Of("/").OnConnect(func(ctx context.Context, s *server.Socket) error {
		return s.Emit("welcome", ctx.Value(user{}))
	})
	talk(io, turn{"40", 1}, turn{`40{"name":"ann"}`, 2})
	// Output:
	// C: 40
	// S: 44{"message":"who are you?","data":{"code":"unauthorized"}}
	// C: 40{"name":"ann"}
	// S: 40{"sid":"…"}
	// S: 42["welcome","ann"]
}

// A handler may wait for an answer of its own client, and of others.
func ExampleCall_Ask() {
	const confirm server.Call[string, bool] = "confirm"
	io := server.New()
	io.Of("/").On("delete", func(ctx context.Context, s *server.Socket, args server.Args) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		switch yes, err := confirm.Ask(ctx, s, "sure?"); {
		case errors.Is(err, server.ErrAckTimeout):
			return &server.ClientError{Code: "timeout", Message: "no answer"}
		case err != nil:
			return err
		default:
			return args.Ack(yes)
		}
	})
	talk(io, turn{"40", 1}, turn{`427["delete"]`, 1}, turn{`430[true]`, 1})
	// Output:
	// C: 40
	// S: 40{"sid":"…"}
	// C: 427["delete"]
	// S: 420["confirm","sure?"]
	// C: 430[true]
	// S: 437[true]
}

// Namespaces may be made when a client asks for them, with the handlers of
// what a pattern returns.
func ExampleServer_OfPattern() {
	io := server.New()
	teams := io.OfPattern(regexp.MustCompile(`^/team-\d+$`))
	teams.OnConnect(func(_ context.Context, s *server.Socket) error {
		return s.Emit("welcome", s.Namespace().Name())
	})
	talk(io, turn{"40/team-7,", 2}, turn{"40/team-x,", 1})
	// Output:
	// C: 40/team-7,
	// S: 40/team-7,{"sid":"…"}
	// S: 42/team-7,["welcome","/team-7"]
	// C: 40/team-x,
	// S: 44/team-x,{"message":"Invalid namespace"}
}

// A question to everyone in a room: the answers come one by one, here that of the one client that there is.
func ExampleBroadcast_AskEach() {
	io := server.New()
	io.Of("/").On("start", func(ctx context.Context, s *server.Socket, args server.Args) error {
		if err := s.Join("game"); err != nil {
			return err
		}
		ready := 0
		for answer, err := range s.Namespace().To("game").AskEach(ctx, "ready?") {
			if incomplete, ok := errors.AsType[*server.IncompleteError](err); ok {
				return fmt.Errorf("%d have not answered", incomplete.Missing)
			}
			if yes, _ := answer.At(0).Bool(); yes {
				ready++
			}
		}
		return args.Ack(ready)
	})
	talk(io, turn{"40", 1}, turn{`421["start"]`, 1}, turn{`430[true]`, 1})
	// Output:
	// C: 40
	// S: 40{"sid":"…"}
	// C: 421["start"]
	// S: 420["ready?"]
	// C: 430[true]
	// S: 431[1]
}

// A turn is a packet that a client sends, and how many the server answers.
type turn struct {
	say     string
	answers int
}

// talk serves on loopback and lets one client take turns, printing what is said.
func talk(io *server.Server, turns ...turn) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	h := &http.Server{Handler: io}
	done := make(chan struct{})
	go func() { defer close(done); _ = h.Serve(l) }() // ends by Close
	c, err := wire.OpenWS(l.Addr().String(), wire.Handshake{})
	if err != nil {
		log.Fatal(err)
	}
	for _, turn := range turns {
		fmt.Println("C:", turn.say)
		if err := c.Send(turn.say); err != nil {
			log.Fatal(err)
		}
		for range turn.answers {
			p, err := c.Next()
			if err != nil {
				log.Fatal(err)
			}
			text := p.String()
			if wire.Match(`*{"sid":"*"}`, text) {
				text = text[:len(text)-len(`12345678901234567890"}`)] + `…"}`
			}
			fmt.Println("S:", text)
		}
	}
	c.Close()
	if err := io.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	_ = h.Close()
	<-done
}
