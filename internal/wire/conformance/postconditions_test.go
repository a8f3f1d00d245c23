package conformance

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/wire"
)

// canary is an ordinary client that goes on asking for echoes while a case is under way.
type canary struct {
	f       *fixture
	quit    chan struct{}
	stopped chan struct{}
	err     error         // set before stopped is closed
	worst   time.Duration // likewise
	echoes  int           // likewise
}

// canaryPause lies between two echoes. Short enough to notice a server that stalls, long enough to
// leave the machine to the case.
const canaryPause = 10 * time.Millisecond

func startCanary(f *fixture) *canary {
	f.t.Helper()
	ws, err := wire.OpenWS(f.addr, wire.Handshake{})
	if err == nil {
		_, err = wire.Join(ws, "/")
	}
	if err != nil {
		f.t.Fatalf("canary: %v", err)
	}
	f.sids = append(f.sids, ws.SID())
	c := &canary{f: f, quit: make(chan struct{}), stopped: make(chan struct{})}
	go func() {
		defer close(c.stopped)
		defer func() { _ = ws.Close() }()
		c.err = c.sing(ws)
	}()
	return c
}

func (c *canary) sing(ws *wire.WS) error {
	pause := canaryPause
	if c.f.set.fake {
		pause = time.Second
	}
	for {
		begun := time.Now()
		ask := fmt.Sprintf(`42["echo","canary",%d]`, c.echoes)
		if err := ws.Send(ask); err != nil {
			return err
		}
		for {
			p, err := ws.Next()
			if err != nil {
				return err
			}
			if p.Data == "2" { // a case with a short heartbeat
				if err := ws.Send("3"); err != nil {
					return err
				}
				continue
			}
			if p.Data != ask {
				return fmt.Errorf("got %s, want %s", wire.Shorten(p.String()), ask)
			}
			break
		}
		c.echoes++
		c.worst = max(c.worst, time.Since(begun))
		select {
		case <-c.quit:
			return nil
		case <-time.After(pause):
		}
	}
}

// stop ends the canary and says whether it was served. At least one echo came after the case: quit is
// only looked at behind an echo.
func (c *canary) stop() {
	c.f.t.Helper()
	close(c.quit)
	<-c.stopped
	if c.err != nil {
		c.f.t.Errorf("canary, after %d echoes: %v", c.echoes, c.err)
	}
	if limit := c.f.busy(canaryGuard); c.worst > limit {
		c.f.t.Errorf("canary: an echo took %v, and was to take %v at most", c.worst, limit)
	}
}

// ownStacks are the goroutines that are the server's. A test's own and net/http's are not.
func ownStacks() []string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	var own []string
	for stack := range strings.SplitSeq(string(buf), "\n\n") {
		_, top, _ := strings.Cut(stack, "\n")
		switch {
		case strings.Contains(top, "/parlor/server.(*workers).work(") && strings.Index(top, "workers).work(") < strings.Index(top, "\n"):
			// Waits for work; of these there are a few, whatever clients do.
		case strings.Contains(stack, "/parlor/server"), strings.Contains(stack, "/parlor/adapter"):
			own = append(own, stack)
		}
	}
	return own
}

func ownGoroutines() int { return len(ownStacks()) }

// openFiles counts this process's descriptors, the clients' among them, where the system tells.
func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// heapInUse is the heap after a collection.
func heapInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}

// allocated runs f and returns how many bytes were allocated meanwhile, by everyone.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// logBuffer keeps what the server logs from level info on.
type logBuffer struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	worst slog.Level
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func (l *logBuffer) logger() *slog.Logger {
	return slog.New(&levelHandler{slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelInfo}), l})
}

// std takes what net/http complains of, which is no level of ours.
func (l *logBuffer) std() *log.Logger { return log.New(discard{}, "", 0) }

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// levelHandler notes the worst level.
type levelHandler struct {
	slog.Handler
	l *logBuffer
}

func (h *levelHandler) Handle(ctx context.Context, r slog.Record) error {
	h.l.mu.Lock()
	h.l.worst = max(h.l.worst, r.Level)
	h.l.mu.Unlock()
	return h.Handler.Handle(ctx, r)
}

func (h *levelHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &levelHandler{h.Handler.WithAttrs(attrs), h.l}
}

func (h *levelHandler) WithGroup(name string) slog.Handler {
	return &levelHandler{h.Handler.WithGroup(name), h.l}
}

// maxLogged bounds what a case may make the server write: a peer that can fill a disk needs no other
// attack.
const maxLogged = 16 << 10

// check looks at what was logged in the case.
func (l *logBuffer) check(t testing.TB, noisy bool, sids []string) {
	t.Helper()
	text := l.String()
	if l.worst > slog.LevelWarn && !noisy {
		t.Errorf("logged above a warning:\n%s", wire.Shorten(text))
	}
	if len(text) > maxLogged {
		t.Errorf("%d bytes were logged: %s", len(text), wire.Shorten(text))
	}
	for _, sid := range sids {
		if sid != "" && strings.Contains(text, sid) {
			t.Errorf("a session id was logged:\n%s", wire.Shorten(text))
		}
	}
}
