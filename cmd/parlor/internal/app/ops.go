package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/certificate"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/health"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/metrics"
	"github.com/seed3686fee0/parlor/server"
)

// minOpsToken is the length of a token that cannot be guessed.
const minOpsToken = 16

// ops is the address for operators. A nil one is that of a server without it.
type ops struct {
	// Static.
	log         *slog.Logger
	listener    net.Listener
	token       []byte // nil for none
	warnings    []string
	times       *metrics.Times
	bodyTimeout time.Duration // of one that nobody reads

	server *http.Server
	ended  chan struct{} // closed when the server has ended
}

// openOps listens where the flags say, and serves nothing yet.
func openOps(ctx context.Context, cfg *config.Config, log *slog.Logger) (*ops, error) {
	if cfg.OpsAddr == "" {
		return nil, nil //nolint:nilnil // see ops
	}
	o := &ops{log: log, bodyTimeout: bodyTimeout, times: metrics.NewTimes(append(slices.Clone(chatNamespaces), cfg.Admin.Namespace)...)}
	token, warning, err := readOpsToken(&cfg.Ops)
	if err != nil {
		return nil, err
	}
	o.token = token
	if warning != "" {
		o.warnings = append(o.warnings, warning)
	}
	o.listener, err = listen(ctx, config.OpsAddrFlag, cfg.OpsAddr)
	return o, err
}

// readOpsToken returns the token that operators have, and nil for none. An error about
// what a flag says is a [*config.Error].
func readOpsToken(cfg *config.Ops) (token []byte, warning string, err error) {
	switch {
	case cfg.OpsAddr == "":
		return nil, "", nil
	case cfg.OpsTokenFile != "":
		token, warning, err = readKeyFile(config.OpsTokenFileFlag, cfg.OpsTokenFile, true)
		token = bytes.TrimSpace(token) // as it is of the header that it is compared with
		if err == nil && len(token) < minOpsToken {
			err = config.NewError(config.OpsTokenFileFlag, "%q has a token of fewer than %d characters; parlor token secret prints a good one", cfg.OpsTokenFile, minOpsToken)
		}
		return token, warning, err
	case !cfg.OpsLoopback():
		return nil, "metrics are for everybody who reaches --ops-addr (PARLOR_OPS_ADDR): give --ops-token-file (PARLOR_OPS_TOKEN_FILE), or let nobody else reach it", nil
	}
	return nil, "", nil
}

// start serves until close. What is told of the process itself comes with it.
func (o *ops) start(cfg *config.Config, io instance, h *health.Health, pair certificate.Source, process metrics.Sources) {
	if o == nil {
		return
	}
	guard := func(next http.Handler) http.Handler { return o.guard(next, cfg.OpsLoopback()) }
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", h.ServeLive)
	mux.HandleFunc("/readyz", h.ServeReady)
	mux.Handle("/metrics", guard(metrics.Handler(o.sources(io, pair, process))))
	profiles := o.token != nil || cfg.OpsLoopback()
	if profiles {
		// Not the command line, which may have a password in it.
		mux.Handle("/debug/pprof/", guard(http.HandlerFunc(pprof.Index)))
		mux.Handle("/debug/pprof/cmdline", http.NotFoundHandler())
		mux.Handle("/debug/pprof/profile", guard(http.HandlerFunc(pprof.Profile)))
		mux.Handle("/debug/pprof/symbol", guard(http.HandlerFunc(pprof.Symbol)))
		mux.Handle("/debug/pprof/trace", guard(http.HandlerFunc(pprof.Trace)))
	}
	o.server = newHTTPServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		boundBody(w, r, o.bodyTimeout)
		mux.ServeHTTP(w, r)
	}), o.log)
	o.ended = make(chan struct{})
	o.log.Info("operators", "addr", o.listener.Addr(), "token", o.token != nil, "profiles", profiles)
	for _, warning := range o.warnings {
		o.log.Warn(warning)
	}
	go func() {
		defer close(o.ended)
		if err := o.server.Serve(o.listener); !errors.Is(err, http.ErrServerClosed) {
			o.log.Error("metrics are not served any more", "error", err)
		}
	}()
}

func (o *ops) sources(io instance, pair certificate.Source, s metrics.Sources) metrics.Sources {
	s.Version, s.Server, s.Times, s.Namespaces, s.Chats = release(), io.Server, o.times, io.Namespaces(), io.chats
	if pair != nil {
		s.Expires = pair.Expires
	}
	if io.cluster != nil {
		s.RedisLag = func() time.Duration { return time.Duration(io.cluster.lag.Load()) }
		s.Redis, s.Stores = io.cluster.adapter.Stats, io.cluster.stores
	}
	return s
}

// options have the server tell how long things take.
func (o *ops) options() []server.Option {
	if o == nil {
		return nil
	}
	return o.times.Options()
}

// guard lets in who has the token; without one, whoever reaches the address, which
// the pages in the browser of somebody on this machine are not to do for others.
func (o *ops) guard(next http.Handler, loopback bool) http.Handler {
	switch {
	case o.token == nil && loopback:
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !ownHost(r.Host) || foreignPage(r) {
				http.Error(w, "This is for programs on this machine; give --ops-token-file for others.", http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
		})
	case o.token == nil:
		return next
	}
	want := sha256.Sum256(o.token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(strings.TrimSpace(token)))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, http.StatusText(http.StatusUnauthorized), http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ownHost reports whether a request names this machine itself: a name that somebody
// else has given its address may be that of a page.
func ownHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}

// foreignPage reports whether it is the page of another origin that asks.
func foreignPage(r *http.Request) bool {
	asking := *r
	asking.Method = http.MethodPost // asking is enough here
	return new(http.CrossOriginProtection).Check(&asking) != nil
}

// close ends what is under way after a moment: a scrape takes less.
func (o *ops) close() {
	if o == nil {
		return
	}
	if o.server == nil { // never started
		_ = o.listener.Close()
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), opsLinger)
	defer cancel()
	if err := o.server.Shutdown(ctx); err != nil {
		_ = o.server.Close()
	}
	<-o.ended
}

// opsLinger is how long a scrape may take at the end.
const opsLinger = 200 * time.Millisecond

// places is how many connections there is room for; 0 for no limit.
func places(cfg *config.Config) int64 {
	limit := int64(openFiles()) * 95 / 100 // a few are for Redis, files and the log
	if most := int64(cfg.MaxConnections); most > 0 && (limit == 0 || most < limit) {
		limit = most
	}
	return limit
}

// newHealth returns what /healthz and /readyz tell about this instance, which has
// so many places; their number may change.
func newHealth(cfg *config.Config, io instance, places *atomic.Int64) *health.Health {
	checks := []health.Check{health.Below("connections", places.Load, func() int64 { return int64(io.Engine().Stats().Sessions) })}
	if io.cluster != nil {
		checks = append(checks, health.Redis(io.cluster.up, cfg.ReadyNeedsRedis))
	}
	return health.New(checks...)
}

// up reports whether Redis does all that it is there for.
func (c *cluster) up() bool {
	if !c.adapter.Stats().Up {
		return false
	}
	for _, store := range c.stores {
		if !store.Stats().Up {
			return false
		}
	}
	return true
}
