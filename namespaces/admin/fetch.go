package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/seed3686fee0/parlor/server"
)

const (
	fetchPatience = 5 * time.Second
	fetchesAtOnce = 8         // namespaces
	listBytes     = 768 << 10 // of all_sockets; with more, an admin on a slow line is a slow consumer
)

// sockets describes those of the namespaces that this instance has, on all
// instances, one after the other. An error says that some instances did not answer;
// the sockets that were found are valid.
func (a *Admin) sockets(ctx context.Context, found func(socketInfo)) error {
	for _, ns := range a.io.Namespaces() {
		for s := range ns.Sockets() {
			if s.Context().Err() == nil {
				found(a.local(s, s.Rooms()))
			}
		}
	}
	return a.others(ctx, found)
}

// others describes the sockets of other instances, one after the other.
func (a *Admin) others(ctx context.Context, found func(socketInfo)) error {
	// "/" is a namespace of every instance, whatever kind of server it is.
	if n, err := a.io.Of("/").Adapter().ServerCount(ctx); err == nil && n <= 1 {
		return nil
	}
	var (
		work  sync.WaitGroup
		mu    sync.Mutex // of errs, and of calling found
		errs  []error
		place = make(chan struct{}, fetchesAtOnce)
	)
	for _, ns := range a.io.Namespaces() {
		place <- struct{}{}
		work.Go(func() {
			defer func() { <-place }()
			list, err := ns.FetchSockets(ctx)
			if err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
			for _, r := range list {
				if _, own := ns.Socket(r.ID()); own {
					continue
				}
				info := a.remote(ns.Name(), r)
				mu.Lock()
				found(info)
				mu.Unlock()
			}
		})
	}
	work.Wait()
	return errors.Join(errs...)
}

// A fetch is how other instances are asked for their sockets: once at a time,
// for all admins who want to know. It is owned by the pump.
type fetch struct {
	under bool
	next  wish // of the one after it
}

// A wish is for a list.
type wish struct {
	admins map[*server.Socket]struct{}
	anew   bool // also without sockets of other instances
}

// refresh tells admins all sockets anew, those of other instances as well, once
// these have answered or have not; without any, all admins.
func (p *pump) refresh(to ...*server.Socket) {
	next := &p.fetch.next
	if next.admins == nil {
		next.admins = make(map[*server.Socket]struct{})
	}
	for _, s := range to {
		next.admins[s] = struct{}{}
	}
	if len(to) == 0 {
		next.anew = true
		for s := range p.admins {
			next.admins[s] = struct{}{}
		}
	}
	p.ask()
}

// ask asks, if somebody wants to know and nobody has been asked.
func (p *pump) ask() {
	f := &p.fetch
	if f.under || len(f.next.admins) == 0 || p.mirror == nil {
		return
	}
	now := f.next
	f.under, f.next = true, wish{}
	p.work.Go(func() {
		ctx, cancel := context.WithTimeout(p.ctx, fetchPatience)
		defer cancel()
		var others []socketInfo
		err := p.others(ctx, func(s socketInfo) { others = append(others, s) })
		p.order(func() { p.fetched(now, others, err) })
	})
}

// fetched tells what others have answered.
func (p *pump) fetched(w wish, others []socketInfo, err error) {
	p.fetch.under = false
	if err != nil {
		p.opts.Logger.Warn("admins see not all sockets: some instances did not answer", "error", err)
	}
	if p.mirror != nil && (w.anew || len(others) > 0) {
		p.tellList(others, w.admins)
	}
	p.ask()
}

// tellList tells admins the sockets of this instance that they know and those of
// others, the newest of them. What is told to all admins is paid for by all.
func (p *pump) tellList(others []socketInfo, admins map[*server.Socket]struct{}) {
	list := slices.Clone(others)
	for _, k := range p.mirror.list() {
		info := p.local(k.socket, k.rooms)
		k.data = info.Data
		list = append(list, info)
	}
	shown, took := newest(list, p.opts.MaxSockets, p.perSecond())
	text := encodeList(shown)
	for s := range admins {
		p.check("all_sockets", s.Emit("all_sockets", text))
	}
	if len(admins) < len(p.admins) {
		return
	}
	p.observer.budget.list(took)
	p.listed = listed{at: time.Now(), known: len(p.mirror.sockets), cut: len(shown) < len(list)}
	if !p.observer.budget.endless {
		p.listed.pause = time.Duration(float64(took) / p.opts.Load * listShare)
	}
}

// newest are those of a list that admins are shown, so many at most, and what the
// page takes for them. One for which there is no time is left out.
func newest(list []socketInfo, most int, time time.Duration) ([]socketInfo, time.Duration) {
	slices.SortStableFunc(list, func(a, b socketInfo) int { return cmp.Compare(b.Handshake.Issued, a.Handshake.Issued) })
	work := newListing()
	shown := slices.DeleteFunc(list[:min(len(list), most)], func(s socketInfo) bool { return !work.add(&s, time) })
	return shown, work.took
}

// encodeList encodes a list. Where that is too long, it is without headers, and if
// need be without the oldest.
func encodeList(list []socketInfo) json.RawMessage {
	text, all := appendList(list)
	if !all {
		for i := range list {
			list[i].Handshake.Headers = map[string]string{}
		}
		text, _ = appendList(list)
	}
	return text
}

// appendList encodes as much of a list as there is room for.
func appendList(list []socketInfo) (text []byte, all bool) {
	text = append(text, '[')
	for i := range list {
		one, err := json.Marshal(&list[i])
		if err != nil { // nothing in it can fail
			continue
		}
		if len(text)+len(one)+2 > listBytes {
			return append(text, ']'), false
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(text, one...)
	}
	return append(text, ']'), true
}
