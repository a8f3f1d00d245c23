package admin

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

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

	queue *queue
	pump  *pump // of the goroutine that reads the queue, and of orders in it

	throttle throttle
	logins   atomic.Int64   // that are being looked at
	endless  rate.Sometimes // for refusals that nothing bounds
	refused  atomic.Int64
	commands atomic.Int64
	withheld atomic.Int64
	lost     atomic.Int64
	watched  atomic.Bool // what the pump says of itself

	ctx   context.Context // cancelled by Close
	close context.CancelFunc
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
		queue:    newQueue(),
		endless:  rate.Sometimes{Interval: time.Second},
	}
	a.ctx, a.close = context.WithCancel(context.Background())
	a.pump = newPump(a)
	if opts.Auth.insecure {
		opts.Logger.Warn("everyone who can reach the admin namespace is an admin: choose an Auth", "namespace", opts.Namespace)
	}
	a.ns.Use(a.admit)
	a.ns.OnConnect(a.connect)
	a.ns.OnDisconnect(a.disconnect)
	a.ns.OnServerSide(watchEvent, a.hear)
	a.handleCommands()
	a.answerPeers()
	io.OnDescribe(a.complete)
	a.work.Go(a.pump.run)
	return a, nil
}

// Close ends what Mount has started, and waits for it. Nobody is admitted any
// more. It does not disconnect those who are there: the server's Shutdown does.
func (a *Admin) Close() error {
	a.close()
	a.work.Wait()
	return nil
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
