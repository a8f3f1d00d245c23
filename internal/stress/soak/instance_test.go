//go:build linux

package soak

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/adapter/redisadapter"
	"github.com/seed3686fee0/parlor/server"
)

// Heartbeats miss clients that vanish within the run, and are so patient that no
// machine is too busy for them.
const (
	pingInterval = time.Second
	pingTimeout  = 15 * time.Second
)

// A tally is counts by name. It is safe for concurrent use.
type tally struct {
	mu     sync.Mutex
	counts map[string]int64
}

func newTally() *tally { return &tally{counts: make(map[string]int64)} }

func (c *tally) add(what string, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[what] += n
}

// raise has a count be n at least.
func (c *tally) raise(what string, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[what] = max(c.counts[what], n)
}

func (c *tally) get(what string) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.counts[what]
}

func (c *tally) merge(other *tally) {
	other.mu.Lock()
	defer other.mu.Unlock()
	for what, n := range other.counts {
		c.add(what, n)
	}
}

// differences says where two tallies differ.
func (c *tally) differences(want *tally) (lines []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	want.mu.Lock()
	defer want.mu.Unlock()
	all := maps.Clone(want.counts)
	maps.Copy(all, c.counts)
	for _, what := range slices.Sorted(maps.Keys(all)) {
		if c.counts[what] != want.counts[what] {
			lines = append(lines, fmt.Sprintf("%s: %d, want %d", what, c.counts[what], want.counts[what]))
		}
	}
	return lines
}

// An instance is a server, and what its clients know about it.
type instance struct {
	name    string
	t       testing.TB
	addr    string
	io      *server.Server
	cluster *redisadapter.Cluster
	drops   bool      // events for clients that do not read, instead of the clients
	peer    *instance // the other one of its cluster

	want    *tally // what its counters are to say
	done    *tally // what was done besides
	said    atomic.Int64
	flooded chan int64 // what was dropped of a flood

	alone window // nil: it has the other one; owned by run.state
}

func (in *instance) complainf(format string, args ...any) {
	in.t.Errorf(in.name+": "+format, args...)
}

// start starts two instances, of which one drops events for clients that do not read,
// in a cluster. They end with the test.
func (r *run) start(t testing.TB, name string, cluster func(...redisadapter.Option) *redisadapter.Cluster) []*instance {
	t.Helper()
	var pair []*instance
	for i := range 2 {
		pair = append(pair, &instance{
			name: fmt.Sprint(name, " ", i+1), t: t, drops: i == 1,
			want: newTally(), done: newTally(), flooded: make(chan int64, 1),
		})
	}
	for i, in := range pair {
		in.peer = pair[1-i]
		in.start(r, cluster)
	}
	for _, in := range pair {
		eventually(t, in.name+" sees the other one", func() bool {
			n, err := in.io.Of("/").Adapter().ServerCount(t.Context())
			return err == nil && n == len(pair)
		})
	}
	return pair
}

