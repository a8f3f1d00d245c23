package auth_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// TestF12: a check of one's own that hangs, panics, or says nothing.
func TestF12_check(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		ns := r.Of("/")
		release := make(chan struct{})
		ns.Use(auth.Authenticate(func(ctx context.Context, h server.Handshake) (auth.Identity, error) {
			var payload struct{ Do string }
			if err := h.Auth.Decode(&payload); err != nil {
				return auth.Identity{}, err
			}
			switch payload.Do {
			case "hang":
				<-ctx.Done()
				return ann(time.Hour), nil // too late
			case "hang for good":
				<-release
			case "panic":
				panic("hunter2 is the password")
			case "error":
				return ann(time.Hour), errors.New("no such cookie")
			case "expired":
				return auth.Identity{}, fmt.Errorf("session: %w", &auth.TokenError{Code: auth.CodeTokenExpired})
			case "odd":
				return auth.Identity{}, &auth.TokenError{Code: "odd"}
			case "forbidden":
				return auth.Identity{}, &auth.TokenError{Code: auth.CodeForbidden}
			case "own":
				return auth.Identity{}, &server.ConnectError{Message: "closed on Sundays"}
			case "nobody":
				return auth.Identity{}, nil
			}
			return ann(time.Hour, "x"), nil
		}, auth.WithLogger(r.logger())), auth.RequireRole("x"))
		whoami(ns)

		c := r.dial()
		for do, code := range map[string]string{
			"panic": auth.CodeTokenInvalid, "error": auth.CodeTokenInvalid, "expired": auth.CodeTokenExpired, "odd": auth.CodeTokenInvalid, "nobody": auth.CodeTokenInvalid,
			"forbidden": auth.CodeForbidden,
		} {
			c.denied("/", `{"do":"`+do+`"}`, code)
			time.Sleep(time.Second)
		}
		c.send(`40{"do":"own"}`)
		c.expect(`44{"message":"closed on Sundays"}`)
		if r.logs.Count("panicked", "hunter2", "middleware_test.go") != 1 || r.logs.Count("code=token_invalid", "no such cookie") != 1 {
			t.Errorf("the log:\n%s", r.logs)
		}
		for _, do := range []string{"hang", "hang for good"} {
			c := r.dial()
			start := time.Now()
			c.denied("/", `{"do":"`+do+`"}`, auth.CodeTokenInvalid)
			if took := time.Since(start); took != 5*time.Second {
				t.Errorf("%s: refused after %v", do, took)
			}
		}
		c = r.dial()
		c.join("/", `{"do":"let me in"}`)
		c.send(`421["who"]`)
		c.expect(`431["ann","Ann",["x"],false]`)

		// Those that never return are bounded: then sockets are refused at once.
		var open []*client
		for range 99 {
			c := r.dial()
			c.send(`40{"do":"hang for good"}`)
			open = append(open, c)
		}
		time.Sleep(5 * time.Second)
		for _, c := range open {
			c.expect(`44{"message":"Authentication error",*`)
		}
		start := time.Now()
		r.dial().denied("/", `{"do":"let me in"}`, auth.CodeTokenInvalid)
		if time.Since(start) > time.Second {
			t.Error("refused late")
		}
		close(release)
		synctest.Wait()
		r.dial().join("/", `{"do":"let me in"}`)
	})
}

