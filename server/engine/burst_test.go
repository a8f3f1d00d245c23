package engine_test

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

// TestBurst: clients that read get all of a burst, however it compares to the
// bound of a queue.
func TestBurst(t *testing.T) {
	for _, procs := range []int{1, 4} {
		t.Run(fmt.Sprint("procs=", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			messages := 1000
			if raceEnabled { // which slows everything down alike
				messages = 200
			}
			burst(t, start(t, engine.Options{}), 50, messages, 8000)
		})
	}
}

func burst(t *testing.T, f *fixture, clients, messages, size int) {
	var readers sync.WaitGroup
	sessions := make([]*session, clients)
	for i := range clients {
		var c *wire.WS
		c, sessions[i] = f.openWS()
		readers.Go(func() {
			for n := range messages {
				p, err := c.Next()
				if err != nil {
					t.Errorf("client %d has %d of %d messages: %v", i, n, messages, err)
					return
				}
				if want := fmt.Sprintf("4%08d", n); p.Data[:9] != want {
					t.Errorf("client %d got %s, want %s", i, p.Data[:9], want)
					return
				}
			}
		})
	}
	for n := range messages {
		m := engine.NewText(fmt.Sprintf("%08d", n) + long(size-8))
		var flush []*session
		for _, s := range sessions {
			if s.Send(0, m) {
				flush = append(flush, s)
			}
		}
		for _, s := range flush {
			s.Flush()
		}
	}
	readers.Wait()
	for _, s := range sessions {
		select {
		case e := <-s.ended:
			t.Errorf("let go: %q (%v)", e.reason, e.err)
		default:
		}
	}
}
