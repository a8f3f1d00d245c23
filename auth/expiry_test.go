package auth_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/server"
)

// TestF09: a token that expires: the event at exp, events until exp and the
// leeway, then the end of this namespace, and of nothing else.
func TestF09_expiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		ns := r.mount("/chat", auth.Options{Verifier: hmacVerifier(t)})
		ended := make(chan string, 1)
		ns.OnDisconnect(func(ctx context.Context, _ *server.Socket, reason server.Reason) {
			id, _ := auth.From(ctx)
			ended <- id.ID + " " + string(reason)
		})
		whoami(r.Of("/"))
		c := r.dial()
		c.join("/", "")
		start := time.Now()
		expires := start.Truncate(time.Second).Add(3 * time.Second)
		c.join("/chat", withToken(sign(hmacSigner, auth.Identity{ID: "ann", Expires: expires})))
		time.Sleep(time.Until(expires) - time.Millisecond)
		c.quiet("/chat")
		time.Sleep(time.Millisecond)
		c.expect(fmt.Sprintf(`42/chat,["auth_expired",{"timestamp":%d}]`, expires.UnixMilli()))
		time.Sleep(30*time.Second - time.Millisecond)
		c.quiet("/chat")
		time.Sleep(time.Millisecond)
		c.expect(`41/chat,`)
		if got := <-ended; got != "ann server namespace disconnect" {
			t.Error(got)
		}
		if got, want := time.Now(), expires.Add(30*time.Second); !got.Equal(want) {
			t.Errorf("ended at %v, want %v", got, want)
		}
		c.quiet("/")
		// The token is of no use any more, but a new one is.
		c.denied("/chat", withToken(sign(hmacSigner, auth.Identity{ID: "ann", Expires: expires})), auth.CodeTokenExpired)
		c.join("/chat", withToken(sign(hmacSigner, ann(time.Hour))))
	})
}

// Events that wait behind a slow one when the time is up reach no handler, even
// where the timer has not come to it yet.
func TestF09_inbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		ns := r.mount("/", auth.Options{Verifier: hmacVerifier(t)})
		var handled atomic.Int32
		ns.On("slow", func(context.Context, *server.Socket, server.Args) error {
			time.Sleep(time.Minute) // at work still when the socket ends
			return nil
		})
		ns.On("count", func(context.Context, *server.Socket, server.Args) error { handled.Add(1); return nil })
		c := r.dial()
		c.join("/", withToken(sign(hmacSigner, ann(5*time.Second))))
		c.send(`42["count"]`, `42["slow"]`, `42["count"]`, `42["count"]`)
		c.send(`421["auth_refresh",` + withToken(sign(hmacSigner, ann(time.Hour))) + `]`) // too late: its turn never comes
		time.Sleep(2 * time.Minute)
		c.expect(`42["auth_expired",*]`, `41`)
		if n := handled.Load(); n != 1 {
			t.Errorf("%d events were handled", n)
		}
	})
}

// Where the timer is late, events are not.
func TestF09_guard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		ns := r.mount("/", auth.Options{Verifier: hmacVerifier(t)})
		ns.On("late", func(ctx context.Context, _ *server.Socket, args server.Args) error {
			auth.StopTimer(ctx)
			return args.Ack()
		})
		ns.On("error", func(context.Context, *server.Socket, server.Args) error { t.Error("handled"); return nil })
		c := r.dial()
		c.join("/", withToken(sign(hmacSigner, ann(5*time.Second))))
		c.send(`421["late"]`)
		c.expect(`431[]`)
		time.Sleep(35*time.Second - time.Millisecond)
		c.quiet("/")
		time.Sleep(time.Millisecond)
		c.send(`422["error"]`)
		c.expect(`41`)
	})
}

// Without leeway the end comes with the news of it.
func TestF09_no_leeway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		r.mount("/", auth.Options{Verifier: verifier(t, hmacSigner.Key(), auth.VerifierOptions{Leeway: -1})})
		c := r.dial()
		c.join("/", withToken(sign(hmacSigner, ann(5*time.Second))))
		time.Sleep(5*time.Second - time.Nanosecond)
		c.quiet("/")
		time.Sleep(time.Nanosecond)
		c.expect(`42["auth_expired",*]`, `41`)
	})
}

// A token that has expired within the leeway is good for what is left of it.
func TestF09_expired_already(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		r.mount("/", auth.Options{Verifier: hmacVerifier(t)})
		c := r.dial()
		c.join("/", withToken(sign(hmacSigner, ann(-20*time.Second))))
		c.expect(`42["auth_expired",*]`)
		time.Sleep(10*time.Second - time.Nanosecond)
		c.quiet("/")
		time.Sleep(time.Nanosecond)
		c.expect(`41`)
	})
}

// Tokens of 30 years, and longer, are no tokens of a moment.
func TestF09_far_away(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		r.mount("/", auth.Options{Verifier: hmacVerifier(t)})
		for _, claims := range []string{
			fmt.Sprintf(`{"sub":"ann","exp":%d}`, time.Now().AddDate(30, 0, 0).Unix()),
			fmt.Sprintf(`{"sub":"ann","exp":%d}`, time.Now().AddDate(1000, 0, 0).Unix()),
			`{"sub":"ann","exp":253402300799}`,
		} {
			c := r.dial()
			c.join("/", withToken(forge(hs256, claims)))
			time.Sleep(100 * time.Hour)
			c.quiet("/")
		}
		// Many hours, to the moment.
		c := r.dial()
		lasts := 50*time.Hour + time.Second
		c.join("/", withToken(sign(hmacSigner, ann(lasts))))
		time.Sleep(lasts - time.Nanosecond)
		c.quiet("/")
		time.Sleep(time.Nanosecond)
		c.expect(`42["auth_expired",*]`)
	})
}

