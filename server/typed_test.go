package server_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/seed3686fee0/parlor/server"
)

type message struct {
	Room string `json:"room"`
	Text string `json:"text"`
}

const (
	say    server.Event[message]         = "say"
	cursor server.Event[[2]float64]      = "cursor"
	hello  server.Event[struct{}]        = "hello"
	blob   server.Event[[]byte]          = "blob"
	post   server.Call[message, int64]   = "post"
	ping   server.Call[struct{}, string] = "ping"
	wipe   server.Call[string, struct{}] = "clear"
	ready  server.Call[string, bool]     = "ready"
)

func TestTypedEvents(t *testing.T) {
	r := serve(t)
	ns := r.Of("/")
	say.Handle(ns, func(_ context.Context, s *server.Socket, m message) error {
		return say.Emit(s, message{m.Room, "<" + m.Text + ">"})
	})
	cursor.Handle(ns, func(_ context.Context, s *server.Socket, p [2]float64) error {
		return cursor.Emit(s.Compress(false), p)
	})
	hello.Handle(ns, func(_ context.Context, s *server.Socket, _ struct{}) error {
		return hello.Emit(s.Namespace(), struct{}{})
	})
	blob.Handle(ns, func(_ context.Context, s *server.Socket, b []byte) error { return blob.Emit(s, append(b, 'x')) })
	c, _ := r.connect()
	for _, step := range []struct{ send, want string }{
		{`42["say",{"room":"r","text":"hi"}]`, `42["say",{"room":"r","text":"<hi>"}]`},
		{`42["cursor",[1.5,-2]]`, `42["cursor",[1.5,-2]]`},
		{`42["hello"]`, `42["hello"]`},
		{`42["hello",{"ignored":1}]`, `42["hello"]`},
		{`42["say"]`, `42["say",{"room":"","text":"<>"}]`},
		{`42["say",7]`, `42["error",{"code":"invalid_payload","message":"*","event":"say"}]`},
		{`421["say",[]]`, `431[{"ok":false,"error":{"code":"invalid_payload","message":"*"}}]`},
		{`42["cursor",["a",1]]`, `42["error",{"code":"invalid_payload",*"event":"cursor"}]`},
	} {
		c.send(step.send)
		c.expect(step.want)
	}
	c.send(`451-["blob",{"_placeholder":true,"num":0}]`)
	c.binary(1, 2)
	c.expect(`451-["blob",{"_placeholder":true,"num":0}]`, "binary 010278")
	if logged := r.logs.String(); logged != "" {
		t.Errorf("logged: %s", logged)
	}
}

func TestTypedCalls(t *testing.T) {
	r := serve(t)
	ns := r.Of("/")
	calls := 0 // by one inbox
	post.Handle(ns, func(_ context.Context, _ *server.Socket, m message) (int64, error) {
		calls++
		if m.Text == "" {
			return 0, &server.ClientError{Code: "empty", Message: "no text"}
		}
		return int64(len(m.Text)), nil
	})
	ping.Handle(ns, func(context.Context, *server.Socket, struct{}) (string, error) { return "pong", nil })
	wipe.Handle(ns, func(context.Context, *server.Socket, string) (struct{}, error) { return struct{}{}, nil })
	c, id := r.connect()
	for _, step := range []struct{ send, want string }{
		{`421["post",{"text":"four"}]`, `431[4]`},
		{`422["post",{}]`, `432[{"ok":false,"error":{"code":"empty","message":"no text"}}]`},
		{`423["post","x"]`, `433[{"ok":false,"error":{"code":"invalid_payload",*}}]`},
		{`424["ping"]`, `434["pong"]`},
		{`425["clear","all"]`, `435[]`},
	} {
		c.send(step.send)
		c.expect(step.want)
	}
	c.send(`42["post",{"text":"no answer"}]`, `429["ping"]`)
	c.expect(`439["pong"]`)
	if calls != 3 {
		t.Errorf("%d calls", calls)
	}
	c.only(r.socket("/", id))
}

