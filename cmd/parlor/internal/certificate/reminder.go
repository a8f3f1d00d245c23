package certificate

import (
	"context"
	"crypto/x509"
	"log/slog"
	"time"
)

const (
	soon        = 14 * 24 * time.Hour // before the end, and a fifth of the time that it is valid at most
	remindAfter = 24 * time.Hour
)

// A reminder says once a day that a certificate is to be renewed. It belongs to one
// goroutine.
type reminder struct {
	log  *slog.Logger
	last time.Time // that something was said
	what string    // was said, and of which certificate
}

// check looks at a certificate; domain is left out of the log when empty.
func (r *reminder) check(ctx context.Context, leaf *x509.Certificate, domain string) {
	now := time.Now()
	left := leaf.NotAfter.Sub(now)
	level, text := slog.LevelError, ""
	switch {
	case left <= 0:
		text = "the certificate has expired: clients do not connect; renew it"
	case now.Before(leaf.NotBefore):
		text = "the certificate is not valid yet: clients do not connect; look at the clock, or at the certificate"
	case left <= min(soon, leaf.NotAfter.Sub(leaf.NotBefore)/5):
		level, text = slog.LevelWarn, "the certificate expires soon; renew it"
	}
	what := text + string(leaf.Raw)
	if text == "" || what == r.what && now.Sub(r.last) < remindAfter {
		return
	}
	r.what, r.last = what, now
	log := r.log
	if domain != "" {
		log = log.With("domain", domain)
	}
	log.Log(ctx, level, text, "expires", leaf.NotAfter)
}
