package auth_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/internal/servertest"
)

// An endpoint has a key set, and counts those who ask for it.
type endpoint struct {
	fetches atomic.Int32

	mu    sync.Mutex
	body  string
	err   error
	stall bool
}

func (e *endpoint) set(body string, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.body, e.err = body, err
}

// RoundTrip makes an endpoint of a testing/synctest bubble.
func (e *endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	e.fetches.Add(1)
	e.mu.Lock()
	body, err, stall := e.body, e.err, e.stall
	e.mu.Unlock()
	if stall {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	select {
	case <-time.After(100 * time.Millisecond):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: http.StatusOK, Status: "200 OK", Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	e.fetches.Add(1)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		http.Error(w, e.err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = io.WriteString(w, e.body)
}

const address = "https://login.example/jwks.json"

func keys(t testing.TB, opts auth.JWKSOptions) *auth.RemoteKeys {
	t.Helper()
	k, err := auth.JWKS(t.Context(), address, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

func good(t testing.TB, v *auth.Verifier, token string) {
	t.Helper()
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Errorf("%v", err)
	}
}

// TestJWKS: over HTTP, with the keys of all kinds and those of no use.
func TestJWKS(t *testing.T) {
	e := &endpoint{}
	server := httptest.NewServer(e)
	defer server.Close()
	var set []string
	for alg, p := range pairs() {
		set = append(set, jwkOf(alg, p.private.Public(), "alg", `"`+alg+`"`))
	}
	ed, other := pairs()["EdDSA"], otherPair("EdDSA")
	rs := pairs()["RS256"].private.Public()
	ec := pairs()["ES256"].private.Public()
	set = append(set,
		`{"kty":"oct","kid":"HS256","alg":"HS256","k":"`+b64(string(secret))+`"}`,
		jwkOf("enc", ed.private.Public(), "use", `"enc"`),
		jwkOf("ops", ed.private.Public(), "key_ops", `["sign"]`),
		jwkOf("verify", ed.private.Public(), "key_ops", `["verify"]`),
		jwkOf("private", ed.private.Public(), "d", `"AAAA"`),
		jwkOf("short", ed.private.Public(), "x", `"AAAA"`),
		jwkOf("alg", ed.private.Public(), "alg", `"HS256"`),
		jwkOf("none", ed.private.Public(), "alg", `"none"`),
		jwkOf("rsa-e", rs, "e", `"Ag"`), jwkOf("rsa-e0", rs, "e", `""`), jwkOf("rsa-e9", rs, "e", `"//////////8"`), jwkOf("rsa-n", rs, "n", `"AQAB"`),
		jwkOf("rsa-big", rs, "n", `"`+b64(strings.Repeat("\xff", 5000))+`"`),
		jwkOf("rsa-384", rs, "alg", `"RS384"`), jwkOf("rsa-es", rs, "alg", `"ES256"`),
		jwkOf("off", ec, "y", `"`+b64(strings.Repeat("\x01", 32))+`"`), jwkOf("crv", ec, "crv", `"secp256k1"`), jwkOf("short-x", ec, "x", `"AQAB"`),
		jwkOf(strings.Repeat("k", 257), ed.private.Public()),
		`{"kty":"EC"}`, `{"kty":1}`, `null`, `[]`, `7`,
		jwkOf("other", other.private.Public()),
	)
	e.set(keySet(set...), nil)
	k, err := auth.JWKS(t.Context(), server.URL, auth.JWKSOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if got := fmt.Sprint(k.Algorithms()); got != "[ES256 ES384 ES512 EdDSA RS256 RS384]" {
		t.Error(got)
	}
	v := verifier(t, k, auth.VerifierOptions{})
	for alg := range pairs() {
		good(t, v, sign(signerOf(alg).WithID(alg), ann(time.Hour)))
		if alg != "EdDSA" { // without a kid, where there is one of its algorithm
			good(t, v, sign(signerOf(alg), ann(time.Hour)))
		}
	}
	good(t, v, sign(signerOf("EdDSA").WithID("verify"), ann(time.Hour)))
	claims := within(`{"sub":"ann","exp":%d}`)
	good(t, v, signWith(t, other, `{"alg":"EdDSA","kid":"other"}`, claims))
	p := pairs()["RS256"]
	p.alg = "RS384"
	good(t, v, signWith(t, p, `{"alg":"RS384","kid":"rsa-384"}`, claims))
	refused(t, v, signWith(t, p, `{"alg":"RS384","kid":"RS256"}`, claims), auth.CodeTokenInvalid)
	refused(t, v, sign(hmacSigner.WithID("HS256"), ann(time.Hour)), auth.CodeTokenInvalid)
	refused(t, v, sign(signerOf("EdDSA"), ann(time.Hour)), auth.CodeTokenInvalid) // which of three?
	for _, kid := range []string{"enc", "ops", "private", "short", "alg", "none", "other", "ES256"} {
		refused(t, v, sign(signerOf("EdDSA").WithID(kid), ann(time.Hour)), auth.CodeTokenInvalid)
	}
	for _, kid := range []string{"off", "crv", "short-x"} {
		refused(t, v, sign(signerOf("ES256").WithID(kid), ann(time.Hour)), auth.CodeTokenInvalid)
	}
	if n := e.fetches.Load(); n != 2 { // at the start, and for all the unknown ids
		t.Errorf("%d fetches", n)
	}
}

// TestF03: nothing that a token says is fetched.
func TestF03_no_fetch(t *testing.T) {
	attacker, e := &endpoint{}, &endpoint{}
	evil := httptest.NewServer(attacker)
	defer evil.Close()
	server := httptest.NewServer(e)
	defer server.Close()
	theirs := otherPair("RS256")
	attacker.set(keySet(jwkOf("k", theirs.private.Public())), nil)
	e.set(keySet(jwkOf("k", pairs()["RS256"].private.Public())), nil)
	k, err := auth.JWKS(t.Context(), server.URL, auth.JWKSOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	v := verifier(t, k, auth.VerifierOptions{})
	claims := fmt.Sprintf(`{"sub":"ann","iss":%q,"exp":%d}`, evil.URL, time.Now().Unix()+60)
	for _, header := range append(embedded(theirs, evil.URL), `{"alg":"RS256","kid":"k","jku":"`+evil.URL+`"}`) {
		refused(t, v, signWith(t, theirs, header, claims), auth.CodeTokenInvalid)
	}
	if n := attacker.fetches.Load(); n != 0 {
		t.Errorf("%d fetches", n)
	}
}

// TestF04: unknown key ids cost one fetch a minute, however many they are.
func TestF04_unknown_kids(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{}
		ed := signerOf("EdDSA")
		a, b := ed.WithID("a"), ed.WithID("b")
		e.set(keySet(jwkOf("a", pairs()["EdDSA"].private.Public())), nil)
		k := keys(t, auth.JWKSOptions{Transport: e})
		v := verifier(t, k, auth.VerifierOptions{})
		flood := func(n int) {
			var all sync.WaitGroup
			for i := range n {
				token := sign(ed.WithID(fmt.Sprint("unknown ", i)), ann(time.Hour))
				all.Go(func() { refused(t, v, token, auth.CodeTokenInvalid) })
			}
			all.Wait()
		}
		fetched := func(want int32) {
			t.Helper()
			if n := e.fetches.Swap(0); n != want {
				t.Errorf("%d fetches, want %d", n, want)
			}
		}
		fetched(1)
		flood(10_000)
		fetched(1)
		flood(100)
		good(t, v, sign(a, ann(time.Hour)))
		fetched(0)
		// The keys change: whoever comes first with the new one has it fetched, and
		// those who come meanwhile wait for that.
		e.set(keySet(jwkOf("b", pairs()["EdDSA"].private.Public())), nil)
		refused(t, v, sign(b, ann(time.Hour)), auth.CodeTokenInvalid)
		time.Sleep(time.Minute)
		token := sign(b, ann(time.Hour))
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { good(t, v, token) })
		}
		all.Wait()
		fetched(1)
		refused(t, v, sign(a, ann(time.Hour)), auth.CodeTokenInvalid) // withdrawn
		flood(100)
		fetched(0)
		// By the interval, with nobody asking.
		e.set(keySet(jwkOf("a", pairs()["EdDSA"].private.Public())), nil)
		time.Sleep(time.Hour)
		good(t, v, sign(a, ann(time.Hour)))
		fetched(1)
		// Others need no fetch: junk, and algorithms that no set has.
		for range 100 {
			refused(t, v, "a.b.c", auth.CodeTokenInvalid)
			refused(t, v, sign(hmacSigner.WithID("x"), ann(time.Hour)), auth.CodeTokenInvalid)
			refused(t, v, forge(`{"alg":"none","kid":"x"}`, "{}"), auth.CodeTokenInvalid)
			refused(t, v, sign(signerOf("ES256"), ann(time.Hour)), auth.CodeTokenInvalid)
		}
		fetched(0)
	})
}

// TestF12: while the endpoint is down, or sends rubbish, the last keys are good.
func TestF12_endpoint_down(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{}
		set := keySet(jwkOf("a", pairs()["EdDSA"].private.Public()))
		logs := &servertest.Log{}
		opts := auth.JWKSOptions{Transport: e, Logger: (&rig{logs: logs}).logger()}
		a, b := signerOf("EdDSA").WithID("a"), signerOf("EdDSA").WithID("b")

		e.set("", errors.New("connection refused"))
		if k, err := auth.JWKS(t.Context(), address, opts); err == nil || k != nil {
			t.Fatal("it is down, and no error")
		}
		opts.StartOffline = true
		k := keys(t, opts)
		v := verifier(t, k, auth.VerifierOptions{})
		refused(t, v, sign(a, ann(time.Hour)), auth.CodeTokenInvalid)
		if logs.Count("no token is good", "connection refused") != 1 {
			t.Errorf("the log:\n%s", logs)
		}
		e.set(set, nil)
		time.Sleep(6 * time.Second) // the first retry
		good(t, v, sign(a, ann(time.Hour)))

		for _, down := range []struct {
			body string
			err  error
		}{
			{"", errors.New("connection reset")}, {"<html>", nil}, {"{}", nil}, {"null", nil}, {`{"keys":[]}`, nil}, {`{"keys":{}}`, nil}, {`{"keys":[{}]}`, nil}, {`{"keys":[{"kty":"OKP","kty":"OKP"}]}`, nil},
			{`{"keys":[` + strings.Repeat(" ", 600<<10) + `]}`, nil}, {set + "x", nil},
		} {
			e.set(down.body, down.err)
			time.Sleep(2 * time.Hour)
			good(t, v, sign(a, ann(time.Hour)))
			refused(t, v, sign(b, ann(time.Hour)), auth.CodeTokenInvalid)
		}
		e.set(set, nil)
		time.Sleep(2 * time.Minute)
		if n := logs.Count("cannot be fetched"); n < 9 {
			t.Errorf("%d lines", n)
		}

		// One that hangs holds up nobody for longer than the timeout.
		e.mu.Lock()
		e.stall = true
		e.mu.Unlock()
		start := time.Now()
		refused(t, v, sign(b, ann(time.Hour)), auth.CodeTokenInvalid)
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%v", took)
		}
		time.Sleep(2 * time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		if _, err := v.Verify(ctx, sign(b, ann(time.Hour))); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		k.Close() // also while one is under way
		k.Close()
		good(t, v, sign(a, ann(time.Hour)))
		before := e.fetches.Load()
		time.Sleep(3 * time.Hour)
		refused(t, v, sign(b, ann(time.Hour)), auth.CodeTokenInvalid)
		if e.fetches.Load() != before {
			t.Error("a fetch after Close")
		}
	})
}

