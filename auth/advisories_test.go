package auth_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/internal/wire"
)

// Public advisories about tokens, each replayed here; the numbers are those of the
// conformance tests, which have the others.

// TestAdvisory32 (CVE-2026-32301, CVE-2026-49998): an issuer that nobody vouches
// for is asked for nothing, and two issuers that name their keys alike do not
// share them.
func TestAdvisory32_Issuers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := pairs()["ES256"], otherPair("ES256")
		issuer := func(p pair, name string) (*endpoint, *auth.Verifier) {
			e := &endpoint{}
			e.set(keySet(jwkOf("1", p.private.Public())), nil)
			return e, verifier(t, keys(t, auth.JWKSOptions{Transport: e}), auth.VerifierOptions{Issuer: name})
		}
		one, v := issuer(ours, "https://one.example")
		other, w := issuer(theirs, "https://two.example")
		token := func(p pair, iss string) string {
			return signWith(t, p, `{"alg":"ES256","kid":"1"}`, fmt.Sprintf(`{"sub":"ann","iss":%q,"exp":%d}`, iss, time.Now().Unix()+60))
		}
		for range 2 { // whatever is cached the first time
			good(t, v, token(ours, "https://one.example"))
			good(t, w, token(theirs, "https://two.example"))
			refused(t, v, token(theirs, "https://one.example"), auth.CodeTokenInvalid)
			refused(t, v, token(theirs, "https://two.example"), auth.CodeTokenInvalid)
			refused(t, w, token(ours, "https://two.example"), auth.CodeTokenInvalid)
			refused(t, v, token(ours, "https://evil.example"), auth.CodeTokenInvalid)
		}
		if n, m := one.fetches.Load(), other.fetches.Load(); n != 1 || m != 1 {
			t.Errorf("%d and %d fetches, want 1 of each", n, m)
		}
	})
}

// TestAdvisory33 (CVE-2026-71485): what a client sends as its auth is in none of
// what the server knows by itself.
func TestAdvisory33_Headers(t *testing.T) {
	r := serve(t)
	ns := r.mount("/", auth.Options{Verifier: hmacVerifier(t), Anonymous: true})
	c := r.dialWith(wire.Handshake{Header: []string{"X-User: bob"}})
	c.join("/", `{"headers":{"x-user":"admin","host":"evil"},"address":"9.9.9.9","query":{"token":"x"},"claims":{"roles":["admin"]},"roles":["admin"]}`)
	c.send(`421["who"]`)
	c.expect(`431["*","*",null,true]`)
	for s := range ns.Sockets() {
		h := s.Handshake()
		if h.Header().Get("X-User") != "bob" || h.Header().Get("Host") != r.addr || h.Query().Get("token") != "" || !strings.HasPrefix(h.Address(), "127.0.0.1") {
			t.Errorf("%v, %v, %s", h.Header(), h.Query(), h.Address())
		}
		if id, ok := auth.From(s.Context()); !ok || !id.Anonymous || len(id.Roles) > 0 || id.Claims != nil {
			t.Errorf("%+v", id)
		}
	}
}

// TestAdvisory34 (CVE-2020-26892, GHSA-g33f-6538-grxh): credentials that have
// expired end what they have opened, and keys that are none make no verifier. That
// nothing of a secret is in what is monitored is tested with the command.
func TestAdvisory34_Expired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := serveInMemory(t)
		r.mount("/", auth.Options{Verifier: hmacVerifier(t)})
		c := r.dial()
		c.join("/", withToken(sign(hmacSigner, ann(time.Minute))))
		time.Sleep(time.Minute + time.Second)
		c.expect(`42["auth_expired",*`)
		time.Sleep(30 * time.Second)
		c.expect("41")
	})
	for name, p := range pairs() {
		der := p.pubPEM
		for _, bad := range [][]byte{nil, der[:len(der)/2], []byte(strings.Replace(string(der), "A", "", 3)), p.privPEM[:40]} {
			if _, err := auth.PublicKey(bad); err == nil {
				t.Errorf("%s: a key of %d bytes is taken", name, len(bad))
			}
		}
	}
}

// TestAdvisory37 (CVE-2025-30204, CVE-2025-27144, CVE-2025-22868): a token of a
// million dots is refused by its length, before it is taken apart.
func TestAdvisory37_Dots(t *testing.T) {
	v := hmacVerifier(t)
	token := strings.Repeat(".", 1e6)
	if n := testing.AllocsPerRun(10, func() { refused(t, v, token, auth.CodeTokenInvalid) }); n > 100 {
		t.Errorf("%v allocations", n)
	}
	r := serve(t)
	r.mount("/", auth.Options{Verifier: v})
	c := r.dial()
	c.denied("/", withToken(strings.Repeat(".", 15<<10)), auth.CodeTokenInvalid) // a CONNECT may carry 16 KiB
}

// TestAdvisory38 (CVE-2020-26160): no audience is not any audience.
func TestAdvisory38_Audience(t *testing.T) {
	v := verifier(t, hmacSigner.Key(), auth.VerifierOptions{Audience: []string{"chat"}})
	for _, aud := range []string{``, `"aud":[],`, `"aud":"",`, `"aud":null,`, `"aud":[""],`, `"aud":{},`} {
		refused(t, v, forge(hs256, within(`{"sub":"ann",`+aud+`"exp":%d}`)), auth.CodeTokenInvalid)
	}
	good(t, v, forge(hs256, within(`{"sub":"ann","aud":["x","chat"],"exp":%d}`)))
}
