package auth_test

import (
	"context"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/server"
)

// guarded returns an event of a socket with a token on its way through the guard,
// and the count of those that have come through.
func guarded(t testing.TB) (event func(), handled *int) {
	t.Helper()
	r := serve(t)
	ns := r.mount("/", auth.Options{Verifier: hmacVerifier(t)})
	type seen struct {
		ctx context.Context
		s   *server.Socket
	}
	ready := make(chan seen, 1)
	ns.On("ready", func(ctx context.Context, s *server.Socket, _ server.Args) error {
		ready <- seen{ctx, s}
		return nil
	})
	c := r.dial()
	c.join("/", withToken(sign(hmacSigner, ann(time.Hour))))
	c.send(`42["ready"]`)
	in := receive(t, "the event", ready)
	handled = new(int)
	h := auth.Guard(func(context.Context, *server.Socket, server.Args) error { *handled++; return nil })
	return func() {
		if err := h(in.ctx, in.s, server.Args{}); err != nil {
			t.Fatal(err)
		}
	}, handled
}

// TestGuardAllocBudget: an event pays for a clock reading, and no garbage.
func TestGuardAllocBudget(t *testing.T) {
	event, handled := guarded(t)
	if got := testing.AllocsPerRun(1000, event); got != 0 {
		t.Errorf("%v allocations", got)
	}
	if *handled != 1001 {
		t.Errorf("%d events were handled", *handled)
	}
}

// TestVerifyAllocBudget: a good token costs what it says; one that is too long
// costs its error.
func TestVerifyAllocBudget(t *testing.T) {
	v := hmacVerifier(t)
	token := sign(hmacSigner, ann(time.Hour, "a"))
	long := string(make([]byte, 1<<20))
	for name, tt := range map[string]struct {
		token  string
		budget float64
	}{"good": {token, 40}, "too long": {long, 2}} {
		if got := testing.AllocsPerRun(100, func() { _, _ = v.Verify(t.Context(), tt.token) }); got > tt.budget {
			t.Errorf("%s: %v allocations, the budget is %v", name, got, tt.budget)
		}
	}
}