// JWT alone is the handshake, and From works in every handler.
func TestJWT(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		ns := r.Of("/")
		ns.Use(auth.JWT(hmacVerifier(t), auth.WithLogger(r.logger())))
		seen := make(chan string, 3)
		see := func(ctx context.Context, where string) {
			id, ok := auth.From(ctx)
			seen <- fmt.Sprint(where, " ", id.ID, " ", ok)
		}
		ns.OnConnect(func(ctx context.Context, _ *server.Socket) error { see(ctx, "connect"); return nil })
		ns.On("e", func(_ context.Context, s *server.Socket, _ server.Args) error { see(s.Context(), "event"); return nil })
		ns.OnDisconnect(func(ctx context.Context, _ *server.Socket, _ server.Reason) { see(ctx, "disconnect") })
		r.dial().denied("/", "", auth.CodeTokenMissing)
		c := r.dial()
		c.join("/", withToken(sign(hmacSigner, ann(time.Second))))
		time.Sleep(time.Hour) // nothing happens
		c.send(`42["e"]`)
		for i, want := range []string{"connect ann true", "event ann true", "disconnect ann true"} {
			if got := <-seen; got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if i == 1 {
				c.send(`41`)
			}
		}
		if _, ok := auth.From(t.Context()); ok {
			t.Error("a user in a context of no socket")
		}
		// Without a verifier nobody gets in.
		r.Of("/nil").Use(auth.JWT(nil))
		r.dial().denied("/nil", withToken(sign(hmacSigner, ann(time.Hour))), auth.CodeTokenInvalid)
	})
}

func TestRequireRoleAlone(t *testing.T) {
	r := serve(t)
	r.Of("/").Use(auth.RequireRole("admin"))
	r.dial().denied("/", withToken(sign(hmacSigner, ann(time.Hour, "admin"))), auth.CodeForbidden)
	ns := r.mount("/none", auth.Options{Verifier: hmacVerifier(t)})
	ns.Use(auth.RequireRole())
	r.dial().denied("/none", withToken(sign(hmacSigner, ann(time.Hour, "admin"))), auth.CodeForbidden)
}

func TestAllowOrigins(t *testing.T) {
	r := serve(t)
	ns := r.mount("/", auth.Options{Anonymous: true})
	ns.Use(auth.AllowOrigins("https://app.example", "http://localhost:5173/"))
	r.Of("/first").Use(auth.AllowOrigins("https://app.example"))
	whoami(r.Of("/first"))
	from := func(headers ...string) *client { return r.dialWith(wire.Handshake{Header: headers}) }
	from().join("/", "")
	for _, ok := range []string{"https://app.example", "HTTPS://APP.example", "http://localhost:5173"} {
		from("Origin: "+ok).join("/", "")
	}
	for _, bad := range []string{
		"https://app.example.evil.com", "https://evil.example", "http://app.example", "https://app.example:8443", "null", "https://app.example/", "https://app.example@evil.example",
		"https://evilapp.example", "*", "",
	} {
		from("Origin: "+bad).denied("/", "", auth.CodeForbidden)
	}
	from("Origin: https://app.example", "Origin: https://evil.example").denied("/", "", auth.CodeForbidden)
	c := from("Origin: https://app.example")
	c.join("/first", "")
	c.send(`42/first,1["who"]`)
	c.expect(`43/first,1[null]`)
	from("Origin: https://evil.example").denied("/first", "", auth.CodeForbidden)
	if r.logs.Count("socket refused", "code=forbidden", "origin") == 0 {
		t.Errorf("the log:\n%s", r.logs)
	}
}

// A check that ends its goroutine has said nothing.
func TestAuthenticateGoexit(t *testing.T) {
	r := serve(t)
	r.Of("/").Use(auth.Authenticate(func(context.Context, server.Handshake) (auth.Identity, error) {
		runtime.Goexit()
		return ann(time.Hour), nil
	}))
	r.dial().denied("/", "", auth.CodeTokenInvalid)
}

// Checks that panic cost a stack a second in the log, not one a client.
func TestPanicsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		r.Of("/").Use(auth.Authenticate(func(context.Context, server.Handshake) (auth.Identity, error) { panic("no database") }, auth.WithLogger(r.logger())))
		flood := func() {
			for range 10 {
				r.dial().denied("/", "", auth.CodeTokenInvalid)
			}
		}
		flood()
		time.Sleep(time.Second)
		flood()
		if n := r.logs.Count("check of a handshake panicked", "no database"); n != 2 || r.logs.Count("panicked", "not_logged=9") != 1 {
			t.Errorf("%d lines:\n%s", n, r.logs)
		}
	})
}
