package auth_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// TestF01: what a client is told does not depend on what is wrong.
func TestF01_same_bytes(t *testing.T) {
	r := serve(t)
	r.mount("/chat", auth.Options{Verifier: hmacVerifier(t)})
	good := sign(hmacSigner, ann(time.Hour))
	bad := good[:len(good)-4] + "AAAA"
	for _, payload := range []string{
		withToken(bad), withToken("x"), withToken(strings.Repeat(".", 12_000)), withToken(strings.Repeat("A", 8193)), withToken("ä"),
		withToken(sign(signerOf("ES256"), ann(time.Hour))), withToken(forge(`{"alg":"none"}`, "{}")), withToken(forge(hs256, `{"sub":"ann"}`)),
		`{"token":1}`, `{"token":true}`, `{"token":[]}`, `{"token":["` + good + `"]}`, `{"token":{}}`, `{"token":{"token":"` + good + `"}}`,
		`{"token":"` + good + `","token":"` + good + `"}`, `{"token":null,"token":"` + good + `"}`, `{"token":"\ud800"}`,
	} {
		r.dial().denied("/chat", payload, auth.CodeTokenInvalid)
	}
	for _, payload := range []string{"", "{}", `{"token":""}`, `{"token":null}`, `{"Token":"` + good + `"}`, `{"username":"ann"}`, `{"auth":{"token":"` + good + `"}}`} {
		r.dial().denied("/chat", payload, auth.CodeTokenMissing)
	}
	// One connection may be refused and come again.
	c := r.dial()
	c.denied("/chat", "", auth.CodeTokenMissing)
	c.denied("/chat", withToken(bad), auth.CodeTokenInvalid)
	c.denied("/chat", withToken(sign(hmacSigner, ann(-time.Hour))), auth.CodeTokenExpired)
	c.join("/chat", withToken(good))
	c.send(`42/chat,1["who"]`)
	c.expect(`43/chat,1["ann","Ann",null,false]`)
	r.logs.secretive(t, strings.Split(good, ".")[1:]...)
	r.logs.secretive(t, strings.Split(bad, ".")[1:]...)
}

// More than 16 KiB before the first CONNECT is no affair of ours.
func TestF01_too_large(t *testing.T) {
	r := serve(t)
	r.mount("/", auth.Options{Verifier: hmacVerifier(t)})
	w, err := wire.OpenWS(r.addr, wire.Handshake{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	_ = w.Send("40" + withToken(strings.Repeat("A", 1<<20)))
	if end, err := w.WaitClose(); err != nil || end.Code != wire.CloseTooBig {
		t.Errorf("%v %v", end, err)
	}
	p, err := wire.OpenPoll(r.addr, "")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Leave()
	res, err := p.Post("40" + withToken(strings.Repeat("A", 1<<20)))
	if err != nil || res.Status != 413 {
		t.Errorf("%v %v", res, err)
	}
}

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
		r.mount("/a", auth.Options{Verifier: hmacVerifier(t)})
		r.mount("/b", auth.Options{Verifier: hmacVerifier(t)})
		c := r.dial()
		c.join("/a", withToken(sign(hmacSigner, ann(10*time.Second))))
		c.join("/b", withToken(sign(hmacSigner, ann(time.Hour))))
		c.send("41/a,")
		c.quiet("/b")
		time.Sleep(time.Minute)
		c.quiet("/b")
		c.join("/a", withToken(sign(hmacSigner, ann(time.Hour))))
		time.Sleep(time.Minute)
		c.quiet("/a")
	})
}

// TestF11: each namespace asks for itself.
func TestF11_each_namespace(t *testing.T) {
	r := serve(t)
	v := hmacVerifier(t)
	r.mount("/chat", auth.Options{Verifier: v})
	r.mount("/other", auth.Options{Verifier: v})
	r.mount("/theirs", auth.Options{Verifier: verifier(t, signerOf("ES256").Key(), auth.VerifierOptions{})})
	admin := r.mount("/admin", auth.Options{Verifier: v})
	admin.Use(auth.RequireRole("admin", "root"))
	c := r.dial()
	mine := withToken(sign(hmacSigner, ann(time.Hour)))
	c.join("/chat", mine)
	c.denied("/other", "", auth.CodeTokenMissing)
	c.denied("/theirs", mine, auth.CodeTokenInvalid)
	c.denied("/admin", mine, auth.CodeForbidden)
	c.denied("/admin", "", auth.CodeTokenMissing)
	bob := auth.Identity{ID: "bob", Roles: []string{"x", "root"}, Expires: time.Now().Add(time.Hour)}
	c.join("/other", withToken(sign(hmacSigner, bob))) // the same connection, another user
	c.send(`42/other,1["who"]`)
	c.expect(`43/other,1["bob","bob",["x","root"],false]`)
	c.send(`42/chat,1["who"]`)
	c.expect(`43/chat,1["ann","Ann",null,false]`)
	c.join("/admin", withToken(sign(hmacSigner, bob)))

	// Rights go with a token that lacks them, but not the old token with it.
	bob.Roles = []string{"x"}
	c.send(`42/admin,1["auth_refresh",` + withToken(sign(hmacSigner, bob)) + `]`)
	c.expect(`43/admin,1[{"ok":false,"error":{"code":"forbidden","message":"Authentication error"}}]`)
	bob.Roles = []string{"admin"}
	c.send(`42/admin,1["auth_refresh",` + withToken(sign(hmacSigner, bob)) + `]`)
	c.expect(`43/admin,1[{"ok":true,"expires":*}]`)
	c.send(`42/admin,1["who"]`)
	c.expect(`43/admin,1["bob","bob",["admin"],false]`)
}

