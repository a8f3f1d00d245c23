package admin

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

// An Admin is the admin namespace of a server. Its methods are safe for
// concurrent use.
type Admin struct {
	// Static.
	io       *server.Server
	ns       *server.Namespace
	opts     Options // with their defaults
	hostname string
	pid      int
	started  time.Time

	throttle throttle
	logins   atomic.Int64 // that are being looked at
	refused  atomic.Int64
	commands atomic.Int64

	close sync.Once
	done  chan struct{} // closed by close
	work  sync.WaitGroup
}

// Mount puts the admin namespace on a server, before clients connect, once for
// a namespace. The error says what is wrong with the options.
func Mount(io *server.Server, opts Options) (*Admin, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	hostname, err := os.Hostname()
	if err != nil {
		hostname = "unknown"
	}
	a := &Admin{
		io:       io,
		ns:       io.Of(opts.Namespace),
		opts:     opts,
		hostname: hostname,
		pid:      os.Getpid(),
		started:  time.Now(),
		done:     make(chan struct{}),
	}
	if opts.Auth.insecure {
		opts.Logger.Warn("everyone who can reach the admin namespace is an admin: choose an Auth", "namespace", opts.Namespace)
	}
	a.ns.Use(a.admit)
	a.ns.OnConnect(a.connect)
	a.handleCommands()
	a.answerPeers()
	a.work.Go(a.run)
	return a, nil
}

// Close ends what Mount has started, and waits for it. Nobody is admitted any
// more. It does not disconnect those who are there: the server's Shutdown does.
func (a *Admin) Close() error {
	a.close.Do(func() { close(a.done) })
	a.work.Wait()
	return nil
}

func (a *Admin) closing() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

func (a *Admin) connect(_ context.Context, s *server.Socket) error {
	v := visitOf(s)
	if v.session != "" {
		if err := s.Emit("session", v.session); err != nil {
			return err
		}
	}
	if err := s.Emit("config", config{a.features(v.principal)}); err != nil {
		return err
	}
	return s.Emit("server_stats", a.stats())
}

type config struct {
	Features []string `json:"supportedFeatures"`
}

// features are what an admin may use of the page.
func (a *Admin) features(p Principal) []string {
	var list []string
	if !a.opts.ReadOnly && !p.ReadOnly {
		list = append(list, "EMIT", "JOIN", "LEAVE", "DISCONNECT", "MJOIN", "MLEAVE", "MDISCONNECT")
	}
	list = append(list, "AGGREGATED_EVENTS")
	if a.opts.Mode == Development {
		list = append(list, "ALL_EVENTS")
	}
	return list
}

func (a *Admin) run() {
	tick := time.NewTicker(statsInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := a.ns.Emit("server_stats", a.stats()); err != nil {
				a.opts.Logger.Error("admins cannot be told", "event", "server_stats", "error", err)
			}
		case <-a.done:
			return
		}
	}
}
