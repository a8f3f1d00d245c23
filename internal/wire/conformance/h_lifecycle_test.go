package conformance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Section H: the life of the server. What needs a process of its own is tested where the command is.

// TestH05_BlockedHandler: a handler that never returns holds up its own socket alone, of which so much is
// read as may wait; its heartbeat goes on being answered, and the end does not wait for it.
func TestH05_BlockedHandler(t *testing.T) {
	each(t, settings{options: []server.Option{server.WithInbox(10, 1<<10)}}, func(t *testing.T, f *fixture, transport string) {
		release := make(chan struct{})
		var begun, handled atomic.Int64
		f.io.Of("/").On("flood", func(ctx context.Context, _ *server.Socket, _ server.Args) error {
			begun.Add(1)
			select {
			case <-release:
			case <-ctx.Done():
			}
			handled.Add(1)
			return nil
		})
		s := f.join(transport)
		f.send(s, `42["flood"]`, `42["flood"]`, `42["flood"]`)
		for until := time.Now().Add(wire.Timeout); begun.Load() == 0 && time.Now().Before(until); {
			time.Sleep(time.Millisecond)
		}
		f.wantEcho(f.join(transport)) // another socket
		if begun.Load() != 1 || handled.Load() != 0 {
			t.Errorf("%d handlers have begun and %d ended, want 1 and 0", begun.Load(), handled.Load())
		}
		for until := time.Now().Add(wire.Timeout); f.io.Stats().EventsWaiting != 2; { // the canary's come and go
			if time.Now().After(until) {
				t.Fatalf("%d events wait, want 2", f.io.Stats().EventsWaiting)
			}
			time.Sleep(time.Millisecond)
		}
		close(release)
		f.wantEcho(s)
	})
}

// TestH05_BlockedForever: a client whose handler blocks leaves, and so does what it has cost.
func TestH05_BlockedForever(t *testing.T) {
	inBubble(t, settings{options: []server.Option{server.WithPingInterval(2 * time.Second)}}, func(t *testing.T, f *fixture) {
		f.io.Of("/").On("flood", func(ctx context.Context, _ *server.Socket, _ server.Args) error {
			<-ctx.Done()
			return nil
		})
		w := f.ws()
		for range 5 {
			f.send(w, `42["flood"]`)
		}
		// Its heartbeat is answered all the same.
		for range 3 {
			f.expect(w, "2")
			f.send(w, "3")
		}
		synctest.Wait()
		if n := f.io.Stats().EventsWaiting; n != 4 {
			t.Errorf("%d events wait, want 4", n)
		}
	})
}

// TestH05_HandlerEndsItself: a handler may do anything to its own socket, and a client that is let go by
// one is told of once.
func TestH05_HandlerEndsItself(t *testing.T) {
	for name, end := range map[string]func(f *fixture, s *server.Socket) error{
		"leaves": func(_ *fixture, s *server.Socket) error { s.Disconnect(false); return nil },
		"closes": func(_ *fixture, s *server.Socket) error { s.Disconnect(true); return nil },
		"both, and more": func(_ *fixture, s *server.Socket) error {
			s.Disconnect(false)
			s.Disconnect(true)
			return s.Emit("late")
		},
		"by broadcast": func(f *fixture, s *server.Socket) error { f.io.Of("/").To(s.ID()).DisconnectSockets(true); return nil },
		"asks itself": func(_ *fixture, s *server.Socket) error {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_, err := s.Ask(ctx, "q")
			s.Disconnect(true)
			if !errors.Is(err, context.Canceled) && !errors.Is(err, server.ErrAckTimeout) {
				return err
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
				f.io.Of("/").On("join", func(_ context.Context, s *server.Socket, _ server.Args) error {
					if err := s.Emit("bye"); err != nil {
						return err
					}
					return end(f, s)
				})
				s := f.join(transport)
				f.send(s, `42["join"]`)
				f.expect(s, `42["bye"]`)
				f.wantGone(server.ServerNamespaceDisconnect, server.ForcedServerClose)
				if n := len(f.gone); n != 0 {
					t.Errorf("%d disconnect events too many", n)
				}
			})
		})
	}
}

// TestLeave: a case that has let its polling client be closed, and has not polled since, takes what the
// server still had to say, so that the postconditions need not wait for the server to give that client up.
func TestLeave(t *testing.T) {
	inBubble(t, settings{deaf: true}, func(_ *testing.T, f *fixture) {
		f.poll()
		f.io.Of("/").DisconnectSockets(true)
		f.wantGone(server.ServerNamespaceDisconnect, server.ForcedServerClose)
		synctest.Wait()
		from := time.Now()
		f.leave()
		f.settle()
		if d := time.Since(from); d > time.Second {
			f.t.Errorf("settled after %s", d)
		}
	})
}