// Dynamic namespaces ask for themselves too.
func TestF11_dynamic(t *testing.T) {
	r := serve(t)
	ns := r.OfFunc(func(_ context.Context, name string, _ server.Arg) bool { return strings.HasPrefix(name, "/team-") })
	auth.Mount(ns, auth.Options{Verifier: hmacVerifier(t), Logger: r.logger()})
	whoami(ns)
	c := r.dial()
	c.denied("/team-1", "", auth.CodeTokenMissing)
	c.join("/team-1", withToken(sign(hmacSigner, ann(time.Hour))))
	c.denied("/team-2", "", auth.CodeTokenMissing)
	c.quiet("/team-1")
	if r.logs.lines("socket refused", "namespace=/team-1", "address=127.0.0.1", "code=token_missing") != 1 {
		t.Errorf("the log:\n%s", r.logs)
	}
}

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
		} {
			c.denied("/", `{"do":"`+do+`"}`, code)
			time.Sleep(time.Second)
		}
		c.send(`40{"do":"own"}`)
		c.expect(`44{"message":"closed on Sundays"}`)
		if r.logs.lines("panicked", "hunter2", "mount_test.go") != 1 || r.logs.lines("code=token_invalid", "no such cookie") != 1 {
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

// TestF13: nothing that a client says of itself beside its token counts.
func TestF13_identity(t *testing.T) {
	r := serve(t)
	r.mount("/", auth.Options{Verifier: hmacVerifier(t), Anonymous: true})
	c := r.dialWith(wire.Handshake{Query: "EIO=4&transport=websocket&user=admin&sub=admin", Header: []string{"X-User: admin", "Authorization: Bearer x"}})
	c.join("/", `{"user":"admin","username":"admin","sub":"admin","name":"admin","id":"admin","roles":["admin"],"headers":{"x-user":"admin"},"token":"`+
		sign(hmacSigner, ann(time.Hour, "x"))+`"}`)
	c.send(`421["who"]`)
	c.expect(`431["ann","Ann",["x"],false]`)

	// Without one, a name for showing is all that it may say.
	for payload, name := range map[string]string{
		`{"username":" Bob ","roles":["admin"],"sub":"ann","id":"ann"}`: "Bob",
		`{"username":"` + strings.Repeat("ä", 64) + `"}`:                strings.Repeat("ä", 64),
		`{"username":"` + strings.Repeat("ä", 65) + `"}`:                "",
		`{"username":""}`: "", `{"username":" "}`: "", `{"username":1}`: "", `{"username":{"a":1}}`: "", "": "",
		`{"token":null,"username":"Bob"}`: "Bob", `{"token":"","username":"Bob"}`: "Bob",
	} {
		c := r.dial()
		id := c.join("/", payload)
		if name == "" {
			name = id
		}
		c.send(`421["who"]`)
		c.expect(`431["` + id + `","` + name + `",null,true]`)
		c.send(`421["auth_refresh",` + withToken(sign(hmacSigner, ann(time.Hour))) + `]`)
		c.expect(`431[{"ok":false,"error":{"code":"forbidden",*`)
	}
	// Who thinks that he is signed in is not let in as somebody else.
	r.dial().denied("/", withToken("x"), auth.CodeTokenInvalid)
	r.dial().denied("/", withToken(sign(hmacSigner, ann(-time.Hour))), auth.CodeTokenExpired)
}

// Without keys nobody has a token, which the log says once.
func TestAnonymous(t *testing.T) {
	r := serve(t)
	ns := r.mount("/", auth.Options{})
	ns.Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			if id, ok := auth.From(ctx); !ok || !id.Anonymous {
				t.Errorf("%+v", id)
			}
			return next(ctx, s)
		}
	})
	admin := r.mount("/admin", auth.Options{})
	admin.Use(auth.RequireRole("admin"))
	token := sign(hmacSigner, ann(time.Hour, "admin"))
	for _, payload := range []string{"", `{"username":"x"}`, withToken(token), withToken("x"), `{"token":7}`} {
		c := r.dial()
		id := c.join("/", payload)
		c.send(`421["who"]`)
		c.expect(`431["` + id + `",*,null,true]`)
		c.send(`421["auth_refresh",` + withToken(token) + `]`)
		c.expect(`431[{"ok":false,"error":{"code":"forbidden",*`)
		c.denied("/admin", payload, auth.CodeForbidden)
	}
	if n := r.logs.lines("tokens are not looked at"); n != 2 { // in each of the namespaces
		t.Errorf("%d lines:\n%s", n, r.logs)
	}
	r.logs.secretive(t, strings.Split(token, ".")[1:]...)
}

