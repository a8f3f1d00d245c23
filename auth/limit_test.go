package auth_test

import (
	"context"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/server"
)

// TestF08_limit: one token on very many connections is let in as often as its user
// may be there. That it is presented again is no replay: clients that reconnect do
// so. 200 stand for 1,000.
func TestF08_limit(t *testing.T) {
	const most, asked = 3, 200
	r := serve(t, server.WithLimits(server.Limits{RefusedConnects: -1}))
	ns := r.mount("/chat", auth.Options{Verifier: hmacVerifier(t), Anonymous: true})
	ns.Use(auth.LimitSockets(most))
	token := withToken(sign(hmacSigner, ann(time.Hour)))
	var in []*client
	for range most {
		c := r.dial()
		c.join("/chat", token)
		in = append(in, c)
	}
	r.Of("/")
	flood := r.dial()
	flood.join("/", "") // who is nowhere may not ask so often
	for range asked {
		flood.denied("/chat", token, auth.CodeTooManySockets)
	}
	bob := auth.Identity{ID: "bob", Expires: time.Now().Add(time.Hour)}
	r.dial().join("/chat", withToken(sign(hmacSigner, bob)))
	for range most + 1 {
		r.dial().join("/chat", `{"username":"ann"}`) // anonymous, and nobody's name
	}
	in[1].send(`41/chat,`) // makes room
	comesIn := func(c *client) {
		t.Helper()
		for began := time.Now(); ; {
			c.send("40/chat," + token)
			if p := c.next(); p[:2] == "40" {
				return
			}
			if time.Since(began) > patience {
				t.Fatal("there is no room")
			}
		}
	}
	comesIn(flood)
	r.dial().denied("/chat", token, auth.CodeTooManySockets)
	in[0].send(`42/chat,1["who"]`)
	in[0].expect(`43/chat,1["ann","Ann",null,false]`)
	if n := r.logs.Count("socket refused", "code=too_many_sockets"); n < 1 || n > asked/2 {
		t.Errorf("%d lines of %d refusals", n, asked)
	}
}

// Who is refused behind it takes no place, and a namespace that asks nobody who he
// is lets nobody in.
func TestF08_refused_behind(t *testing.T) {
	r := serve(t)
	ns := r.mount("/chat", auth.Options{Verifier: hmacVerifier(t)})
	deny := true
	ns.Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			err := next(ctx, s)
			if deny && next(ctx, s).Error() != err.Error() { // the client may be as quick as this, once he is told
				t.Error("the place of one who is refused is still taken")
			}
			return err
		}
	})
	ns.Use(auth.LimitSockets(1))
	ns.Use(func(next server.ConnectHandler) server.ConnectHandler {
		return func(ctx context.Context, s *server.Socket) error {
			if deny {
				return &server.ConnectError{Message: "not now"}
			}
			return next(ctx, s)
		}
	})
	r.Of("/open").Use(auth.LimitSockets(1))
	token := withToken(sign(hmacSigner, ann(time.Hour)))
	c := r.dial()
	for range 3 {
		c.send("40/chat," + token)
		c.expect(`44/chat,{"message":"not now"}`)
	}
	c.denied("/open", token, auth.CodeForbidden)
	deny = false
	c.join("/chat", token)
}
