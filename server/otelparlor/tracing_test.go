package otelparlor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/otelparlor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	traceID  = "0af7651916cd43dd8448eb211c80319c"
	spanID   = "b7ad6b7169203331"
	patience = 10 * time.Second
)

// A rig is a server whose spans are recorded.
type rig struct {
	*server.Server

	t     testing.TB
	addr  string
	spans *tracetest.SpanRecorder
}

func serve(t testing.TB, provider *sdktrace.TracerProvider, options ...server.Option) *rig {
	t.Helper()
	r := &rig{t: t, spans: tracetest.NewSpanRecorder()}
	if provider != nil {
		provider.RegisterSpanProcessor(r.spans)
	}
	r.Server = server.New(options...)
	listener := httptest.NewServer(r.Server)
	r.addr = listener.Listener.Addr().String()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := r.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		listener.Close()
	})
	return r
}

// connect opens a connection by a request with these headers, and joins a namespace.
func (r *rig) connect(namespace string, header ...string) *wire.WS {
	r.t.Helper()
	c, err := wire.OpenWS(r.addr, wire.Handshake{Header: header})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	if _, err := wire.Join(c, namespace); err != nil {
		r.t.Fatal(err)
	}
	return c
}

// asks sends a packet and checks what comes next.
func (r *rig) asks(c *wire.WS, packet, want string) {
	r.t.Helper()
	if err := c.Send(packet); err != nil {
		r.t.Fatal(err)
	}
	if p, err := c.Next(); err != nil || p.Data != want {
		r.t.Fatalf("%s is answered by %q, %v; want %q", packet, p.Data, err, want)
	}
}

// span waits for the one span with a name that has ended.
func (r *rig) span(name string) sdktrace.ReadOnlySpan {
	r.t.Helper()
	for began := time.Now(); time.Since(began) < patience; time.Sleep(time.Millisecond) {
		for _, s := range r.spans.Ended() {
			if s.Name() == name {
				return s
			}
		}
	}
	var names []string
	for _, s := range r.spans.Ended() {
		names = append(names, s.Name())
	}
	r.t.Fatalf("no span %q among %q", name, names)
	return nil
}

func value(list []attribute.KeyValue, key attribute.Key) string {
	for _, a := range list {
		if a.Key == key {
			return a.Value.String()
		}
	}
	return ""
}

// describe is what a span says of itself, but for times, ids and attributes.
func describe(s sdktrace.ReadOnlySpan) string {
	text := fmt.Sprintf("%s %s", s.SpanKind(), s.Status().Code)
	for _, e := range s.Events() {
		text += " " + e.Name
	}
	return text
}

// handlers are those of the tests.
func handlers(ns *server.Namespace) {
	ns.OnConnect(func(context.Context, *server.Socket) error { return nil })
	ns.OnDisconnect(func(context.Context, *server.Socket, server.Reason) {})
	ns.OnAny(func(context.Context, *server.Socket, server.Args) error { return nil })
	ns.On("ask", func(_ context.Context, _ *server.Socket, args server.Args) error { return args.Ack() })
	ns.On("say", func(_ context.Context, s *server.Socket, _ server.Args) error { return s.Emit("said") })
	ns.On("refuse", func(context.Context, *server.Socket, server.Args) error {
		return &server.ClientError{Code: "not_now", Message: "not now"}
	})
	ns.On("fail", func(context.Context, *server.Socket, server.Args) error { return errors.New("it failed") })
	ns.On("panic", func(context.Context, *server.Socket, server.Args) error { panic("it panicked") })
}

func traced() (*sdktrace.TracerProvider, server.Option) {
	provider := sdktrace.NewTracerProvider()
	return provider, otelparlor.Tracing(otelparlor.WithTracerProvider(provider))
}

// One span for each event, named by what the program knows of, with its end.
func TestSpans(t *testing.T) {
	provider, option := traced()
	r := serve(t, provider, option)
	handlers(r.Of("/chat"))
	c := r.connect("/chat")
	r.asks(c, `42/chat,1["ask","secret"]`, `43/chat,1[]`)
	r.asks(c, `42/chat,["say"]`, `42/chat,["said"]`)
	r.asks(c, `42/chat,2["refuse"]`, `43/chat,2[{"ok":false,"error":{"code":"not_now","message":"not now"}}]`)
	r.asks(c, `42/chat,3["panic"]`, `43/chat,3[{"ok":false,"error":{"code":"internal","message":"internal error"}}]`)
	if err := c.Send(`42/chat,["fail"]`, `42/chat,["made up"]`, `42/chat,["made up too"]`, `41/chat,`); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"/chat connect":    "consumer Unset",
		"/chat ask":        "server Unset ack",
		"/chat say":        "consumer Unset",
		"/chat refuse":     "server Unset ack",
		"/chat fail":       "consumer Error exception",
		"/chat panic":      "server Error ack exception",
		"/chat unknown":    "consumer Unset",
		"/chat disconnect": "consumer Unset",
	} {
		s := r.span(name)
		if got := describe(s); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if s.Parent().IsValid() || len(s.Links()) > 0 {
			t.Errorf("%s is linked to something", name)
		}
		_, event, _ := strings.Cut(name, " ")
		for key, want := range map[attribute.Key]string{
			"messaging.system": "socketio", "messaging.operation.type": "process", "messaging.operation.name": event,
			"messaging.destination.name": "/chat", "network.protocol.name": "websocket", "network.transport": "tcp",
			"messaging.client.id": "",
		} {
			if got := value(s.Attributes(), key); got != want {
				t.Errorf("%s: %s is %q, want %q", name, key, got, want)
			}
		}
		if strings.Contains(fmt.Sprint(s.Attributes(), s.Events()), "secret") {
			t.Errorf("%s has the payload in it", name)
		}
	}
	if got := len(r.spans.Ended()); got != 9 { // two of them unknown
		t.Errorf("%d spans", got)
	}
	if got := value(r.span("/chat refuse").Attributes(), "socketio.error.code"); got != "not_now" {
		t.Errorf("the refusal has the code %q", got)
	}
	if s := r.span("/chat fail"); s.Status().Description != "it failed" || value(s.Attributes(), "error.type") == "" {
		t.Errorf("the failure: %+v, %v", s.Status(), s.Attributes())
	}
	panicked := r.span("/chat panic")
	exception := panicked.Events()[1]
	if stack := value(exception.Attributes, "exception.stacktrace"); panicked.Status().Code != codes.Error ||
		!strings.Contains(stack, "otelparlor_test.handlers") || !strings.Contains(value(exception.Attributes, "exception.message"), "it panicked") {
		t.Errorf("the panic: %+v, %v", panicked.Status(), exception)
	}
}

