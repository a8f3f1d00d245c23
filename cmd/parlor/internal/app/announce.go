package app

import (
	"log/slog"
	"net"
	"slices"
	"strings"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/server"
)

// announce logs what is served, each limit by its name, and a warning for every
// setting that is convenient rather than safe.
func announce(log *slog.Logger, cfg *config.Config, keys *keyring, address net.Addr, namespaces []string, page bool) {
	log.Info("serving",
		"version", versionLine(),
		"addr", address,
		"path", cfg.Path,
		"namespaces", strings.Join(namespaces, " "),
		"transports", strings.Join(transports, " "),
		"parser", cfg.Parser,
		"tls", cfg.TLS(),
		"page", pageURL(cfg, address, page),
	)
	log.Info("authentication", authentication(cfg, keys)...)
	historyTotal := chatHistoryTotal
	if cfg.HasRedis() {
		target := cfg.Target()
		historyTotal = chatHistoryShared
		log.Info("redis",
			"addresses", strings.Join(target.Addresses(), " "),
			"tls", target.TLS() != nil,
			"adapter", cfg.Adapter,
			"prefix", cfg.Prefix,
			"heartbeat", redisHeartbeat,
		)
	}
	limits := serverLimits(cfg)
	log.Info("limits",
		"ping_interval", cfg.PingInterval,
		"ping_timeout", cfg.PingTimeout,
		"max_payload", cfg.MaxPayload,
		"max_connections", cfg.MaxConnections,
		"connections_per_address", cfg.MaxConnectionsPerAddress,
		"handshakes_per_second_and_address", cfg.HandshakeRate,
		"handshake_burst", handshakeBurst(cfg),
		"unknown_sessions_per_second_and_address", limits.Engine.UnknownSessionsPerSecond,
		"namespaces_per_connection", limits.NamespacesPerConnection,
		"refused_connects", limits.RefusedConnects,
		"sockets_per_user", cfg.MaxSocketsPerUser,
		"event_rate", cfg.EventRate,
		"byte_rate", cfg.ByteRate,
		"header_bytes", maxHeaderBytes,
		"header_timeout", readHeaderTimeout,
		"token_bytes", maxToken,
		"chat_rate", cfg.ChatRate,
		"chat_history", cfg.ChatHistory,
		"chat_history_bytes", chatHistoryBytes,
		"chat_history_bytes_in_all", historyTotal,
		"chat_rooms", cfg.ChatRooms,
		"chat_room_name", chatRoomName,
		"chat_signals", chatSignals,
		"chat_message_max", cfg.ChatMessageMax,
		"chat_file_max", cfg.ChatFileMax,
	)
	for _, warning := range append(warnings(cfg), keys.warnings...) {
		log.Warn(warning)
	}
}

// authentication says who may connect, and nothing that is secret.
func authentication(cfg *config.Config, keys *keyring) []any {
	if !cfg.HasKey() {
		return []any{"auth", "none", "anonymous", cfg.AllowsAnonymous()}
	}
	return append([]any{
		"auth", keys.kind,
		"issuer", anyOf(cfg.Issuer),
		"audience", anyOf(cfg.Audience...),
		"leeway", cfg.Leeway,
		"query_token", cfg.QueryToken,
		"anonymous", cfg.AllowsAnonymous(),
	}, keys.keySet...)
}

// anyOf is what is accepted: one of the names, or anything when there are none.
func anyOf(names ...string) string {
	if text := strings.Join(names, " "); text != "" {
		return text
	}
	return "any"
}

// names returns the namespaces' names in order.
func names(namespaces []*server.Namespace) []string {
	list := make([]string, 0, len(namespaces))
	for _, ns := range namespaces {
		list = append(list, ns.Name())
	}
	slices.Sort(list)
	return list
}

// notBuilt is in the place of the address of a page that there is not.
const notBuilt = "not built in; make run builds it"

// pageURL is where the page is.
func pageURL(cfg *config.Config, address net.Addr, page bool) string {
	if !page {
		return notBuilt
	}
	return baseURL(cfg, address)
}

