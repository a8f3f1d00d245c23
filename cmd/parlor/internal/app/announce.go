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
func announce(log *slog.Logger, cfg *config.Config, address net.Addr, namespaces []string, page bool) {
	log.Info("serving",
		"version", versionLine(),
		"addr", address,
		"path", cfg.Path,
		"namespaces", strings.Join(namespaces, " "),
		"transports", strings.Join(transports, " "),
		"tls", cfg.TLS(),
		"page", pageURL(cfg, address, page),
	)
	limits := serverLimits(cfg)
	log.Info("limits",
		"ping_interval", cfg.PingInterval,
		"ping_timeout", cfg.PingTimeout,
		"max_payload", cfg.MaxPayload,
		"connections_per_address", limits.Engine.ConnectionsPerAddress,
		"handshakes_per_second_and_address", limits.Engine.HandshakesPerSecond,
		"handshake_burst", limits.Engine.HandshakeBurst,
		"unknown_sessions_per_second_and_address", limits.Engine.UnknownSessionsPerSecond,
		"namespaces_per_connection", limits.NamespacesPerConnection,
		"refused_connects", limits.RefusedConnects,
		"header_bytes", maxHeaderBytes,
		"header_timeout", readHeaderTimeout,
		"chat_rate", cfg.ChatRate,
		"chat_rooms", cfg.ChatRooms,
		"chat_room_name", chatRoomName,
		"chat_signals", chatSignals,
		"chat_message_max", cfg.ChatMessageMax,
		"chat_file_max", cfg.ChatFileMax,
	)
	for _, warning := range warnings(cfg) {
		log.Warn(warning)
	}
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

// pageURL is where a person on this machine opens the page.
func pageURL(cfg *config.Config, address net.Addr, page bool) string {
	if !page {
		return "not built in; make run builds it"
	}
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
	switch {
	case len(cfg.CorsOrigin) == 0:
		found = append(found, "any web page may open a WebSocket: origins are not checked; name the pages that may with --cors-origin (PARLOR_CORS_ORIGIN)")
	case slices.Contains(cfg.CorsOrigin, "*"):
		found = append(found, "any web page may connect: --cors-origin (PARLOR_CORS_ORIGIN) is *; name the pages that may")
	}
	found = append(found, "anonymous users are allowed: anyone who reaches this address can chat under any name")
	if !cfg.TLS() {
		found = append(found, "connections are not encrypted; give --tls-cert and --tls-key (PARLOR_TLS_CERT, PARLOR_TLS_KEY), or put a proxy that speaks TLS in front")
	}
	for _, prefix := range cfg.TrustedProxy {
		if prefix.Bits() == 0 {
			found = append(found, "every client can forge its address: --trusted-proxy (PARLOR_TRUSTED_PROXY) has "+prefix.String()+"; name your proxies' network")
		}
	}
	if cfg.ChatRate == 0 {
		found = append(found, "a client may send messages without limit: --chat-rate (PARLOR_CHAT_RATE) is 0")
	}
	if cfg.ChatMessageMax > cfg.MaxPayload {
		found = append(found, "--chat-message-max (PARLOR_CHAT_MESSAGE_MAX) cannot be reached: a connection ends at --max-payload (PARLOR_MAX_PAYLOAD)")
	}
	if cfg.ChatFileMax > cfg.MaxPayload {
		found = append(found, "--chat-file-max (PARLOR_CHAT_FILE_MAX) cannot be reached: a connection ends at --max-payload (PARLOR_MAX_PAYLOAD)")
	}
	return found
}
