package server

import (
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/engine"
	"github.com/seed3686fee0/parlor/server/packet"
)

// Defaults of the options that are not the engine's.
const (
	DefaultPath           = "/socket.io/"
	DefaultConnectTimeout = 10 * time.Second
	DefaultAckTimeout     = 10 * time.Second
	DefaultInboxEvents    = 256
	DefaultInboxBytes     = 1 << 20
)

// maxConnect bounds any CONNECT, since its payload is kept for as long as the
// socket is there; and of a connection that no namespace has admitted yet each
// message, and all its CONNECTs together.
const maxConnect = 16 << 10

// Limits bound what one connection may take of the server. A field of zero
// means its default, a negative one no limit.
type Limits struct {
	// Engine has the limits by address and on handshakes.
	Engine engine.Limits
	// NamespacesPerConnection. Default 16.
	NamespacesPerConnection int
	// DynamicNamespaces of the server together. Default 10,000.
	DynamicNamespaces int
	// RoomsPerSocket, beside its own. Default 1,000.
	RoomsPerSocket int
	// RoomName is the length of a room's name in bytes. Default 256.
	RoomName int
	// PendingAcks that the server awaits of a socket. Default 1,000.
	PendingAcks int
	// RefusedConnects is how many times a connection may be refused a
	// namespace without a minute between one and the next; one more closes it.
	// Default 10.
	RefusedConnects int

	// EventsPerSecond that a connection may send, in all its namespaces together:
	// events, CONNECTs, and acknowledgements that nobody waits for. Default: no
	// limit but the pace of its handlers.
	EventsPerSecond float64
	// EventBurst is how many of them may come at once. Default, and where it is
	// negative: two seconds' worth.
	EventBurst int
	// BytesPerSecond of packets that a connection may send, attachments included;
	// a packet larger than the burst has to wait until nothing was sent for a
	// while. Default: no limit.
	BytesPerSecond float64
	// ByteBurst is how many of them may come at once. Default, and where it is
	// negative: two seconds' worth.
	ByteBurst int
	// OverRate is what becomes of a connection that sends more. Default: RateWait.
	OverRate RatePolicy
}

// rated reports whether limits bound how fast a connection sends.
func rated(l *Limits) bool { return l.EventsPerSecond > 0 || l.BytesPerSecond > 0 }

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{
		{&l.NamespacesPerConnection, 16},
		{&l.DynamicNamespaces, 10_000},
		{&l.RoomsPerSocket, 1_000},
		{&l.RoomName, 256},
		{&l.PendingAcks, 1_000},
		{&l.RefusedConnects, 10},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	for _, rate := range []*float64{&l.EventsPerSecond, &l.BytesPerSecond} {
		if math.IsInf(*rate, 1) { // nothing can be reckoned with it
			*rate = -1
		}
	}
	if l.EventBurst <= 0 {
		l.EventBurst = max(1, int(2*l.EventsPerSecond))
	}
	if l.ByteBurst <= 0 {
		l.ByteBurst = max(1, int(2*l.BytesPerSecond))
	}
	return l
}

// over reports whether n is beyond a limit.
func over(n, limit int) bool { return limit >= 0 && n > limit }

type config struct {
	engine         engine.Options
	path           string
	connectTimeout time.Duration
	ackTimeout     time.Duration
	inboxEvents    int
	inboxBytes     int
	limits         Limits
	logger         *slog.Logger
	adapter        adapter.Factory
	bundle         fs.FS
	handlerTime    func(namespace, event string, d time.Duration, err error)
	ackTime        func(namespace, event string, d time.Duration, err error)
	tracer         Tracer
	dropWhenFull   bool
	parser         packet.Parser
}

func defaults() config {
	return config{
		path:           DefaultPath,
		connectTimeout: DefaultConnectTimeout,
		ackTimeout:     DefaultAckTimeout,
		inboxEvents:    DefaultInboxEvents,
		inboxBytes:     DefaultInboxBytes,
		adapter:        adapter.InMemory,
		parser:         packet.JSON{},
	}
}

// An Option configures a [Server]. An option panics in [New] when its value
// makes no sense, as a program's own constants do not; check what comes from
// outside before.
type Option func(*config)