func (in *instance) start(r *run, cluster func(...redisadapter.Option) *redisadapter.Cluster) {
	t := in.t
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})).With("instance", in.name)
	in.cluster = cluster(redisadapter.WithLogger(log), redisadapter.WithOnState(func(up bool, _ error) { r.state(in, up) }))
	in.io = server.New(
		server.WithAdapter(in.cluster.Adapter), server.WithDropWhenFull(in.drops),
		server.WithMaxQueue(maxQueue),
		server.WithPingInterval(pingInterval), server.WithPingTimeout(pingTimeout),
	)
	in.handle(in.io.Of("/"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	in.addr = l.Addr().String()
	h := &http.Server{Handler: in.io, ReadHeaderTimeout: patience, ConnState: func(c net.Conn, state http.ConnState) {
		if state == http.StateNew {
			_ = c.(*net.TCPConn).SetWriteBuffer(writeBuffer) // fails when the client has gone again
		}
	}}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		h.Close()
		serving.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := in.io.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
}

// who is what clients send with CONNECT: at which step a handler is to panic or to
// refuse, and whether they are in the steady room.
type who struct {
	Refuse bool   `json:"refuse"`
	Panic  string `json:"panic"`
	Steady bool   `json:"steady"`
}

// steady is the room of those who stay.
const steady = "steady"

// handle registers the handlers.
func (in *instance) handle(ns *server.Namespace) {
	ns.Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			var w who
			if err := s.Handshake().Auth.Decode(&w); err != nil {
				return err
			}
			in.panics(w.Panic == "middleware")
			if w.Refuse {
				return errors.New("refused")
			}
			s.SetData(w)
			return next(ctx, s)
		}
	})
	ns.OnConnect(func(_ context.Context, s *server.Socket) error {
		in.done.add("connected", 1)
		in.panics(s.Data().(who).Panic == "connect")
		if s.Data().(who).Steady {
			return s.Join(steady)
		}
		return nil
	})
	ns.OnDisconnect(func(_ context.Context, s *server.Socket, _ server.Reason) {
		in.done.add("disconnected", 1)
		in.panics(s.Data().(who).Panic == "disconnect")
	})
	ns.On("say", func(_ context.Context, s *server.Socket, args server.Args) error {
		in.said.Add(1)
		if err := ns.To(steady).Emit("said", args.At(0), args.At(1)); err != nil {
			return err
		}
		return args.Ack(args.At(1))
	})
	ns.On("question", func(ctx context.Context, s *server.Socket, args server.Args) error {
		in.want.add("acks asked", 1)
		answer, err := s.Ask(ctx, "question", args.At(0))
		if err != nil {
			return err
		}
		in.want.add("acks answered", 1)
		return args.Ack(answer.At(0))
	})
	ns.On("panic", func(_ context.Context, _ *server.Socket, args server.Args) error {
		in.panics(true)
		return nil
	})
	ns.On("answer and panic", func(_ context.Context, _ *server.Socket, args server.Args) error {
		if err := args.Ack("answered"); err != nil {
			return err
		}
		in.panics(true)
		return nil
	})
	ns.On("join", func(_ context.Context, s *server.Socket, args server.Args) error {
		var rooms []string
		if err := args.Scan(&rooms); err != nil {
			return err
		}
		if err := s.Join(rooms...); err != nil {
			return err
		}
		return errors.Join(ns.To(rooms...).Local().Emit("joined", s.ID()), args.Ack("in"))
	})
	ns.On("leave", func(_ context.Context, s *server.Socket, args server.Args) error {
		var rooms []string
		if err := args.Scan(&rooms); err != nil {
			return err
		}
		return errors.Join(s.Leave(rooms...), args.Ack("out"))
	})
	ns.On("stream", in.stream)
	ns.On("flood", in.flood)
}

func (in *instance) panics(really bool) {
	if really {
		in.want.add("panics", 1)
		panic("as it was asked to")
	}
}

// wanted is want, with a disconnection for each connection.
func (in *instance) wanted() *tally {
	want := newTally()
	want.merge(in.want)
	want.add("disconnected", want.get("connected"))
	return want
}

// counts are what the instance's counters say, under the names of want.
func (in *instance) counts() *tally {
	s, e := in.io.Stats(), in.io.Engine().Stats()
	got := newTally()
	for what, n := range map[string]int64{
		"opened": e.Opened, "panics": s.Panics, "events in": s.EventsIn, "rate limited": s.RateLimited, "queue dropped": s.QueueDropped,
		"acks asked": s.AcksAsked, "acks answered": s.AcksAnswered, "acks timed out": s.AcksTimedOut, "acks lost": s.AcksLost, "stray acks": s.StrayAcks,
		"upgrades": e.Upgrades, "upgrades failed": e.UpgradesFailed, "connected": in.done.get("connected"), "disconnected": in.done.get("disconnected"),
	} {
		got.add(what, n)
	}
	for reason, n := range e.Closed {
		got.add("closed: "+string(reason), n)
	}
	// A poll that is cut may have been let go just then for the ping that was due,
	// which is missed later.
	missed := got.get("closed: ping timeout") - in.want.get("closed: ping timeout")
	missed = max(0, min(missed, in.done.get("polls cut")))
	got.add("closed: ping timeout", -missed)
	got.add("closed: transport error", missed)
	for cause, n := range e.Refusals {
		got.add("refused: "+cause, n)
	}
	return got
}

// empty says what is left of clients, if something is.
func (in *instance) empty() string {
	var left []string
	s := in.io.Stats()
	if s.Connections > 0 || s.Sockets > 0 || s.EventsWaiting > 0 {
		left = append(left, fmt.Sprintf("%d connections, %d sockets, %d events", s.Connections, s.Sockets, s.EventsWaiting))
	}
	if rooms := in.io.Of("/").Rooms(); len(rooms) > 0 {
		left = append(left, fmt.Sprintf("%d rooms, %q first", len(rooms), rooms[0]))
	}
	if c, d := in.done.get("connected"), in.done.get("disconnected"); c != d {
		left = append(left, fmt.Sprintf("%d sockets connected and %d disconnected", c, d))
	}
	return strings.Join(left, "; ")
}