// auth_refresh: a new token of the same user, and the old end is forgotten.
func TestF09_refresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		r.mount("/", auth.Options{Verifier: hmacVerifier(t)})
		c := r.dial()
		c.join("/", withToken(sign(hmacSigner, ann(10*time.Second))))
		refresh := func(arg, want string) {
			t.Helper()
			c.send(`421["auth_refresh",` + arg + `]`)
			c.expect(`431[` + want + `]`)
		}
		no := func(code string) string {
			return `{"ok":false,"error":{"code":"` + code + `","message":"Authentication error"}}`
		}
		next := func(id auth.Identity) (token, answer string) {
			return withToken(sign(hmacSigner, id)), fmt.Sprintf(`{"ok":true,"expires":%d}`, id.Expires.Unix()*1000)
		}

		// Before the end: nothing comes at the old one. The user may have changed.
		id := ann(60*time.Second, "admin")
		id.Name = "Ann B."
		refresh(next(id))
		c.send(`421["who"]`)
		c.expect(`431["ann","Ann B.",["admin"],false]`)
		time.Sleep(59 * time.Second)
		c.quiet("/")
		// While expired, within the leeway; and another end is announced anew.
		time.Sleep(21 * time.Second)
		c.expect(`42["auth_expired",*]`)
		refresh(next(ann(time.Minute)))
		time.Sleep(40 * time.Second)
		c.quiet("/")
		time.Sleep(20 * time.Second)
		c.expect(`42["auth_expired",*]`)
		// One that expires sooner than the present one holds too.
		refresh(next(ann(time.Hour)))
		refresh(next(ann(time.Minute)))
		time.Sleep(time.Minute)
		c.expect(`42["auth_expired",*]`)
		refresh(next(ann(10 * time.Hour)))

		// What is no good changes nothing.
		time.Sleep(time.Hour)
		bob := ann(time.Hour)
		bob.ID = "bob"
		refresh(withToken(sign(hmacSigner, bob)), no(auth.CodeForbidden))
		refresh(withToken(sign(hmacSigner, ann(-time.Hour))), no(auth.CodeTokenExpired))
		refresh(withToken(sign(signerOf("ES256"), ann(time.Hour))), no(auth.CodeTokenInvalid))
		time.Sleep(time.Hour)
		for _, arg := range []string{`{}`, `"` + sign(hmacSigner, ann(time.Hour)) + `"`, `null`, `{"token":1}`, `{"token":""}`} {
			refresh(arg, no(auth.CodeTokenInvalid))
		}
		time.Sleep(time.Hour)
		c.send(`42["auth_refresh",{"token":"x"}]`)
		c.expect(`42["error",{"code":"token_invalid","message":"Authentication error","event":"auth_refresh"}]`)
		c.send(`42["auth_refresh",` + withToken(sign(hmacSigner, ann(11*time.Hour))) + `]`) // nobody waits for the answer
		c.send(`421["who"]`)
		c.expect(`431["ann","Ann",null,false]`)
		time.Sleep(10 * time.Hour)
		c.quiet("/")
		// Not too often: five, and then one every twelve seconds.
		var answers []string
		for range 7 {
			c.send(`421["auth_refresh",{"token":"x"}]`)
			answers = append(answers, c.next())
		}
		limited := `431[{"ok":false,"error":{"code":"rate_limited","message":"Rate limit exceeded"}}]`
		invalid := `431[` + no(auth.CodeTokenInvalid) + `]`
		for i, got := range answers {
			if want := map[bool]string{true: invalid, false: limited}[i < 5]; got != want {
				t.Errorf("%d: %s", i, got)
			}
		}
		time.Sleep(12 * time.Second)
		refresh(`{"token":"x"}`, no(auth.CodeTokenInvalid))
		c.quiet("/")
	})
}

// A socket that is closed leaves no timer behind, and the end of one is no end
// of another.
func TestF09_closed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		ended := make(chan context.Context, 2)
		r.mount("/a", auth.Options{Verifier: hmacVerifier(t)}).OnDisconnect(func(ctx context.Context, _ *server.Socket, _ server.Reason) { ended <- ctx })
		r.mount("/b", auth.Options{Verifier: hmacVerifier(t)})
		c := r.dial()
		c.join("/a", withToken(sign(hmacSigner, ann(10*time.Second))))
		c.join("/b", withToken(sign(hmacSigner, ann(time.Hour))))
		c.send("41/a,")
		c.quiet("/b")
		ctx := <-ended
		synctest.Wait()
		if !auth.TimerStopped(ctx) {
			t.Error("the clock goes on")
		}
		if auth.Tick(ctx); !auth.TimerStopped(ctx) {
			t.Error("the clock goes on again")
		}
		time.Sleep(time.Minute)
		c.quiet("/b")
		if r.logs.Count("its token has expired") != 0 {
			t.Errorf("the log:\n%s", r.logs)
		}
		c.join("/a", withToken(sign(hmacSigner, ann(time.Hour))))
		time.Sleep(time.Minute)
		c.quiet("/a")
	})
}
