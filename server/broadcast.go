package server

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/server/packet"
)

// An Emitter is what an event can be emitted to: a [*Namespace], a [*Socket],
// a [Broadcast] or a [Sender].
type Emitter interface {
	Emit(event string, args ...any) error
}

// A Broadcast addresses sockets of a namespace. It is a value: its methods
// return another, nothing is stored on the namespace or socket that it began
// with, and it may be kept and used again.
type Broadcast struct {
	ns     *Namespace
	target adapter.Target
}

// To addresses the sockets in any of the rooms, beside those in rooms that are
// addressed already; each gets the event once. The slice is kept.
func (b Broadcast) To(rooms ...string) Broadcast {
	b.target.Rooms = concat(b.target.Rooms, rooms)
	return b
}

// concat leaves both lists as they are; most often there is only one.
func concat(a, b []string) []string {
	if len(a) == 0 {
		return b
	}
	return slices.Concat(a, b)
}

// In is another name for To.
func (b Broadcast) In(rooms ...string) Broadcast { return b.To(rooms...) }

// Except leaves out the sockets in any of the rooms. The slice is kept.
func (b Broadcast) Except(rooms ...string) Broadcast {
	b.target.Except = concat(b.target.Except, rooms)
	return b
}

// Local addresses the sockets of this instance only.
func (b Broadcast) Local() Broadcast {
	b.target.Local = true
	return b
}

// Volatile allows the event to be dropped for a client that is not ready.
func (b Broadcast) Volatile() Broadcast {
	b.target.Flags.Volatile = true
	return b
}

// Compress says whether compressing is worth while. Default true.
func (b Broadcast) Compress(on bool) Broadcast {
	b.target.Flags.NoCompress = !on
	return b
}

// Timeout sets how long acknowledgements are waited for, or until the
// context's deadline, if that is earlier.
func (b Broadcast) Timeout(d time.Duration) Broadcast {
	b.target.Timeout = d
	return b
}

// Emit sends an event to the sockets that are addressed.
func (b Broadcast) Emit(event string, args ...any) error {
	p, err := b.ns.event(event, args)
	if err != nil {
		return err
	}
	if b.ns.adapter == nil {
		return b.emitChildren(p)
	}
	return b.send(p)
}

func (b Broadcast) send(p packet.Packet) error {
	shared := packet.NewShared(p)
	if _, err := packet.Encoding(shared, b.ns.server.wire.format(b.target.Flags)); err != nil {
		return fmt.Errorf("emit %q: %w", p.Name(), err)
	}
	b.ns.server.counts.flows[0].out.Add(1)
	told := b.audience()
	b.ns.adapter.Broadcast(shared, b.target)
	told.notify(&p)
	return nil
}

// emitChildren sends an event to the namespaces that a pattern has made.
func (b Broadcast) emitChildren(p packet.Packet) error {
	var errs []error
	for _, child := range b.ns.made() {
		p.Namespace = child.name
		errs = append(errs, Broadcast{child, b.target}.send(p))
	}
	return errors.Join(errs...)
}

// An audience is whom a broadcast is about to reach, where outgoing handlers
// want to know.
type audience struct {
	handlers *handlers
	sockets  []*Socket
}

// audience is asked before the broadcast: after it, who was sent it may be gone.
// Who comes just then may be sent it all the same.
func (b Broadcast) audience() audience {
	a := audience{handlers: b.ns.handlers.Load()}
	if len(a.handlers.outgoing) == 0 {
		return a
	}
	members := b.ns.adapter.Members(b.target)
	a.sockets = make([]*Socket, 0, len(members))
	for _, x := range members {
		if m, ok := x.(*member); ok && m.Reachable() {
			a.sockets = append(a.sockets, m.socket())
		}
	}
	return a
}

// notify tells the outgoing handlers.
func (a audience) notify(p *packet.Packet) {
	for _, s := range a.sockets {
		a.handlers.notify(s, p)
	}
}

