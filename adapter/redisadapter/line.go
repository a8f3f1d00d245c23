package redisadapter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
)

var (
	errClosed  = errors.New("redisadapter: closed")
	errSilent  = errors.New("redisadapter: Redis does not answer")
	errNotYet  = errors.New("redisadapter: not connected yet")
	errStolen  = errors.New("redisadapter: a subscription has ended")
	errGone    = errors.New("redisadapter: they are gone")
	errUnheard = errors.New("redisadapter: subscriptions are not confirmed")
)

// How long is waited between attempts to connect, maxPause at most: an instance is
// back within a second of Redis, as long as others wait for it before they publish
// (together). Where only somebody's doing helps it is longer.
const (
	minPause    = 50 * time.Millisecond
	maxPause    = 800 * time.Millisecond
	listenLimit = 4 * time.Second
	writeLimit  = time.Second
	flushLimit  = time.Second // of Close
)

// A line is the connection to Redis that the namespaces of an instance share.
// One goroutine listens and one publishes; a third, beside each connection that
// listens, asks for subscriptions and pings.
//
// What is to be heard is a state, not a series of commands: after each connect
// all of it is asked for, and the line is up when all of it is confirmed. What is
// wanted later is not waited for: rooms may come faster than Redis confirms them.
type line struct {
	cluster *Cluster
	config  *config
	driver  link.Driver
	log     *slog.Logger
	queue   *queue

	ctx     context.Context
	cancel  context.CancelFunc
	done    sync.WaitGroup
	changed chan struct{} // routes have; has room for one
	heard   atomic.Bool   // something, since the last ping
	flushed chan struct{} // closed when the publisher has ended
	closing chan struct{} // closed when it should
	states  serial[func()]

	mu       sync.RWMutex
	routes   map[link.Sub]*route
	dropped  map[link.Sub]*route // to be unsubscribed, or not confirmed to be
	todo     []link.Sub          // what to look at in the two
	leaving  map[link.Sub]int    // unsubscriptions that are not confirmed
	waiting  int                 // routes whose confirmation is waited for before the line is up
	live     bool                // there is a connection
	up       bool
	upSince  time.Time
	connects int       // how often it was up
	since    time.Time // when the present state began, for logs
	told     bool      // that it is not up
	err      error     // why it is not up
	failing  error     // of the last batch to be published
}

// A route is a subscription and whom it is for. Guarded by line.mu.
type route struct {
	node    *node
	asked   int  // the tick of attend at which it was asked for; 0: it was not
	on      bool // confirmed
	awaited bool // the line is not up before it is confirmed
}

func newLine(c *Cluster, log *slog.Logger) *line {
	ctx, cancel := context.WithCancel(context.Background())
	l := &line{
		cluster: c, config: c.config, driver: c.open(), log: log, ctx: ctx, cancel: cancel,
		changed: make(chan struct{}, 1), flushed: make(chan struct{}), closing: make(chan struct{}),
		routes: make(map[link.Sub]*route), dropped: make(map[link.Sub]*route),
		leaving: make(map[link.Sub]int),
		since:   time.Now(), err: errNotYet,
	}
	l.queue = newQueue(c.config.maxQueue, c.config.maxQueueBytes, func(n int) { c.counts.dropped.Add(uint64(n)) })
	l.states = serial[func()]{do: func(f func()) { f() }, max: 16, maxBytes: 1, overflow: func() {}}
	l.done.Go(l.supervise)
	l.done.Go(l.publish)
	return l
}

// close gives what waits to be published a moment, and ends the line.
func (l *line) close() {
	close(l.closing)
	select {
	case <-l.flushed:
	case <-time.After(flushLimit):
	}
	l.cancel()
	l.done.Wait()
	l.queue.close()
	select {
	case <-l.states.close():
	case <-time.After(closeLimit): // the application may be closing from there
	}
	if err := l.driver.Close(); err != nil {
		l.log.Debug("closing the connection to Redis", "error", err)
	}
}

func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// add wants subscriptions for a node.
func (l *line) add(n *node, subs ...link.Sub) {
	l.mu.Lock()
	for _, s := range subs {
		if l.routes[s] != nil || n.ctx.Err() != nil { // see leave
			continue
		}
		r := l.dropped[s]
		if r == nil {
			r = &route{}
		}
		delete(l.dropped, s)
		r.node = n
		l.routes[s] = r
		if r.awaited = !r.on && l.live && l.connects == 0; r.awaited {
			l.waiting++ // an instance that begins is up when it hears what it began with
		}
		l.todo = append(l.todo, s)
	}
	l.mu.Unlock()
	notify(l.changed)
}

// remove wants subscriptions no more.
func (l *line) remove(subs ...link.Sub) {
	l.mu.Lock()
	for _, s := range subs {
		r := l.routes[s]
		if r == nil {
			continue
		}
		delete(l.routes, s)
		if r.awaited {
			r.awaited = false
			l.waiting--
		}
		if r.asked > 0 {
			l.dropped[s] = r
			l.todo = append(l.todo, s)
		}
	}
	l.check()
	l.mu.Unlock()
	notify(l.changed)
}

// leave wants nothing more for a node, whose context has ended.
func (l *line) leave(n *node) {
	l.mu.Lock()
	var subs []link.Sub
	for s, r := range l.routes {
		if r.node == n {
			subs = append(subs, s)
		}
	}
	l.mu.Unlock()
	l.remove(subs...)
}

// on reports whether a subscription is in force.
func (l *line) on(s link.Sub) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	r := l.routes[s]
	return r != nil && r.on
}

