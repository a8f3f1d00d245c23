package app

import (
	"context"
	"log/slog"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

const shedInterval = 500 * time.Millisecond

// A shedder closes kept HTTP connections that have no request under way when
// memory is short of GOMEMLIMIT. net/http takes 20 KiB and more for each, which a
// client that polls misses for one new connection, and one that has sent a
// handshake and gone silent does not miss: without this some thousand of the
// latter fill a small container for the two minutes that a connection is kept.
type shedder struct {
	limit int64
	keep  func(bool) // whether connections are kept; false closes those that wait
	log   *slog.Logger
	short atomic.Bool
}

func newShedder(keep func(bool), log *slog.Logger) *shedder {
	return &shedder{limit: debug.SetMemoryLimit(-1), keep: keep, log: log}
}

// run looks until ctx is done. Where no limit is set there is nothing to do.
func (s *shedder) run(ctx context.Context) {
	if s.limit == math.MaxInt64 {
		return
	}
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	every(ctx, shedInterval, func() {
		metrics.Read(samples)
		s.look(int64(samples[0].Value.Uint64() + samples[1].Value.Uint64()))
	})
}

// look is called every so often with what is in use and cannot be collected. The
// rest up to the limit is for garbage, without which the collector never rests.
func (s *shedder) look(used int64) {
	switch {
	case used > s.limit/4*3:
		if !s.short.Swap(true) {
			s.log.Warn("memory is short: connections without a request under way are closed", "used", used, "limit", s.limit)
		}
		s.keep(false) // each time: others have come to wait since then
	case used < s.limit/3*2 && s.short.Swap(false):
		s.keep(true)
		s.log.Info("there is enough memory again", "used", used, "limit", s.limit)
	}
}
