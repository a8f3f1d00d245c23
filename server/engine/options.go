package engine

import (
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"time"
)

// Transport names, as they stand in a request's query.
const (
	Polling   = "polling"
	WebSocket = "websocket"
)

// Defaults of [Options]; those that Node's engine.io has too are Node's.
const (
	DefaultPingInterval         = 25 * time.Second
	DefaultPingTimeout          = 20 * time.Second
	DefaultUpgradeTimeout       = 10 * time.Second
	DefaultMaxPayload           = 1_000_000
	DefaultCompressionThreshold = 1024
	DefaultMaxQueue             = 1 << 20
	DefaultWriteTimeout         = 10 * time.Second
)

// Options configure a [Server]. The zero value of a field means its default.
type Options struct {
	// Open is called once for each session, before anything of it is read, and
	// returns what its messages go to, not nil. It may use the session; when it
	// closes it, the receiver's Closed is called after Open has returned. The
	// request is valid during the call. Required.
	Open func(s *Session, r *http.Request) Receiver

	// Transports that are served, of Polling and WebSocket. Default: both.
	Transports []string
	// DisableUpgrades keeps a polling session on polling.
	DisableUpgrades bool

	// PingInterval is the time from a pong to the next ping. Default 25 s.
	PingInterval time.Duration
	// PingTimeout is how long the pong may take. Default 20 s.
	PingTimeout time.Duration
	// UpgradeTimeout is how long an upgrade may take. Default 10 s.
	UpgradeTimeout time.Duration
	// WriteTimeout is how long a peer may refuse bytes. Default 10 s.
	WriteTimeout time.Duration

	// MaxPayload is the size in bytes of the largest message that is accepted,
	// and of the largest polling payload in either direction (one message that
	// is larger is still sent). Default 1,000,000.
	MaxPayload int64
	// UnadmittedPayload is MaxPayload for a session until [Session.Admit] is
	// called. Default: MaxPayload.
	UnadmittedPayload int64
	// MaxQueue bounds, in bytes, what waits for a peer that does not take it.
	// Default 1 MiB.
	MaxQueue int

	// CompressionThreshold is the size in bytes from which a polling response
	// is compressed for a client that accepts gzip. Default 1024; negative:
	// never.
	CompressionThreshold int
	// PerMessageDeflate negotiates permessage-deflate on WebSocket, without
	// context takeover. Default off, as in Node.
	PerMessageDeflate bool

	// AllowedOrigins are the origins, "scheme://host[:port]", that may use the
	// server from a browser beside its own; "*" is any. The list holds on both
	// transports: another origin is refused, 403. Default: none, which means
	// no CORS headers and no check.
	AllowedOrigins []string
	// Cookie, when not nil, is set with the session id as its value on the
	// response to a handshake, for load balancers that route by cookie.
	// Name, path and the rest are taken as they are; an empty name is "io".
	Cookie *http.Cookie
	// AllowRequest may refuse a handshake: its error's text is the message of
	// the 403 with code 4. It is called before an upgrade of the connection,
	// on both transports, and once more when a session moves to WebSocket.
	AllowRequest func(r *http.Request) error
	// Headers may add to the headers of every response, the 101 included.
	Headers func(h http.Header, r *http.Request)
	// TrustedProxies are the addresses whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// Limits bound what one address may take. The zero value means the
	// defaults.
	Limits Limits

	// NewID makes session ids, which are bearer secrets. Default: 144 bits of
	// crypto/rand in base64url.
	NewID func(r *http.Request) string
	// UnknownSession is offered a request whose session is not here, for
	// deployments without sticky sessions; it reports whether it has answered.
	UnknownSession func(w http.ResponseWriter, r *http.Request, id string) bool

	// Logger gets one line for each request or session that is refused or
	// ended for a fault of the peer, at debug level. Default: discards.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	def(&o.PingInterval, DefaultPingInterval)
	def(&o.PingTimeout, DefaultPingTimeout)
	def(&o.UpgradeTimeout, DefaultUpgradeTimeout)
	def(&o.WriteTimeout, DefaultWriteTimeout)
	def(&o.MaxPayload, DefaultMaxPayload)
	o.MaxPayload = min(o.MaxPayload, math.MaxInt32) // an int everywhere, with room for arithmetic on it
	def(&o.UnadmittedPayload, o.MaxPayload)
	o.UnadmittedPayload = min(o.UnadmittedPayload, o.MaxPayload)
	def(&o.MaxQueue, DefaultMaxQueue)
	def(&o.CompressionThreshold, DefaultCompressionThreshold)
	if len(o.Transports) == 0 {
		o.Transports = []string{Polling, WebSocket}
	}
	if o.NewID == nil {
		o.NewID = func(*http.Request) string { return newID() }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Limits = o.Limits.withDefaults()
	return o
}

func def[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
