package conformance

import (
	"context"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
	"github.com/seed3686fee0/parlor/server/packet"
)

// Guards. What they bound takes a twentieth of it at most on an idle machine, so that one who sees
// them pass on a busy machine has learnt something, and one who sees them fail has too.
const (
	canaryGuard = time.Second      // the canary's echo, beside what the machine itself takes: see control
	settleTime  = 30 * time.Second // from the attacker's leave to the server as it was
)

// settings of a server that a case needs. Zero values leave the server's defaults.
type settings struct {
	// beside says that other tests run at the same time, which makes goroutines of the process no
	// measure. Tests that wait for timeouts run that way.
	beside bool

	// deaf says that there is no WebSocket for a canary.
	deaf bool

	// noisy says that the case is about what an application does wrong, which is logged as an error.
	noisy bool

	// fake says that the case runs on fake time, where seconds cost nothing but the canary's echoes.
	fake bool

	// listen replaces the listener on a loopback port.
	listen net.Listener

	options []server.Option
}

// fixture is a server with the handlers that transcripts and cases use, its canary, and how all that
// was before the case began.
type fixture struct {
	t    testing.TB
	addr string
	io   *server.Server
	set  settings

	canary   *canary
	control  *control // nil on fake time
	log      *logBuffer
	gone     chan server.Reason // of sockets of "/", never closed
	connects atomic.Int64       // sockets that "/" has seen

	base counts

	mu       sync.Mutex
	sessions []wire.Session // to be left at the end
	sids     []string       // that no log may hold
}

// startServer starts a server for one case. When the test ends, every client that the fixture has
// opened leaves, and then the universal postconditions are checked: the canary has had its echoes all
// the time, sessions and goroutines are back where they were, and the log is fit to be read by others.
func startServer(t testing.TB, set settings) *fixture {
	t.Helper()
	f := &fixture{t: t, set: set, log: &logBuffer{}, gone: make(chan server.Reason, 4096)}
	f.io = server.New(append([]server.Option{server.WithLogger(f.log.logger())}, set.options...)...)
	f.handlers()
	if set.listen == nil {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		set.listen = l
	}
	f.addr = set.listen.Addr().String()
	f.serve(set.listen)
	if !set.fake {
		f.control = startControl(t)
	}
	if !set.deaf {
		f.canary = startCanary(f)
	}
	f.base = f.counts()
	t.Cleanup(func() {
		f.leave()
		f.settle()
		if f.canary != nil {
			f.canary.stop()
		}
		if f.control != nil {
			f.control.stop()
		}
		f.log.check(t, set.noisy, f.sids)
	})
	return f
}

// inBubble runs a case on fake time: the server's own timeouts, at their defaults, take no time.
func inBubble(t *testing.T, set settings, run func(t *testing.T, f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		set.listen, set.fake = wire.ListenPipe(), true
		run(t, startServer(t, set))
	})
}

// busy is a limit of time on a machine as busy as this one is: how often the control's byte is waited for
// on the way is a guess, and a high one.
func (f *fixture) busy(limit time.Duration) time.Duration {
	if f.control != nil {
		limit += 20 * time.Duration(f.control.worst.Load())
	}
	return limit
}

// serve runs the HTTP server until the test ends. Registered before the canary, it ends after it.
func (f *fixture) serve(l net.Listener) {
	srv := &http.Server{Handler: f.io, ReadHeaderTimeout: 10 * time.Second, ErrorLog: f.log.std()}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	f.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), wire.Timeout)
		defer cancel()
		if err := f.io.Shutdown(ctx); err != nil {
			f.t.Errorf("shutdown: %v", err)
		}
		if err := srv.Shutdown(ctx); err != nil {
			f.t.Errorf("HTTP shutdown: %v", err)
		}
		<-served
	})
}