func TestTypedAsk(t *testing.T) {
	r := serve(t)
	a, id := r.connect()
	b, _ := r.connect()
	s := r.socket("/", id)
	type result struct {
		ok  bool
		err error
	}
	results := make(chan result, 4)
	go func() { ok, err := ready.Ask(waited(t), s, "?"); results <- result{ok, err} }()
	a.expect(`420["ready","?"]`)
	a.send(`430[true]`)
	if got := receive(t, "the answer", results); !got.ok || got.err != nil {
		t.Errorf("%+v", got)
	}
	go func() { ok, err := ready.Ask(waited(t), s.Compress(false), "?"); results <- result{ok, err} }()
	a.expect(`421["ready","?"]`)
	a.send(`431["yes"]`)
	if got := receive(t, "the answer", results); got.err == nil {
		t.Errorf("an answer of another type: %+v", got)
	}
	go func() {
		for ok, err := range ready.AskEach(waited(t), r.Of("/").Local(), "?") {
			results <- result{ok, err}
		}
		close(results)
	}()
	a.expect(`422["ready","?"]`)
	a.send(`432[true]`)
	b.expect(`422["ready","?"]`)
	b.send(`432[{}]`)
	var good, bad int
	for got := range results {
		if got.ok && got.err == nil {
			good++
		} else if got.err != nil && !errors.Is(got.err, server.ErrAckTimeout) {
			bad++
		}
	}
	if good != 1 || bad != 1 {
		t.Errorf("%d good answers, %d bad", good, bad)
	}
}

// Behaviour 11: bytes, both ways and in acknowledgements, in any order and place.
func TestBinary(t *testing.T) {
	r := serve(t)
	r.Of("/").On("echo", func(_ context.Context, s *server.Socket, args server.Args) error {
		var v struct{ A, B []byte }
		var n int
		if err := args.Scan(&v, &n); err != nil {
			return err
		}
		if err := s.Emit("out", n, []byte{9}, map[string]any{"b": v.B}); err != nil {
			return err
		}
		return args.Ack(args.At(0), v.A)
	})
	c, _ := r.connect()
	c.send(`452-7["echo",{"a":{"_placeholder":true,"num":1},"b":{"_placeholder":true,"num":0}},5]`)
	c.binary(0xb0)
	c.send("3") // Engine.IO's own may come between
	c.binary(0xa0, 0xa1)
	c.expect(`452-["out",5,{"_placeholder":true,"num":0},{"b":{"_placeholder":true,"num":1}}]`, "binary 09", "binary b0")
	got := []string{c.next(), c.next(), c.next(), c.next()}
	if !strings.HasPrefix(got[0], `463-7[{"a":{"_placeholder":true,"num":`) {
		t.Errorf("%q", got)
	}
	attachments := slices.Sorted(slices.Values(got[1:]))
	if !slices.Equal(attachments, []string{"binary a0a1", "binary a0a1", "binary b0"}) {
		t.Errorf("%q", attachments)
	}
}

// C19: text in the place of an attachment, and an attachment without a packet.
func TestBinaryFaults(t *testing.T) {
	for name, fault := range map[string]func(c *client){
		"text for an attachment": func(c *client) { c.send(`451-["e",{"_placeholder":true,"num":0}]`, `42["e"]`) },
		"attachment of nothing":  func(c *client) { c.binary(1) },
		"eleven attachments":     func(c *client) { c.send(`4511-["e"]`) },
		"none":                   func(c *client) { c.send(`450-["e"]`) },
		"for another namespace":  func(c *client) { c.send(`451-/x,["e",{"_placeholder":true,"num":0}]`) },
		"more than a message's": func(c *client) {
			c.send(`452-["e"]`)
			c.binary(make([]byte, 600_000)...)
			c.binary(make([]byte, 600_000)...)
		},
		"a placeholder of nothing": func(c *client) { c.send(`451-["e",{"_placeholder":true,"num":1}]`) },
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t)
			r.Of("/").OnAny(func(context.Context, *server.Socket, server.Args) error { t.Error("handled"); return nil })
			c, _ := r.connect()
			fault(c)
			if before := c.closed(); before != nil {
				t.Errorf("got %q", before)
			}
		})
	}
}
