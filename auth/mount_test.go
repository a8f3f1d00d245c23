package auth_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
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
	r.secretive(strings.Split(good, ".")[1:]...)
	r.secretive(strings.Split(bad, ".")[1:]...)
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
	if r.logs.Count("socket refused", "namespace=/team-1", "address=127.0.0.1", "code=token_missing") != 1 {
		t.Errorf("the log:\n%s", r.logs)
	}
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
		`{"username":"` + strings.Repeat("ä", 65) + `"}`:                strings.Repeat("ä", 64),
		`{"username":"Bob","username":null}`:                            "", `{"username":"Eve","usern\u0061me":"Bob"}`: "Bob",
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
		c.send(`421["auth_refresh",` + withToken(sign(hmacSigner, auth.Identity{ID: id, Expires: time.Now().Add(time.Hour)})) + `]`) // the same user?
		c.expect(`431[{"ok":false,"error":{"code":"forbidden",*`)
	}
	// Who thinks that he is signed in is not let in as somebody else.
	r.dial().denied("/", withToken("x"), auth.CodeTokenInvalid)
	r.dial().denied("/", withToken(sign(hmacSigner, ann(-time.Hour))), auth.CodeTokenExpired)
}

// Without keys nobody has a token, which the log says once.
func TestAnonymous(t *testing.T) {
	r := serve(t)
	ns := r.mount("/", auth.Options{Anonymous: true})
	ns.Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			if id, ok := auth.From(ctx); !ok || !id.Anonymous {
				t.Errorf("%+v", id)
			}
			return next(ctx, s)
		}
	})
	admin := r.mount("/admin", auth.Options{Anonymous: true})
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
	if n := r.logs.Count("tokens are not looked at"); n != 2 { // in each of the namespaces
		t.Errorf("%d lines:\n%s", n, r.logs)
	}
	r.secretive(strings.Split(token, ".")[1:]...)
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

	if r.logs.Count("token_missing", "in the query") == 0 {
		t.Errorf("the log:\n%s", r.logs)
	}
	r.secretive(strings.Split(token, ".")[1:]...)
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
	for _, test := range [][2]string{{"", "token_missing"}, {withToken("x"), "token_invalid"}} {
		body := "40/other," + test[0]
		if _, err := wire.Exchange(r.addr, request+fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)); err != nil {
			t.Fatal(err)
		}
		c.expect(`44/other,{"message":"Authentication error","data":{"code":"` + test[1] + `"}}`)
	}
	c.quiet("/chat")
	p.Leave()
	r.secretive(p.SID())
	r.secretive(strings.Split(token, ".")[1:]...)
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
		if n := r.logs.Count("socket refused"); n != 2 {
			t.Errorf("%d lines:\n%s", n, r.logs)
		}
		if r.logs.Count("code=token_missing", "not_logged=499") != 1 {
			t.Errorf("the log:\n%s", r.logs)
		}
	})
}

// A user whose sub is the id of somebody's socket is not taken for him.
func TestF13_socket_id(t *testing.T) {
	r := serve(t)
	r.mount("/", auth.Options{Verifier: hmacVerifier(t), Anonymous: true})
	r.mount("/members", auth.Options{Verifier: hmacVerifier(t)})
	guest := r.dial()
	id := guest.join("/", `{"username":"Bob"}`)
	impostor := withToken(sign(hmacSigner, auth.Identity{ID: id, Name: "Bob", Expires: time.Now().Add(time.Hour)}))
	c := r.dial()
	c.denied("/", impostor, auth.CodeForbidden)
	c.join("/members", impostor) // where nobody is his socket's id
	guest.quiet("/")
	if r.logs.Count("code=forbidden", "sub is the id of a socket") != 1 {
		t.Errorf("the log:\n%s", r.logs)
	}
}
