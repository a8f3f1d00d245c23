package redisstore

import (
	"context"
	"sync"
	"time"
)

// A gate is what calls pass on their way to Redis. It is shut while what Redis
// has is compared with what there is, so that neither changes meanwhile; that
// happens before the first call, and after one of which it is not known what has
// become. Safe for concurrent use.
type gate struct {
	mu      sync.Mutex
	epoch   string        // "" before the first one
	calls   int           // on their way
	idle    chan struct{} // closed when there are none; nil: nobody waits for it
	syncing chan struct{} // closed when the gate opens; nil: it is open
	lost    *losses
	whole   bool      // anything may be lost
	down    error     // why the last sync failed
	retryAt time.Time // when the next one may be
	closed  bool
}

// losses are what is not known to be in Redis as it should.
type losses struct {
	sockets map[string]struct{}
	posts   []post
}

// A post is a message that was answered with an error. It must not be found.
type post struct{ room, id, receipt string }

// mostPosts bounds how many posts are to be undone. Only so many can be under way.
const mostPosts = 10_000

func newLosses() *losses { return &losses{sockets: make(map[string]struct{})} }

func (l *losses) add(m *losses) {
	for id := range m.sockets {
		l.sockets[id] = struct{}{}
	}
	l.posts = append(l.posts, m.posts[:min(len(m.posts), mostPosts-len(l.posts))]...)
}

// dirty reports whether calls must wait for a sync. The caller holds mu.
func (g *gate) dirty() bool { return g.whole || len(g.lost.sockets) > 0 || len(g.lost.posts) > 0 }

func (g *gate) clean() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.dirty() && g.down == nil
}

// enter waits for the gate, and returns the epoch. Whoever is let in calls exit.
// start is called, once for all who wait, to begin a sync.
func (g *gate) enter(ctx context.Context, start func()) (epoch string, err error) {
	for {
		g.mu.Lock()
		switch {
		case g.closed:
			g.mu.Unlock()
			return "", ErrClosed
		case g.syncing == nil && !g.dirty():
			g.calls++
			epoch = g.epoch
			g.mu.Unlock()
			return epoch, nil
		case g.syncing == nil && g.down != nil && time.Now().Before(g.retryAt):
			err = g.down
			g.mu.Unlock()
			return "", err
		case g.syncing == nil:
			g.syncing, g.idle = make(chan struct{}), make(chan struct{})
			if g.calls == 0 {
				close(g.idle)
			}
			start()
		}
		open := g.syncing
		g.mu.Unlock()
		select {
		case <-open:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

// exit ends a call. What it has lost is noted before anyone else is let in.
func (g *gate) exit(lost *losses, whole bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.whole = g.whole || whole
	if lost != nil {
		g.lost.add(lost)
	}
	if g.calls--; g.calls == 0 && g.syncing != nil {
		close(g.idle)
	}
}

// lose notes that Redis does not know of a socket.
func (g *gate) lose(socket string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lost.sockets[socket] = struct{}{}
}

// shut waits until no call is on its way, and returns what is to be seen to.
func (g *gate) shut() (epoch string, lost *losses, whole bool) {
	g.mu.Lock()
	idle := g.idle
	g.mu.Unlock()
	<-idle // calls have a deadline
	g.mu.Lock()
	defer g.mu.Unlock()
	lost, whole = g.lost, g.whole
	g.lost, g.whole = newLosses(), false
	return g.epoch, lost, whole
}

// open ends a sync. With an error all that was to be seen to still is.
func (g *gate) open(epoch string, lost *losses, whole bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.epoch, g.down = epoch, err
	if err != nil {
		g.whole = g.whole || whole
		g.lost.add(lost)
		g.retryAt = time.Now().Add(retryAfter)
	}
	close(g.syncing)
	g.syncing, g.idle = nil, nil
}

// close lets nobody in any more.
func (g *gate) close() (epoch string, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	first = !g.closed
	g.closed = true
	return g.epoch, first
}
