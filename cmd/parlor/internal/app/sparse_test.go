package app

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

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