// What a handler calls becomes a part of its span. The handshake's trace is linked,
// not continued, whatever it says about sampling.
func TestContext(t *testing.T) {
	provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample())))
	r := serve(t, provider, otelparlor.Tracing(otelparlor.WithTracerProvider(provider), otelparlor.WithSocketID()))
	ns := r.OfPattern(regexp.MustCompile(`^/team-\d+$`))
	ns.Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error { // a span that is over before the first event
			ctx, span := provider.Tracer("test").Start(ctx, "admission")
			defer span.End()
			return next(ctx, s)
		}
	})
	ns.On("ask", func(ctx context.Context, _ *server.Socket, args server.Args) error {
		_, inner := provider.Tracer("test").Start(ctx, "inner")
		inner.End()
		return args.Ack()
	})
	c := r.connect("/team-7", "traceparent: 00-"+traceID+"-"+spanID+"-00")
	r.asks(c, `42/team-7,1["ask"]`, `43/team-7,1[]`)
	outer, inner := r.span(`^/team-\d+$ ask`), r.span("inner")
	if inner.Parent().SpanID() != outer.SpanContext().SpanID() {
		t.Error("the inner span is not of the handler's")
	}
	if outer.Parent().IsValid() || outer.SpanContext().TraceID().String() == traceID {
		t.Error("the handshake's trace goes on")
	}
	if links := outer.Links(); len(links) != 1 || links[0].SpanContext.TraceID().String() != traceID || links[0].SpanContext.SpanID().String() != spanID {
		t.Errorf("links: %v", links)
	}
	for key, want := range map[attribute.Key]string{
		"messaging.destination.name": "/team-7", "messaging.destination.template": `^/team-\d+$`,
	} {
		if got := value(outer.Attributes(), key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	for s := range r.Of("/team-7").Sockets() {
		if got := value(outer.Attributes(), "messaging.client.id"); got != s.ID() {
			t.Errorf("the client is %q, want %q", got, s.ID())
		}
	}
	if nonsense := r.connect("/team-7", "traceparent: 00-nonsense"); nonsense != nil {
		r.asks(nonsense, `42/team-7,1["ask"]`, `43/team-7,1[]`)
	}
	for _, s := range r.spans.Ended() {
		if len(s.Links()) > 0 && s.SpanContext().SpanID() != outer.SpanContext().SpanID() {
			t.Errorf("%s has the links %v", s.Name(), s.Links())
		}
	}
}

// An acknowledgement that comes after the handler does no harm, and a tracer that
// panics harms nobody but itself.
func TestLate(t *testing.T) {
	provider, option := traced()
	r := serve(t, provider, option)
	release := make(chan struct{})
	late := func(_ context.Context, _ *server.Socket, args server.Args) error {
		go func() {
			<-release
			_ = args.Ack()
		}()
		return nil
	}
	r.Of("/").On("late", late)
	c := r.connect("/")
	if err := c.Send(`421["late"]`); err != nil {
		t.Fatal(err)
	}
	if got := describe(r.span("/ late")); got != "server Unset" {
		t.Errorf("the span: %s", got)
	}
	close(release)
	if p, err := c.Next(); err != nil || p.Data != `431[]` {
		t.Errorf("%q, %v", p.Data, err)
	}

	broken := serve(t, nil, server.WithTracer(panicking{}))
	handlers(broken.Of("/"))
	broken.Of("/").On("late", late)
	b := broken.connect("/")
	broken.asks(b, `421["ask"]`, `431[]`)
	broken.asks(b, `422["late"]`, `432[]`)
	broken.asks(b, `42["say"]`, `42["said"]`)
}

// A panicking tracer is one that has a fault.
type panicking struct{}

func (panicking) Begin(ctx context.Context, _ *server.Socket, event string, _ server.Args) (context.Context, server.Trace) {
	if event == "say" {
		panic("begin")
	}
	return ctx, panicking{}
}
func (panicking) Acked()    { panic("acked") }
func (panicking) End(error) { panic("end") }

// BenchmarkEvent is an event and its acknowledgement.
func BenchmarkEvent(b *testing.B) {
	never := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
	always := sdktrace.NewTracerProvider()
	for name, options := range map[string][]server.Option{
		"untraced": nil,
		"sampled":  {otelparlor.Tracing(otelparlor.WithTracerProvider(always))},
		"dropped":  {otelparlor.Tracing(otelparlor.WithTracerProvider(never))},
	} {
		b.Run(name, func(b *testing.B) {
			r := serve(b, nil, options...)
			handlers(r.Of("/"))
			c := r.connect("/")
			b.ReportAllocs()
			for b.Loop() {
				r.asks(c, `421["ask"]`, `431[]`)
			}
		})
	}
}
