package server_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A tap is an observer that writes packets down.
type tap struct {
	notebook // what is told beside packets

	t       *testing.T
	client  string
	packets notebook
}

func (o *tap) ReceivedPacket(client string, p *packet.Packet) { o.note("> ", client, p) }

func (o *tap) SentPacket(client string, p *packet.Packet) { o.note("< ", client, p) }

func (o *tap) note(direction, client string, p *packet.Packet) {
	if o.client == "" {
		o.client = client
	} else if o.client != client {
		o.t.Errorf("%s is another client than %s", client, o.client)
	}
	text, attachments, err := packet.Append(nil, p)
	if err != nil {
		o.t.Error(err)
	}
	line := string(text)
	if before, _, ok := strings.Cut(line, `"sid":`); ok { // another one each time
		line = before + `"sid"}`
	}
	o.packets.notef("%s%s %q", direction, line, attachments)
}

// The packets of a client, all types of them in the order in which they go, also of
// those that no namespace lets in.
func TestPacketObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		r.Of("/closed").Use(func(server.ConnectHandler) server.ConnectHandler {
			return func(context.Context, *server.Socket) error { return errors.New("no") }
		})
		ns := r.Of("/")
		ns.On("call", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack(1, []byte("x")) })
		ns.On("ask", func(ctx context.Context, s *server.Socket, _ server.Args) error {
			_, err := s.Ask(ctx, "question")
			return err
		})
		ns.On("all", func(context.Context, *server.Socket, server.Args) error { return ns.Emit("news") })
		ns.On("bye", func(_ context.Context, s *server.Socket, _ server.Args) error {
			s.Disconnect(false)
			return nil
		})
		o := &tap{t: t}
		defer r.Observe(o)()

		c := r.dial()
		c.send(`40/closed,{"a":1}`)
		c.expect(`44/closed,{"message":"no"}`)
		c.send(`40`)
		c.expect(`40{"sid":"*"}`)
		c.send(`425["call"]`)
		c.expect(`461-5[1,{"_placeholder":true,"num":0}]`)
		if _, err := c.Next(); err != nil { // the attachment
			t.Fatal(err)
		}
		c.send(`42["ask"]`)
		c.expect(`420["question"]`)
		c.send(`430["answer"]`, `42["all"]`)
		c.expect(`42["news"]`)
		c.send(`42["bye"]`)
		c.expect(`41`)
		synctest.Wait()
		want := []string{
			`> 0/closed,{"a":1} []`, `< 4/closed,{"message":"no"} []`, `> 0 []`, `< 0{"sid"} []`,
			`> 25["call"] []`, `< 61-5[1,{"_placeholder":true,"num":0}] ["x"]`,
			`> 2["ask"] []`, `< 20["question"] []`, `> 30["answer"] []`,
			`> 2["all"] []`, `< 2["news"] []`, `> 2["bye"] []`, `< 1 []`,
		}
		o.packets.took(t, "all", want...)
		_ = c.Close()
	})
}
