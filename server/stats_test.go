package server_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

// Events and acknowledgements are counted, each once.
func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		hold := make(chan struct{})
		r.Of("/").On("wait", func(context.Context, *server.Socket, server.Args) error {
			<-hold
			return nil
		})
		c, id := r.connect()
		other, _ := r.connect()
		s := r.socket("/", id)
		c.send(`42["wait"]`, `42["b"]`, `421["c"]`)
		synctest.Wait()
		if got := r.Stats(); got.EventsIn != 3 || got.EventsWaiting != 2 {
			t.Errorf("%d events came, %d wait", got.EventsIn, got.EventsWaiting)
		}
		close(hold)

		ask := func(socket *server.Socket, ends chan<- error) {
			go func() {
				_, err := socket.Ask(context.Background(), "q")
				ends <- err
			}()
		}
		ends := make(chan error, 3)
		ask(s, ends)
		c.expect(`420["q"]`)
		c.send(`430[]`, `439[]`)
		r.must(<-ends)
		ask(s, ends) // nobody answers
		c.expect(`421["q"]`)
		if err := <-ends; !errors.Is(err, server.ErrAckTimeout) {
			t.Error(err)
		}
		ask(s, ends)
		c.expect(`422["q"]`)
		c.send("41")
		if err := <-ends; !errors.Is(err, server.ErrDisconnected) {
			t.Error(err)
		}
		r.must(r.Of("/").Emit("all"))
		other.expect(`42["all"]`)
		synctest.Wait()
		got := r.Stats()
		if got.EventsIn != 3 || got.EventsWaiting != 0 || got.EventsOut != 4 { // three questions and a broadcast
			t.Errorf("%d events came, %d wait, %d went", got.EventsIn, got.EventsWaiting, got.EventsOut)
		}
		if got.AcksAsked != 3 || got.AcksAnswered != 1 || got.AcksTimedOut != 1 || got.AcksLost != 1 || got.StrayAcks != 1 {
			t.Errorf("acknowledgements: %+v", got)
		}
	})
}

// Who wants to know how long handlers and clients take is told, once for each.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n notebook
		r := serveInMemory(t,
			server.WithPingInterval(time.Hour),
			server.WithHandlerTime(func(namespace, event string, d time.Duration, err error) {
				n.notef("%s %q took %v: %v", namespace, event, d, err)
				panic("the hook's fault")
			}),
			server.WithAckTime(func(namespace, event string, d time.Duration, err error) {
				n.notef("%s ack of %q took %v: %v", namespace, event, d, err)
			}))
		ns := r.Of("/x")
		slow := func(d time.Duration, err error) server.Handler {
			return func(context.Context, *server.Socket, server.Args) error {
				time.Sleep(d)
				return err
			}
		}
		ns.OnConnect(func(context.Context, *server.Socket) error {
			time.Sleep(time.Second)
			return nil
		})
		ns.OnDisconnect(func(context.Context, *server.Socket, server.Reason) { time.Sleep(2 * time.Second) })
		ns.On("a", slow(3*time.Second, nil))
		ns.On("b", slow(4*time.Second, errors.New("no")))
		ns.On("c", func(context.Context, *server.Socket, server.Args) error { panic("c") })
		c := r.dial()
		id := c.join("/x", "")
		c.send(`42/x,["a"]`, `42/x,["b"]`, `42/x,["c"]`, `42/x,["made up"]`)
		time.Sleep(time.Minute)
		n.took(t, "handlers", `/x "connect" took 1s: <nil>`, `/x "a" took 3s: <nil>`, `/x "b" took 4s: no`,
			`/x "c" took 0s: panic: c`, `/x "" took 0s: <nil>`)

		go func() {
			time.Sleep(5 * time.Second)
			c.send(`43/x,0[]`)
			time.Sleep(6 * time.Second)
			c.send(`43/x,1[]`)
		}()
		s := r.socket("/x", id)
		if _, err := s.Ask(context.Background(), "q"); err != nil {
			t.Error(err)
		}
		for _, err := range ns.AskEach(context.Background(), "each") {
			r.must(err)
		}
		if _, err := s.Timeout(time.Second).Ask(context.Background(), "late"); err == nil {
			t.Error("there is an answer that nobody gave")
		}
		n.took(t, "acknowledgements", `/x ack of "q" took 5s: <nil>`, `/x ack of "each" took 6s: <nil>`,
			fmt.Sprintf("/x ack of %q took 1s: %v", "late", server.ErrAckTimeout))
		c.send("41/x,")
		time.Sleep(time.Minute)
		n.took(t, "the end", `/x "disconnect" took 2s: <nil>`)
	})
}
