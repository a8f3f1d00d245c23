package redisstore

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
)

// A sync begins when all calls are over that are on their way, and calls go on
// when it is.
func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{lost: newLosses()}
		never := func() { t.Error("there is nothing to see to") }
		for range 2 {
			if _, err := g.enter(t.Context(), never); err != nil {
				t.Fatal(err)
			}
		}
		lost := newLosses()
		lost.sockets["s"] = struct{}{}
		g.exit(lost, false) // one call is still on its way

		shut, opened := make(chan *losses, 1), make(chan struct{})
		entered := make(chan string, 3)
		for range 3 {
			go func() {
				epoch, err := g.enter(t.Context(), func() {
					go func() {
						_, lost, _ := g.shut()
						shut <- lost
						<-opened
						g.open("next", lost, false, nil)
					}()
				})
				if err != nil {
					t.Error(err)
				}
				entered <- epoch
			}()
		}
		synctest.Wait()
		if len(shut) > 0 || len(entered) > 0 {
			t.Error("the sync does not wait for a call that is on its way")
		}
		g.exit(nil, false)
		synctest.Wait()
		if len(shut) != 1 || len(entered) > 0 {
			t.Error("calls do not wait for the sync")
		}
		if lost := <-shut; len(lost.sockets) != 1 {
			t.Errorf("%+v", lost)
		}
		close(opened)
		for range 3 {
			if epoch := <-entered; epoch != "next" {
				t.Errorf("let in with %q", epoch)
			}
		}
	})
}

// After a sync that has failed nothing is tried for a moment, and nothing that is
// to be seen to is forgotten.
func TestGateDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gate{lost: newLosses(), whole: true}
		g.lose("s")
		failure, tried := errors.New("no Redis"), 0
		start := func() {
			tried++
			go func() {
				_, lost, whole := g.shut()
				if failure != nil {
					g.lose("s2") // meanwhile
				}
				g.open("next", lost, whole, failure)
			}()
		}
		for range 3 {
			if _, err := g.enter(t.Context(), start); !errors.Is(err, failure) {
				t.Errorf("let in: %v", err)
			}
		}
		if tried != 1 || !g.whole || len(g.lost.sockets) != 2 || g.clean() {
			t.Errorf("tried %d times, %+v", tried, g.lost)
		}
		time.Sleep(retryAfter)
		failure = nil
		if _, err := g.enter(t.Context(), start); err != nil {
			t.Error(err)
		}
		g.exit(nil, false)

		ended, cancel := context.WithCancel(t.Context())
		cancel()
		g.lose("s3")
		if _, err := g.enter(ended, func() {}); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// TestJudging is about who may take another for dead, and when.
func TestJudging(t *testing.T) {
	server := redistest.Start(t)
	s := open(t, server.Addr, "/", Options{})
	if _, err := s.Connected(background, "ann"); err != nil {
		t.Fatal(err)
	}
	const dead = 10_000
	for name, test := range map[string]struct {
		scored, last, since int64 // of this instance, so long ago: for Redis, and as it knows itself
		other               int64
		want                int64
	}{
		"heard all along":                {1000, 1000, 10_000, 10_000, 1},
		"the other has been heard":       {1000, 1000, 10_000, 5000, 0},
		"it has begun just now":          {1000, 1000, 5000, 20_000, 0},
		"it was not heard for a while":   {6000, 6000, 20_000, 20_000, 0},
		"it is one of several that wait": {0, 6000, 20_000, 20_000, 0},
		"it has not heard the answer":    {2000, 4000, 20_000, 20_000, 0},
	} {
		t.Run(name, func(t *testing.T) {
			clock := server.Do("time").([]any)
			seconds, _ := time.ParseDuration(clock[0].(string) + "s")
			micros, _ := time.ParseDuration(clock[1].(string) + "us")
			now := (seconds + micros).Milliseconds() // seconds from any bound, for what passes until it is asked
			server.Do("del", s.base+"instances")
			server.Do("zadd", s.base+"instances", now-test.scored, s.instance, now-test.other, "other")
			v, err := s.send(background, s.gate.epoch, request{
				script: scriptBeat, keys: s.fixed(), args: []any{dead, now - test.last, now - test.since, 1000},
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := asReply(v).number(2); got != test.want {
				t.Errorf("%d are dead, want %d", got, test.want)
			}
		})
	}
}

// TestHeard is about when an instance was heard without a pause.
func TestHeard(t *testing.T) {
	s := &Store{opts: Options{}.withDefaults()} // 6 s, and half of it
	for _, step := range []struct{ now, before, since int64 }{
		{10_000, -1, 10_000},
		{12_000, 10_000, 10_000},
		{15_000, 12_000, 10_000},
		{18_001, 15_000, 18_001}, // not for three seconds
		{20_000, 18_001, 18_001},
		{24_000, 23_000, 24_000}, // Redis has just read what was sent long before
		{25_000, -1, 25_000},
		{20_000, 25_000, 20_000}, // its clock was wrong
		{21_000, 20_000, 20_000},
	} {
		s.heard(step.now, step.before)
		if last, since := s.times(); last != step.now || since != step.since {
			t.Errorf("%+v: since %d, last %d", step, since, last)
		}
	}
}
