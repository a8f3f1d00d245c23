package conformance

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Section E, second half: floods, and clients that take too little. Here the canary is the measure: what
// one client does must not be felt by another.

// TestE06_EventFlood: what a client sends above its rate waits, is dropped or ends its connection,
// whichever the server is told, and is counted.
func TestE06_EventFlood(t *testing.T) {
	const rate, burst, sent = 100, 200, 20_000
	for name, policy := range map[string]server.RatePolicy{"wait": server.RateWait, "refuse": server.RateRefuse, "close": server.RateClose} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, settings{options: []server.Option{
				server.WithLimits(server.Limits{EventsPerSecond: rate, EventBurst: burst, OverRate: policy}),
				// Who has to wait is not read from, and so is found to be gone by the heartbeat.
				server.WithPingInterval(time.Second), server.WithPingTimeout(time.Second),
			}}, func(t *testing.T, f *fixture) {
				var handled atomic.Int64
				f.io.Of("/").On("flood", func(context.Context, *server.Socket, server.Args) error {
					handled.Add(1)
					return nil
				})
				w := f.ws()
				begun, written := time.Now(), make(chan struct{})
				go func() {
					defer close(written)
					_ = w.Conn.Send(strings.Repeat(string(frames(wire.Text(`42["flood"]`))), sent)) // not all of it may be taken
				}()
				time.Sleep(500 * time.Millisecond)
				least := burst + rate/2 - 5 // CONNECT was one, and the last ones are on their way
				switch policy {
				case server.RateClose:
					f.wantGone(server.RateLimited)
					least = 0 // what was not handled yet need not be
				case server.RateRefuse:
					least = burst - 1 // the others have come and gone
				case server.RateWait:
				}
				if n := int(handled.Load()); n < least || n > burst+rate {
					t.Errorf("%d events were handled within %v, want %d or a few more", n, time.Since(begun), least)
				}
				if f.io.Stats().RateLimited == 0 {
					t.Error("nothing is counted")
				}
				_ = w.Close()
				<-written
			})
		})
	}
}

// TestE07_FloodOverNamespaces: a connection has one budget, whatever its transport and however many
// namespaces it is in.
func TestE07_FloodOverNamespaces(t *testing.T) {
	const burst, namespaces, each20 = 50, 15, 20
	limits := server.Limits{EventsPerSecond: 0.01, EventBurst: burst + namespaces + 1, OverRate: server.RateRefuse}
	each(t, settings{options: []server.Option{server.WithLimits(limits)}, deaf: true}, func(t *testing.T, f *fixture, transport string) {
		var handled atomic.Int64
		f.io.OfFunc(func(_ context.Context, name string, _ server.Arg) bool { return strings.HasPrefix(name, "/flood-") }).
			On("flood", func(context.Context, *server.Socket, server.Args) error {
				handled.Add(1)
				return nil
			})
		s := f.open(transport)
		f.joinOn(s, "/")
		var flood []string
		for i := range namespaces {
			name := fmt.Sprintf("/flood-%d", i)
			f.joinOn(s, name)
			for range each20 {
				flood = append(flood, "42"+name+`,["flood"]`)
			}
		}
		f.send(s, append(flood, `421["echo"]`)...)
		f.expect(s, `431[{"ok":false,"error":{"code":"rate_limited",*`)
		for begun := time.Now(); handled.Load() < burst && time.Since(begun) < wire.Timeout; {
			time.Sleep(time.Millisecond)
		}
		if n, limited := handled.Load(), f.io.Stats().RateLimited; n != burst || limited != namespaces*each20-burst+1 {
			t.Errorf("%d events were handled and %d too many, want %d and %d", n, limited, burst, namespaces*each20-burst+1)
		}
	})
}

// counted counts how often it is written as JSON.
type counted struct {
	n    *atomic.Int64
	text string
}

func (c counted) MarshalJSON() ([]byte, error) {
	c.n.Add(1)
	return []byte(`"` + c.text + `"`), nil
}

// crowd are clients of a room that read, and some that do not.
type crowd struct {
	f      *fixture
	deaf   int
	got    []atomic.Int64 // by each that reads: the number of the latest message, which must be the next
	errs   chan error
	reads  sync.WaitGroup
	target int64
}

