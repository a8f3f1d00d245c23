package server

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/seed3686fee0/parlor/server/packet"
)

// A ServerSideHandler handles an event of another instance. args.Ack answers it.
type ServerSideHandler func(ctx context.Context, args Args) error

// OnServerSide adds a handler for events that other instances send with
// ServerSideEmit and ServerSideAsk.
func (ns *Namespace) OnServerSide(event string, f ServerSideHandler) {
	ns.update(func(h *handlers) { h.serverSide = withNamed(h.serverSide, event, f) })
}

// ServerSideEmit sends an event to the other instances of the cluster.
func (ns *Namespace) ServerSideEmit(event string, args ...any) error {
	list, err := ns.serverSideArgs(event, args)
	if err != nil {
		return err
	}
	return ns.adapter.ServerSideEmit(list)
}

// ServerSideAsk sends an event to the other instances of the cluster and
// returns what they answer. The error says how many did not in time: by the
// deadline of ctx, or the server's ack timeout; sooner where the adapter waits
// less long.
func (ns *Namespace) ServerSideAsk(ctx context.Context, event string, args ...any) ([]Args, error) {
	list, err := ns.serverSideArgs(event, args)
	if err != nil {
		return nil, err
	}
	ctx, cancel := ns.server.ackDeadline(ctx, 0)
	defer cancel()
	answers, err := ns.adapter.ServerSideAsk(ctx, list)
	out := make([]Args, len(answers))
	for i, a := range answers {
		out[i] = Args{Args: a}
	}
	return out, err
}

func (ns *Namespace) serverSideArgs(event string, args []any) (packet.Args, error) {
	switch {
	case event == "connect" || event == "connection" || event == "new_namespace":
		return packet.Args{}, fmt.Errorf("%q %w", event, ErrReserved)
	case ns.adapter == nil:
		return packet.Args{}, fmt.Errorf("server-side emit %q: %w", event, ErrDynamicNamespace)
	}
	return packet.EventArgs(event, args...)
}

// serverSide handles an event of another instance.
func (ns *Namespace) serverSide(args packet.Args, reply func(packet.Args)) {
	e := &serverSideEvent{args: args, reply: reply}
	for _, f := range ns.handlers.Load().serverSide[e.name()] {
		ns.server.guard(ns.name, e.name(), func() {
			if err := f(context.Background(), Args{args.Slice(1), e}); err != nil {
				ns.server.config.logger.Error("handler failed", "namespace", ns.name, "event", e.name(), "error", err)
			}
		})
	}
}

// A serverSideEvent is the source of the arguments of another instance's event.
type serverSideEvent struct {
	args  packet.Args
	reply func(packet.Args) // nil: no answer is wanted
	acked atomic.Bool
}

func (e *serverSideEvent) name() string {
	name, _ := e.args.At(0).Text()
	return name
}

func (e *serverSideEvent) wantsAck() (wanted, sent bool) { return e.reply != nil, e.acked.Load() }

func (e *serverSideEvent) ack(args packet.Args) error {
	if !e.acked.Swap(true) {
		e.reply(args)
	}
	return nil
}
