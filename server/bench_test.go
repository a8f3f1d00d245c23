package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// drain reads whatever comes, and counts the bytes.
func drain(c *client) *atomic.Int64 {
	var n atomic.Int64
	go func() { _, _ = io.Copy(counter{&n}, c.Conn.Conn) }() // ends when the test closes the connection
	return &n
}

type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

// BenchmarkEmit is one socket at a time, its client reading along.
func BenchmarkEmit(b *testing.B) {
	r := serve(b)
	c, id := r.connect()
	read := drain(c)
	s := r.socket("/", id)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Emit("e", 1); err != nil {
			b.Fatal(err)
		}
	}
	arrived(b, read, b.N, len(`42["e",1]`)+2)
}

// BenchmarkBroadcast is a room, end to end: until all clients have read all.
func BenchmarkBroadcast(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("sockets=%d", n), func(b *testing.B) { benchmarkBroadcast(b, n, nil) })
	}
	b.Run("sockets=1000,observed", func(b *testing.B) { benchmarkBroadcast(b, 1000, &tally{}) })
}

// A tally is the least that an observer can do.
type tally struct {
	server.Observer // of what is not counted nothing happens here

	events atomic.Int64
}

func (t *tally) Received(*server.Socket, packet.Args) { t.events.Add(1) }

func (t *tally) Sent(*server.Socket, packet.Args) { t.events.Add(1) }

// observe has an observer told, if there is one.
func (r *rig) observe(o *tally) {
	if o != nil {
		r.t.Cleanup(r.Observe(o))
	}
}

func benchmarkBroadcast(b *testing.B, n int, o *tally) {
	r := serve(b)
	read := make([]*atomic.Int64, n)
	for i := range read {
		c, id := r.connect()
		read[i] = drain(c)
		if err := r.socket("/", id).Join("r"); err != nil {
			b.Fatal(err)
		}
	}
	r.observe(o)
	to, text := r.Of("/").To("r"), strings.Repeat("x", 100)
	b.ReportAllocs()
	for b.Loop() {
		if err := to.Emit("e", text); err != nil {
			b.Fatal(err)
		}
	}
	for _, x := range read {
		arrived(b, x, b.N, len(`42["e",""]`)+100+2)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/delivery")
}

// arrived waits until all frames have been read, so that writing them is
// charged to the run.
func arrived(b *testing.B, read *atomic.Int64, frames, size int) {
	b.Helper()
	eventually(b, fmt.Sprintf("%d frames of %d bytes", frames, size), func() bool { return read.Load() >= int64(frames)*int64(size) })
}

// BenchmarkJoin is about a socket in 999 rooms that joins and leaves one more.
func BenchmarkJoin(b *testing.B) {
	r := serve(b)
	_, id := r.connect()
	s := r.socket("/", id)
	for i := range 999 {
		if err := s.Join(fmt.Sprint("a room, number ", i)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := errors.Join(s.Join("one more"), s.Leave("one more")); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkEcho is one event in, its handler, and one event out, with so many
// on their way at once.
func BenchmarkEcho(b *testing.B) {
	for _, window := range []int{1, 64} {
		b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) { benchmarkEcho(b, window, nil) })
	}
	b.Run("window=64,observed", func(b *testing.B) { benchmarkEcho(b, 64, &tally{}) })
}

func benchmarkEcho(b *testing.B, window int, o *tally) {
	r := serve(b)
	r.Of("/").On("e", func(_ context.Context, s *server.Socket, args server.Args) error { return s.Emit("e", args.At(0)) })
	c, _ := r.connect()
	r.observe(o)
	b.ReportAllocs()
	sent := 0
	for b.Loop() {
		for ; sent < window; sent++ {
			c.send(`42["e",1]`)
		}
		c.next()
		sent--
	}
}

// BenchmarkEvents is events in, to their handler and no further.
func BenchmarkEvents(b *testing.B) {
	b.Run("unobserved", func(b *testing.B) { benchmarkEvents(b, 64, nil) })
	b.Run("observed", func(b *testing.B) { benchmarkEvents(b, 64, &tally{}) })
	b.Run("limited", func(b *testing.B) { benchmarkEvents(b, 64, nil, server.WithLimits(wide)) })
}

// wide are limits on what is sent that nobody meets.
var wide = server.Limits{EventsPerSecond: 1e9, BytesPerSecond: 1e9}

func benchmarkEvents(b *testing.B, batch int, o *tally, opts ...server.Option) {
	r := serve(b, opts...)
	var handled atomic.Int64
	r.Of("/").On("e", func(context.Context, *server.Socket, server.Args) error {
		handled.Add(1)
		return nil
	})
	c, _ := r.connect()
	r.observe(o)
	b.ReportAllocs()
	var raw []byte
	for range batch {
		raw = wire.Text(`42["e",1]`).Append(raw)
	}
	frames := string(raw)
	sent := 0
	for b.Loop() {
		if sent++; sent%batch == 0 {
			if err := c.Conn.Send(frames); err != nil {
				b.Fatal(err)
			}
		}
	}
	eventually(b, "all events are handled", func() bool { return handled.Load() == int64(sent/batch*batch) })
}
