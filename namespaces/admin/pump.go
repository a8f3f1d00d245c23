package admin

import (
	"context"
	"encoding/json"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

const (
	second         = time.Second
	updateInterval = 100 * time.Millisecond // between the updates of one socket's data
	updatesAtOnce  = 200                    // sockets; the others' turn is next
	countInterval  = 10                     // seconds from one count of the servers to the next
	listInterval   = 2 * time.Second        // between lists at least
)

// A pump is what one goroutine has that reads the queue and tells admins: all
// that they are told comes from it, in one order. Only run and what it calls
// touch it.
type pump struct {
	*Admin
	admins   map[*server.Socket]*visit // of this instance
	remote   map[string]time.Time      // instances with admins who watch, until when
	observer *observer                 // nil: nobody watches
	stop     func()                    // of the observer
	mirror   *mirror                   // nil: nobody watches
	meter    *meter
	slots    slots
	owed     bool // there was no time for some change: the next list has it

	update    <-chan time.Time // when data that has changed is told; nil: none has
	resync    bool             // something was lost, or there is room for more sockets
	stale     bool             // something was lost at another instance
	listed    listed
	announced bool // that somebody watches
	fetch     fetch
	servers   int  // that there are, as far as is known
	counting  bool // they are being counted
}

// listed is the last list that all admins have been told.
type listed struct {
	at    time.Time
	pause time.Duration // until there may be another, if that is long
	known int           // sockets of this instance, of which
	cut   bool          // there was no time to show all
}

func newPump(a *Admin) *pump {
	return &pump{
		Admin:  a,
		admins: make(map[*server.Socket]*visit),
		remote: make(map[string]time.Time),
		meter:  newMeter(a.count(), time.Now()),

		servers: 1,
	}
}

func (p *pump) run() {
	p.watch()
	defer p.blind()
	tick := time.NewTicker(second)
	defer tick.Stop()
	for ticks := 1; ; {
		select {
		case <-p.queue.ready:
			p.drain()
		case <-p.changedReady():
			p.update = time.After(updateInterval)
		case <-p.update:
			p.update = nil
			p.tellUpdates()
		case now := <-tick.C:
			p.tick(now, ticks)
			ticks++
		case <-p.ctx.Done():
			return
		}
	}
}

// changedReady is nil while somebody is to look at what has changed already.
func (p *pump) changedReady() <-chan struct{} {
	if p.observer == nil || p.update != nil {
		return nil
	}
	return p.observer.changed.ready
}

// drain does and tells what is in the queue.
func (p *pump) drain() {
	list, lost := p.queue.take()
	for i := range list {
		if e := &list[i]; e.kind == order {
			e.run()
		} else if p.mirror != nil {
			p.handle(e)
		}
	}
	if lost {
		p.resync = true
		p.lost.Add(1)
	}
	p.mend()
}

// handle tells what has happened.
func (p *pump) handle(e *entry) {
	at := iso(e.at)
	switch e.kind {
	case connected:
		p.connected(e.socket, e.text, at)
	case disconnected:
		p.disconnected(e.ns, e.id, e.text, at)
	case upgraded:
		if p.mirror.sockets[e.id] != nil {
			p.updated(transportUpdate{e.id, e.ns, e.text})
		}
	case roomJoined:
		if p.mirror.join(e.id, e.text) {
			p.change("room_joined", e.ns, e.text, e.id, at)
		}
	case roomLeft:
		if k := p.mirror.sockets[e.id]; k != nil && e.text == e.id && k.socket.Context().Err() != nil {
			// It was not connected yet when it was first seen, and never has been.
			p.disconnected(e.ns, e.id, string(server.TransportClose), at)
		} else if p.mirror.leave(e.id, e.text) {
			p.change("room_left", e.ns, e.text, e.id, at)
		}
	case received:
		p.tell("event_received", e.ns, e.id, json.RawMessage(e.text), at)
	case sent:
		p.tell("event_sent", e.ns, e.id, json.RawMessage(e.text), at)
	}
}

// connected tells of a socket, with the transport that it had when it came: that
// it has another now may be told next.
func (p *pump) connected(s *server.Socket, transport, at string) {
	k, ok := p.mirror.connect(s, p.opts.MaxSockets)
	if !ok || p.owed {
		return
	}
	info := p.local(s, k.rooms)
	k.data, info.Transport = info.Data, transport
	p.change("room_joined", info.Namespace, info.ID, info.ID, at)
	p.change("socket_connected", info, at)
}

// disconnected tells that a socket has ended, and that it has left its rooms,
// its own first. Room events of its leaving are none of a known socket then.
func (p *pump) disconnected(ns, id, reason, at string) {
	k := p.mirror.sockets[id]
	if k == nil {
		return
	}
	delete(p.mirror.sockets, id)
	p.change("socket_disconnected", ns, id, reason, at)
	for _, room := range k.rooms {
		p.change("room_left", ns, room, id, at)
	}
}

// change tells what has happened to a socket or a room, as long as there is time:
// a crowd that comes or goes would keep the page busy for minutes. Once there is
// none, nothing of the kind is told until a list has made it good.
func (p *pump) change(event string, args ...any) {
	if !p.owed && p.observer.budget.change() {
		p.tell(event, args...)
		return
	}
	p.owed, p.resync = true, true
}

// updated is change for what is no row of the page.
func (p *pump) updated(update any) {
	if !p.owed && p.observer.budget.update() {
		p.tell("socket_updated", update)
		return
	}
	p.owed, p.resync = true, true
}

type transportUpdate struct {
	ID        string `json:"id"`
	Namespace string `json:"nsp"`
	Transport string `json:"transport"`
}

type dataUpdate struct {
	ID        string          `json:"id"`
	Namespace string          `json:"nsp"`
	Data      json.RawMessage `json:"data"`
}

// tellUpdates tells what data has changed, as it is now.
func (p *pump) tellUpdates() {
	if p.observer == nil {
		return
	}
	list, more := p.observer.changed.take(updatesAtOnce)
	if more {
		p.update = time.After(updateInterval)
	}
	for _, s := range list {
		k := p.mirror.sockets[s.ID()]
		if k == nil {
			continue // it is about to be told of, with its data, or is not shown
		}
		data := p.localData(s)
		p.updated(dataUpdate{s.ID(), s.Namespace().Name(), patch(k.data, data)})
		k.data = data
	}
}

// tell sends an event to all admins who want to know what happens here.
func (p *pump) tell(event string, args ...any) {
	to := p.ns.Local()
	if p.opts.Watch == Always || len(p.remote) > 0 {
		to = p.ns.To()
	} else if len(p.admins) == 0 {
		return
	}
	p.check(event, to.Emit(event, args...))
}

// check logs an event that could not be encoded.
func (p *pump) check(event string, err error) {
	if err != nil {
		p.opts.Logger.Error("admins cannot be told", "event", event, "error", err)
	}
}

// tick is called every second.
func (p *pump) tick(now time.Time, ticks int) {
	p.meter.sample(p.count(), now)
	p.expire(now)
	if p.observer != nil {
		p.observer.budget.fill(p.perSecond(), p.servers)
		if ticks%countInterval == 0 {
			p.countServers()
		}
	}
	p.mend()
	if ticks%2 != 0 {
		return
	}
	p.announce(false)
	if len(p.admins) > 0 || p.opts.Watch != Local {
		stats := p.stats()
		stats.Namespaces = p.slots.fill(stats.Namespaces)
		stats.Events = p.meter.flush()
		p.check("server_stats", p.ns.Emit("server_stats", stats))
	} else {
		p.meter.flush()
	}
}

// mend makes good what admins were not told.
func (p *pump) mend() {
	if p.mirror == nil {
		return
	}
	n := len(p.mirror.sockets)
	if p.mirror.partial && n < p.opts.MaxSockets*4/5 && n < p.opened() || p.listed.cut && n < p.listed.known*4/5 {
		p.resync = true
	}
	now := time.Now()
	if !p.resync && !p.stale || now.Sub(p.listed.at) < max(listInterval, p.listed.pause) || p.observer.budget.spent() {
		return
	}
	p.listed.at = now // others may take a while to answer
	lost := p.resync
	if lost {
		p.resync, p.owed = false, false
		p.mirror = newMirror(p.io, p.opts.MaxSockets)
	}
	p.stale = false
	p.refresh()
	if lost {
		p.announce(true)
	}
}

// iso is a time as the page wants it.
func iso(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// order has the pump's goroutine do something, after all that was told before.
func (a *Admin) order(f func()) {
	if a.ctx.Err() == nil { // else nobody reads the queue
		a.queue.push(entry{kind: order, run: f})
	}
}

// connect is the namespace's connect handler.
func (a *Admin) connect(_ context.Context, s *server.Socket) error {
	v := visitOf(s)
	a.opts.Logger.Info("admin logged in", "admin", v.principal.Name, "socket", s.ID(), "address", s.Handshake().Address())
	if v.session != "" {
		if err := s.Emit("session", v.session); err != nil {
			return err
		}
	}
	a.order(func() { a.pump.arrive(s, v) })
	return nil
}

func (a *Admin) disconnect(_ context.Context, s *server.Socket, _ server.Reason) {
	a.order(func() { a.pump.depart(s) })
}
