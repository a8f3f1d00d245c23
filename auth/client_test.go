package auth_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/internal/jstest"
)

// What the client that frontends use makes of it.

func payload(token string) map[string]any { return map[string]any{"token": token} }

// toldOf waits for connect_error with a code.
func toldOf(t *testing.T, c *jstest.Client, code string) {
	t.Helper()
	e := c.WaitConnectError()
	if got, want := jstest.JSON(e.Data), fmt.Sprintf(`{"code":%q}`, code); e.Message != "Authentication error" || got != want {
		t.Errorf("%s %s, want %s", e.Message, got, want)
	}
	if s := c.State(); s.Active || s.Connected {
		t.Errorf("after a refusal: %+v", s)
	}
}

// TestF01: a refusal, its code, and another try on the same connection.
func TestF01_client_refused(t *testing.T) {
	d := jstest.Start(t)
	for _, use := range [][]string{jstest.WebSocket, jstest.Polling, jstest.Upgrade} {
		r := serve(t)
		r.mount("/chat", auth.Options{Verifier: hmacVerifier(t)}).Use(auth.RequireRole("member"))
		c := d.Connect("http://"+r.addr, jstest.Options{Namespace: "/chat", Transports: use})
		toldOf(t, c, auth.CodeTokenMissing)
		for _, tt := range []struct{ token, code string }{
			{"x", auth.CodeTokenInvalid},
			{sign(signerOf("ES256"), ann(time.Hour, "member")), auth.CodeTokenInvalid},
			{sign(hmacSigner, ann(-time.Minute, "member")), auth.CodeTokenExpired},
			{sign(hmacSigner, ann(time.Hour, "guest")), auth.CodeForbidden},
		} {
			c.SetAuth(payload(tt.token))
			c.Reconnect()
			toldOf(t, c, tt.code)
		}
		c.SetAuth(payload(sign(hmacSigner, ann(time.Hour, "member"))))
		c.Reconnect()
		c.WaitConnect()
		if got := c.Call("who").String(); got != `["ann","Ann",["member"],false]` {
			t.Error(got)
		}
		c.Disconnect()
	}
}

// TestF09: the end of a token, and a new one in time.
func TestF09_client_expiry(t *testing.T) {
	d := jstest.Start(t)
	r := serve(t)
	r.mount("/chat", auth.Options{Verifier: verifier(t, hmacSigner.Key(), auth.VerifierOptions{Leeway: 5 * time.Second})}) // within which a busy machine connects
	connect := func(lasts time.Duration) *jstest.Client {
		return d.Connected("http://"+r.addr, jstest.Options{Namespace: "/chat", Auth: payload(sign(hmacSigner, ann(lasts)))})
	}
	c := connect(2 * time.Second)
	c.Wait("auth_expired")
	if reason := c.WaitDisconnect(); reason != "io server disconnect" {
		t.Error(reason)
	}
	if c.State().Active {
		t.Error("it comes back by itself")
	}
	c.SetAuth(payload(sign(hmacSigner, ann(time.Hour))))
	c.Reconnect()
	c.WaitConnect()

	c = connect(2 * time.Second)
	expired := c.Wait("auth_expired")
	at, _ := expired.Args[0].(map[string]any)["timestamp"].(float64)
	if late := time.Since(time.UnixMilli(int64(at))); late < 0 || late > patience {
		t.Errorf("auth_expired %v: %v ago", expired.Args, late)
	}
	next := ann(time.Hour)
	want := fmt.Sprintf(`[{"expires":%d,"ok":true}]`, next.Expires.Unix()*1000)
	if got := c.Call("auth_refresh", payload(sign(hmacSigner, next))).String(); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	bob := ann(time.Hour)
	bob.ID = "bob"
	for token, code := range map[string]string{
		sign(hmacSigner, bob): auth.CodeForbidden, sign(hmacSigner, ann(-time.Hour)): auth.CodeTokenExpired, "x": auth.CodeTokenInvalid,
	} {
		want := fmt.Sprintf(`[{"error":{"code":%q,"message":"Authentication error"},"ok":false}]`, code)
		if got := c.Call("auth_refresh", payload(token)).String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := c.Call("who").String(); got != `["ann","Ann",null,false]` {
		t.Error(got)
	}
}
