package redisadapter

import (
	"crypto/rand"
	"encoding/base64"
	"sync"

	"github.com/redis/go-redis/v9"
	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
)

// A Cluster is an instance's place among the others: what all its namespaces
// have in common. It is safe for concurrent use.
//
// It connects when the first adapter is made and disconnects when the last one
// is closed, so it needs no closing of its own. Two servers in one process need
// two: every instance is counted by a connection of its own.
type Cluster struct {
	config *config
	open   func() link.Driver
	form   form
	counts counters

	mu    sync.Mutex
	users int
	line  *line // nil without users
}

// NewPubSub returns a cluster over Redis' ordinary pub/sub, as Node's createAdapter
// makes one: every instance hears every broadcast. It takes any client of one
// server, of Sentinel or of a Cluster, and opens connections of its own with that
// client's settings; the client itself stays the caller's.
func NewPubSub(rdb redis.UniversalClient, opts ...Option) *Cluster {
	c := newConfig(opts)
	return newCluster(func() link.Driver { return link.NewRedis(rdb) }, classic{prefix: c.prefix}, c)
}

// PubSub is the adapter of [NewPubSub], for a server that does not ask for its
// [Stats].
func PubSub(rdb redis.UniversalClient, opts ...Option) adapter.Factory {
	return NewPubSub(rdb, opts...).Adapter
}

func newCluster(open func() link.Driver, f form, c *config) *Cluster {
	return &Cluster{config: c, open: open, form: f}
}

// Adapter makes the adapter of a namespace: it is an [adapter.Factory]. A
// namespace has one adapter at a time.
func (c *Cluster) Adapter(h adapter.Host) adapter.Adapter {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line == nil {
		logger := c.config.logger
		if logger == nil {
			logger = h.Logger()
		}
		c.line = newLine(c, logger)
	}
	c.users++
	return newNode(c, c.line, h)
}

// leave is for an adapter that is closed.
func (c *Cluster) leave() {
	c.mu.Lock()
	c.users--
	var last *line
	if c.users == 0 {
		last, c.line = c.line, nil
	}
	c.mu.Unlock()
	if last != nil {
		last.close()
	}
}

// Stats returns the counts, and the state at the time of the call.
func (c *Cluster) Stats() Stats {
	s := c.counts.stats()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line != nil {
		s.Up, s.Queued = c.line.isUp(), c.line.queue.len()
	}
	return s
}

// Up reports whether the instance hears the others, and they hear it; and if not
// why not, as far as is known.
func (c *Cluster) Up() (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line == nil {
		return false, errClosed
	}
	return c.line.state()
}

// newID returns an id that nothing else has: 16 random bytes.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