// gather lets clients into the room "crowd". Each that reads does so until it has target messages
// ["n", i, …], or an end.
func (f *fixture) gather(readers, deaf, target int) *crowd {
	f.t.Helper()
	f.io.Of("/").On("join", func(_ context.Context, s *server.Socket, args server.Args) error {
		if err := s.Join("crowd"); err != nil {
			return err
		}
		return args.Ack()
	})
	c := &crowd{f: f, deaf: deaf, got: make([]atomic.Int64, readers), errs: make(chan error, readers), target: int64(target)}
	for i := range readers + deaf {
		w := f.ws()
		if i >= readers {
			if err := w.Conn.Conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
				f.t.Fatal(err)
			}
		}
		f.send(w, `421["join"]`)
		f.expect(w, "431[]")
		if i < readers {
			c.reads.Go(func() {
				if err := c.read(w, &c.got[i]); err != nil {
					c.errs <- fmt.Errorf("client %d, after %d: %w", i, c.got[i].Load(), err)
				}
			})
		}
	}
	return c
}

func (c *crowd) read(w *wire.WS, got *atomic.Int64) error {
	for got.Load() < c.target {
		p, err := w.Next()
		if err != nil {
			return err
		}
		if want := fmt.Sprintf(`42["n",%d,`, got.Load()); !strings.HasPrefix(p.Data, want) {
			return fmt.Errorf("got %s, want %s…", wire.Shorten(p.Data), want)
		}
		got.Add(1)
	}
	return nil
}

// behind is how many messages the slowest of those that read lacks, of so many that were emitted.
func (c *crowd) behind(emitted int) int {
	least := int64(emitted)
	for i := range c.got {
		least = min(least, c.got[i].Load())
	}
	return emitted - int(least)
}

// follow waits until those that read are no more than a few messages behind: the emitter is not to be
// faster than clients that read can be on this machine.
func (c *crowd) follow(emitted, few int) {
	for begun := time.Now(); c.behind(emitted) > few && time.Since(begun) < wire.Timeout && len(c.errs) == 0; {
		time.Sleep(100 * time.Microsecond)
	}
}

// done checks that all who read have got everything, and that the others were let go, and only they.
func (c *crowd) done() {
	c.f.t.Helper()
	c.reads.Wait()
	close(c.errs)
	for err := range c.errs {
		c.f.t.Error(err)
	}
	for range c.deaf {
		c.f.wantGone(server.SlowConsumer)
	}
	if n := len(c.f.gone); n != 0 {
		c.f.t.Errorf("%d others were let go", n)
	}
}

// TestE08_LargeRoom: a broadcast to a large room is encoded once, and members that do not read hold
// nobody up. 110 members stand for 10,000.
func TestE08_LargeRoom(t *testing.T) {
	const messages = 100
	f := startServer(t, settings{})
	c := f.gather(100, 10, messages)
	var encoded atomic.Int64
	pad := strings.Repeat("x", 1<<10)
	for i := range messages {
		if err := f.io.Of("/").To("crowd").Emit("n", i, counted{&encoded, pad}); err != nil {
			t.Fatal(err)
		}
		c.follow(i+1, 50)
	}
	c.deaf = 0 // what there is fits into their queues
	c.done()
	if n := encoded.Load(); n != messages {
		t.Errorf("%d messages were encoded %d times", messages, n)
	}
}

// TestE09_DeafFew: while a room is told 10 MB, those of its members that do not read are let go, and
// cost no more than their bound; the others miss nothing.
func TestE09_DeafFew(t *testing.T) {
	const readers, deaf, messages = 10, 2, 600
	f := startServer(t, settings{})
	c := f.gather(readers, deaf, messages)
	pad := strings.Repeat("x", 16<<10)
	base, most := heapInUse(), int64(0)
	for i := range messages {
		if err := f.io.Of("/").To("crowd").Emit("n", i, pad); err != nil {
			t.Fatal(err)
		}
		c.follow(i+1, 10)
		if i%100 == 99 {
			most = max(most, heapInUse()-base)
		}
	}
	c.done()
	// Twice the bound of each, and what is on its way to those that read.
	if most > deaf*2<<20+8<<20 {
		t.Errorf("the heap grew by %d bytes", most)
	}
}

