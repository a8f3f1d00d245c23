package app

import (
	"context"
	"io/fs"
	"log/slog"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/engine"
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
	chatHistoryTotal = 64 << 20 // of messages kept a namespace
)

// newSocketServer builds the library's server with its namespaces.
func newSocketServer(cfg *config.Config, keys *keyring, log *slog.Logger, bundle fs.FS) *server.Server {
	io := server.New(
		server.WithPath(cfg.Path),
		server.WithPingInterval(cfg.PingInterval),
		server.WithPingTimeout(cfg.PingTimeout),
		server.WithMaxPayload(cfg.MaxPayload),
		server.WithTransports(transports...),
		server.WithAllowedOrigins(cfg.CorsOrigin...),
		server.WithTrustedProxies(cfg.TrustedProxy...),
		server.WithLimits(serverLimits(cfg)),
		server.WithLogger(log),
		server.WithClientBundle(bundle),
	)
	for _, name := range chatNamespaces {
		ns := io.Of(name)
		auth.Mount(ns, authOptions(cfg, keys, log)) // first: it has to come before what it guards
		chat.Mount(ns, chatOptions(cfg, log))
	}
	return io
}

// serverLimits are those by address and connection. They are written out,
// although most are the library's defaults, so that what is logged is what
// holds: high enough that an office behind one address never meets them.
func serverLimits(cfg *config.Config) server.Limits {
	return server.Limits{
		Engine: engine.Limits{
			ConnectionsPerAddress:    20_000,
			HandshakesPerSecond:      2_000,
			HandshakeBurst:           20_000,
			UnknownSessionsPerSecond: 100,
		},
		NamespacesPerConnection: 16,
		RefusedConnects:         10,
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

func chatOptions(cfg *config.Config, log *slog.Logger) chat.Options {
	rate := float64(cfg.ChatRate)
	if cfg.ChatRate == 0 {
		rate = -1 // no limit; to the chat zero means the default
	}
	history := cfg.ChatHistory
	if history == 0 {
		history = -1 // none; as above
	}
	return chat.Options{
		Identity:     identity,
		MessageRate:  rate,
		SignalRate:   chatSignals,
		MessageBytes: int(cfg.ChatMessageMax),
		FileBytes:    int(cfg.ChatFileMax),
		RoomName:     chatRoomName,
		Rooms:        cfg.ChatRooms,
		History:      history,
		HistoryBytes: chatHistoryBytes,
		HistoryTotal: chatHistoryTotal,
		Logger:       log,
	}
}
