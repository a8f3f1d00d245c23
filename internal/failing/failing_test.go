package failing_test

import (
	"slices"
	"testing"

	"github.com/seed3686fee0/parlor/internal/failing"
)

func TestFails(t *testing.T) {
	for name, test := range map[string]struct {
		run         func(t testing.TB)
		fails, ends bool
	}{
		"passes":       {func(testing.TB) {}, false, false},
		"logs":         {func(t testing.TB) { t.Log("no fault") }, false, false},
		"Fail":         {func(t testing.TB) { t.Fail() }, true, false},
		"FailNow":      {func(t testing.TB) { t.FailNow() }, true, true},
		"Error":        {func(t testing.TB) { t.Error("a fault") }, true, false},
		"Errorf":       {func(t testing.TB) { t.Errorf("a %s", "fault") }, true, false},
		"Fatal":        {func(t testing.TB) { t.Fatal("a fault") }, true, true},
		"Fatalf":       {func(t testing.TB) { t.Fatalf("a %s", "fault") }, true, true},
		"in a cleanup": {func(t testing.TB) { t.Cleanup(func() { t.Error("a fault") }) }, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			ends := true
			fails := failing.Fails(t, func(t testing.TB) {
				test.run(t)
				ends = false
			})
			if fails != test.fails || ends != test.ends {
				t.Errorf("fails: %v, ends: %v", fails, ends)
			}
		})
	}
}

func TestCleanups(t *testing.T) {
	var done []string
	failing.Fails(t, func(t testing.TB) {
		t.Cleanup(func() { done = append(done, "first") })
		t.Cleanup(func() {
			done = append(done, "last")
			t.Cleanup(func() { done = append(done, "added") })
			t.FailNow()
		})
		t.Fatal("a fault")
	})
	if !slices.Equal(done, []string{"last", "added", "first"}) {
		t.Errorf("cleaned up: %q", done)
	}
}
