package certificate

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"
)

// A Source is where certificates are from: [Files] or [ACME].
type Source interface {
	// Config returns what a listener needs: TLS 1.2 or newer, and HTTP/1.1 alone.
	Config() *tls.Config
	// Run keeps the certificates fresh until ctx is done. It is called once.
	Run(ctx context.Context, log *slog.Logger)
	// Expires is when the first of them does; zero while there is none.
	Expires() time.Time
}
