package server

import (
	"context"
	"iter"

	"github.com/seed3686fee0/parlor/server/packet"
)

// An Event is the name of an event with the type of its one argument, written
// down once for both directions:
//
//	const Chat server.Event[Msg] = "chat"
//
// With T struct{} the event has no argument. For several arguments or raw
// bytes use [Namespace.On] and Emit.
type Event[T any] string

// Handle adds a handler for the event. An argument that is no T is refused
// with the client error "invalid_payload", before the handler.
func (e Event[T]) Handle(ns *Namespace, f func(ctx context.Context, s *Socket, v T) error) {
	ns.On(string(e), func(ctx context.Context, s *Socket, args Args) error {
		v, err := argument[T](args)
		if err != nil {
			return err
		}
		return f(ctx, s, v)
	})
}

// Emit emits the event.
func (e Event[T]) Emit(to Emitter, v T) error { return to.Emit(string(e), values(v)...) }

// A Call is the name of an event that is answered: by the server, what its
// handler returns is the client's acknowledgement, or by the client.
type Call[Req, Res any] string

// Handle adds the handler that answers the client. A client that wants no
// answer gets none.
func (c Call[Req, Res]) Handle(ns *Namespace, f func(ctx context.Context, s *Socket, req Req) (Res, error)) {
	ns.On(string(c), func(ctx context.Context, s *Socket, args Args) error {
		req, err := argument[Req](args)
		if err != nil {
			return err
		}
		res, err := f(ctx, s, req)
		if err != nil || !args.WantsAck() {
			return err
		}
		return args.Ack(values(res)...)
	})
}

// Asker is what a question can be put to: a [*Socket] or a [Sender].
type Asker interface {
	Ask(ctx context.Context, event string, args ...any) (Args, error)
}

// Ask puts the question to a client and returns its answer; see [Socket.Ask].
func (c Call[Req, Res]) Ask(ctx context.Context, to Asker, req Req) (Res, error) {
	var res Res
	args, err := to.Ask(ctx, string(c), values(req)...)
	if err != nil {
		return res, err
	}
	err = args.At(0).Decode(&res)
	return res, err
}

// AskEach puts the question to many clients; see [Broadcast.AskEach]. An answer
// that is no Res is yielded as an error, and the others follow.
func (c Call[Req, Res]) AskEach(ctx context.Context, to Broadcast, req Req) iter.Seq2[Res, error] {
	return func(yield func(Res, error) bool) {
		for args, err := range to.AskEach(ctx, string(c), values(req)...) {
			var res Res
			if err == nil {
				err = args.At(0).Decode(&res)
			}
			if !yield(res, err) {
				return
			}
		}
	}
}

// values is what an event with a value of T carries.
func values[T any](v T) []any {
	if _, none := any(v).(struct{}); none {
		return nil
	}
	return []any{v}
}

// argument decodes the one argument of an event.
func argument[T any](args Args) (v T, err error) {
	if _, none := any(v).(struct{}); none {
		return v, nil
	}
	if err := args.At(0).Decode(&v); err != nil {
		return v, &ClientError{Code: "invalid_payload", Message: "the argument is not what the event takes"}
	}
	return v, nil
}

var _ packet.Appender = clientError{}
