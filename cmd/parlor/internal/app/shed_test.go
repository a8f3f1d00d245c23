package app

import (
	"log/slog"
	"regexp"
	"slices"
	"syscall"
	"testing"
)

// A process whose limit its ballast almost fills tells its operators.
func TestMemoryShortIsTold(t *testing.T) {
	t.Parallel()
	for limit, short := range map[string]float64{"40MiB": 1, "4GiB": 0} {
		cmd := command(t, []string{"GOMEMLIMIT=" + limit}, "--addr=127.0.0.1:0", "--ops-addr=127.0.0.1:0")
		log, _, _ := listening(t, cmd)
		addr := regexp.MustCompile(`addr="([^"]+)"`).FindStringSubmatch(waitFor(t, log, "msg=operators"))[1]
		if short == 1 {
			waitFor(t, log, "memory is short")
		}
		if got, ok := scrapes(t, addr)["parlor_memory_short"]; !ok || got != short {
			t.Errorf("GOMEMLIMIT=%s: parlor_memory_short is %v", limit, got)
		}
		send(t, cmd, syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

func TestShedderKeepsNoIdleConnectionsWhileMemoryIsShort(t *testing.T) {
	var told []bool
	s := shedder{limit: 1200, keep: func(keep bool) { told = append(told, keep) }, log: slog.New(slog.DiscardHandler)}
	for _, step := range []struct {
		why   string
		used  int64
		told  []bool
		short bool
	}{
		{"there is enough", 900, nil, false},
		{"it is short", 901, []bool{false}, true},
		{"those that have come to wait since then", 950, []bool{false}, true},
		{"not so short", 800, nil, true},
		{"enough", 799, []bool{true}, false},
		{"once", 700, nil, false},
	} {
		told = nil
		s.look(step.used)
		if !slices.Equal(told, step.told) {
			t.Errorf("%s: %v, want %v", step.why, told, step.told)
		}
		if short := s.short.Load(); short != step.short {
			t.Errorf("%s: short is %v", step.why, short)
		}
	}
}
