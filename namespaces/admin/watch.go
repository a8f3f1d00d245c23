package admin

import (
	"context"
	"strings"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

const (
	// watchEvent is what instances tell each other with ServerSideEmit: who it
	// is, whether it has admins who watch, and whether what it has told of
	// sockets is to be asked for again.
	watchEvent = "parlor:admin"
	// watchTTL is how long that holds; it is told every two seconds.
	watchTTL = 6 * time.Second
	// maxInstances bounds what others may claim to be.
	maxInstances = 1000
)

// watch begins to observe, or stops, as somebody watches or not.
func (p *pump) watch() {
	if p.opts.Mode != Development {
		return
	}
	watched := p.opts.Watch == Always || len(p.admins) > 0 || len(p.remote) > 0 // none of them with Local
	switch {
	case !watched:
		p.blind()
	case p.observer == nil:
		p.observer = newObserver(p.Admin, p.servers)
		p.stop = p.io.Observe(p.observer)
		p.mirror = newMirror(p.io, p.opts.MaxSockets)
		p.watched.Store(true)
		p.countServers()
	}
}

// countServers asks how many servers there are, once at a time.
func (p *pump) countServers() {
	if p.counting || p.opts.Watch == Local {
		return
	}
	p.counting = true
	p.work.Go(func() {
		ctx, cancel := context.WithTimeout(p.ctx, countPatience)
		defer cancel()
		n, err := p.io.Of("/").Adapter().ServerCount(ctx)
		p.order(func() {
			p.counting = false
			if err == nil { // else it is what it was
				p.servers = max(1, n)
			}
		})
	})
}

// blind stops to observe.
func (p *pump) blind() {
	if p.observer != nil {
		p.stop()
		p.watched.Store(false)
		p.observer, p.stop, p.mirror, p.update = nil, nil, nil, nil
		p.resync, p.stale, p.owed, p.listed = false, false, false, listed{}
	}
}

// arrive tells an admin what there is, and the others that it is there.
func (p *pump) arrive(s *server.Socket, v *visit) {
	if !s.Connected() { // depart has nothing to undo
		return
	}
	p.admins[s] = v
	if len(p.admins) == 1 {
		p.announce(false) // before other instances are asked for their sockets
	}
	p.watch()
	if p.mirror != nil {
		// It is known already when it is the first.
		delete(p.mirror.sockets, s.ID())
		p.connected(s, s.Transport(), iso(time.Now()))
	}
	p.check("config", s.Emit("config", config{p.features(v.principal)}))
	if p.mirror != nil {
		p.tellList(nil, map[*server.Socket]struct{}{s: {}})
		p.refresh(s)
	}
	stats := p.stats()
	stats.Namespaces = p.slots.fill(stats.Namespaces)
	stats.Events = p.meter.history()
	p.check("server_stats", s.Emit("server_stats", stats))
}

func (p *pump) depart(s *server.Socket) {
	if p.admins[s] == nil {
		return
	}
	delete(p.admins, s)
	if len(p.admins) == 0 {
		p.announce(false)
	}
	p.watch()
}

// expire forgets instances that have not been heard of, and disconnects admins
// whose time is up.
func (p *pump) expire(now time.Time) {
	for id, until := range p.remote {
		if !now.Before(until) {
			delete(p.remote, id)
		}
	}
	for s, v := range p.admins {
		if expired(v.principal) {
			s.Disconnect(false)
		}
	}
	p.watch()
}

// announce tells other instances whether admins watch here, and whether they
// should ask again for the sockets of this one.
func (p *pump) announce(lost bool) {
	if p.opts.Mode != Development || p.opts.Watch == Local {
		return
	}
	watching := len(p.admins) > 0
	if !watching && !lost && !p.announced {
		return
	}
	p.announced = watching
	p.check(watchEvent, p.ns.ServerSideEmit(watchEvent, p.opts.ServerID, watching, lost))
}

// hear is the handler of what other instances announce.
func (a *Admin) hear(_ context.Context, args server.Args) error {
	id, ok := args.At(0).Text()
	watching, isBool := args.At(1).Bool()
	if !ok || !isBool || len(id) > maxUsername {
		return nil // another version's, or nobody's
	}
	lost, _ := args.At(2).Bool()
	a.order(func() {
		p := a.pump
		_, known := p.remote[id]
		switch {
		case !watching:
			delete(p.remote, id)
		case p.opts.Watch != Local && (known || len(p.remote) < maxInstances):
			p.remote[strings.Clone(id)] = time.Now().Add(watchTTL)
		}
		p.watch()
		if lost {
			p.stale = true
			p.mend()
		}
	})
	return nil
}
