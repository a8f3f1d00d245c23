package app

import (
	"context"
	"crypto/rand"
	"io/fs"
	"log/slog"
	"math"
	"net/http"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/engine"
	"github.com/seed3686fee0/parlor/server/packet"
	"github.com/seed3686fee0/parlor/server/packet/msgpack"
)

// transports are those that clients are served with.
var transports = []string{engine.Polling, engine.WebSocket}

// chatNamespaces have a chat each, with rooms of their own: frontends with one
// connection for all they do use "/", others "/chat".
var chatNamespaces = []string{"/", "/chat"}

// Limits of the chat that no flag changes.
const (
	chatSignals      = 60       // typing, cursors and presence, a second
	chatRoomName     = 128      // characters
	chatHistoryBytes = 1 << 20  // of messages kept a room
	chatHistoryTotal = 64 << 20 // of messages kept a namespace, in memory

	chatHistoryShared = 256 << 20 // of messages kept a namespace, in Redis
)

// newSocketServer builds the library's server with the chat's namespaces. Its end is
// that of the cluster and of the administration too, either of which may be nil.
func newSocketServer(cfg *config.Config, keys *keyring, shared *cluster, administration *administration, ops *ops, log *slog.Logger, bundle fs.FS) instance {
	io := server.New(append(append(append(shared.options(), ops.options()...), sessionIDs(cfg.Instance)...),
		server.WithPath(cfg.Path),
		server.WithParser(parser(cfg)),
		server.WithPingInterval(cfg.PingInterval),
		server.WithPingTimeout(cfg.PingTimeout),
		server.WithMaxPayload(cfg.MaxPayload),
		server.WithTransports(transports...),
		server.WithAllowedOrigins(cfg.CorsOrigin...),
		server.WithTrustedProxies(cfg.TrustedProxy...),
		server.WithLimits(serverLimits(cfg)),
		server.WithLogger(newSparse(log)),
		server.WithClientBundle(bundle),
	)...)
	chats := map[string]*chat.Chat{}
	users := auth.NewSocketLimit(socketsPerUser(cfg))
	for _, name := range chatNamespaces {
		ns := io.Of(name)
		auth.Mount(ns, authOptions(cfg, keys, log)) // first: it has to come before what it guards
		ns.Use(users.Middleware)
		chats[name] = chat.Mount(ns, chatOptions(cfg, shared.store(name), log))
		shared.watch(name, chats[name])
	}
	return instance{io, chats, users, shared, administration, cfg.DrainWindow}
}

// socketsPerUser is how many sockets a user may have in the chats together. Without a
// limit they are counted too: there may be one later.
func socketsPerUser(cfg *config.Config) int {
	if cfg.MaxSocketsPerUser == 0 {
		return math.MaxInt
	}
	return cfg.MaxSocketsPerUser
}

// sessionIDs has the ids of sessions begin with the name of the instance that has
// them, if it has one.
func sessionIDs(instance string) []server.Option {
	if instance == "" {
		return nil
	}
	return []server.Option{server.WithSessionIDs(func(*http.Request) string { return instance + "." + rand.Text() })}
}

func parser(cfg *config.Config) packet.Parser {
	if cfg.Parser == config.Msgpack {
		return msgpack.Parser{}
	}
	return packet.JSON{}
}

// handshakeBurst is ten seconds' worth, for an office that comes back at once.
func handshakeBurst(cfg *config.Config) int { return 10 * cfg.HandshakeRate }

// serverLimits are those by address and connection. They are written out,
// although most are the library's defaults, so that what is logged is what
// holds: high enough that an office behind one address never meets them.
func serverLimits(cfg *config.Config) server.Limits {
	return server.Limits{
		Engine: engine.Limits{
			Connections:              cfg.MaxConnections,
			ConnectionsPerAddress:    noneOr(cfg.MaxConnectionsPerAddress),
			HandshakesPerSecond:      float64(noneOr(cfg.HandshakeRate)),
			HandshakeBurst:           noneOr(handshakeBurst(cfg)),
			UnknownSessionsPerSecond: 100,
		},
		NamespacesPerConnection: 16,
		RefusedConnects:         10,
		EventsPerSecond:         float64(cfg.EventRate),
		BytesPerSecond:          float64(cfg.ByteRate),
		// The chat's own limits are the ones that clients meet: they have an
		// error that says so.
		RoomsPerSocket: cfg.ChatRooms + 1, // the user's, which the chat puts the socket into
		RoomName:       4 * chatRoomName,  // bytes
	}
}

func authOptions(cfg *config.Config, keys *keyring, log *slog.Logger) auth.Options {
	return auth.Options{
		Verifier:   keys.verifier,
		Anonymous:  cfg.AllowsAnonymous(),
		QueryToken: cfg.QueryToken,
		Logger:     log,
	}
}

// identity is the chat's user of a socket: whom the token is for. Of who has none
// the chat knows what is to be known.
func identity(ctx context.Context, _ *server.Socket) (chat.User, bool) {
	id, ok := auth.From(ctx)
	if !ok || id.Anonymous {
		return chat.User{}, false
	}
	return chat.User{ID: id.ID, Name: id.Name}, true
}

// noneOr is a setting whose zero is none, for what takes zero for the default and
// a negative value for none.
func noneOr(n int) int {
	if n == 0 {
		return -1
	}
	return n
}

func chatOptions(cfg *config.Config, store chat.Store, log *slog.Logger) chat.Options {
	return chat.Options{
		Identity:     identity,
		MessageRate:  float64(noneOr(cfg.ChatRate)),
		SignalRate:   chatSignals,
		MessageBytes: int(cfg.ChatMessageMax),
		FileBytes:    int(cfg.ChatFileMax),
		RoomName:     chatRoomName,
		Rooms:        cfg.ChatRooms,
		History:      noneOr(cfg.ChatHistory),
		HistoryBytes: chatHistoryBytes,
		HistoryTotal: chatHistoryTotal,
		Store:        store,
		Logger:       newSparse(log),
	}
}