// handlers are the application. Node's server has the same when transcripts are played against it.
func (f *fixture) handlers() {
	known := map[string]bool{"echo": true, "ask": true, "kick": true, "count": true, "flood": true, "join": true}
	echo := func(_ context.Context, s *server.Socket, args server.Args) error {
		if args.WantsAck() {
			return args.Ack(values(args)...)
		}
		return s.Emit("echo", values(args)...)
	}
	root := f.io.Of("/")
	root.OnConnect(func(context.Context, *server.Socket) error {
		f.connects.Add(1)
		return nil
	})
	root.On("echo", echo)
	root.On("ask", func(ctx context.Context, s *server.Socket, args server.Args) error {
		answer, err := s.Ask(ctx, "question", values(args)...)
		if err != nil {
			return nil //nolint:nilerr // the client is gone or keeps silent, which the case knows
		}
		return s.Emit("answer", values(answer)...)
	})
	root.On("kick", func(_ context.Context, s *server.Socket, args server.Args) error {
		var all bool
		if err := args.Scan(&all); err != nil {
			return err
		}
		s.Disconnect(all)
		return nil
	})
	root.OnAny(func(_ context.Context, s *server.Socket, args server.Args) error {
		if known[args.Event()] {
			return nil
		}
		return s.Emit("any", append([]any{args.Event()}, values(args)...)...)
	})
	watch, t := f.io.Of("/watch"), f.t
	root.OnDisconnect(func(_ context.Context, _ *server.Socket, reason server.Reason) {
		if err := watch.Emit("gone", string(reason)); err != nil {
			t.Error(err)
		}
		select {
		case f.gone <- reason:
		default: // a case with more than it can hold counts otherwise
		}
	})
	f.io.Of("/other").On("echo", echo)
	f.io.Of("/auth").OnConnect(func(_ context.Context, s *server.Socket) error {
		auth := s.Handshake().Auth
		if auth.Kind() == packet.Null {
			return s.Emit("auth", map[string]any{})
		}
		return s.Emit("auth", auth)
	})
	f.io.Of("/private").Use(func(server.ConnectHandler) server.ConnectHandler {
		return func(context.Context, *server.Socket) error {
			return &server.ConnectError{Message: "not authorized", Data: map[string]int{"code": 7}}
		}
	})
	f.io.OfPattern(regexp.MustCompile(`^/dyn-\d+$`)).On("echo", echo)
}

// values passes arguments on undecoded.
func values(args server.Args) []any {
	list := make([]any, args.Len())
	for i := range list {
		list[i] = args.At(i)
	}
	return list
}

// startForTranscript starts a server with the settings that a transcript names.
func startForTranscript(t testing.TB, options map[string]string) (addr string) {
	t.Helper()
	set := settings{beside: true}
	for name, value := range options {
		if name == "max-payload" {
			set.options = append(set.options, server.WithMaxPayload(atoi(t, value)))
			continue
		}
		option, ok := map[string]func(time.Duration) server.Option{
			"ping-interval":   server.WithPingInterval,
			"ping-timeout":    server.WithPingTimeout,
			"upgrade-timeout": server.WithUpgradeTimeout,
			"connect-timeout": server.WithConnectTimeout,
		}[name]
		d, err := time.ParseDuration(value)
		if !ok || err != nil {
			t.Fatalf("setting %s=%s: %v", name, value, err)
		}
		set.options = append(set.options, option(d))
	}
	return startServer(t, set).addr
}

// counts are what must come back to where it was.
type counts struct{ connections, sockets, namespaces, goroutines, files int }

func (f *fixture) counts() counts {
	stats := f.io.Stats()
	c := counts{connections: stats.Connections, sockets: stats.Sockets, namespaces: stats.Namespaces}
	if !f.set.beside {
		c.goroutines, c.files = ownGoroutines(), openFiles()
	}
	return c
}

// settle waits until the server is as it was before the case.
func (f *fixture) settle() {
	f.t.Helper()
	got := f.counts()
	for until := time.Now().Add(settleTime); time.Now().Before(until); got = f.counts() {
		if got.connections == f.base.connections && got.sockets == f.base.sockets &&
			got.namespaces == f.base.namespaces && got.goroutines <= f.base.goroutines && got.files <= f.base.files {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	f.t.Errorf("after the case: %+v, before it: %+v", got, f.base)
	if got.goroutines > f.base.goroutines {
		f.t.Logf("goroutines:\n%s", strings.Join(ownStacks(), "\n\n"))
	}
}

// track notes a session that has to be left at the end of the case.
func (f *fixture) track(s wire.Session) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions = append(f.sessions, s)
	f.sids = append(f.sids, s.SID())
}

// leave ends what the case has opened. A polling session says so: the server could not know.
func (f *fixture) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sessions {
		if p, ok := s.(*wire.Poll); ok {
			p.Leave()
		}
		_ = s.Close() // may be closed already
	}
	f.sessions = nil
}