func TestJWKSAddress(t *testing.T) {
	for _, bad := range []string{
		"", "login.example", "ftp://login.example", "file:///etc/passwd", "http://login.example/jwks", "http://127.0.0.1.evil.example/", "http://localhost.evil.example/",
		"http://127.0.0.1@evil.example/", "https://user:hunter2@login.example/", "https://", "https:login.example", "http://10.0.0.1/", "http://[::2]/", "://", "https://a b/",
	} {
		if k, err := auth.JWKS(t.Context(), bad, auth.JWKSOptions{StartOffline: true, Transport: &endpoint{}}); err == nil {
			k.Close()
			t.Errorf("%q is an address", bad)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("a password in the error: %v", err)
		}
	}
}

// A redirect is followed on the same host, and nowhere else; the answer has to
// be a 200 of bounded length.
func TestJWKSResponse(t *testing.T) {
	set := keySet(jwkOf("a", pairs()["EdDSA"].private.Public()))
	elsewhere := &endpoint{body: set}
	other := httptest.NewServer(elsewhere)
	defer other.Close()
	mux := http.NewServeMux()
	mux.Handle("/keys", &endpoint{body: set})
	mux.Handle("/moved", http.RedirectHandler("/keys", http.StatusMovedPermanently))
	mux.Handle("/loop", http.RedirectHandler("/loop", http.StatusFound))
	mux.Handle("/away", http.RedirectHandler(other.URL, http.StatusFound))
	mux.Handle("/error", &endpoint{err: errors.New("out of order")})
	mux.HandleFunc("/teapot", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, set)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, _ *http.Request) {
		chunk := bytes.Repeat([]byte(" "), 1<<20)
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	for path, ok := range map[string]bool{"/keys": true, "/moved": true, "/loop": false, "/away": false, "/error": false, "/teapot": false, "/endless": false, "/none": false} {
		k, err := auth.JWKS(t.Context(), server.URL+path, auth.JWKSOptions{})
		if (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
		if err == nil {
			k.Close()
		}
	}
	if elsewhere.fetches.Load() != 0 {
		t.Error("a redirect to another host was followed")
	}
}

// What is in the query of the address is in no log and in no error: there are
// endpoints that want a key there.
func TestJWKSAddressNotLogged(t *testing.T) {
	moved := httptest.NewServer(http.RedirectHandler("https://login.example/?code=hunter2", http.StatusFound))
	defer moved.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, base := range []string{gone.URL, moved.URL} {
		if _, err := auth.JWKS(t.Context(), base+"/keys?code=hunter2", auth.JWKSOptions{}); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error: %v", err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		e := &endpoint{err: errors.New("connection refused")}
		logs := &servertest.Log{}
		k, err := auth.JWKS(t.Context(), address+"?code=hunter2", auth.JWKSOptions{Transport: e, StartOffline: true, Logger: (&rig{logs: logs}).logger()})
		if err != nil {
			t.Fatal(err)
		}
		defer k.Close()
		time.Sleep(time.Minute)
		_, err = verifier(t, k, auth.VerifierOptions{}).Verify(t.Context(), sign(signerOf("EdDSA").WithID("a"), ann(time.Hour)))
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error: %v", err)
		}
		if logs.Count("url="+address+" ", "connection refused") < 2 || logs.Count("hunter2") != 0 {
			t.Errorf("the log:\n%s", logs)
		}
	})
}

