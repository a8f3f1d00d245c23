package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"sync/atomic"
	"syscall"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/certificate"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
)

// A reloader takes over new settings on SIGHUP.
type reloader struct {
	signals  chan os.Signal                 // never closed
	read     func() (*config.Config, error) // the configuration as it is now
	setLevel func(level string)
}

// newReloader begins to catch SIGHUP, which would end the process, until stop.
func newReloader(args []string, setLevel func(string)) *reloader {
	r := &reloader{signals: make(chan os.Signal, 1), setLevel: setLevel}
	r.read = func() (*config.Config, error) {
		command, err := config.Parse(args, io.Discard)
		if err != nil {
			return nil, err
		}
		cfg, ok := command.(*config.Config)
		if !ok { // the same arguments have asked for it before
			return nil, errors.New("the command line is not one of serve")
		}
		return cfg, nil
	}
	signal.Notify(r.signals, syscall.SIGHUP)
	return r
}

func (r *reloader) stop() { signal.Stop(r.signals) }

// A running server is what new settings are for.
type running struct {
	started *config.Config
	pair    certificate.Source // nil for none
	keys    *keyring
	io      instance
	places  *atomic.Int64 // see newHealth
}

// run takes over what it can at each signal, until ctx is done.
func (r *reloader) run(ctx context.Context, log *slog.Logger, now running) {
	if r == nil {
		return
	}
	last := now.started
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.signals:
			newer, err := r.reload(ctx, log, now)
			if err != nil {
				log.Error("the configuration was read again and cannot be used: nothing has changed", "error", err)
				continue
			}
			report(log, now.started, last, newer)
			last = newer
		}
	}
}

// reload takes over all that it can, or nothing and returns why.
func (r *reloader) reload(ctx context.Context, log *slog.Logger, now running) (*config.Config, error) {
	if err := readableAgain(now.started); err != nil {
		return nil, err
	}
	cfg, err := r.read()
	if err != nil {
		return nil, err
	}
	newPair, err := openCertificate(cfg)
	if err != nil {
		return nil, err
	}
	newKeys := &keyring{}
	if cfg.JWKSURL == "" { // a key set refreshes itself
		if newKeys, err = openKeys(ctx, &cfg.Auth, log); err != nil {
			return nil, err
		}
	}
	r.setLevel(cfg.LogLevel)
	now.limit(cfg)
	log.Info("the configuration was read again")
	if replaceCertificate(now.pair, newPair) {
		log.Info("the certificate is another one, for new connections", "expires", now.pair.Expires())
	}
	if now.keys.replace(newKeys) {
		log.Info("the key was read again, for tokens that are shown from now on", "auth", newKeys.kind)
	}
	for _, warning := range slices.Concat(newKeys.warnings, tlsKeyWarnings(cfg)) {
		log.Warn(warning)
	}
	return cfg, nil
}

// readableAgain refuses a server's files that can be read once only, as a pipe is:
// the second time nothing comes, which for the configuration is all defaults.
func readableAgain(started *config.Config) error {
	for _, file := range []struct{ flag, path string }{
		{"config", started.File},
		{"tls-cert", started.TLSCert},
		{"tls-key", started.TLSKey},
		{config.SecretFileFlag, started.SecretFile},
		{config.PublicKeyFileFlag, started.PublicKeyFile},
	} {
		if info, err := os.Stat(file.path); err == nil && !info.Mode().IsRegular() {
			return config.NewError(file.flag, "%q is no regular file, and cannot be read a second time; restart the server", file.path)
		}
	}
	return nil
}

// limit takes over who may connect from where, and how much everybody may do.
func (now running) limit(cfg *config.Config) {
	limits := serverLimits(cfg)
	limits.RoomsPerSocket = serverLimits(now.started).RoomsPerSocket // as the chat's own, which needs a restart
	now.io.SetLimits(limits)
	now.io.SetAllowedOrigins(cfg.CorsOrigin...)
	now.io.users.Set(socketsPerUser(cfg))
	for _, c := range now.io.chats {
		c.SetMessageRate(float64(noneOr(cfg.ChatRate)), 0)
	}
	now.places.Store(places(cfg))
}

// report says which settings hold that did not before, and which will after a
// restart: those that differ from what the server was started with.
func report(log *slog.Logger, started, last, now *config.Config) {
	for _, change := range last.Changes(now) {
		if reloads(change, started, now) {
			log.Info("a setting has changed", "setting", change.Name, "before", change.Before, "now", change.Value)
		}
	}
	if now.ChatRate == 0 && last.ChatRate != 0 {
		log.Warn(unlimitedChat)
	}
	if warning := originWarning(now); warning != originWarning(last) && warning != "" {
		log.Warn(warning)
	}
	for _, change := range started.Changes(now) {
		if !reloads(change, started, now) {
			log.Warn("a setting has changed and needs a restart", "setting", change.Name, "before", change.Before, "then", change.Value)
		}
	}
}

// reloads reports whether a changed setting holds already. One that turns
// something on or off, or into something else, cannot do so on the run.
func reloads(change config.Change, started, now *config.Config) bool {
	switch change.Name {
	case "tls-cert", "tls-key":
		return (started.TLSCert == "") == (now.TLSCert == "")
	case config.SecretFileFlag, config.PublicKeyFileFlag:
		return started.HasKey() == now.HasKey() && (started.JWKSURL == "") == (now.JWKSURL == "")
	}
	return change.Reload != ""
}
