package engine_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server/engine"
)

// guard is how long anything may take that takes no time to speak of.
const guard = 20 * time.Second

// A fixture is a server and what its sessions went through.
type fixture struct {
	*engine.Server
	t      testing.TB
	addr   string
	opened chan *session
	onOpen func(*session, *http.Request)
	onText func(*session, string)
}

// A session is the application's side of one: it records, or hands over.
type session struct {
	*engine.Session
	f      *fixture
	texts  chan string
	binary chan string
	ended  chan ending
	moved  atomic.Int32 // times that it was told of an upgrade
}

type ending struct {
	reason engine.Reason
	err    error
}

func (s *session) Text(data []byte) {
	if s.f.onText != nil {
		s.f.onText(s, string(data))
		return
	}
	s.texts <- string(data)
}

func (s *session) Binary(data []byte)                     { s.binary <- string(data) }
func (s *session) Closed(reason engine.Reason, err error) { s.ended <- ending{reason, err} }

func (s *session) Upgraded() { s.moved.Add(1) }

// text sends a text message.
func (s *session) text(text string) {
	if s.Send(0, engine.NewText(text)) {
		s.Flush()
	}
}

// echo sends back what the peer sends.
func echo(s *session, text string) { s.text(text) }

// newFixture makes a server that listens nowhere yet.
func newFixture(t testing.TB, opts engine.Options) *fixture {
	f := &fixture{t: t, opened: make(chan *session, 1<<14)}
	opts.Open = func(x *engine.Session, r *http.Request) engine.Receiver {
		s := &session{
			Session: x, f: f,
			texts: make(chan string, 1<<12), binary: make(chan string, 1<<12), ended: make(chan ending, 2),
		}
		if f.onOpen != nil {
			f.onOpen(s, r)
		}
		f.opened <- s
		return s
	}
	f.Server = engine.New(opts)
	return f
}

// serve serves until the test ends, when all is shut down.
func (f *fixture) serve(l net.Listener) {
	f.addr = l.Addr().String()
	hs := &http.Server{Handler: f.Server}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(l) }()
	f.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), guard)
		defer cancel()
		if err := f.Shutdown(ctx); err != nil {
			f.t.Errorf("shutdown: %v", err)
		}
		_ = hs.Close()
		<-served
		f.checkStats()
	})
}

// checkStats checks the counts of a server on which all has ended.
func (f *fixture) checkStats() {
	f.t.Helper()
	s := f.Stats()
	if s.Sessions != 0 || s.Polling != 0 {
		f.t.Errorf("%d sessions are left, %d on polling", s.Sessions, s.Polling)
	}
	var closed, refused int64
	for _, n := range s.Closed {
		closed += n
	}
	for _, n := range s.Refusals {
		refused += n
	}
	if closed != s.Opened || refused != s.Refused {
		f.t.Errorf("%d sessions were opened and %d closed; %d requests refused for %d causes", s.Opened, closed, s.Refused, refused)
	}
	if s.UpgradesBegun != s.Upgrades+s.UpgradesFailed {
		f.t.Errorf("%d upgrades were begun, %d done, %d failed", s.UpgradesBegun, s.Upgrades, s.UpgradesFailed)
	}
}

// start makes a server on a real port.
func start(t testing.TB, opts engine.Options) *fixture {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, opts)
	f.serve(l)
	return f
}

// bubble runs a test on fake time, against a server in memory.
func bubble(t *testing.T, opts engine.Options, run func(t *testing.T, f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, opts)
		f.serve(wire.ListenPipe())
		run(t, f)
	})
}

// each runs a test on each transport, on fake time.
func each(t *testing.T, opts engine.Options, run func(t *testing.T, f *fixture, transport string)) {
	for _, transport := range wire.Transports() {
		t.Run(transport, func(t *testing.T) {
			bubble(t, opts, func(t *testing.T, f *fixture) { run(t, f, transport) })
		})
	}
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get[T any](t testing.TB, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(guard):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

// open opens a session and returns both of its ends.
func (f *fixture) open(transport string) (wire.Session, *session) {
	f.t.Helper()
	c, err := wire.Open(f.addr, transport)
	ok(f.t, err)
	f.t.Cleanup(func() { _ = c.Close() })
	return c, get(f.t, f.opened, "the session")
}

func (f *fixture) openWS() (*wire.WS, *session) {
	f.t.Helper()
	c, s := f.open(wire.Websocket)
	return c.(*wire.WS), s
}

func (f *fixture) openPoll() (*wire.Poll, *session) {
	f.t.Helper()
	c, s := f.open(wire.Polling)
	return c.(*wire.Poll), s
}

// wantEnd waits for the session's end, and checks that it comes once.
func (s *session) wantEnd(t testing.TB, reason engine.Reason) error {
	t.Helper()
	e := get(t, s.ended, "the session's end")
	if e.reason != reason {
		t.Errorf("ended with %q (%v), want %q", e.reason, e.err, reason)
	}
	select {
	case e := <-s.ended:
		t.Errorf("ended twice: %q (%v)", e.reason, e.err)
	default:
	}
	if s.Send(0, engine.NewText("late")) {
		t.Error("a session that has ended asks for a flush")
	}
	return e.err
}

func wantNext(t testing.TB, c wire.Session, texts ...string) {
	t.Helper()
	if err := wire.Expect(c, texts...); err != nil {
		t.Fatal(err)
	}
}

// wantClose waits until the peer is told of the end.
func wantClose(t testing.TB, c wire.Session, code int) {
	t.Helper()
	e, packets, err := wire.WaitClosed(c)
	if err != nil {
		t.Fatalf("not closed: %v (after %v)", err, packets)
	}
	if want := code; e.Code != want && e.Code != wire.ClosePollingClosed {
		t.Errorf("closed with %d, want %d", e.Code, want)
	}
}

// eventually waits until cond holds.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(guard); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func refusedWith(err error, status int) bool {
	r := wire.Refusal(err)
	return r != nil && r.Status == status
}

func newBody(s string) io.Reader { return strings.NewReader(s) }

var errWanted = errors.New("as the test wants it")

func mustParse(t testing.TB, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	ok(t, err)
	return u
}

func long(n int) string { return strings.Repeat("x", n) }

// Blocked reports whether the kernel has refused to take more for the peer.
func (s *session) Blocked() bool { return engine.Refused(s.Session) }