func positive[T int | int64 | time.Duration](name string, v T) T {
	if v <= 0 {
		panic(fmt.Sprintf("server: %s: %v is not positive", name, v))
	}
	return v
}

// WithPath sets the path of the endpoint, to which a slash is added where it does
// not end in one. It is matched exactly. Default "/socket.io/".
func WithPath(path string) Option {
	if !strings.HasPrefix(path, "/") {
		panic(fmt.Sprintf("server: WithPath: %q does not begin with a slash", path))
	}
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	return func(c *config) { c.path = path }
}

// WithPingInterval sets the time from a pong to the next ping. Default 25 s.
func WithPingInterval(d time.Duration) Option {
	return func(c *config) { c.engine.PingInterval = positive("WithPingInterval", d) }
}

// WithPingTimeout sets how long a pong may take. Default 20 s.
func WithPingTimeout(d time.Duration) Option {
	return func(c *config) { c.engine.PingTimeout = positive("WithPingTimeout", d) }
}

// WithUpgradeTimeout sets how long an upgrade may take. Default 10 s.
func WithUpgradeTimeout(d time.Duration) Option {
	return func(c *config) { c.engine.UpgradeTimeout = positive("WithUpgradeTimeout", d) }
}

// WithWriteTimeout sets how long a peer may refuse bytes before it is let go:
// on WebSocket as a slow consumer, on polling, where a response is what was not
// taken, with a transport error. Default 10 s.
func WithWriteTimeout(d time.Duration) Option {
	return func(c *config) { c.engine.WriteTimeout = positive("WithWriteTimeout", d) }
}

// WithConnectTimeout sets how long a connection may take to be first admitted
// to a namespace, middleware included. Default 10 s.
func WithConnectTimeout(d time.Duration) Option {
	return func(c *config) { c.connectTimeout = positive("WithConnectTimeout", d) }
}

// WithAckTimeout sets how long [Socket.Ask] and the like wait for an
// acknowledgement when their context has no deadline. Default 10 s.
func WithAckTimeout(d time.Duration) Option {
	return func(c *config) { c.ackTimeout = positive("WithAckTimeout", d) }
}

// WithMaxPayload sets the size in bytes of the largest message that is
// accepted, Node's maxHttpBufferSize. Default 1,000,000. The attachments of
// an event have 10 s to come, whatever their size. Before a connection
// has been admitted to a namespace, and for any CONNECT, it is 16 KiB at most.
func WithMaxPayload(bytes int64) Option {
	return func(c *config) { c.engine.MaxPayload = positive("WithMaxPayload", bytes) }
}

// WithMaxQueue sets how many bytes may wait for a client that does not read.
// Default 1 MiB.
func WithMaxQueue(bytes int) Option {
	return func(c *config) { c.engine.MaxQueue = positive("WithMaxQueue", bytes) }
}

// WithDropWhenFull sets what becomes of an event to a client whose queue is full:
// it is dropped, and counted, and the client stays. It misses events then and is not
// told which, as with volatile ones; one that takes nothing for as long as a write
// may take is let go as before. Default off: the client is disconnected with
// SlowConsumer, by which it knows that it has missed something.
func WithDropWhenFull(on bool) Option {
	return func(c *config) { c.dropWhenFull = on }
}

// WithInbox sets how many events of one connection, and bytes of them, may
// wait for their handlers before reading from it stops. Default 256 and 1 MiB.
func WithInbox(events, bytes int) Option {
	return func(c *config) {
		c.inboxEvents = positive("WithInbox", events)
		c.inboxBytes = positive("WithInbox", bytes)
	}
}

// WithTransports sets the transports that are served, of "polling" and
// "websocket". Default: both.
func WithTransports(names ...string) Option {
	for _, name := range names {
		if name != engine.Polling && name != engine.WebSocket {
			panic(fmt.Sprintf("server: WithTransports: unknown transport %q", name))
		}
	}
	return func(c *config) { c.engine.Transports = names }
}

// WithAllowedOrigins sets the origins, "scheme://host[:port]", whose pages may
// connect beside the server's own; "*" is any. Default: no CORS headers and no
// check of origins.
func WithAllowedOrigins(origins ...string) Option {
	return func(c *config) { c.engine.AllowedOrigins = origins }
}

