package redisadapter

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/wire"
	"github.com/seed3686fee0/parlor/server/packet"
)

// requests are what a node has asked the others and waits for. What answers
// something else is ignored.
type requests struct {
	mu       sync.Mutex
	collects map[string]*collect
	asks     map[string]*ask
	closed   bool
}

func (r *requests) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.asks = nil
}

func (r *requests) pending() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.collects) + len(r.asks)
}

// A collect waits for one answer of each of the other instances.
type collect struct {
	op   wire.Op
	news chan struct{} // has room for one

	// Guarded by requests.mu.
	got  []*wire.Message
	from map[string]bool // of those that say who they are
	sent bool
	// reached is how many connections Redis gave the request to, this instance's
	// among them; at one node of a Cluster. Not positive: it is not known.
	reached link.Outcome
}

// takes reports whether a message is an answer to the question. In the classic form
// a list of sockets without the list only has a request's id: not all members write
// one that is empty.
func (c *collect) takes(m *wire.Message) bool {
	return c.op == m.Op || c.op == wire.Sockets && m.Op == wire.Names && m.Names == nil && !m.IsRooms
}

// answer hands an answer to whoever waits for it.
func (r *requests) answer(m *wire.Message) {
	r.mu.Lock()
	c, a := r.collects[m.RequestID], r.asks[m.RequestID]
	if c != nil && c.takes(m) && (m.UID == "" || !c.from[m.UID]) {
		c.from[m.UID] = true
		c.got = append(c.got, m)
		notify(c.news)
	}
	r.mu.Unlock()
	if a != nil {
		a.answer(m)
	}
}

// sent notes what became of a request.
func (r *requests) sent(c *collect, o link.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c.sent, c.reached = true, o
	notify(c.news)
}

func (r *requests) progress(c *collect) (have int, sent bool, reached link.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(c.got), c.sent, c.reached
}

// How often the number of instances is read again while some are waited for: one
// that has ended is not waited for until the time is up.
const (
	firstRecount = 250 * time.Millisecond
	nextRecounts = time.Second
)

// collect sends a request and returns the answers of the others, and an error
// that says how many of them are missing.
func (n *node) collect(ctx context.Context, m *wire.Message, answers wire.Op) ([]*wire.Message, error) {
	known := int(n.known.Load())
	if ctx.Err() != nil {
		return nil, &adapter.MissingError{Instances: max(1, known-1), Err: context.Cause(ctx)}
	}
	ctx, cancel := context.WithTimeout(ctx, n.cluster.config.requestTimeout)
	defer cancel()
	count, err := n.count(ctx)
	if err != nil {
		return nil, n.missing(max(1, known-1), err)
	}
	want := count - 1
	if want == 0 {
		return nil, nil
	}
	m.RequestID = newID()
	c := &collect{op: answers, news: make(chan struct{}, 1), from: make(map[string]bool)}
	r := &n.requests
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return nil, n.missing(want, errClosed)
	}
	if r.collects == nil {
		r.collects = make(map[string]*collect)
	}
	r.collects[m.RequestID] = c
	r.mu.Unlock()
	if err = n.publish(m, "", func(o link.Outcome) { r.sent(c, o) }); err == nil {
		want, err = n.wait(ctx, c, want)
	}
	r.mu.Lock()
	delete(r.collects, m.RequestID)
	got := c.got
	r.mu.Unlock()
	if lack := want - len(got); lack > 0 {
		return got, n.missing(lack, err)
	}
	return got, nil
}

func (n *node) missing(instances int, err error) error {
	n.cluster.counts.missing.Add(uint64(instances))
	return &adapter.MissingError{Instances: instances, Err: err}
}