// baseURL is where a person on this machine opens what is served.
func baseURL(cfg *config.Config, address net.Addr) string {
	scheme := "http"
	if cfg.TLS() {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return scheme + "://" + address.String() + "/"
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/"
}

// warnings says what is insecure about a configuration and what to do about it.
func warnings(cfg *config.Config) []string {
	var found []string
	if warning := originWarning(cfg); warning != "" {
		found = append(found, warning)
	}
	switch {
	case !cfg.HasKey():
		found = append(found, "anonymous users are allowed: anyone who reaches this address can chat under any name, and tokens are not looked at; give a key, --auth-secret-file (PARLOR_AUTH_SECRET_FILE) say")
	case cfg.AllowsAnonymous():
		found = append(found, "anonymous users are allowed: --anonymous (PARLOR_ANONYMOUS) lets anyone who reaches this address chat without a token, under any name")
	}
	if cfg.JWKSURL+cfg.PublicKeyFile != "" && len(cfg.Audience) == 0 {
		found = append(found, "a token that its issuer made for another service is accepted here too: name this one with --auth-audience (PARLOR_AUTH_AUDIENCE)")
	}
	if cfg.QueryToken {
		found = append(found, "tokens in URLs are accepted, and URLs end up in logs: --auth-query-token (PARLOR_AUTH_QUERY_TOKEN) is for clients that cannot do otherwise")
	}
	if !cfg.TLS() {
		found = append(found, "connections are not encrypted; give --tls-cert and --tls-key (PARLOR_TLS_CERT, PARLOR_TLS_KEY), or put a proxy that speaks TLS in front")
	}
	found = append(found, tlsKeyWarnings(cfg)...)
	for _, prefix := range cfg.TrustedProxy {
		if prefix.Bits() == 0 {
			found = append(found, "every client can forge its address: --trusted-proxy (PARLOR_TRUSTED_PROXY) has "+prefix.String()+"; name your proxies' network")
		}
	}
	found = append(found, redisWarnings(cfg)...)
	if cfg.Parser == config.Msgpack {
		found = append(found, "the chat's page cannot connect: it has the default parser, and --parser (PARLOR_PARSER) is msgpack")
	}
	if cfg.ChatRate == 0 {
		found = append(found, unlimitedChat)
	}
	if cfg.LogPackets {
		found = append(found, "what people write is in the log: --log-packets (PARLOR_LOG_PACKETS) is for development")
	}
	if cfg.ChatMessageMax > cfg.MaxPayload {
		found = append(found, "--chat-message-max (PARLOR_CHAT_MESSAGE_MAX) cannot be reached: a connection ends at --max-payload (PARLOR_MAX_PAYLOAD)")
	}
	if cfg.ChatFileMax > cfg.MaxPayload {
		found = append(found, "--chat-file-max (PARLOR_CHAT_FILE_MAX) cannot be reached: a connection ends at --max-payload (PARLOR_MAX_PAYLOAD)")
	}
	return found
}

const unlimitedChat = "a client may send messages without limit: --chat-rate (PARLOR_CHAT_RATE) is 0"

// originWarning says which pages may connect that perhaps should not; empty for none.
func originWarning(cfg *config.Config) string {
	switch {
	case len(cfg.CorsOrigin) == 0:
		return "any web page may open a WebSocket: origins are not checked; name the pages that may with --cors-origin (PARLOR_CORS_ORIGIN)"
	case slices.Contains(cfg.CorsOrigin, "*"):
		return "any web page may connect: --cors-origin (PARLOR_CORS_ORIGIN) is *; name the pages that may"
	}
	return ""
}

func redisWarnings(cfg *config.Config) (found []string) {
	if !cfg.HasRedis() {
		return nil
	}
	target := cfg.Target()
	if !target.Remote() {
		return nil
	}
	switch encryption := target.TLS(); {
	case encryption == nil:
		found = append(found, "what goes to Redis and comes from it is not encrypted: --redis (PARLOR_REDIS) names another machine, and begins with redis://; use rediss:// outside a network of your own")
	case encryption.InsecureSkipVerify:
		found = append(found, "anyone can pose as Redis: --redis (PARLOR_REDIS) has skip_verify in it, so its certificate is not checked")
	}
	if !target.HasPassword() && cfg.PasswordFile == "" {
		found = append(found, "Redis is shown no password: whoever reaches it can send to all clients, and disconnect them; give --redis-password-file (PARLOR_REDIS_PASSWORD_FILE)")
	}
	return found
}
