package app

import (
	"bytes"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What go-redis says is for those who look closely, and it is said every so often.
func TestRedisLogger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := newRedisLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
		for n := range 1000 {
			log.Printf(t.Context(), "no connection %d\n", n)
		}
		log.Printf(t.Context(), "something else")
		time.Sleep(sparseInterval)
		log.Printf(t.Context(), "no connection %d\n", 1000)
		var said []string
		for line := range strings.Lines(out.String()) {
			_, text, _ := strings.Cut(strings.TrimSpace(line), " ")
			said = append(said, text)
		}
		want := []string{
			`level=DEBUG msg=go-redis says="no connection 0"`,
			`level=DEBUG msg=go-redis says="something else"`,
			`level=DEBUG msg=go-redis says="no connection 1000" left_out_before=999`,
		}
		if !slices.Equal(said, want) {
			t.Errorf("said\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
		}
		out.Reset()
		newRedisLogger(slog.New(slog.NewTextHandler(&out, nil))).Printf(t.Context(), "no connection")
		if out.Len() > 0 {
			t.Errorf("at the usual level it says %s", &out)
		}
	})
}

// Of errors of one kind there is a line every so often, which says how many there
// were; what is not an error is logged as ever.
func TestSparse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := newSparse(slog.New(slog.NewTextHandler(&out, nil)))
		for range 1000 {
			log.With("a", 1).Error("it fails", "error", errors.New("why"))
			log.Warn("mind")
		}
		log.WithGroup("g").Error("it fails too", "b", 2)
		time.Sleep(sparseInterval)
		log.Error("it fails")
		got := out.String()
		for text, want := range map[string]int{`msg="it fails" a=1 error=why`: 1, "msg=mind": 1000, `msg="it fails too" g.b=2`: 1, `msg="it fails" left_out_before=999`: 1, "it fails": 3} {
			if n := strings.Count(got, text); n != want {
				t.Errorf("%q is there %d times, not %d", text, n, want)
			}
		}
	})
}
