package server_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

func TestOnConnectError(t *testing.T) {
	for name, tt := range map[string]struct {
		handler server.ConnectHandler
		logged  []string
	}{
		"an error": {func(context.Context, *server.Socket) error { return errors.New("no room") }, []string{"handler failed", "no room", "event=connect"}},
		"a panic":  {func(context.Context, *server.Socket) error { panic("oops") }, []string{"handler panicked", "panic: oops", "event=connect", "connect_test.go"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t)
			ns := r.Of("/ns")
			reasons := make(chan server.Reason, 2)
			ns.OnConnect(tt.handler)
			ns.OnConnect(func(context.Context, *server.Socket) error { t.Error("the next handler is called"); return nil })
			ns.OnDisconnect(func(_ context.Context, _ *server.Socket, reason server.Reason) { reasons <- reason })
			c := r.dial()
			id := c.join("/ns", "")
			c.expect("41/ns,")
			if got := receive(t, "disconnect", reasons); got != server.ServerNamespaceDisconnect {
				t.Errorf("reason %q", got)
			}
			c.join("/", "") // the connection lives
			r.logged(append(tt.logged, "namespace=/ns", id)...)
		})
	}
}

// Events that come while OnConnect runs wait for it.
func TestEventsWaitForOnConnect(t *testing.T) {
	r := serve(t)
	ns := r.Of("/")
	goOn, order := make(chan struct{}), make(chan string, 2)
	ns.OnConnect(func(_ context.Context, s *server.Socket) error {
		if err := s.Emit("ready"); err != nil {
			return err
		}
		<-goOn
		order <- "connect"
		return nil
	})
	ns.On("e", func(context.Context, *server.Socket, server.Args) error { order <- "event"; return nil })
	c, id := r.connect()
	c.send(`42["e"]`)
	c.expect(`42["ready"]`)
	c.send("430[]") // an acknowledgement is not held back: it says that the event before it has been read
	eventually(t, "the acknowledgement is read", func() bool { return r.Stats().StrayAcks == 1 })
	if len(order) > 0 {
		t.Error("the event did not wait")
	}
	close(goOn)
	for _, want := range []string{"connect", "event"} {
		if got := receive(t, want, order); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	c.only(r.socket("/", id))
}

// A client may use what it was admitted to as soon as it has read its CONNECT.
func TestLargeFirstEvent(t *testing.T) {
	r := serve(t)
	got := make(chan int, 1)
	r.Of("/").On("e", func(_ context.Context, _ *server.Socket, args server.Args) error {
		text, _ := args.At(0).Text()
		got <- len(text)
		return nil
	})
	large := strings.Repeat("x", 100_000)
	for range 20 {
		c, _ := r.connect()
		c.send(`42["e","` + large + `"]`)
		if n := receive(t, "the event", got); n != len(large) {
			t.Fatalf("%d bytes", n)
		}
	}
}

// Before it is admitted a client may send 16 KiB at most.
func TestPayloadBeforeConnect(t *testing.T) {
	r := serve(t)
	c := r.dial()
	c.send(`40{"token":"` + strings.Repeat("x", 17<<10) + `"}`)
	if before := c.closed(); len(before) > 0 {
		t.Errorf("got %q", before)
	}
	r.dial().join("/", `{"token":"`+strings.Repeat("x", 15<<10)+`"}`)
}

// What a CONNECT brings is kept, so it is bounded afterwards too; who is connected stays.
func TestPayloadOfLaterConnect(t *testing.T) {
	r := serve(t)
	r.Of("/ns")
	c, id := r.connect()
	c.send(`40/ns,{"token":"` + strings.Repeat("x", 17<<10) + `"}`)
	c.expect(`44/ns,{"message":"CONNECT payload too large"}`)
	c.join("/ns", `{"token":"`+strings.Repeat("x", 15<<10)+`"}`)
	c.only(r.socket("/", id))
}

// What a client must not send before it is in the namespace, or ever, ends its
// connection, with all of its sockets.
func TestUnexpectedPackets(t *testing.T) {
	for name, packets := range map[string][]string{
		"event before CONNECT":             {`42["e"]`},
		"ack before CONNECT":               {`430[]`},
		"DISCONNECT before CONNECT":        {`41`},
		"binary header before CONNECT":     {`451-["e",{"_placeholder":true,"num":0}]`},
		"event of another namespace":       {`40`, `42/ns,["e"]`},
		"DISCONNECT of another namespace":  {`40`, `41/ns,`},
		"event after DISCONNECT":           {`40`, `41`, `42["e"]`},
		"second CONNECT":                   {`40`, `40`},
		"CONNECT_ERROR":                    {`40`, `44{"message":"m"}`},
		"a reserved event":                 {`40`, `42["disconnect"]`},
		"an event without a name":          {`40`, `42[]`},
		"second CONNECT while the first …": {`40/slow,`, `40/slow,`},
	} {
		t.Run(name, func(t *testing.T) {
			r := serve(t)
			released := make(chan struct{})
			r.Of("/slow").Use(func(next server.ConnectHandler) server.ConnectHandler {
				return func(ctx context.Context, s *server.Socket) error {
					<-ctx.Done()
					close(released)
					return next(ctx, s)
				}
			})
			r.Of("/").On("e", func(context.Context, *server.Socket, server.Args) error { t.Error("handled"); return nil })
			c := r.dial()
			if len(packets) > 1 && packets[0] == "40" {
				c.join("/", "")
				packets = packets[1:]
			}
			c.send(packets...)
			for _, p := range c.closed() {
				t.Errorf("got %s", p)
			}
			if strings.Contains(packets[0], "slow") {
				receive(t, "the end of the first", released)
			}
			eventually(t, "no connection is left", func() bool { return r.Stats().Connections == 0 })
		})
	}
}

// Behaviour 4, and the eleventh refusal closes.
func TestRefusedConnects(t *testing.T) {
	r := serve(t)
	c := r.dial()
	for range 10 {
		c.send("40/nope,")
		c.expect(`44/nope,{"message":"Invalid namespace"}`)
	}
	c.send("40/nope,")
	if before := c.closed(); fmt.Sprint(before) != `[44/nope,{"message":"Invalid namespace"}]` {
		t.Errorf("before the end: %q", before)
	}
}

func TestRefusedConnectsLimit(t *testing.T) {
	r := serve(t, server.WithLimits(server.Limits{RefusedConnects: -1}))
	c := r.dial()
	for range 50 {
		c.send("40/nope,")
		c.expect(`44/nope,{"message":"Invalid namespace"}`)
	}
	c.join("/", "")
}

func TestNamespacesPerConnection(t *testing.T) {
	r := serve(t, server.WithLimits(server.Limits{NamespacesPerConnection: 3}))
	c := r.dial()
	for i := range 4 {
		r.Of(fmt.Sprint("/", i))
	}
	for i := range 3 {
		c.join(fmt.Sprint("/", i), "")
	}
	c.send("41/0,") // a place is free again
	c.join("/3", "")
	c.send("40/0,")
	if before := c.closed(); fmt.Sprint(before) != `[44/0,{"message":"too many namespaces"}]` {
		t.Errorf("before the end: %q", before)
	}
}

// Behaviour 25, C01: a connection that is in no namespace in time is closed.
func TestConnectTimeout(t *testing.T) {
	for name, packet := range map[string]string{"silent": "", "refused": "40/nope,", "in slow middleware": "40/slow,"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := serveInMemory(t)
				r.Of("/slow").Use(func(next server.ConnectHandler) server.ConnectHandler {
					return func(ctx context.Context, s *server.Socket) error {
						<-ctx.Done()
						return next(ctx, s)
					}
				})
				start := time.Now()
				c := r.dial()
				if packet != "" {
					c.send(packet)
				}
				for {
					f, err := c.ReadFrameWithin(time.Hour)
					if err != nil {
						t.Fatal(err)
					}
					if f.Opcode == wire.OpClose {
						break
					}
				}
				if took := time.Since(start); took != server.DefaultConnectTimeout {
					t.Errorf("closed after %v", took)
				}
			})
		})
	}
}

func TestConnectTimeoutEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t, server.WithConnectTimeout(5*time.Second))
		c := r.dial()
		time.Sleep(5*time.Second - 1)
		id := c.join("/", "")
		time.Sleep(20 * time.Second)
		c.only(r.socket("/", id))
	})
}

// C18: attachments have 10 seconds, whatever else happens on the connection.
func TestAttachmentsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		admit := make(chan struct{})
		r.Of("/late").Use(func(next server.ConnectHandler) server.ConnectHandler {
			return func(ctx context.Context, s *server.Socket) error {
				<-admit
				return next(ctx, s)
			}
		})
		reasons := make(chan server.Reason, 1)
		r.Of("/").OnDisconnect(func(_ context.Context, _ *server.Socket, reason server.Reason) { reasons <- reason })
		c, _ := r.connect()
		time.Sleep(time.Second)
		c.send("40/late,", `452-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
		start := time.Now()
		time.Sleep(time.Second)
		c.binary(1)
		close(admit) // an admission meanwhile is no reprieve
		c.expect("40/late,*")
		if f, err := c.ReadFrameWithin(time.Hour); err != nil || f.Opcode != wire.OpClose {
			t.Errorf("got %v, %v", f, err)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("closed after %v", took)
		}
		if got := <-reasons; got != server.ForcedClose {
			t.Errorf("reason %q", got)
		}
	})
}

func TestAttachmentsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		got := make(chan string, 10)
		r.Of("/").On("e", func(_ context.Context, _ *server.Socket, args server.Args) error {
			b, _ := args.At(0).Bytes()
			got <- string(b)
			return nil
		})
		c, id := r.connect()
		for range 3 { // together longer than one may take
			c.send(`451-["e",{"_placeholder":true,"num":0}]`)
			time.Sleep(9 * time.Second)
			c.binary('x')
			if b := <-got; b != "x" {
				t.Errorf("got %q", b)
			}
		}
		time.Sleep(15 * time.Second)
		c.only(r.socket("/", id))
	})
}
