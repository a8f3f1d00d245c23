package bench

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A run is one load, from its first connection to its last.
type run struct {
	// Static after construction.
	opts      *Options
	number    uint32
	begun     time.Time
	prefix    []byte // "/chat,", empty for the namespace /
	mark      []byte // of the run's stamps
	expect    []byte // what an event of the load begins with
	joinHead  []byte
	eventHead []byte
	join      *template
	payload   *template
	dialer    *dialer
	meter     meter // nil: the server's cost is not known

	recorder  *recorder
	generator *generator
	refusals  tally // events that the server answered with an error
	failures  tally // connections that did not come about
	drops     tally // connections that ended by themselves

	stage     atomic.Pointer[stage]
	connected atomic.Int64
	leaving   atomic.Bool   // connections end because they are to
	over      chan struct{} // closed when nothing more is waited for
	readers   sync.WaitGroup

	senders atomic.Pointer[[]*sender] // nil before there are any
}

// now is the time since the run's start.
func (r *run) now() time.Duration { return time.Since(r.begun) }

// newRun checks the options.
func newRun(opts *Options) (*run, error) {
	if err := opts.check(); err != nil {
		return nil, err
	}
	r := &run{
		opts: opts, number: rand.Uint32(), begun: time.Now(), //nolint:gosec // it is to differ from other runs', no more
		dialer:   &dialer{opts: opts},
		meter:    newMeter(opts),
		recorder: newRecorder(), generator: newGenerator(),
		over: make(chan struct{}),
	}
	if opts.Namespace != "/" {
		r.prefix = []byte(opts.Namespace + ",")
	}
	r.mark = mark(r.number)
	var err error
	if r.join, err = parseTemplate("join-payload", opts.JoinPayload); err != nil {
		return nil, err
	}
	if r.payload, err = parseTemplate("payload", opts.Payload); err != nil {
		return nil, err
	}
	if opts.Load.sends() && opts.Load != Acks && !r.payload.has("data") {
		return nil, optionError("payload", "has no {{data}} in it, by which the receivers know an event")
	}
	if opts.JoinAck {
		r.joinHead = []byte("0") // the acknowledgement's number, joinAck
	}
	r.joinHead = append(r.joinHead, head(opts.Join, opts.JoinPayload)...)
	r.eventHead = head(opts.Event, opts.Payload)
	r.expect = head(opts.Expect, "…")
	return r, nil
}

// head is how an event begins, with a comma if there are arguments.
func head(event, arguments string) []byte {
	name, _ := json.Marshal(event) //nolint:errchkjson // of a string it does not fail
	b := append([]byte("["), name...)
	if arguments != "" {
		b = append(b, ',')
	}
	return b
}

// check refuses what makes no sense.
func (o *Options) check() error {
	switch {
	case len(o.Targets) == 0:
		return optionError("url", "is missing")
	case !slices.Contains(Loads, o.Load):
		return optionError("load", "%q is none; use one of %v", o.Load, Loads)
	case !slices.Contains(Transports, o.Transport):
		return optionError("transport", "%q is none; use one of %v", o.Transport, Transports)
	case o.Duration <= 0:
		return optionError("duration", "is to be more than nothing")
	case o.Timeout <= 0:
		return optionError("timeout", "is to be more than nothing")
	case o.From < 0 || o.From >= max(1, o.Connections):
		return optionError("from", "is to be less than there are connections")
	}
	return cmp.Or(o.checkLoad(), o.checkFiles())
}

func (o *Options) checkLoad() error {
	switch {
	case o.Connections < 1:
		return optionError("connections", "is to be at least 1")
	case o.Load == Broadcast && o.Senders < 1:
		return optionError("senders", "is to be at least 1")
	case o.Load == Broadcast && o.Rooms < 1:
		return optionError("rooms", "is to be at least 1")
	case o.Size < MinSize:
		return optionError("size", "is to be at least %d: that much says whose event it is, and when it was sent", MinSize)
	case o.Load == Flood && o.Rate > 0:
		return optionError("rate", "makes no sense for a flood, which has none; use the load echo")
	case o.Load.sends() && o.Event == "":
		return optionError("event", "is empty")
	}
	return nil
}