// A redirect does not leave https, and is not followed for ever.
func TestJWKSRedirects(t *testing.T) {
	for to, want := range map[string]int{"http://login.example/jwks.json": 1, "https://login.example:444/": 1, "https://login.example/more": 4} {
		asked := 0
		_, err := auth.JWKS(t.Context(), address, auth.JWKSOptions{Transport: transport(func(r *http.Request) (*http.Response, error) {
			asked++
			return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {to}}, Body: http.NoBody, Request: r}, nil
		})})
		if err == nil || asked != want {
			t.Errorf("%s: %d requests, %v", to, asked, err)
		}
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// How often the set is fetched, and how much of it is looked at, has bounds.
func TestJWKSBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ed := pairs()["EdDSA"].private.Public()
		set := make([]string, 101)
		for i := range set {
			set[i] = jwkOf(fmt.Sprint(i), ed)
		}
		e := &endpoint{body: keySet(set...)}
		k := keys(t, auth.JWKSOptions{Transport: e, Interval: time.Second})
		v := verifier(t, k, auth.VerifierOptions{})
		good(t, v, sign(signerOf("EdDSA").WithID("99"), ann(time.Hour)))
		e.fetches.Store(0)
		time.Sleep(time.Hour)
		if n := e.fetches.Load(); n < 59 || n > 60 { // each takes a moment
			t.Errorf("%d fetches by an interval of a second", n)
		}
		refused(t, v, sign(signerOf("EdDSA").WithID("100"), ann(time.Hour)), auth.CodeTokenInvalid)
		// After a failure sooner than by the interval, but not all the time.
		e = &endpoint{err: errors.New("connection refused")}
		keys(t, auth.JWKSOptions{Transport: e, StartOffline: true, Interval: 24 * time.Hour})
		time.Sleep(time.Hour)
		if n := e.fetches.Load(); n < 60 || n > 65 {
			t.Errorf("%d fetches in an hour of failures", n)
		}
	})
}
