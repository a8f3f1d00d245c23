package e2e_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/jstest"
	"github.com/seed3686fee0/parlor/server"
)

const burst = 2000

// sequence counts what comes out of order of 0, 1, 2, ….
type sequence struct{ next, wrong int }

func (q *sequence) add(n int) {
	if n != q.next {
		q.wrong++
	}
	q.next++
}

// 2,000 numbered events that a client sends at once reach the handler in order and come back in order. The
// upgrading client sends them as soon as it is connected, while its upgrade runs.
func TestEchoKeepsOrder(t *testing.T) {
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		s := serve(t, func(io *server.Server) {
			ns := io.Of("/")
			ns.OnConnect(func(_ context.Context, s *server.Socket) error {
				s.SetData(new(sequence))
				return nil
			})
			ns.On("n", func(_ context.Context, s *server.Socket, args server.Args) error {
				var n int
				if err := args.Scan(&n); err != nil {
					return err
				}
				s.Data().(*sequence).add(n)
				return s.Emit("n", n)
			})
			ns.On("end", func(_ context.Context, s *server.Socket, args server.Args) error {
				q := s.Data().(*sequence)
				return args.Ack(q.next, q.wrong)
			})
		})
		c := d.Connected(s.URL, jstest.Options{Transports: use, Collect: []string{"n"}})
		c.Burst("n", burst)
		want(t, "the handler's count, and of those out of order", c.Call("end"), fmt.Sprintf("[%d,0]", burst))
		if upgrades(use) {
			c.WaitManager("upgrade")
		}
		inOrder(t, "echoes", c.Collected("n", burst), burst)
	})
}

// A burst of 2,000 broadcasts to a room reaches every member whole and in order, the upgrading ones during
// their upgrade.
func TestBroadcastsKeepOrder(t *testing.T) {
	const members = 8
	eachTransport(t, func(t *testing.T, d *jstest.Driver, use []string) {
		s := serve(t, func(io *server.Server) {
			ns := io.Of("/")
			ns.OnConnect(func(_ context.Context, s *server.Socket) error { return s.Join("room") })
			ns.On("start", func(_ context.Context, _ *server.Socket, args server.Args) error {
				for i := range burst {
					if err := ns.To("room").Emit("n", i); err != nil {
						return err
					}
				}
				return args.Ack()
			})
			ns.On("fence", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack() })
		})
		var clients []*jstest.Client
		for range members {
			clients = append(clients, d.Connect(s.URL, jstest.Options{Transports: use, Collect: []string{"n"}}))
		}
		for _, c := range clients {
			c.WaitConnect()
			c.Call("fence") // it is told that it is connected before it is in the room
		}
		clients[0].Call("start")
		for i, c := range clients {
			if upgrades(use) {
				c.WaitManager("upgrade")
			}
			c.Collected("n", burst)
			c.Call("fence") // nothing comes behind the last
			inOrder(t, fmt.Sprintf("client %d", i), c.Collected("n", burst), burst)
		}
	})
}

// Events numbered in both directions, one a millisecond each way, before, during and after 500 upgrades: none
// is lost, doubled or out of order.
func TestUpgradesLoseNothing(t *testing.T) {
	const atOnce = 10
	total := 500
	switch {
	case testing.Short():
		total = 50
	case raceEnabled: // all of them are in the run without
		total = 100
	}
	d := jstest.Start(t)
	s := serve(t, func(io *server.Server) {
		ns := io.Of("/")
		ns.OnConnect(func(ctx context.Context, s *server.Socket) error {
			s.SetData(startCounting(ctx, s))
			return nil
		})
		ns.On("up", func(_ context.Context, s *server.Socket, args server.Args) error {
			var n int
			if err := args.Scan(&n); err != nil {
				return err
			}
			s.Data().(*counting).up.add(n)
			return nil
		})
		ns.On("stop", func(_ context.Context, s *server.Socket, args server.Args) error {
			c := s.Data().(*counting)
			return args.Ack(c.up.next, c.up.wrong, c.stop(), s.Transport())
		})
	})
	connect := func() *jstest.Client {
		return d.Connect(s.URL, jstest.Options{Transports: jstest.Upgrade, Numbers: "up", Collect: []string{"down"}})
	}
	var running []*jstest.Client
	ups, downs := 0, 0
	for i := range total + atOnce {
		if len(running) == atOnce || i >= total {
			c := running[0]
			running = running[1:]
			c.WaitConnect()
			c.WaitManager("upgrade")
			// The upgrade is over when the client says so, what it sent on the new transport is still to come.
			c.Collected("down", len(c.Collected("down", 0))+5)
			n := c.StopNumbers()
			got := c.Call("stop")
			down, _ := got[2].(float64)
			want(t, "numbers up, of those out of order, and the transport", got,
				fmt.Sprintf(`[%d,0,%d,"websocket"]`, n, int(down)))
			inOrder(t, "numbers down", c.Collected("down", int(down)), int(down))
			if t.Failed() {
				t.FailNow()
			}
			ups, downs = ups+n, downs+int(down)
			c.Disconnect()
		}
		if i < total {
			running = append(running, connect())
		}
	}
	t.Logf("%d upgrades, %d events up, %d down", total, ups, downs)
}

// counting is one connection's numbers in both directions.
type counting struct {
	up   sequence // owned by the socket's handlers, which run one after another
	done chan struct{}
	once sync.Once
	sent chan int // holds the count once the emitting goroutine has ended
}

// startCounting emits the numbers down to a socket, one a millisecond, until stop is called or the socket is
// gone.
func startCounting(ctx context.Context, s *server.Socket) *counting {
	c := &counting{done: make(chan struct{}), sent: make(chan int, 1)}
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		n := 0
		defer func() { c.sent <- n }()
		for {
			if s.Emit("down", n) != nil {
				return
			}
			n++
			select {
			case <-tick.C:
			case <-c.done:
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return c
}

func (c *counting) stop() int {
	c.once.Do(func() { close(c.done) })
	return <-c.sent
}
