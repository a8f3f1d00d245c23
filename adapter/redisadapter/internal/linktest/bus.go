// Package linktest is Redis in memory, for tests of what stands on it: it
// publishes to the connections that listen, and can be slow or gone.
package linktest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
)

// A Bus is what several drivers share. The zero value is ready.
type Bus struct {
	// Delay says how long a message to a connection takes; nil: no time. On one
	// channel it has to be the same always, so that messages keep their order there.
	Delay func(channel string) time.Duration
	// Lag is how long the confirmation of a subscription takes.
	Lag time.Duration
	// Mute says for which subscriptions there is none; nil: none.
	Mute func(link.Sub) bool

	mu        sync.Mutex
	listeners map[*listener]bool
	down      bool
	frozen    chan struct{} // closed when it is over; nil: it is not frozen
	refused   func(link.Sub) bool
}

var (
	errDown = errors.New("linktest: the bus is down")
	errLost = errors.New("linktest: the connection is lost")
)

// Driver returns a driver of the bus.
func (b *Bus) Driver() link.Driver { return &driver{bus: b} }

// Drop ends all connections. New ones can be made.
func (b *Bus) Drop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for l := range b.listeners {
		l.end()
	}
	b.listeners = nil
}

// Down ends all connections, and lets none be made until Up.
func (b *Bus) Down() {
	b.mu.Lock()
	b.down = true
	b.mu.Unlock()
	b.Drop()
}

// Up ends Down.
func (b *Bus) Up() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.down = false
}

// Freeze keeps the bus from answering anything until Thaw.
func (b *Bus) Freeze() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.frozen = make(chan struct{})
}

// Thaw ends Freeze.
func (b *Bus) Thaw() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.frozen != nil {
		close(b.frozen)
		b.frozen = nil
	}
}

// Refuse has subscriptions refused as an ACL does; nil: none.
func (b *Bus) Refuse(f func(link.Sub) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused = f
}

// Listeners is the number of connections.
func (b *Bus) Listeners() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.listeners)
}

// Inject publishes a message as somebody else.
func (b *Bus) Inject(channel, payload string, shard bool) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.publish(link.Outgoing{Channel: channel, Payload: []byte(payload), Shard: shard})
}

// wait is for the bus to be awake. The caller holds mu, and does again.
func (b *Bus) wait(ctx context.Context) error {
	for b.frozen != nil {
		thawed := b.frozen
		b.mu.Unlock()
		select {
		case <-thawed:
		case <-ctx.Done():
		}
		b.mu.Lock()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if b.down {
		return errDown
	}
	return nil
}

func (b *Bus) publish(m link.Outgoing) (receivers int) {
	for l := range b.listeners {
		for sub := range l.subs {
			hit := sub.Name == m.Channel
			if sub.Kind == link.Pattern {
				hit = match(sub.Name, m.Channel)
			}
			if !hit || (sub.Kind == link.Shard) != m.Shard {
				continue
			}
			var delay time.Duration
			if b.Delay != nil {
				delay = b.Delay(m.Channel)
			}
			l.push(link.Event{Type: link.Message, Sub: sub, Channel: m.Channel, Payload: string(m.Payload)}, delay)
			receivers++
		}
	}
	return receivers
}

// match matches a pattern whose only special character is the star at its end.
func match(pattern, channel string) bool {
	prefix, ok := strings.CutSuffix(pattern, "*")
	return ok && strings.HasPrefix(channel, strings.ReplaceAll(prefix, `\`, ""))
}

type driver struct{ bus *Bus }

func (d *driver) Listen(ctx context.Context) (link.Listener, error) {
	b := d.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.wait(ctx); err != nil {
		return nil, err
	}
	l := &listener{bus: b, subs: make(map[link.Sub]bool), news: make(chan struct{}, 1), done: make(chan struct{})}
	if b.listeners == nil {
		b.listeners = make(map[*listener]bool)
	}
	b.listeners[l] = true
	return l, nil
}

func (d *driver) Publish(ctx context.Context, batch []link.Outgoing) ([]link.Outcome, error) {
	b := d.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	outcomes := make([]link.Outcome, len(batch))
	if err := b.wait(ctx); err != nil {
		for i := range outcomes {
			outcomes[i] = link.Unsent
			if !errors.Is(err, errDown) {
				outcomes[i] = link.Unanswered
			}
		}
		return outcomes, err
	}
	for i, m := range batch {
		outcomes[i] = link.Outcome(b.publish(m))
	}
	return outcomes, nil
}

func (d *driver) NumSub(ctx context.Context, sub link.Sub) (n int, err error) {
	b := d.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.wait(ctx); err != nil {
		return 0, err
	}
	for l := range b.listeners {
		if l.subs[sub] {
			n++
		}
	}
	return n, nil
}

func (d *driver) Close() error { return nil }

// A listener is a connection. What it is to receive is guarded by the bus's lock.
type listener struct {
	bus  *Bus
	subs map[link.Sub]bool
	news chan struct{}
	done chan struct{} // closed by end

	mu    sync.Mutex
	queue []item
	ended bool
}

type item struct {
	due   time.Time
	event link.Event
}

func (l *listener) push(e link.Event, delay time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, item{time.Now().Add(delay), e})
	select {
	case l.news <- struct{}{}:
	default:
	}
}

func (l *listener) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.ended {
		l.ended = true
		close(l.done)
	}
}

func (l *listener) change(ctx context.Context, to bool, subs []link.Sub) error {
	b := l.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.wait(ctx); err != nil {
		return err
	}
	if !b.listeners[l] {
		return errLost
	}
	for _, s := range subs {
		if to && b.refused != nil && b.refused(s) {
			delete(b.listeners, l)
			l.end()
			return link.ErrRefused
		}
		e := link.Event{Type: link.Subscribed, Sub: s}
		if to {
			l.subs[s] = true
		} else {
			delete(l.subs, s)
			e.Type = link.Unsubscribed
		}
		if b.Mute == nil || !b.Mute(s) {
			l.push(e, b.Lag)
		}
	}
	return nil
}

func (l *listener) Subscribe(ctx context.Context, subs ...link.Sub) error {
	return l.change(ctx, true, subs)
}

func (l *listener) Unsubscribe(ctx context.Context, subs ...link.Sub) error {
	return l.change(ctx, false, subs)
}

// Ping writes; that nothing answers is for whoever waits to find out.
func (l *listener) Ping(context.Context) error {
	b := l.bus
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.listeners[l] {
		return errLost
	}
	if b.frozen == nil {
		l.push(link.Event{Type: link.Pong}, 0)
	}
	return nil
}

func (l *listener) Receive(ctx context.Context) (link.Event, error) {
	for {
		l.mu.Lock()
		var first *item
		at := 0
		for i := range l.queue {
			if x := &l.queue[i]; first == nil || x.due.Before(first.due) {
				first, at = x, i
			}
		}
		wait := time.Hour
		if first != nil {
			if wait = time.Until(first.due); wait <= 0 {
				e := first.event
				l.queue = append(l.queue[:at], l.queue[at+1:]...)
				l.mu.Unlock()
				return e, nil
			}
		}
		l.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-l.news:
		case <-timer.C:
		case <-l.done:
			timer.Stop()
			return link.Event{}, errLost
		case <-ctx.Done():
			timer.Stop()
			return link.Event{}, ctx.Err()
		}
		timer.Stop()
	}
}

func (l *listener) Close() error {
	l.bus.mu.Lock()
	delete(l.bus.listeners, l)
	l.bus.mu.Unlock()
	l.end()
	return nil
}
