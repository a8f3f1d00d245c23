package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/metrics"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/web"
)

// How long the end may take. Together with redisTimeout, twice the second, and the
// log's last lines, they stay below the 30 seconds that service managers wait before they kill.
const (
	drainTimeout  = 23 * time.Second        // for clients to be told and their messages written
	lingerTimeout = 1500 * time.Millisecond // then, for what is left: page requests, silent connections
)

// socketServer is what serving needs of the library's server.
type socketServer interface {
	http.Handler
	// Shutdown tells the clients, writes what is queued for them and closes
	// their connections. It refuses new ones from its start on.
	Shutdown(ctx context.Context) error
}

// A drainer is a socketServer that moves its clients away first, over a window of
// time, if there is one.
type drainer interface {
	window() time.Duration
	drain(ctx context.Context, log *slog.Logger)
}

// handlerTimeout is how long handlers may go on after the window.
const handlerTimeout = 5 * time.Second

// Run serves until ctx is done, then shuts down and returns nil. It returns an
// error when it cannot serve. ready, when not nil, is called once with the
// address that is listened on.
func Run(ctx context.Context, cfg *config.Config, log *slog.Logger, ready func(net.Addr)) error {
	return runIn(ctx, cfg, log, process{ready: ready})
}

// A process is what serving goes on in. Each may be nil.
type process struct {
	ready   func(net.Addr)
	reload  *reloader
	logLost func() uint64 // lines that could not be written
}

// runIn serves as [Run] does, in a process of its own.
func runIn(ctx context.Context, cfg *config.Config, log *slog.Logger, p process) error {
	defer runtime.KeepAlive(ballast())
	pair, err := openCertificate(cfg)
	if err != nil {
		return err
	}
	keys, err := openKeys(ctx, &cfg.Auth, log)
	if err != nil {
		return err
	}
	defer keys.close()
	bundle, app := web.Bundle(), web.App()
	pages, err := web.Pages(cfg.Path, app)
	if err != nil {
		return err
	}
	administration, err := openAdministration(cfg, keys)
	if err != nil {
		return err
	}
	if err := administration.servePage(web.Admin()); err != nil {
		return err
	}
	listener, err := listen(ctx, "addr", cfg.Addr)
	if err != nil {
		return err
	}
	defer listener.Close() // is closed before, unless there is an error
	ops, err := openOps(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer ops.close()
	shared, err := openCluster(cfg, log)
	if err != nil {
		return err
	}
	io := newSocketServer(cfg, keys, shared, administration, ops, log, bundle)
	if err := administration.mount(io.Server, shared, log); err != nil {
		return errors.Join(err, io.Shutdown(ctx))
	}
	if cfg.LogPackets {
		defer io.Observe(packetLog{log, cfg.Admin.Namespace})()
	}
	now := running{started: cfg, pair: pair, keys: keys, io: io, places: &atomic.Int64{}}
	now.places.Store(places(cfg))
	health := newHealth(cfg, io, now.places)
	pages["/healthz"], pages["/readyz"] = http.HandlerFunc(health.ServeLive), http.HandlerFunc(health.ServeReady)
	routes, err := newRoutes(cfg.Path, io, pages, bundle, administration.trees()...)
	if err != nil {
		return errors.Join(err, io.Shutdown(ctx))
	}
	address := listener.Addr()
	announce(log, cfg, keys, address, names(io.Namespaces()), app != nil)
	administration.announce(log, baseURL(cfg, address))
	if pair != nil {
		listener = tls.NewListener(listener, pair.Config())
	}
	server := newHTTPServer(routes, log)
	shedder := newShedder(server.SetKeepAlivesEnabled, log)
	ops.start(cfg, io, health, pair, metrics.Sources{LogLost: p.logLost, MemoryShort: shedder.short.Load})
	if p.ready != nil {
		p.ready(address)
	}
	aside, stop := context.WithCancel(ctx) // what goes on beside serving
	var beside sync.WaitGroup
	beside.Go(func() { trim(aside, func() int { return io.Engine().Stats().Sessions }) })
	beside.Go(func() { shedder.run(aside) })
	beside.Go(func() { p.reload.run(aside, log, now) })
	if pair != nil {
		beside.Go(func() { pair.Run(aside, log) })
	}
	defer beside.Wait()
	defer stop()
	defer context.AfterFunc(ctx, health.Drain)()
	return serve(ctx, server, listener, io, log)
}

// listen listens on the address of a flag.
func listen(ctx context.Context, flag, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("cannot listen on %s: the address is in use; stop what uses it, or choose another with %s", addr, config.Named(flag))
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with %s", addr, err, config.Named(flag))
	}
	return listener, nil
}

// serve accepts connections until ctx is done or accepting fails, then ends all
// of them. It returns when nothing of it runs any more.
func serve(ctx context.Context, server *http.Server, listener net.Listener, io socketServer, log *slog.Logger) error {
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	select {
	case err := <-served:
		return errors.Join(fmt.Errorf("stopped accepting connections: %w", err), shutdown(ctx, server, listener, io, log))
	case <-ctx.Done():
	}
	begun, atMost := time.Now(), drainTimeout+redisTimeout+lingerTimeout
	first, drains := io.(drainer)
	if drains = drains && first.window() > 0; drains {
		atMost += first.window() + handlerTimeout
	}
	log.Info("shutting down", "cause", context.Cause(ctx), "at_most", atMost)
	if drains { // the listener stays: clients that poll come by new connections too
		first.drain(context.WithoutCancel(ctx), log)
	}
	if err := shutdown(ctx, server, listener, io, log); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, net.ErrClosed) && !errors.Is(err, http.ErrServerClosed) {
		log.Debug("the listener ended by itself meanwhile", "error", err)
	}
	log.Info("stopped", "after", time.Since(begun).Round(time.Millisecond))
	return nil
}

// shutdown closes the listener first, so that a load balancer sends no more, and
// then ends the clients' connections: those that are kept alive are served until
// then, for clients that poll are told by the answer to their next poll. What does
// not end in time is cut. The error is that the clients' server did not end at
// all: the process is to end then rather than wait for it.
func shutdown(ctx context.Context, server *http.Server, listener net.Listener, io socketServer, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if err := listener.Close(); err != nil {
		log.Debug("closing the listener", "error", err)
	}
	told := make(chan error, 1)
	go func() { told <- io.Shutdown(ctx) }()
	var failed error
	select {
	case err := <-told:
		if err != nil {
			log.Warn("clients were cut off: they did not take what was queued for them in time", "error", err)
		}
	case <-time.After(drainTimeout + redisTimeout + lingerTimeout):
		failed = errors.New("the clients' connections did not end in time")
	}
	linger, cancel := context.WithTimeout(context.WithoutCancel(ctx), lingerTimeout)
	defer cancel()
	if err := server.Shutdown(linger); err != nil { // page requests, connections that say nothing
		log.Debug("closing what was left", "error", err)
		if err := server.Close(); err != nil {
			log.Debug("closing what was left", "error", err)
		}
	}
	return failed
}
