//go:build linux

package soak

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/time/rate"

	"github.com/seed3686fee0/parlor/adapter/redisadapter"
	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A run is how long and how much, and what has come of it.
type run struct {
	length, warm  time.Duration // of growth
	sampled       time.Duration
	every         time.Duration // of a speaker's events
	churners      int           // of an instance
	pause         time.Duration // of a churner
	plan          []outage
	judges        bool // growth
	began         time.Time
	instances     []*instance
	speakers      map[int]*speaker
	listeners     []*listener   // the speakers among them
	settled       chan struct{} // closed when speakers and listeners are there
	mu            sync.Mutex
	windows       []window // guarded by mu
	lostTo        []row
	quit, hushed  chan struct{}
	samples       []sample
	busy, talking sync.WaitGroup
	vanished      sync.WaitGroup
}

// A row says what has become of what one instance has said on the way to another.
type row struct {
	link                       string
	lost, said                 int64
	dropped, unanswered, taken int64
	connects                   uint64
}

const second = time.Second

// TestSoak: instances of two clusters, one with ordinary pub/sub and one with the
// sharded form, serve all kinds of clients at once, and Redis is away now and then.
// What is said is heard by all on the same instance, in order and once; by those on
// the other one too, but for what is lost while Redis is away, which the sender counts.
// All counters are right to the last one, and nothing is left in the end.
func TestSoak(t *testing.T) {
	r := &run{
		length: 13 * second / 2, warm: second, sampled: second / 4, every: 20 * time.Millisecond, churners: 2, pause: 20 * time.Millisecond,
		plan: []outage{{true, 3 * second / 2, 3 * second}, {false, 9 * second / 2, 6 * second}},
	}
	if os.Getenv("STRESS") != "" {
		r = &run{
			length: 60 * second, warm: 18 * second, sampled: second, every: 20 * time.Millisecond, churners: 3, pause: 50 * time.Millisecond,
			plan: []outage{
				{true, 6 * second, 10 * second}, {false, 16 * second, 19 * second}, {true, 26 * second, 29 * second},
				{false, 36 * second, 44 * second}, {true, 50 * second, 52 * second},
			},
			judges: true,
		}
	}
	r.settled = make(chan struct{})
	before := take(time.Now())
	t.Run("servers", func(t *testing.T) { // which are ended with it
		redis := redistest.Start(t)
		rdb := redis.Client()
		t.Cleanup(func() { rdb.Close() })
		r.instances = append(r.instances, r.start(t, "pub/sub", func(o ...redisadapter.Option) *redisadapter.Cluster {
			return redisadapter.NewPubSub(rdb, append(o, redisadapter.WithPrefix("classic"))...)
		})...)
		r.instances = append(r.instances, r.start(t, "sharded", func(o ...redisadapter.Option) *redisadapter.Cluster {
			return redisadapter.NewSharded(rdb, append(o, redisadapter.WithPrefix("sharded"))...)
		})...)
		idle := take(time.Now())
		r.everything(t, redis)
		r.report(t)
		defer func() {
			if t.Failed() {
				t.Logf("goroutines: %s", profile())
			}
		}()
		eventually(t, "goroutines are as many as without clients", func() bool { return goroutines() <= idle.goroutines })
		check(t, "without clients", idle, take(time.Now()))
	})
	check(t, "without servers", before, take(time.Now()))
}

// check compares what there is with what there was.
func check(t *testing.T, when string, was, is sample) {
	t.Helper()
	t.Logf("%s: %d goroutines and %d KiB of heap; before %d and %d", when, is.goroutines, is.heap>>10, was.goroutines, was.heap>>10)
	if is.heap > was.heap+4<<20 { // of pools, tables that have grown, and the test's notes
		t.Errorf("%s: %d bytes of heap more", when, is.heap-was.heap)
	}
}