// wait waits until all that can answer have. It returns how many were asked, which
// may be more than were counted before, and why there are no more answers.
func (n *node) wait(ctx context.Context, c *collect, counted int) (asked int, err error) {
	recount := time.NewTimer(firstRecount)
	defer recount.Stop()
	want, sure := counted, false
	for {
		have, sent, reached := n.requests.progress(c)
		if sent && !sure {
			// Who has joined since the count is waited for too, and has nobody's
			// place. Connections that listen by a pattern of theirs are not counted.
			sure = true
			if others := int(reached) - 1; others > want {
				if count, err := n.count(ctx); err == nil {
					others = min(others, count-1)
				}
				want = max(want, others)
				counted = want
			}
		}
		if sure && have >= want {
			return counted, errGone // but for those that are not there any more
		}
		select {
		case <-c.news:
		case <-recount.C:
			if count, err := n.count(ctx); err == nil && count-1 < want {
				want = min(want, count-1+n.left(ctx, c))
			}
			recount.Reset(nextRecounts)
		case <-ctx.Done():
			return counted, context.Cause(ctx)
		case <-n.ctx.Done():
			return counted, errClosed
		}
	}
}

// left counts the instances that have answered and are gone. Those who have not
// answered are waited for all the same.
func (n *node) left(ctx context.Context, c *collect) (gone int) {
	n.requests.mu.Lock()
	answered := slices.Collect(maps.Keys(c.from))
	n.requests.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, n.cluster.config.publishTimeout)
	defer cancel()
	for _, uid := range answered {
		if uid == "" { // one of Node, in the classic form
			continue
		}
		subs := n.form.subs(n.namespace, uid)
		if count, err := n.line.driver.NumSub(ctx, subs[len(subs)-1]); err == nil && count == 0 {
			gone++
		}
	}
	return gone
}

// FetchSockets implements [adapter.Adapter].
func (n *node) FetchSockets(ctx context.Context, t adapter.Target) ([]adapter.SocketInfo, error) {
	infos, err := n.Memory.FetchSockets(ctx, t)
	if t.Local || err != nil {
		return infos, err
	}
	t.Timeout = 0
	answers, err := n.collect(ctx, &wire.Message{Op: wire.Fetch, Target: t}, wire.Sockets)
	for _, m := range answers {
		infos = append(infos, m.Sockets...)
	}
	return infos, err
}

// ServerSideAsk implements [adapter.Adapter].
func (n *node) ServerSideAsk(ctx context.Context, args packet.Args) ([]packet.Args, error) {
	answers, err := n.collect(ctx, &wire.Message{Op: wire.ServerSide, Args: args}, wire.Answer)
	var list []packet.Args
	for _, m := range answers {
		list = append(list, m.Args)
	}
	return list, err
}

// An ask passes on what members of all instances acknowledge.
type ask struct {
	ctx     context.Context // whose end is the last of it, at once
	clients func(int)
	reply   func(packet.Args, bool)

	mu    sync.Mutex      // also held during the calls, so that they do not overlap
	heard map[string]bool // instances that have told their number
}

func (a *ask) count(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ctx.Err() == nil {
		a.clients(n)
	}
}

func (a *ask) one(args packet.Args, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ctx.Err() == nil {
		a.reply(args, ok)
	}
}

func (a *ask) answer(m *wire.Message) {
	switch m.Op {
	case wire.Clients:
		a.mu.Lock()
		again := m.UID != "" && a.heard[m.UID]
		a.heard[m.UID] = true
		a.mu.Unlock()
		if !again {
			a.count(m.Clients)
		}
	case wire.Acked:
		a.one(m.Args, !m.Gone)
	}
}

// BroadcastWithAck implements [adapter.Adapter].
func (n *node) BroadcastWithAck(ctx context.Context, p *packet.Shared, t adapter.Target, clients func(int), reply func(packet.Args, bool)) {
	if t.Local || ctx.Err() != nil {
		n.Memory.BroadcastWithAck(ctx, p, t, clients, reply)
		return
	}
	a := &ask{ctx: ctx, clients: clients, reply: reply, heard: make(map[string]bool)}
	n.Memory.BroadcastWithAck(ctx, p, t, a.count, a.one)
	id := newID()
	r := &n.requests
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	if r.asks == nil {
		r.asks = make(map[string]*ask)
	}
	r.asks[id] = a
	r.mu.Unlock()
	context.AfterFunc(ctx, func() {
		r.mu.Lock()
		delete(r.asks, id)
		r.mu.Unlock()
	})
	if t.Timeout <= 0 {
		t.Timeout = n.cluster.config.requestTimeout // Node waits for a moment only where it is not told how long
	}
	n.send(&wire.Message{Op: wire.Ask, RequestID: id, Args: p.Packet().Args, Target: t, WantsGone: true}, "")
}
