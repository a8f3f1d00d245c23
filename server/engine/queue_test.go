package engine_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/server/engine"
)

// TestSlowConsumer: a peer that does not read costs the bound of its queue, is
// let go, and delays nobody.
func TestSlowConsumer(t *testing.T) {
	for name, send := range map[string]func(i int) *engine.Message{
		"large": func(i int) *engine.Message { return engine.NewText(fmt.Sprintf("%08d", i) + long(8000)) },
		"tiny":  func(i int) *engine.Message { return engine.NewText(fmt.Sprintf("%08d", i)) },
	} {
		t.Run(name, func(t *testing.T) {
			f := start(t, engine.Options{})
			_, slow := f.slowWS()
			fast, reader := f.openWS()
			before := heap()
			var peak uint64
			got := 0
			for i := 0; len(slow.ended) == 0; i++ {
				m := send(i)
				if slow.Send(0, m) {
					slow.Flush()
				}
				if i%64 == 0 {
					reader.Send(0, engine.NewText("tick"))
					wantNext(t, fast, "4tick")
					got++
				}
				if i%8192 == 0 {
					peak = max(peak, heap())
				}
				if i > 50_000_000 {
					t.Fatal("never let go")
				}
			}
			slow.wantEnd(t, engine.SlowConsumer)
			if peak > before+4<<20 {
				t.Errorf("it cost %d KiB", (peak-before)>>10)
			}
			eventually(t, "its connection is cut", func() bool { return engine.Conns(f.Server) == 1 })
			if after := heap(); after > before+1<<20 {
				t.Errorf("%d KiB are left of it", (after-before)>>10)
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestSlowConsumerHoldsNobodyUp: the time that emitters give such a peer is
// given once, whatever it reads meanwhile.
func TestSlowConsumerHoldsNobodyUp(t *testing.T) {
	f := start(t, engine.Options{MaxQueue: 1 << 30})
	c, s := f.slowWS()
	stop := make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() { // little by little
		b := make([]byte, 4<<10)
		for {
			if _, err := c.Read(b); err != nil {
				return
			}
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	m := engine.NewText(long(8000))
	began := time.Now()
	for range 2000 {
		if s.Send(0, m) {
			s.Flush()
		}
	}
	// 16 MB at that reader's pace are forty seconds; patience is a tenth of one.
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("16 MB took %v", d)
	}
	close(stop)
	_ = c.Close()
	reader.Wait()
	s.wantEnd(t, engine.TransportClose)
}

// TestSlowConsumerOnPlainPath: the same where the kernel cannot be asked.
func TestSlowConsumerOnPlainPath(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		_, s := f.openWS()
		m := engine.NewText(long(8000))
		for i := 0; len(s.ended) == 0; i++ {
			if s.Send(0, m) {
				s.Flush()
			}
			time.Sleep(time.Millisecond)
			synctest.Wait()
			if i > 10_000 {
				t.Fatal("never let go")
			}
		}
		if n := engine.Unsent(s.Session); n > engine.DefaultMaxQueue+1<<17 {
			t.Errorf("%d bytes were kept", n)
		}
		s.wantEnd(t, engine.SlowConsumer)
	})
}

// TestWriteTimeout: a peer that refuses bytes for 10 s is let go, however few
// wait for it.
func TestWriteTimeout(t *testing.T) {
	bubble(t, engine.Options{PingInterval: time.Hour}, func(t *testing.T, f *fixture) {
		_, s := f.openWS()
		began := time.Now()   // before the emitter may have waited for the peer
		s.text(long(900_000)) // what a pipe takes, and more
		select {
		case e := <-s.ended:
			if d := time.Since(began); d != engine.DefaultWriteTimeout || e.reason != engine.SlowConsumer {
				t.Errorf("let go after %v: %v", d, e)
			}
		case <-time.After(time.Minute):
			t.Error("never let go")
		}
	})
	f := start(t, engine.Options{WriteTimeout: 200 * time.Millisecond, MaxQueue: 64 << 20})
	_, s := f.slowWS()
	for range 64 {
		s.text(long(512 << 10))
	}
	s.wantEnd(t, engine.SlowConsumer)
}

// TestPollingQueue: a peer that does not poll is let go over the bound, and
// not before.
func TestPollingQueue(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		_, s := f.openPoll()
		n := 0
		for m := engine.NewText(long(1000)); len(s.ended) == 0; n++ {
			s.Send(0, m)
			synctest.Wait()
		}
		if bytes := n * 1000; bytes < engine.DefaultMaxQueue*8/10 || bytes > engine.DefaultMaxQueue {
			t.Errorf("let go after %d bytes", bytes)
		}
		s.wantEnd(t, engine.SlowConsumer)
		if _, err := s.Poll(t.Context()); !errors.Is(err, engine.ErrNotPolling) {
			t.Errorf("a poll: %v", err)
		}
	})
}

// TestLargeMessage: one that is larger than the bound enters an empty queue,
// with what belongs to it.
func TestLargeMessage(t *testing.T) {
	each(t, engine.Options{MaxQueue: 1000}, func(t *testing.T, f *fixture, transport string) {
		c, s := f.open(transport)
		s.Send(0, engine.NewText("header"), engine.NewBinary([]byte(long(5000))), engine.NewText("end"))
		wantNext(t, c, "4header")
		p, err := c.Next()
		ok(t, err)
		if !p.Binary || p.Data != long(5000) {
			t.Errorf("got %d bytes", len(p.Data))
		}
		wantNext(t, c, "4end")
		if len(s.ended) > 0 {
			t.Error("let go")
		}
	})
}

// TestVolatile: such a message is sent when it can be at once, and else
// dropped and counted.
func TestVolatile(t *testing.T) {
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		c, s := f.openWS()
		synctest.Wait()
		s.Send(engine.Volatile, engine.NewText("sent"))
		wantNext(t, c, "4sent")
		synctest.Wait()
		s.text(long(200_000)) // more than a pipe takes at once
		synctest.Wait()
		s.Send(engine.Volatile, engine.NewText("dropped"), engine.NewText("dropped"))
		s.text("last")
		p, err := c.Next()
		ok(t, err)
		if len(p.Data) != 200_001 {
			t.Errorf("got %d bytes", len(p.Data))
		}
		wantNext(t, c, "4last")
		if n := f.Stats().VolatileDropped; n != 1 {
			t.Errorf("%d dropped, want 1", n)
		}
	})
	bubble(t, engine.Options{}, func(t *testing.T, f *fixture) {
		_, s := f.openPoll()
		s.Send(engine.Volatile, engine.NewText("dropped")) // nobody polls
		got := make(chan string, 1)
		go func() { body, _ := s.Poll(t.Context()); got <- string(body) }()
		synctest.Wait()
		s.Send(engine.Volatile, engine.NewText("sent"))
		s.Send(engine.Volatile, engine.NewText("dropped"))
		if body := <-got; body != "4sent" {
			t.Errorf("got %q", body)
		}
		if n := f.Stats().VolatileDropped; n != 2 {
			t.Errorf("%d dropped, want 2", n)
		}
		s.Close(engine.ForcedClose)
		s.polled(t)
	})
}

// TestConcurrentSends: messages of one Send stay together, those of one sender
// in order, whoever else sends.
func TestConcurrentSends(t *testing.T) {
	const senders, each = 16, 200
	f := start(t, engine.Options{})
	c, s := f.openWS()
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			for n := range each {
				if s.Send(0, engine.NewText(fmt.Sprintf("%d:%d", i, n)), engine.NewBinary(fmt.Appendf(nil, "%d:%d", i, n))) {
					s.Flush()
				}
			}
		})
	}
	next := make([]int, senders)
	for range senders * each {
		a, err := c.Next()
		ok(t, err)
		b, err := c.Next()
		ok(t, err)
		var i, n int
		_, _ = fmt.Sscanf(a.Data, "4%d:%d", &i, &n)
		if !b.Binary || strings.TrimPrefix(a.Data, "4") != b.Data || n != next[i] {
			t.Fatalf("got %v and %v, want number %d", a, b, next[i])
		}
		next[i]++
	}
	all.Wait()
}