// WithCookie sets a cookie with the session's id on the handshake, for load
// balancers that route by it. Its fields are taken as they are; an empty name
// is "io". Default: none.
func WithCookie(cookie *http.Cookie) Option {
	return func(c *config) { c.engine.Cookie = cookie }
}

// WithTrustedProxies sets the addresses whose X-Forwarded-For is believed.
// Default: none.
func WithTrustedProxies(prefixes ...netip.Prefix) Option {
	return func(c *config) { c.engine.TrustedProxies = prefixes }
}

// WithAllowRequest sets a hook that may refuse a handshake; its error's text
// is what the client is told, with status 403.
func WithAllowRequest(allow func(r *http.Request) error) Option {
	return func(c *config) { c.engine.AllowRequest = allow }
}

// WithHeaders sets a hook that may add headers to every response.
func WithHeaders(add func(h http.Header, r *http.Request)) Option {
	return func(c *config) { c.engine.Headers = add }
}

// WithPerMessageDeflate negotiates compression on WebSocket. Default off.
func WithPerMessageDeflate(on bool) Option {
	return func(c *config) { c.engine.PerMessageDeflate = on }
}

// WithHTTPCompression sets the size in bytes from which a polling response is
// compressed; negative turns it off, 0 is the default, 1024.
func WithHTTPCompression(threshold int) Option {
	return func(c *config) { c.engine.CompressionThreshold = threshold }
}

// WithUnknownSession sets a hook that is offered a request whose session is
// not on this instance, for deployments without sticky sessions. It reports
// whether it has answered.
func WithUnknownSession(serve func(w http.ResponseWriter, r *http.Request, id string) bool) Option {
	return func(c *config) { c.engine.UnknownSession = serve }
}

// WithSessionIDs sets what makes the ids of Engine.IO sessions, for ids that
// say where a session lives. They are bearer secrets: at least 128 random bits.
func WithSessionIDs(id func(r *http.Request) string) Option {
	return func(c *config) { c.engine.NewID = id }
}

// WithLimits sets limits.
func WithLimits(l Limits) Option { return func(c *config) { c.limits = l } }

// WithHandlerTime sets a function that is told how long the handlers of an event
// took, middleware included, and how they ended: err is theirs, or a
// [*PanicError]. "connect", "disconnecting" and "disconnect" are told for each
// handler. event is empty for one that no handler of its own is registered for:
// clients make names up. f is called where the handler ran, and returns at once.
// Default: none, and no time is taken.
func WithHandlerTime(f func(namespace, event string, d time.Duration, err error)) Option {
	return func(c *config) { c.handlerTime = f }
}

// WithAckTime sets a function that is told how long clients took to acknowledge
// an event of the server's; err is nil, or why there is no acknowledgement, as
// [Socket.Ask] says it. Of a broadcast each answer is told, and no other end. f
// may be called concurrently, and returns at once. Default: none.
func WithAckTime(f func(namespace, event string, d time.Duration, err error)) Option {
	return func(c *config) { c.ackTime = f }
}

// WithLogger sets where the server logs, errors and panics of handlers among it.
// Default, and what nil means: [slog.Default] at the time of [New].
func WithLogger(l *slog.Logger) Option { return func(c *config) { c.logger = l } }

// WithAdapter sets the adapter of the namespaces. Default: [adapter.InMemory].
func WithAdapter(f adapter.Factory) Option { return func(c *config) { c.adapter = f } }

// WithParser sets how packets are written, Node's option "parser": all clients
// of the server have the same, and one with another is let go. What handlers
// and emitters see does not depend on it, and instances with different parsers
// can share an adapter. Package packet/msgpack has the one of npm's
// socket.io-msgpack-parser. Default: [packet.JSON].
func WithParser(p packet.Parser) Option {
	if p == nil {
		panic("server: WithParser: nil")
	}
	return func(c *config) { c.parser = p }
}

// WithClientBundle serves the client's files (socket.io.js, socket.io.min.js,
// socket.io.esm.min.js, socket.io.msgpack.min.js and their maps) from the top
// of an fs.FS, under the server's path. Default: not served.
func WithClientBundle(files fs.FS) Option { return func(c *config) { c.bundle = files } }
