package load

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/seed3686fee0/parlor/server"
)

// A burst of more than a client's queue may hold reaches every client that
// reads, whole and in order, however few processors there are: what counts
// against the bound is what a client does not take, not what the server has
// not got to yet.
func TestBurstReachesAllWhoRead(t *testing.T) {
	clients, size := 200, 8_000
	if raceEnabled {
		clients = 40
	}
	for _, procs := range []int{runtime.GOMAXPROCS(0), 1} {
		t.Run(fmt.Sprintf("GOMAXPROCS=%d", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			burst(t, clients, 1_000, size)
		})
	}
}

func burst(t *testing.T, clients, messages, size int) {
	io := server.New()
	addr := serve(t, io)
	var wg sync.WaitGroup
	failed := make(chan error, clients)
	ready := make(chan struct{}, clients)
	for range clients {
		wg.Go(func() {
			if err := receive(addr, messages, size, ready); err != nil {
				failed <- err
			}
		})
	}
	for range clients {
		select {
		case <-ready:
		case err := <-failed:
			t.Fatal(err)
		}
	}
	pad := strings.Repeat("x", size)
	for i := range messages {
		if err := io.Of("/").Emit("b", i, pad); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
	close(failed)
	for err := range failed {
		t.Error(err)
	}
}

func receive(addr string, messages, size int, ready chan<- struct{}) error {
	c, err := dial(addr, 0)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	if err := c.connect(); err != nil {
		return err
	}
	ready <- struct{}{}
	for i := range messages {
		n, text, err := c.next(32)
		if err != nil {
			return fmt.Errorf("message %d: %w", i, err)
		}
		want := `42["b",` + strconv.Itoa(i) + `,"xxx`
		if n < size || !strings.HasPrefix(string(text), want) {
			return fmt.Errorf("message %d: %d bytes, %q", i, n, text)
		}
	}
	return nil
}