// AskEach emits an event and yields the clients' acknowledgements as they
// come. It ends when all have answered, or when the time is up: the deadline
// of ctx, or the server's ack timeout. Then, and when a client has gone
// without an answer, the last thing that it yields is an [*IncompleteError].
func (b Broadcast) AskEach(ctx context.Context, event string, args ...any) iter.Seq2[Args, error] {
	return func(yield func(Args, error) bool) {
		if b.ns.adapter == nil {
			yield(Args{}, fmt.Errorf("ask %q: %w", event, ErrDynamicNamespace))
			return
		}
		p, err := b.ns.event(event, args)
		if err != nil {
			yield(Args{}, err)
			return
		}
		p.HasID, p.ID = true, b.ns.nextAck()
		shared := packet.NewShared(p)
		if _, err := packet.Encoding(shared, b.ns.server.wire.format(b.target.Flags)); err != nil {
			yield(Args{}, fmt.Errorf("ask %q: %w", event, err))
			return
		}
		ctx, cancel := b.ns.server.ackDeadline(ctx, b.target.Timeout)
		defer cancel()
		target := b.target // not b's own: a sequence may be ranged over again, and by several at once
		target.Timeout = timeLeft(ctx)
		b.ns.server.counts.flows[0].out.Add(1)
		told, answers, began := b.audience(), newAnswers(), time.Now()
		b.ns.adapter.BroadcastWithAck(ctx, shared, target, answers.clients, func(args packet.Args, ok bool) {
			if ok {
				b.ns.acked(event, began, nil)
			}
			answers.reply(args, ok)
		})
		told.notify(&p)
		servers := 1
		if !b.target.Local {
			// With an error it is what was known before: whoever cannot be
			// reached is missing, and the last error says so.
			count, _ := b.ns.adapter.ServerCount(ctx)
			servers = max(servers, count)
		}
		answers.each(ctx, servers, yield)
	}
}

func timeLeft(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0
	}
	return time.Until(deadline)
}

// answers collects the acknowledgements of a broadcast.
type answers struct {
	mu      sync.Mutex
	news    chan struct{}
	ready   []packet.Args
	servers int // that have said how many clients they have asked
	asked   int
	closed  int // answered, or gone
	gone    int
}

func newAnswers() *answers { return &answers{news: make(chan struct{}, 1)} }

func (a *answers) clients(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.servers++
	a.asked += n
	a.tell()
}

func (a *answers) reply(args packet.Args, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed++
	if ok {
		a.ready = append(a.ready, args)
	} else {
		a.gone++
	}
	a.tell()
}

func (a *answers) tell() {
	select {
	case a.news <- struct{}{}:
	default:
	}
}

// take returns the answers that have come, and whether all have.
func (a *answers) take(servers int) (ready []packet.Args, all bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ready, a.ready = a.ready, nil
	return ready, a.servers >= servers && a.closed >= a.asked
}

func (a *answers) each(ctx context.Context, servers int, yield func(Args, error) bool) {
	for {
		ready, all := a.take(servers)
		for _, args := range ready {
			if !yield(Args{Args: args}, nil) {
				return
			}
		}
		if all {
			break
		}
		select {
		case <-a.news:
		case <-ctx.Done():
			if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
				yield(Args{}, context.Cause(ctx))
				return
			}
			ready, _ := a.take(servers)
			for _, args := range ready {
				if !yield(Args{Args: args}, nil) {
					return
				}
			}
			a.incomplete(servers, yield)
			return
		}
	}
	a.incomplete(servers, yield)
}

func (a *answers) incomplete(servers int, yield func(Args, error) bool) {
	a.mu.Lock()
	e := &IncompleteError{Missing: a.asked - a.closed + a.gone, Instances: max(0, servers-a.servers)}
	a.mu.Unlock()
	if e.Missing > 0 || e.Instances > 0 {
		yield(Args{}, e)
	}
}

// FetchSockets describes the sockets that are addressed, of all instances. An
// error says that some did not answer; the sockets beside it are valid.
func (b Broadcast) FetchSockets(ctx context.Context) ([]RemoteSocket, error) {
	if b.ns.adapter == nil {
		return nil, fmt.Errorf("fetch sockets: %w", ErrDynamicNamespace)
	}
	infos, err := b.ns.adapter.FetchSockets(ctx, b.target)
	sockets := make([]RemoteSocket, len(infos))
	for i, info := range infos {
		sockets[i] = RemoteSocket{ns: b.ns, info: info}
	}
	return sockets, err
}

// SocketsJoin puts the sockets that are addressed, on all instances, into rooms.
func (b Broadcast) SocketsJoin(rooms ...string) {
	b.each(func(b Broadcast) { b.ns.adapter.SocketsJoin(b.target, rooms...) })
}

// SocketsLeave takes the sockets that are addressed, on all instances, out of
// rooms.
func (b Broadcast) SocketsLeave(rooms ...string) {
	b.each(func(b Broadcast) { b.ns.adapter.SocketsLeave(b.target, rooms...) })
}

// DisconnectSockets disconnects the sockets that are addressed, on all
// instances, as [Socket.Disconnect] does.
func (b Broadcast) DisconnectSockets(closeConn bool) {
	b.each(func(b Broadcast) { b.ns.adapter.DisconnectSockets(b.target, closeConn) })
}

// each does something in the namespace, or in those that a pattern has made.
func (b Broadcast) each(f func(b Broadcast)) {
	if b.ns.adapter != nil {
		f(b)
		return
	}
	for _, child := range b.ns.made() {
		f(Broadcast{child, b.target})
	}
}
