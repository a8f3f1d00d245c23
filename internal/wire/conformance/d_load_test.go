package conformance

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// Section D: peers that send more than they should, or take less.

// TestD09_PingFlood: pings are answered with the latest alone, and too many of them end the session,
// whether the peer reads the answers or not.
func TestD09_PingFlood(t *testing.T) {
	const pings = 20_000
	flood := strings.Repeat(string(frames(wire.Ping(strings.Repeat("p", 125)))), pings)
	for _, reads := range []bool{true, false} {
		t.Run(fmt.Sprintf("reads %t", reads), func(t *testing.T) {
			f := startServer(t, settings{})
			w := f.ws()
			before := heapInUse()
			sent := make(chan error, 1)
			go func() { sent <- w.Conn.Send(flood) }()
			if !reads {
				if err := <-sent; err != nil && !wire.Ended(err) {
					t.Fatal(err)
				}
			}
			f.wantGone(server.TransportError)
			if n := heapInUse() - before; n > 4<<20 {
				t.Errorf("the heap has grown by %d bytes", n)
			}
			pongs, code := 0, 0
			for code == 0 {
				frame, err := w.NextFrame()
				if code = wire.CloseCode(err); err != nil && code == 0 {
					t.Fatal(err)
				}
				if frame.Opcode == wire.OpPong {
					pongs++
				}
			}
			if reads {
				if err := <-sent; err != nil && !wire.Ended(err) {
					t.Fatal(err)
				}
			}
			if pongs >= pings/2 {
				t.Errorf("%d pongs", pongs)
			}
			// What was still on its way when the server closed may have reset the connection.
			if code != wire.ClosePolicy && code != wire.CloseAbnormal {
				t.Errorf("closed with %d", code)
			}
		})
	}
}

// victim is the socket of "/" that is not the canary's.
func (f *fixture) victim(known func(*server.Socket) bool) *server.Socket {
	f.t.Helper()
	for s := range f.io.Of("/").Sockets() {
		if !known(s) {
			return s
		}
	}
	f.t.Fatal("no socket")
	return nil
}

// sockets returns a function that knows those there are now.
func (f *fixture) sockets() func(*server.Socket) bool {
	known := map[*server.Socket]bool{}
	for s := range f.io.Of("/").Sockets() {
		known[s] = true
	}
	return func(s *server.Socket) bool { return known[s] }
}

// TestD10_SlowConsumer: a client that takes nothing costs its bound and is let go. 64 MB stand for 200.
func TestD10_SlowConsumer(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		known := f.sockets()
		s := f.join(transport)
		if w, ok := s.(*wire.WS); ok {
			if err := w.Conn.Conn.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
				t.Fatal(err)
			}
		}
		victim := f.victim(known)
		before := heapInUse()
		message := strings.Repeat("m", 8<<10)
		most := int64(0)
		for i := range 8 << 10 {
			if err := victim.Emit("news", message); err != nil {
				t.Fatal(err)
			}
			if i%512 == 0 {
				most = max(most, heapInUse()-before)
			}
		}
		most = max(most, heapInUse()-before)
		if most > 3<<20 { // the bound of 1 MiB, what is being written, and the heap's own grain
			t.Errorf("the heap grew by %d bytes", most)
		}
		f.wantGone(server.SlowConsumer)
	})
}

// TestD11_HalfOpen: a peer that is there for TCP alone is found by the heartbeat, though data goes out
// to it all the time.
func TestD11_HalfOpen(t *testing.T) {
	inBubble(t, settings{}, func(t *testing.T, f *fixture) {
		known := f.sockets()
		f.ws()
		victim := f.victim(known)
		begun := time.Now()
		for {
			if err := victim.Emit("tick"); err != nil {
				t.Fatal(err)
			}
			select {
			case reason := <-f.gone:
				if d := time.Since(begun); reason != server.PingTimeout || d > 46*time.Second {
					t.Errorf("gone after %v for %q", d, reason)
				}
				return
			case <-time.After(time.Second):
			}
			if time.Since(begun) > time.Minute {
				t.Fatal("still there")
			}
		}
	})
}

// TestD11_SilentButSending: data that a client sends is no pong.
func TestD11_SilentButSending(t *testing.T) {
	inBubble(t, settings{}, func(t *testing.T, f *fixture) {
		w := f.ws()
		begun := time.Now()
		for time.Since(begun) < time.Minute {
			if err := w.Send(string(echo)); err != nil {
				break
			}
			time.Sleep(time.Second)
		}
		if reason := <-f.gone; reason != server.PingTimeout {
			t.Errorf("gone for %q", reason)
		}
		if d := time.Since(begun); d > 52*time.Second { // 45 s, and until we could notice
			t.Errorf("gone after %v", d)
		}
	})
}

var emitted = regexp.MustCompile(`^(42\["n",\d+,\d+,"x*"\]|45[12]-\["b",\d+,\{"_placeholder":true,"num":0\}\]|40\{"sid":"[\w-]{20}"\}|41)$`)

// TestD13_ConcurrentUse: many goroutines emit, disconnect and close one socket; what the client sees
// is whole, each sender's events in order, and the socket ends once.
func TestD13_ConcurrentUse(t *testing.T) {
	each(t, settings{}, func(t *testing.T, f *fixture, transport string) {
		const senders = 64
		known := f.sockets()
		s := f.join(transport)
		victim := f.victim(known)
		var wg sync.WaitGroup
		for sender := range senders {
			wg.Go(func() {
				for i := range 20 {
					var err error
					if i%5 == 4 {
						err = victim.Emit("b", sender, []byte{byte(sender), byte(i)})
					} else {
						err = victim.Emit("n", sender, i, strings.Repeat("x", sender))
					}
					if err != nil {
						t.Error(err)
					}
				}
				if sender%16 == 0 {
					victim.Disconnect(sender%32 == 0)
				}
			})
		}
		latest := map[int]int{}
		for {
			p, err := s.Next()
			if ce := (*wire.CloseError)(nil); errors.As(err, &ce) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if p.Binary {
				continue
			}
			if !emitted.MatchString(p.Data) {
				t.Fatalf("got %s", wire.Shorten(p.Data))
			}
			var sender, i int
			if n, _ := fmt.Sscanf(p.Data, `42["n",%d,%d,`, &sender, &i); n != 2 {
				continue
			}
			if last, seen := latest[sender]; seen && i <= last {
				t.Errorf("sender %d: %d after %d", sender, i, last)
			}
			latest[sender] = i
		}
		wg.Wait()
		f.wantGone(server.ServerNamespaceDisconnect)
		f.leave()
		f.settle()
		if n := len(f.gone); n != 0 {
			t.Errorf("%d disconnect events too many", n)
		}
	})
}
