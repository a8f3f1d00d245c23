package logging

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func note(lost uint64) []byte { return fmt.Appendf(nil, "lost %d\n", lost) }

// sink is a log's reader that can be stopped and can fail. Its fields belong to
// the writer's goroutine while that runs.
type sink struct {
	open    chan struct{} // not nil: Write waits until it is closed
	got     bytes.Buffer
	failing atomic.Bool
}

func (s *sink) Write(p []byte) (int, error) {
	if s.open != nil {
		<-s.open
	}
	if s.failing.Load() {
		return 0, errors.New("no space left on device")
	}
	return s.got.Write(p)
}

// H07: a pipe that nobody reads does not stop whoever logs; what did not fit is
// counted and told once there is room again.
func TestH07BlockedReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := sink{open: make(chan struct{})} // nobody reads
		w := newWriter(&out, 10, note)
		write(t, w, "0\n")
		synctest.Wait() // in flight
		for i := 1; i < 10; i++ {
			write(t, w, fmt.Sprintf("%d\n", i)) // five fit into ten bytes
		}
		close(out.open)
		synctest.Wait()
		write(t, w, "end\n")
		if w.close(time.Second); w.totalLost() != 4 {
			t.Errorf("lost %d", w.totalLost())
		}
		if got, want := out.got.String(), "0\n1\n2\n3\n4\n5\nlost 4\nend\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// H07: a full disk loses lines, and they are told when it has room again.
func TestH07FailingWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out sink
		w := newWriter(&out, 1000, note)
		out.failing.Store(true)
		for range 3 {
			write(t, w, "a\nb\n")
			synctest.Wait()
		}
		out.failing.Store(false)
		write(t, w, "c\n")
		if !w.close(time.Second) {
			t.Error("close says that not all was written")
		}
		if got, want := out.got.String(), "c\nlost 6\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		write(t, w, "late\n")
		if w.totalLost() != 7 {
			t.Errorf("lost %d", w.totalLost())
		}
	})
}

func TestCloseGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := io.Pipe()
		w := newWriter(p, 1000, note)
		write(t, w, "a\n")
		begun := time.Now()
		if w.close(time.Second) || time.Since(begun) != time.Second {
			t.Errorf("close took %v", time.Since(begun))
		}
		_ = r.Close() // lets the goroutine end
	})
}

func TestConcurrentLinesStayWhole(t *testing.T) {
	var out bytes.Buffer
	log := New(&out, "info", "text")
	var wg sync.WaitGroup
	for i := range 8 {
		logger := log.With("writer", i)
		wg.Go(func() {
			for range 100 {
				logger.Info("line")
			}
		})
	}
	wg.Wait()
	if !log.Close(10*time.Second) || log.Lost() != 0 {
		t.Errorf("lost %d", log.Lost())
	}
	n := 0
	for line := range strings.Lines(out.String()) {
		n++
		if !strings.HasPrefix(line, "time=") || strings.Count(line, "writer=") != 1 {
			t.Errorf("not one line: %q", line)
		}
	}
	if n != 800 {
		t.Errorf("%d lines", n)
	}
}

func write(t *testing.T, w io.Writer, lines string) {
	t.Helper()
	if n, err := io.WriteString(w, lines); n != len(lines) || err != nil {
		t.Errorf("Write = %d, %v", n, err)
	}
}
