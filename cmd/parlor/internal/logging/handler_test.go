package logging

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/netip"
	"strings"
	"testing"
	"testing/slogtest"
	"time"
)

// record logs through a fresh Log and returns what was written.
func record(t *testing.T, level, format string, log func(*slog.Logger)) string {
	t.Helper()
	var out bytes.Buffer
	l := New(&out, level, format)
	log(l.Logger)
	if !l.Close(10 * time.Second) {
		t.Fatal("lines were lost")
	}
	return out.String()
}

func TestHandlerKeepsTheRules(t *testing.T) {
	var (
		out bytes.Buffer
		log *Log
	)
	slogtest.Run(t, func(t *testing.T) slog.Handler {
		if strings.HasSuffix(t.Name(), "/zero-time") {
			t.Skip("logrus stamps every line; a record without a time does not come from a slog.Logger")
		}
		out.Reset()
		log = New(&out, "debug", "json")
		return log.Handler()
	}, func(t *testing.T) map[string]any {
		log.Close(10 * time.Second)
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		return line
	})
}

func TestText(t *testing.T) {
	got := record(t, "info", "text", func(l *slog.Logger) {
		l = l.With("server", 1).WithGroup("socket").With("namespace", "/chat")
		l.Warn("hello\nlevel=forged", "event", "message", slog.Group("peer", "address", netip.MustParseAddr("::1")), "after", 25*time.Second, "error", errors.New("no \x1b[31mroom"))
	})
	_, got, _ = strings.Cut(got, " ") // the time
	want := `level=warning msg="hello\nlevel=forged" server=1 socket.after=25s socket.error="no \x1b[31mroom" socket.event=message socket.namespace=/chat socket.peer.address="::1"` + "\n"
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestJSON(t *testing.T) {
	got := record(t, "info", "json", func(l *slog.Logger) {
		l.WithGroup("socket").Error("gone", "after", 1500*time.Millisecond, "error", errors.New("no room"), "msg", "kept")
	})
	_, got, _ = strings.Cut(got, `"socket":`)
	if want := `{"after":"1.5s","error":"no room","msg":"kept"}`; !strings.HasPrefix(got, want) {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestLevels(t *testing.T) {
	tests := map[string]string{"debug": "debug info warning error", "info": "info warning error", "warn": "warning error", "error": "error"}
	for level, want := range tests {
		got := record(t, level, "json", func(l *slog.Logger) {
			for _, at := range []slog.Level{slog.LevelDebug, slog.LevelInfo + 1, slog.LevelWarn + 2, slog.LevelError + 100} {
				l.Log(context.Background(), at, "x")
			}
		})
		var levels []string
		for line := range strings.Lines(got) {
			var fields struct{ Level string }
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Fatal(err)
			}
			levels = append(levels, fields.Level)
		}
		if got := strings.Join(levels, " "); got != want {
			t.Errorf("at %s: %q, want %q", level, got, want)
		}
	}
}

func TestDerivedHandlersDoNotShare(t *testing.T) {
	got := record(t, "info", "text", func(l *slog.Logger) {
		base := l.WithGroup("a").WithGroup("b").WithGroup("c")
		first := base.WithGroup("first")
		_ = base.WithGroup("second")
		first.Info("x", "k", 1)
	})
	if !strings.Contains(got, "a.b.c.first.k=1") {
		t.Error(got)
	}
}

// A map that is logged stays as it is: others may read it.
func TestMaps(t *testing.T) {
	value := map[string]any{"n": 1, "none": map[string]any{}}
	for format, want := range map[string]string{"text": `value="map[n:1 none:map[]]"`, "json": `"value":{"n":1,"none":{}}`} {
		got := record(t, "info", format, func(l *slog.Logger) {
			l.Info("x", "value", value)
		})
		if !strings.Contains(got, want) || len(value) != 2 {
			t.Errorf("%s: %v, logged as %s", format, value, got)
		}
	}
}

type explosive struct{ text *string }

func (e *explosive) Error() string { return *e.text }

func TestValuesThatCannotBePrinted(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		got := record(t, "info", format, func(l *slog.Logger) {
			l.Info("nil pointer", "error", (*explosive)(nil))
			l.Info("not a number", "n", math.NaN(), slog.Group("g", "f", func() {}))
		})
		if n := strings.Count(got, "\n"); n != 2 || !strings.Contains(got, "!PANIC") || !strings.Contains(got, "NaN") {
			t.Errorf("%s:\n%s", format, got)
		}
	}
}

// The level of loggers that were derived before changes too.
func TestSetLevel(t *testing.T) {
	var out bytes.Buffer
	log := New(&out, "info", "text")
	derived := log.With("part", "x")
	derived.Debug("before")
	log.SetLevel("debug")
	derived.Debug("after")
	log.SetLevel("error")
	derived.Info("later")
	log.Close(10 * time.Second)
	if text := out.String(); strings.Contains(text, "before") || !strings.Contains(text, "after") || strings.Contains(text, "later") {
		t.Error(text)
	}
}
