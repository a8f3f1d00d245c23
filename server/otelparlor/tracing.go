// Package otelparlor makes OpenTelemetry spans of what a server's handlers do, a span
// for each event:
//
//	io := server.New(otelparlor.Tracing())
//
// A handler's context has the span, so that what it calls, a database say, becomes a
// part of it.
//
// # Spans
//
// A span is named by the namespace and the event, "/chat message"; the event is
// "unknown" where none but catch-all handlers are registered for it, and a dynamic
// namespace goes by the name of its parent, so that clients cannot make names up. The handlers
// of a socket's connect are one span, "/chat connect", and those of its end another,
// "/chat disconnect". Where the client waits for an acknowledgement the kind is
// server, else consumer, and when it was sent is an event of the span, "ack".
//
// A handler's error is recorded, a panic with its stack, and the status is error. What a
// [server.ClientError] tells the client is the client's mistake: the status stays
// unset, and its code is the attribute socketio.error.code.
//
// Attributes are those of the conventions for messaging and networks. No payload is in
// them, and no id of a socket unless [WithSocketID] says so. The texts of errors
// are.
//
// # Where a trace begins
//
// Each span begins a trace, which has a link to the one that the handshake's
// traceparent header names. It is not its child: that trace was over when the
// connection stood, which carries events for hours; and whether a trace is sampled
// is not for clients to decide.
package otelparlor

import (
	"context"
	"errors"
	"slices"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/engine"
)

const (
	scope   = "github.com/seed3686fee0/parlor/server/otelparlor"
	system  = "socketio"
	unknown = "unknown"

	errorCode = attribute.Key("socketio.error.code")
)

// An Option is what [Tracing] can be told.
type Option func(*tracer)

// WithTracerProvider sets whom the spans are for. Default: that of
// [otel.GetTracerProvider].
func WithTracerProvider(p trace.TracerProvider) Option {
	return func(t *tracer) { t.tracer = p.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL)) }
}

// WithSocketID puts the socket's id into its spans, as messaging.client.id: to find
// those of one client. It is no secret.
func WithSocketID() Option { return func(t *tracer) { t.socketID = true } }

// Tracing returns the option of [server.New] that makes spans. Those that are not
// sampled cost little, and a server without the option nothing.
func Tracing(options ...Option) server.Option {
	t := &tracer{}
	WithTracerProvider(otel.GetTracerProvider())(t)
	for _, o := range options {
		o(t)
	}
	return server.WithTracer(t)
}

// A tracer is a [server.Tracer].
type tracer struct {
	// Static.
	tracer   trace.Tracer
	socketID bool

	// kinds are the spans that there have been, by kind. There are no more of them
	// than the program has namespaces and events.
	kinds sync.Map // kind → *start
}

// A kind is what spans have in common.
type kind struct {
	namespace, event, transport string
	dynamic, acked              bool
}

// A start is what spans of a kind begin with.
type start struct {
	name    string
	options []trace.SpanStartOption
}

func (t *tracer) start(k kind) *start {
	if found, ok := t.kinds.Load(k); ok {
		return found.(*start)
	}
	s := &start{name: k.namespace + " " + k.event}
	attributes := []attribute.KeyValue{
		semconv.MessagingSystemKey.String(system),
		semconv.MessagingOperationTypeProcess,
		semconv.MessagingOperationName(k.event),
		semconv.NetworkTransportTCP,
		semconv.NetworkProtocolName(k.transport),
	}
	if k.dynamic {
		attributes = append(attributes, semconv.MessagingDestinationTemplate(k.namespace))
	} else {
		attributes = append(attributes, semconv.MessagingDestinationName(k.namespace))
	}
	spanKind := trace.SpanKindConsumer
	if k.acked {
		spanKind = trace.SpanKindServer
	}
	s.options = []trace.SpanStartOption{trace.WithNewRoot(), trace.WithSpanKind(spanKind), trace.WithAttributes(attributes...)}
	t.kinds.Store(k, s)
	return s
}

// Begin implements [server.Tracer].
func (t *tracer) Begin(ctx context.Context, s *server.Socket, event string, args server.Args) (context.Context, server.Trace) {
	k := kind{namespace: s.Namespace().Name(), event: event, transport: "http", acked: args.WantsAck()}
	if event == "" {
		k.event = unknown
	}
	if s.Transport() == engine.WebSocket {
		k.transport = "websocket"
	}
	parent := s.Namespace().Parent()
	if k.dynamic = parent != nil; k.dynamic {
		k.namespace = parent.Name()
	}
	start := t.start(k)
	options := slices.Clip(start.options)
	if before := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), handshake{s})); before.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: before}))
	}
	ctx, span := t.tracer.Start(ctx, start.name, options...)
	if span.IsRecording() {
		if k.dynamic {
			span.SetAttributes(semconv.MessagingDestinationName(s.Namespace().Name()))
		}
		if t.socketID {
			span.SetAttributes(semconv.MessagingClientID(s.ID()))
		}
	}
	return ctx, run{span}
}

// A handshake is the headers that a socket came with, as a
// [propagation.TextMapCarrier] that is only read.
type handshake struct{ socket *server.Socket }

func (h handshake) Get(name string) string { return h.socket.Handshake().Get(name) }
func (handshake) Set(string, string)       {}
func (handshake) Keys() []string           { return nil }

// A run is a span of handlers, as a [server.Trace].
type run struct{ span trace.Span }

// Acked implements [server.Trace].
func (r run) Acked() { r.span.AddEvent("ack") }

// End implements [server.Trace].
func (r run) End(err error) {
	defer r.span.End()
	if err == nil {
		return
	}
	if told, ok := errors.AsType[*server.ClientError](err); ok {
		r.span.SetAttributes(errorCode.String(told.Code))
		return
	}
	var options []trace.EventOption
	if panicked, ok := errors.AsType[*server.PanicError](err); ok {
		options = append(options, trace.WithAttributes(semconv.ExceptionStacktrace(string(panicked.Stack))))
	}
	r.span.RecordError(err, options...)
	r.span.SetAttributes(semconv.ErrorType(err))
	r.span.SetStatus(codes.Error, err.Error())
}