// checkFiles refuses more connections than the system allows.
func (o *Options) checkFiles() error {
	needs := o.Connections + 64
	if o.Transport != WebSocket {
		needs += o.Connections
	}
	if limit := openFiles(); limit > 0 && uint64(needs) > limit {
		return optionError("connections", "%d need %d open files, and this process may have %d; raise the limit (ulimit -n), or run several on several machines", o.Connections, needs, limit)
	}
	return nil
}

// A stage is what a run is at.
type stage struct {
	name  string
	since time.Duration
	lasts time.Duration // 0: until it is done
}

// The stages that others know.
const (
	sending = "sending"
	idle    = "idle"
	closing = "closing"
)

func (r *run) enter(name string, lasts time.Duration) {
	r.stage.Store(&stage{name, r.now(), lasts})
}

// Run puts the load on the server, and returns when all connections are closed. A run
// that ctx ends has a report of what there was until then. An error is that there
// could be no run at all: an [*OptionError], or no server that takes a connection.
func Run(ctx context.Context, opts Options) (*Report, error) {
	r, err := newRun(&opts)
	if err != nil {
		return nil, err
	}
	if closer, ok := r.meter.(*exporters); ok {
		defer closer.close()
	}
	r.enter("asking the server", 0)
	for i, target := range opts.Targets {
		if i == opts.Connections {
			break
		}
		if err := r.probe(ctx, i); err != nil {
			return nil, fmt.Errorf("%s: %w", target.Redacted(), err)
		}
	}
	m := &measurement{run: r, total: newHistogram()}
	if err := m.mark(ctx, &m.before); err != nil {
		return nil, err
	}
	watching, stop := context.WithCancel(context.WithoutCancel(ctx))
	var aside sync.WaitGroup
	aside.Go(func() { r.generator.watch(watching) })
	aside.Go(func() { m.sample(watching) })
	clients := r.connectAll(ctx, m)
	r.settle(ctx, "settling")
	m.check(m.mark(ctx, &m.connected))
	if opts.Load.sends() && len(clients) > 0 && ctx.Err() == nil {
		r.traffic(ctx, m, clients)
	} else if opts.Load == Idle {
		r.enter(idle, opts.Duration)
		pause(ctx, opts.Duration)
	}
	if m.after.at == 0 {
		m.check(m.mark(ctx, &m.after))
	}
	m.interrupted = ctx.Err() != nil
	r.enter(closing, 0)
	r.closeAll(clients)
	stop()
	aside.Wait()
	return m.report(), nil
}

// probe connects one client and lets it go, so that a server that takes none is an
// error, not a run.
func (r *run) probe(ctx context.Context, id int) error {
	ctx, cancel := context.WithTimeout(ctx, r.opts.Timeout)
	defer cancel()
	c, err := r.connect(ctx, id)
	if err != nil {
		return err
	}
	r.say(c)
	c.link.close()
	return nil
}

// connectAll connects the clients and returns those that are.
func (r *run) connectAll(ctx context.Context, m *measurement) []*client {
	r.enter("connecting", 0)
	ctx, giveUp := context.WithCancel(ctx)
	defer giveUp()
	var (
		clients  = make([]*client, r.opts.Connections)
		dialing  = make(chan struct{}, cmp.Or(r.opts.Dialing, r.opts.Connections))
		watchdog = time.AfterFunc(r.opts.Timeout, giveUp) // a whole timeout without a connection
		start    = r.now()
		waiting  sync.WaitGroup
	)
	defer watchdog.Stop()
	for i := range clients {
		if i == r.opts.From && i > 0 {
			waiting.Wait()
			r.settle(ctx, "connecting")
			m.check(m.mark(ctx, &m.from))
			m.fromCount = int(r.connected.Load())
		}
		due := r.now()
		if r.opts.ConnectRate > 0 {
			due = start + time.Duration(float64(i)/r.opts.ConnectRate*float64(time.Second))
			watchdog.Reset(r.opts.Timeout + due - r.now())
			pause(ctx, due-r.now())
		}
		select {
		case dialing <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			waiting.Wait()
			break
		}
		if r.opts.ConnectRate <= 0 {
			due = r.now()
		}
		m.attempted++
		waiting.Go(func() {
			defer func() { <-dialing }()
			one, cancel := context.WithTimeout(ctx, r.opts.Timeout)
			defer cancel()
			c, err := r.connect(one, i)
			if err != nil {
				r.failures.add(err.Error())
				return
			}
			m.opened(r.now() - due)
			watchdog.Reset(r.opts.Timeout)
			r.connected.Add(1)
			clients[i] = c
			r.readers.Go(func() { r.read(c) })
		})
	}
	waiting.Wait()
	m.connecting = r.now() - start
	return slices.DeleteFunc(clients, func(c *client) bool { return c == nil })
}

