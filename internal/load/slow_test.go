package load

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

// A client that does not read while 200 MB are emitted to it costs its bound
// and the kernel's buffers, is let go with its reason, and delays nobody.
func TestSlowConsumerCostsItsBound(t *testing.T) {
	const (
		message = 64 << 10
		total   = 200 << 20
		slack   = 1 << 20 // the message that is being emitted, and the other client's
	)
	io := server.New()
	reasons := make(chan server.Reason, 2)
	io.Of("/").OnDisconnect(func(_ context.Context, _ *server.Socket, r server.Reason) { reasons <- r })
	io.Of("/").On("echo", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack(args.At(0)) })
	addr := serve(t, io)

	slow, err := dial(addr, 4<<10)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.conn.Close()
	if err := slow.connect(); err != nil {
		t.Fatal(err)
	}
	var victim *server.Socket
	for s := range io.Of("/").Sockets() {
		victim = s
	}
	canary, err := dial(addr, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer canary.conn.Close()
	if err := canary.connect(); err != nil {
		t.Fatal(err)
	}

	base := heap()
	var most atomic.Uint64
	pad := strings.Repeat("x", message)
	start := time.Now()
	for sent := 0; sent < total; sent += message {
		if err := victim.Emit("bulk", pad); err != nil {
			t.Fatal(err)
		}
		if sent <= 8<<20 { // it is let go within these
			most.Store(max(most.Load(), heap()))
		}
		if sent%(10<<20) == 0 {
			if err := canary.send(`421["echo",1]`); err != nil {
				t.Fatal(err)
			}
			if _, text, err := canary.next(32); err != nil || string(text) != "431[1]" {
				t.Fatalf("the other client got %q, %v", text, err)
			}
		}
	}
	t.Logf("200 MB emitted in %v", time.Since(start))
	select {
	case r := <-reasons:
		if r != server.SlowConsumer {
			t.Errorf("the reason is %q, want %q", r, server.SlowConsumer)
		}
	case <-time.After(limit):
		t.Fatal("the client that does not read has not been let go")
	}
	cost := int64(most.Load()) - int64(base)
	t.Logf("at most %d KiB of heap", cost>>10)
	if cost > 1<<20+slack {
		t.Errorf("the client that does not read cost %d bytes of heap", cost)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
