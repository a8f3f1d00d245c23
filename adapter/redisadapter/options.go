package redisadapter

import (
	"log/slog"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
)

// An Option changes a default.
type Option func(*config)

type config struct {
	prefix         string
	mode           Mode
	requestTimeout time.Duration
	publishTimeout time.Duration
	maxAge         time.Duration
	maxQueue       int
	maxQueueBytes  int
	maxMessage     int
	onState        func(up bool, err error)
	logger         *slog.Logger
	handshake      func(*adapter.Handshake)

	// Of the connection that listens.
	pingEvery time.Duration
	silences  int // pings without anything heard after which it is given up
	// refusedPause is how long is waited, about, after Redis has refused: only
	// somebody's doing helps then.
	refusedPause time.Duration
}

func newConfig(opts []Option) *config {
	c := &config{
		prefix:         "socket.io",
		mode:           Dynamic,
		requestTimeout: 5 * time.Second,
		publishTimeout: time.Second,
		maxAge:         2 * time.Second,
		maxQueue:       64 << 10,
		maxQueueBytes:  32 << 20,
		maxMessage:     16 << 20,
		pingEvery:      2 * time.Second,
		silences:       3,
		refusedPause:   4 * time.Second,
	}
	for _, o := range opts {
		o(c)
	}
	return c
}

// WithPrefix sets what all channels begin with: the key of Node's adapter and
// emitter. Members of a cluster have the same; applications that share a Redis
// have different ones, whatever database they select. Default "socket.io".
func WithPrefix(prefix string) Option { return func(c *config) { c.prefix = prefix } }

// WithRequestTimeout sets how long other instances' answers are waited for, where
// the context does not end earlier. Default 5 s.
func WithRequestTimeout(d time.Duration) Option {
	return func(c *config) { c.requestTimeout = positive(d, c.requestTimeout) }
}

// WithMaxAge sets how long something waits to be published while Redis is away.
// It should be short: what is older reaches clients as if it had just happened.
// Default 2 s.
func WithMaxAge(d time.Duration) Option {
	return func(c *config) { c.maxAge = positive(d, c.maxAge) }
}

// WithQueue bounds what waits to be published, in messages and bytes. Over it the
// oldest is dropped. Default 65,536 messages or 32 MiB.
func WithQueue(messages, bytes int) Option {
	return func(c *config) {
		c.maxQueue, c.maxQueueBytes = positive(messages, c.maxQueue), positive(bytes, c.maxQueueBytes)
	}
}

// WithMaxMessage bounds a message, in bytes: a larger one is not published, and
// ignored when it comes from another. A request of this instance over it is an error;
// an answer over it is missing where it is waited for, once the time is up, and the log
// here says so: the description of an instance's sockets is one message. Default 16 MiB.
func WithMaxMessage(bytes int) Option {
	return func(c *config) { c.maxMessage = positive(bytes, c.maxMessage) }
}

// WithOnState has f called whenever the connection to the other instances is made
// or lost, with the reason for the latter, one call at a time. It does not block.
func WithOnState(f func(up bool, err error)) Option { return func(c *config) { c.onState = f } }

// WithHandshake has f called with each socket's handshake before another instance
// is told of it, which FetchSockets there does: f removes what others need not
// know, cookies and tokens say. It may be called concurrently. By default all is
// told, as Node's adapter does.
func WithHandshake(f func(*adapter.Handshake)) Option {
	return func(c *config) { c.handshake = f }
}

// WithLogger sets the logger for faults of the connection. Default: that of the
// first namespace.
func WithLogger(l *slog.Logger) Option { return func(c *config) { c.logger = l } }

func positive[T int | time.Duration](v, otherwise T) T {
	if v <= 0 {
		return otherwise
	}
	return v
}