func (r *run) read(c *client) {
	err := c.read()
	r.connected.Add(-1)
	if !r.leaving.Load() {
		r.drops.add(err.Error())
	}
}

// settle waits until the server has done what connecting left it to do.
func (r *run) settle(ctx context.Context, name string) {
	r.enter(name, r.opts.Settle)
	pause(ctx, r.opts.Settle)
}

// How long a run waits once all is sent.
const (
	quiet = 5 * time.Second        // without anything coming
	grace = 100 * time.Millisecond // when all has come: for what comes twice
	short = time.Second            // when it is interrupted
)

// traffic sends, and waits for what comes of it.
func (r *run) traffic(ctx context.Context, m *measurement, clients []*client) {
	r.generator.restart()
	m.start = r.now()
	senders := r.schedule(clients)
	r.senders.Store(&senders)
	r.enter(sending, r.opts.Duration)
	var writers sync.WaitGroup
	for _, s := range senders {
		writers.Go(func() { s.send(ctx) })
	}
	sent := make(chan struct{})
	go func() {
		writers.Wait()
		close(sent)
	}()
	// A sender may be stuck in a connection that takes nothing, and ends with it.
	stuck := time.NewTimer(r.opts.Duration + r.opts.Timeout)
	defer stuck.Stop()
	interrupted := ctx.Done()
	for waiting := true; waiting; {
		select {
		case <-sent:
			waiting = false
		case <-stuck.C:
			waiting = false
		case <-interrupted:
			interrupted = nil
			stuck.Reset(short)
		}
	}
	members := map[int]int64{}
	for _, c := range clients {
		members[r.opts.room(c.id)]++
	}
	r.drain(ctx, func() (expected int64) {
		for _, s := range senders {
			if r.opts.Load == Broadcast {
				expected += s.sent.Load() * members[r.opts.room(s.id)]
			} else {
				expected += s.sent.Load()
			}
		}
		m.expected = expected
		return expected
	})
	m.check(m.mark(ctx, &m.after))
	if m.end = r.recorder.counts().last; m.end <= m.start {
		m.end = r.now()
	}
	pause(ctx, grace)
	close(r.over)
	if waitsFor(sent, grace) {
		return
	}
	r.leaving.Store(true)
	for _, c := range clients { // to end writes that are stuck
		c.link.close()
	}
	<-sent
}

// waitsFor reports whether a channel is closed in time.
func waitsFor(done <-chan struct{}, atMost time.Duration) bool {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// drain waits until all that is expected has come.
func (r *run) drain(ctx context.Context, expected func() int64) {
	r.enter("waiting for the rest", 0)
	limit := r.opts.Timeout
	if ctx.Err() != nil {
		limit = short
	}
	start := r.now()
	last, since := int64(-1), start
	for r.now()-start < limit && r.now()-since < quiet {
		got := r.recorder.counts().delivered
		if got >= expected() {
			return
		}
		if got > last {
			last, since = got, r.now()
		}
		if !pause(ctx, 2*time.Millisecond) && limit > short {
			limit = short
			start = r.now()
		}
		if ctx.Err() != nil {
			time.Sleep(2 * time.Millisecond)
		}
	}
}

// say tells the server that a client leaves.
func (r *run) say(c *client) {
	c.link.expect(time.Now().Add(short))
	switch l := c.link.(type) {
	case *pollLink:
		_ = l.send([]byte("1")) // it is leaving in any case
	case *wsLink:
		_ = l.conn.SetWriteDeadline(time.Now().Add(short))
		_ = l.write(8, []byte{3, 232}) // 1000, normal
	}
}

// closeAll ends the connections, and waits for the readers.
func (r *run) closeAll(clients []*client) {
	r.leaving.Store(true)
	var ending sync.WaitGroup
	slots := make(chan struct{}, 64)
	late := time.Now().Add(5 * time.Second) // after that, without a word
	for _, c := range clients {
		slots <- struct{}{}
		ending.Go(func() {
			defer func() { <-slots }()
			if time.Now().Before(late) {
				r.say(c)
			}
			c.link.close()
		})
	}
	ending.Wait()
	r.readers.Wait()
}

// pause sleeps, and reports whether it was not interrupted.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
