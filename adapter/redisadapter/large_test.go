package redisadapter

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/linktest"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A logging host has a log of its own.
type logging struct {
	*host

	log *slog.Logger
}

func (h logging) Logger() *slog.Logger { return h.log }

// TestTooLarge: a question that is too large has an error at once. Of an answer that
// is, the log of the instance that has it says what to do; the one that asks says
// when its time is up that there is one less. In fake time.
func TestTooLarge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bus linktest.Bus
		on := onBus(&bus, WithMaxMessage(1000))
		var mu sync.Mutex
		var lines []string
		log := slog.New(broadcaster{slog.DiscardHandler, func(line string) {
			mu.Lock()
			defer mu.Unlock()
			lines = append(lines, line)
		}})
		long := event(strings.Repeat("x", 1000)).Packet().Args
		answers := &host{event: func(_ packet.Args, reply func(packet.Args)) { reply(long) }}
		asks, far := on().Adapter(&host{}), on().Adapter(logging{answers, log})
		time.Sleep(time.Second)
		for _, tt := range []struct {
			what string
			args packet.Args
			took time.Duration
		}{
			{"a question", long, 0},
			{"an answer", event("short").Packet().Args, 5 * time.Second},
		} {
			before := time.Now()
			got, err := asks.ServerSideAsk(t.Context(), tt.args)
			missing, ok := errors.AsType[*adapter.MissingError](err)
			if !ok || missing.Instances != 1 || len(got) != 0 || time.Since(before) != tt.took {
				t.Errorf("%s: %d answers, %v after %v", tt.what, len(got), err, time.Since(before))
			}
		}
		far.Close()
		asks.Close()
		mu.Lock()
		defer mu.Unlock()
		if text := strings.Join(lines, "; "); !strings.Contains(text, "answer") || !strings.Contains(text, "WithMaxMessage") {
			t.Errorf("the log says %q", text)
		}
	})
}

// TestEmitterTooLarge: the emitter says so too, rather than publish what the
// instances ignore.
func TestEmitterTooLarge(t *testing.T) {
	var bus linktest.Bus
	c := newConfig([]Option{WithMaxMessage(1000), WithPrefix("p")})
	for _, f := range []form{classic{prefix: c.prefix}, sharded{prefix: c.prefix, mode: c.mode}} {
		emitter := newEmitter(bus.Driver(), f, c)
		if err := emitter.Emit(t.Context(), "e", strings.Repeat("x", 1000)); !errors.Is(err, errTooLarge) {
			t.Errorf("%T: a large one: %v", f, err)
		}
		if err := emitter.Emit(t.Context(), "e", "short"); err != nil {
			t.Errorf("%T: a small one: %v", f, err)
		}
		if err := emitter.Close(); err != nil {
			t.Error(err)
		}
	}
}