// settled reports whether all that is wanted is in force, and nothing else.
func (l *line) settled() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, r := range l.routes {
		if !r.on {
			return false
		}
	}
	return l.up && len(l.dropped) == 0 && len(l.leaving) == 0
}

func (l *line) isUp() bool {
	up, _ := l.state()
	return up
}

func (l *line) state() (bool, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if !l.up {
		return false, l.err
	}
	return l.failing == nil, l.failing
}

// listening reports whether the line is up as far as hearing goes, since when,
// and whether it has been before.
func (l *line) listening() (since time.Time, again bool, err error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if !l.up {
		return time.Time{}, l.connects > 1, l.err
	}
	return l.upSince, l.connects > 1, nil
}

// check sees whether the line is up now. The caller holds mu.
func (l *line) check() {
	if l.up || !l.live || l.waiting > 0 {
		return
	}
	l.up, l.err, l.upSince = true, nil, time.Now()
	l.connects++
	l.cluster.counts.connects.Add(1)
	l.tell(true, nil, "connected to the other instances", slog.Duration("after", time.Since(l.since).Round(time.Millisecond)), slog.Int("connects", l.connects))
	l.since, l.told = time.Now(), false
	notify(l.queue.wake)
}

// tell logs the state, and calls the application: without the lock that the caller
// holds, since a log may be the application's too.
func (l *line) tell(up bool, err error, line string, attrs ...slog.Attr) {
	level := slog.LevelInfo
	if !up {
		level, attrs = slog.LevelWarn, append(attrs, slog.Any("error", err))
	}
	l.states.push(func() {
		l.log.LogAttrs(context.Background(), level, line, attrs...)
		if f := l.config.onState; f != nil {
			f(up, err)
		}
	}, 0)
}

// lost is what there is to do when a connection is, or cannot be made.
func (l *line) lost(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up {
		l.since = time.Now()
		l.told = l.failing != nil // as what cannot be published to
	}
	l.live, l.up, l.err, l.failing = false, false, err, nil
	l.waiting = 0
	clear(l.dropped)
	clear(l.leaving)
	l.todo = nil // the next connection begins with all
	for _, r := range l.routes {
		r.asked, r.on, r.awaited = 0, false, false
	}
	if l.told || l.ctx.Err() != nil {
		return
	}
	l.told = true
	l.tell(false, err, "not connected to the other instances; own clients are served")
}

// supervise keeps a connection that listens.
func (l *line) supervise() {
	pause := minPause
	for l.ctx.Err() == nil {
		was := time.Now()
		err := l.session()
		l.lost(err)
		if time.Since(was) > listenLimit {
			pause = minPause // it was a connection, for a while
		}
		wait := pause/2 + rand.N(pause/2) //nolint:gosec // no secret
		pause = min(2*pause, maxPause)
		if errors.Is(err, link.ErrRefused) {
			wait = l.config.refusedPause/2 + rand.N(l.config.refusedPause) //nolint:gosec // no secret
		}
		select {
		case <-time.After(wait):
		case <-l.ctx.Done():
		}
	}
}

// session makes a connection and listens until it is lost.
func (l *line) session() error {
	ctx, cancel := context.WithTimeout(l.ctx, listenLimit)
	x, err := l.driver.Listen(ctx)
	cancel()
	if err != nil {
		return fmt.Errorf("redisadapter: connect: %w", err)
	}
	l.mu.Lock()
	l.live = true
	l.waiting = len(l.routes)
	for _, r := range l.routes {
		r.awaited = true
	}
	l.todo = slices.AppendSeq(l.todo[:0], maps.Keys(l.routes))
	l.mu.Unlock()
	l.heard.Store(true)

	ctx, stop := context.WithCancelCause(l.ctx)
	var beside sync.WaitGroup
	beside.Go(func() {
		stop(l.attend(ctx, x))
		_ = x.Close() // ends Receive
	})
	stop(l.listen(ctx, x))
	beside.Wait()
	return context.Cause(ctx)
}

// listen hands on what comes.
func (l *line) listen(ctx context.Context, x link.Listener) error {
	for {
		e, err := x.Receive(ctx)
		if err != nil {
			return fmt.Errorf("redisadapter: %w", err)
		}
		l.heard.Store(true)
		switch e.Type {
		case link.Message:
			if n := l.hearer(e.Sub); n != nil {
				n.push(e)
			}
		case link.Subscribed:
			l.confirm(e.Sub)
		case link.Unsubscribed:
			if l.ended(e.Sub) {
				return errStolen
			}
		case link.Pong:
		}
	}
}

// hearer is the node that a subscription is for; nil: it is not wanted any more.
func (l *line) hearer(s link.Sub) *node {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if r := l.routes[s]; r != nil {
		return r.node
	}
	return nil
}

func (l *line) confirm(s link.Sub) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaving[s] > 0 {
		return // of a subscription that has been given up, and then wanted again
	}
	if r := l.dropped[s]; r != nil {
		r.on = true // it may be wanted again before it is unsubscribed
	} else if r := l.routes[s]; r != nil && r.asked > 0 && !r.on {
		r.on = true
		if r.awaited {
			r.awaited = false
			l.waiting--
			l.check()
		}
	}
}

// ended reports whether a subscription has ended that is wanted: that Redis has
// ended it, since its slot is elsewhere now.
func (l *line) ended(s link.Sub) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaving[s] > 0 {
		if l.leaving[s]--; l.leaving[s] == 0 {
			delete(l.leaving, s)
			if r := l.dropped[s]; r != nil && r.asked == 0 {
				delete(l.dropped, s)
			}
		}
		return false
	}
	return l.routes[s] != nil
}