// everything is the run, until all clients have gone.
func (r *run) everything(t *testing.T, redis *redistest.Server) {
	r.quit, r.hushed = make(chan struct{}), make(chan struct{})
	r.settle(t)
	close(r.settled)
	r.began = time.Now()
	for _, s := range r.speakers {
		r.talking.Go(func() { s.talk(r.every, r.hushed) })
	}
	end := r.began.Add(r.length)
	for _, in := range r.instances {
		slow := rate.NewLimiter(0, 0)
		if r.judges { // the end of a short run would wait for them
			slow = rate.NewLimiter(1, 1)
		}
		for i := range r.churners {
			r.busy.Go(func() { in.churn(i*len(visits)/r.churners, r.pause, slow, r.quit, &r.vanished) })
		}
		r.busy.Go(func() { in.storms(r.quit) })
		r.busy.Go(func() { in.slowReaders(r.quit) })
	}
	r.busy.Go(r.watch)
	stop := sync.OnceFunc(func() {
		close(r.quit)
		r.busy.Wait()
		close(r.hushed)
		r.talking.Wait()
	})
	defer stop()
	r.outages(t, redis, r.plan)
	time.Sleep(time.Until(end))
	stop()
	for _, s := range r.speakers { // with Redis there, so that it arrives
		if err := s.say(); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
	for _, l := range r.listeners {
		for id, tr := range l.heard {
			eventually(t, l.name+" hears the last word", func() bool { return tr.next.Load() == r.speakers[id].said.Load() })
		}
		l.leave()
	}
	r.vanished.Wait()
	for _, in := range r.instances {
		eventually(t, in.name+" is empty", func() bool { return in.empty() == "" })
	}
}

// settle connects those that stay.
func (r *run) settle(t *testing.T) {
	r.speakers = make(map[int]*speaker)
	at := make(map[*instance]map[int]*instance) // who is heard there
	for i, in := range r.instances {
		for _, x := range []*instance{in, in.peer} {
			if at[x] == nil {
				at[x] = make(map[int]*instance)
			}
			at[x][2*i], at[x][2*i+1] = in, in
		}
	}
	for i, in := range r.instances {
		for k, transport := range []string{wire.Websocket, wire.Upgraded, wire.Websocket, wire.Upgraded, wire.Polling, wire.Polling} {
			l, err := in.listen(fmt.Sprint("listener ", k, ", ", transport), transport, at[in])
			if err != nil {
				t.Fatal(err)
			}
			r.listeners = append(r.listeners, l)
			if k < 2 {
				r.speakers[2*i+k] = &speaker{listener: l, id: 2*i + k}
			}
		}
	}
}

// watch takes samples until quit.
func (r *run) watch() {
	tick := time.NewTicker(r.sampled)
	defer tick.Stop()
	for {
		select {
		case <-r.quit:
			return
		case <-tick.C:
			r.samples = append(r.samples, take(r.began))
		}
	}
}

// report compares counts with what was done, and says how it went.
func (r *run) report(t *testing.T) {
	all := newTally()
	var said, local, remote int64
	var slowest time.Duration
	for _, in := range r.instances {
		for _, line := range in.counts().differences(in.wanted()) {
			t.Errorf("%s: %s", in.name, line)
		}
		r.account(t, in)
		all.merge(in.want)
		all.merge(in.done)
		said += in.said.Load()
	}
	for _, s := range r.speakers {
		slowest = max(slowest, s.slowest)
	}
	for _, l := range r.listeners {
		for id, tr := range l.heard {
			if tr.local {
				local += tr.count.Load()
			} else {
				remote += tr.count.Load()
			}
			if tr.local && tr.count.Load() != r.speakers[id].said.Load() {
				t.Errorf("%s has heard %d of %d of its own instance", l.name, tr.count.Load(), r.speakers[id].said.Load())
			}
		}
	}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, "  "+format+"\n", args...) }
	line("%8d events of clients, %d of them acknowledged, the slowest after %v", all.get("events in"), all.get("acknowledged"), slowest.Round(time.Millisecond))
	line("%8d broadcasts; %d deliveries on the same instance, all of them; %d on the other one", said, local, remote)
	line("%8d questions to clients, all answered", all.get("acks asked"))
	line("%8d panics of handlers; %d clients refused by middleware, %d requests by protocol version", all.get("panics"), all.get("refused by middleware"), all.get("refused: protocol_version"))
	line("%8d upgrades, and %d abandoned; %d clients in storms", all.get("upgrades"), all.get("upgrades failed"), all.get("upgrade storm clients"))
	line("%8d clients that came and went, %d of them vanished; %d connections in all", all.get("churned clients"), all.get("closed: ping timeout"), all.get("opened"))
	line("%8d clients that did not read: %d let go, %d events dropped for the others", all.get("slow readers"), all.get("closed: slow consumer"), all.get("queue dropped"))
	line("%8d times Redis was away", len(r.plan))
	for _, x := range r.lostTo {
		line("%8d of %d lost from %s: %d dropped, up to %d unanswered, up to %d taken by Redis and lost with it; it has connected %d times",
			x.lost, x.said, x.link, x.dropped, x.unanswered, x.taken, x.connects)
	}
	for _, text := range growth(t, r.samples, r.length, r.warm, r.judges) {
		line("%s", text)
	}
	t.Logf("in %v:\n%s", r.length, &b)
}