// TestH09_Churn: clients come and go, and in the end nothing is more than it was. 150 stand for 10,000; the
// first ones fill what is kept for later.
func TestH09_Churn(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		churn := func(n int) {
			for i := range n {
				s := f.join(transport)
				f.send(s, `42["echo","hello"]`)
				f.expect(s, `42["echo","hello"]`)
				if i%2 == 0 {
					f.send(s, "41")
				}
				f.leave()
			}
			f.settle()
		}
		n := 150
		if transport == wire.Upgraded {
			n = 60 // it takes that much longer
		}
		churn(n / 6)
		base := heapInUse()
		churn(n)
		if n := heapInUse() - base; n > 1<<20 {
			t.Errorf("the heap grew by %d bytes", n)
		}
		f.mu.Lock()
		f.sids = f.sids[:min(len(f.sids), 20)] // enough to look for in the log
		f.mu.Unlock()
	})
}

// A balancer is what stands in front of instances: sessions stay where they are, new ones go to one that
// takes them.
type balancer struct {
	mu    sync.Mutex
	addrs []string
}

func (b *balancer) pick(i int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.addrs[i%len(b.addrs)]
}

func (b *balancer) replace(was, by string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.addrs {
		if b.addrs[i] == was {
			b.addrs[i] = by
		}
	}
}

// An instance is one of several servers that do the same work.
type instance struct {
	io   *server.Server
	http *http.Server
	addr string
	done chan error
}

func startInstance(t *testing.T, work func(server.Args)) *instance {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &instance{io: server.New(), addr: l.Addr().String(), done: make(chan error, 1)}
	x.io.Of("/").On("work", func(_ context.Context, _ *server.Socket, args server.Args) error {
		work(args)
		return args.Ack("done")
	})
	x.http = &http.Server{Handler: x.io, ReadHeaderTimeout: time.Minute}
	go func() { x.done <- x.http.Serve(l) }()
	return x
}

// stop drains the instance, and ends it.
func (x *instance) stop(t *testing.T, window time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), wire.Timeout)
	defer cancel()
	if err := errors.Join(x.io.Drain(ctx, window), x.io.Shutdown(ctx), x.http.Shutdown(ctx)); err != nil {
		t.Error(err)
	}
	<-x.done
}

// TestH02_RollingRestart: three instances are replaced one after another, under clients that come back and
// ask again for what was not acknowledged. What was acknowledged was done; nobody stays away. 60 clients
// stand for 5,000.
func TestH02_RollingRestart(t *testing.T) {
	const clients, window = 60, 300 * time.Millisecond
	var worked sync.Map // the keys of all work done
	work := func(args server.Args) {
		var key string
		if args.Scan(&key) == nil {
			worked.Store(key, true)
		}
	}
	var instances []*instance
	b := &balancer{}
	for range 3 {
		x := startInstance(t, work)
		instances = append(instances, x)
		b.addrs = append(b.addrs, x.addr)
	}
	var all sync.WaitGroup
	var acked, back atomic.Int64
	stop := make(chan struct{})
	for i := range clients {
		c := &worker{t: t, b: b, i: i, acked: &acked, back: &back}
		all.Go(func() { c.run(stop, &worked) })
	}
	for acked.Load() < clients {
		time.Sleep(time.Millisecond)
	}
	for _, x := range instances {
		next := startInstance(t, work)
		b.replace(x.addr, next.addr)
		x.stop(t, window)
		defer next.stop(t, 0)
	}
	before := acked.Load()
	for acked.Load() < before+2*clients && !t.Failed() { // all of them are at work again
		time.Sleep(time.Millisecond)
	}
	close(stop)
	all.Wait()
	if n := back.Load(); n < clients {
		t.Errorf("%d came back, want %d or more", n, clients)
	}
	t.Logf("%d acknowledged, %d reconnects", acked.Load(), back.Load())
}

// A worker asks for numbered work, one after another, and asks again on another connection for what it
// has got no acknowledgement of.
type worker struct {
	t           *testing.T
	b           *balancer
	i, n        int
	acked, back *atomic.Int64
}

func (c *worker) run(stop <-chan struct{}, worked *sync.Map) {
	for attempt := 0; ; attempt++ {
		if attempt > 1000 {
			c.t.Errorf("client %d stays away", c.i)
			return
		}
		w, err := wire.OpenWS(c.b.pick(c.i+attempt), wire.Handshake{})
		if err != nil {
			time.Sleep(5 * time.Millisecond) // as a client does, though sooner
			continue
		}
		if attempt > 0 {
			c.back.Add(1)
		}
		ended := c.work(w, stop, worked)
		_ = w.Close() // ended already, perhaps
		if ended {
			return
		}
	}
}

// work reports whether the end has come; otherwise the connection has.
func (c *worker) work(w *wire.WS, stop <-chan struct{}, worked *sync.Map) (ended bool) {
	if _, err := wire.Join(w, "/"); err != nil {
		return false
	}
	for {
		select {
		case <-stop:
			return true
		default:
		}
		key := fmt.Sprintf("%d-%d", c.i, c.n)
		if w.Send(`421["work","`+key+`"]`) != nil {
			return false
		}
		p, err := w.Next()
		if err != nil || p.Data == "41" {
			return false
		}
		if p.Data != `431["done"]` {
			c.t.Errorf("got %s", p)
			return true
		}
		if _, ok := worked.Load(key); !ok {
			c.t.Errorf("%s was acknowledged and not done", key)
		}
		c.acked.Add(1)
		c.n++
	}
}
