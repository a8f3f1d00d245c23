package app

import (
	"log/slog"
	"slices"
	"testing"
)

func TestShedderKeepsNoIdleConnectionsWhileMemoryIsShort(t *testing.T) {
	var told []bool
	s := shedder{limit: 1200, keep: func(keep bool) { told = append(told, keep) }, log: slog.New(slog.DiscardHandler)}
	for _, step := range []struct {
		why  string
		used int64
		told []bool
	}{
		{"there is enough", 900, nil},
		{"it is short", 901, []bool{false}},
		{"those that have come to wait since then", 950, []bool{false}},
		{"not so short", 800, nil},
		{"enough", 799, []bool{true}},
		{"once", 700, nil},
	} {
		told = nil
		s.look(step.used)
		if !slices.Equal(told, step.told) {
			t.Errorf("%s: %v, want %v", step.why, told, step.told)
		}
	}
}