// TestF14: a token in the address counts only where that is allowed, and is in
// no log in either case.
func TestF14_query(t *testing.T) {
	r := serve(t)
	v := hmacVerifier(t)
	r.mount("/", auth.Options{Verifier: v})
	r.mount("/guests", auth.Options{Verifier: v, Anonymous: true})
	r.mount("/query", auth.Options{Verifier: v, QueryToken: true})
	r.mount("/both", auth.Options{Verifier: v, QueryToken: true, Anonymous: true})
	token := sign(hmacSigner, ann(time.Hour))
	with := func(query string) *client {
		return r.dialWith(wire.Handshake{Query: "EIO=4&transport=websocket&" + query})
	}
	for _, name := range []string{"token", "t%6Fken"} {
		c := with(name + "=" + token)
		c.denied("/", "", auth.CodeTokenMissing)
		c.denied("/guests", "", auth.CodeTokenMissing) // its client takes itself for signed in
		c.join("/query", "")
		c.send(`42/query,1["who"]`)
		c.expect(`43/query,1["ann",*`)
		c.join("/both", "")
		c.send(`42/both,1["who"]`)
		c.expect(`43/both,1["ann",*`)
	}
	for _, query := range []string{"token=" + token + "&token=" + token, "token=x", "token=" + url.QueryEscape(token+"\n"), "token=" + token[:len(token)-4] + "AAAA"} {
		with(query).denied("/query", "", auth.CodeTokenInvalid)
		with(query).denied("/both", "", auth.CodeTokenInvalid)
	}
	for _, query := range []string{"token=", "Token=" + token, "mytoken=" + token, "x=token%3D" + token, "x=%41"} {
		with(query).denied("/query", "", auth.CodeTokenMissing)
		with(query).join("/both", "")
	}
	// The payload comes first.
	c := with("token=" + token)
	c.join("/query", withToken(sign(hmacSigner, auth.Identity{ID: "bob", Expires: time.Now().Add(time.Hour)})))
	c.send(`42/query,1["who"]`)
	c.expect(`43/query,1["bob",*`)
	with("token="+token).denied("/query", withToken("x"), auth.CodeTokenInvalid)

	if r.logs.lines("token_missing", "in the query") == 0 {
		t.Errorf("the log:\n%s", r.logs)
	}
	r.logs.secretive(t, strings.Split(token, ".")[1:]...)
}

// TestA08: the id of a session is a secret of its connection, and is not logged;
// what it gets at is what has been let in, and nothing more.
func TestA08_session_id(t *testing.T) {
	r := serve(t)
	r.mount("/chat", auth.Options{Verifier: hmacVerifier(t)})
	r.mount("/other", auth.Options{Verifier: hmacVerifier(t)})
	token := sign(hmacSigner, ann(time.Hour))
	p, err := wire.OpenPoll(r.addr, "")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c := &client{p, t}
	c.join("/chat", withToken(token))
	// Somebody else with the id, from another page: it is a bearer secret.
	request := "POST " + wire.DefaultPath + "?EIO=4&transport=polling&sid=" + p.SID() + " HTTP/1.1\r\nHost: " + r.addr +
		"\r\nOrigin: http://evil.example\r\nConnection: close\r\n"
	for _, body := range []string{"40/other,", "40/other," + withToken("x")} {
		if _, err := wire.Exchange(r.addr, request+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)); err != nil {
			t.Fatal(err)
		}
	}
	c.expect(`44/other,{"message":"Authentication error","data":{"code":"token_missing"}}`, `44/other,{"message":"Authentication error","data":{"code":"token_invalid"}}`)
	c.quiet("/chat")
	p.Leave()
	r.logs.secretive(t, p.SID())
	r.logs.secretive(t, strings.Split(token, ".")[1:]...)
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
	ns := r.mount("/", auth.Options{})
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
	if r.logs.lines("socket refused", "code=forbidden", "origin") == 0 {
		t.Errorf("the log:\n%s", r.logs)
	}
}

// A flood of refusals is a line a second.
func TestRefusalsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		r.mount("/", auth.Options{Verifier: hmacVerifier(t)})
		for range 50 {
			c := r.dial()
			for range 10 {
				c.denied("/", withToken("x"), auth.CodeTokenInvalid)
			}
			_ = c.Close()
		}
		time.Sleep(time.Second)
		r.dial().denied("/", "", auth.CodeTokenMissing)
		if n := r.logs.lines("socket refused"); n != 2 {
			t.Errorf("%d lines:\n%s", n, r.logs)
		}
		if r.logs.lines("code=token_missing", "not_logged=499") != 1 {
			t.Errorf("the log:\n%s", r.logs)
		}
	})
}