// TestE10_NobodyPolls: what waits for a session on polling is bounded, and comes in portions that are no
// larger than what the client was told.
func TestE10_NobodyPolls(t *testing.T) {
	const limit, messages, size = 100_000, 100, 9000
	f := startServer(t, settings{options: []server.Option{server.WithMaxPayload(limit)}})
	known := f.sockets()
	p := f.poll()
	victim := f.victim(known)
	pad := strings.Repeat("x", size)
	for i := range messages {
		if err := victim.Emit("n", i, pad); err != nil {
			t.Fatal(err)
		}
	}
	next := 0
	for polls := 0; next < messages; polls++ {
		res, err := p.Get()
		if err != nil || res.Status != 200 {
			t.Fatalf("poll %d: %v, %v", polls, res, err)
		}
		if len(res.Body) > limit {
			t.Errorf("poll %d brings %d bytes, the limit is %d", polls, len(res.Body), limit)
		}
		for part := range strings.SplitSeq(res.Body, wire.Separator) {
			if want := fmt.Sprintf(`42["n",%d,`, next); !strings.HasPrefix(part, want) {
				t.Fatalf("got %s, want %s…", wire.Shorten(part), want)
			}
			next++
		}
	}
	f.wantEcho(p)

	base := heapInUse()
	for i := range 2000 {
		if err := victim.Emit("n", i, pad); err != nil {
			t.Fatal(err)
		}
	}
	if n := heapInUse() - base; n > 3<<20 {
		t.Errorf("the heap grew by %d bytes", n)
	}
	f.wantGone(server.SlowConsumer)
}

// TestE11_LargeJSON: clients that send as much JSON as they may, all at once, leave the canary its turn.
func TestE11_LargeJSON(t *testing.T) {
	const clients, messages = 10, 1
	f := startServer(t, settings{})
	message := `42["echo",[` + strings.TrimSuffix(strings.Repeat(`{"a":[1,2.5,"x",null]},`, 43_000), ",") + `]]`
	if len(message) < 950_000 || len(message) > 1_000_000 {
		t.Fatal(len(message))
	}
	var all sync.WaitGroup
	for i := range clients {
		s := f.join(wire.Transports()[i%3])
		all.Go(func() {
			for range messages {
				if err := s.Send(message); err != nil {
					t.Error(err)
					return
				}
				p, err := s.Next()
				if err != nil || p.Data != message {
					t.Errorf("%s, %v", wire.Shorten(p.Data), err)
					return
				}
			}
		})
	}
	all.Wait()
}

// TestE15_AllLeave: when everybody leaves at once each is told of once, and nothing of them is left.
// 1,000 stand for 10,000.
func TestE15_AllLeave(t *testing.T) {
	const clients = 1000
	inBubble(t, settings{}, func(t *testing.T, f *fixture) {
		root := f.io.Of("/")
		known, rooms := f.sockets(), len(root.Rooms())
		sessions := make([]*wire.WS, clients)
		for i := range sessions {
			sessions[i] = f.ws()
		}
		n := 0
		for s := range root.Sockets() {
			if known(s) {
				continue
			}
			if err := s.Join("all", fmt.Sprint("of ", n%10), fmt.Sprint("own ", n)); err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != clients || root.RoomSize("all") != clients {
			t.Fatalf("%d sockets, %d in the room", n, root.RoomSize("all"))
		}
		ended := make(map[server.Reason]int)
		for _, w := range sessions {
			go func() { _ = w.Close() }()
		}
		for range clients {
			ended[<-f.gone]++
		}
		time.Sleep(time.Second)
		if len(f.gone) != 0 || ended[server.TransportClose]+ended[server.TransportError] != clients {
			t.Errorf("ended: %v, and %d more", ended, len(f.gone))
		}
		if n := len(root.Rooms()); n != rooms {
			t.Errorf("%d rooms, want %d", n, rooms)
		}
	})
}
