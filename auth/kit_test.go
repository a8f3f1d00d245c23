package auth_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/internal/servertest"
	"github.com/seed3686fee0/parlor/internal/wire"
	"github.com/seed3686fee0/parlor/server"
)

// patience is how long a test waits for what must come.
const patience = servertest.Patience

var secret = []byte("8J2kq0V5xZ7rTnWc3LmYfD1sHbGuPe46") // of the tests

// hmacSigner signs with the secret of the tests.
var hmacSigner = must(auth.HMACSigner(secret))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// A pair is a key pair with its PEM files.
type pair struct {
	alg             string
	private         crypto.Signer
	privPEM, pubPEM []byte
}

// pairs are a key pair of each algorithm, made once.
var pairs = sync.OnceValue(func() map[string]pair {
	m := make(map[string]pair)
	for alg, private := range map[string]crypto.Signer{
		"RS256": must(rsa.GenerateKey(rand.Reader, 2048)),
		"ES256": must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
		"ES384": must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)),
		"ES512": must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)),
		"EdDSA": ed25519Key(),
	} {
		m[alg] = pair{
			alg:     alg,
			private: private,
			privPEM: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(private))}),
			pubPEM:  pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(private.Public()))}),
		}
	}
	return m
})

func ed25519Key() ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

// signerOf signs with HS256 or the key pair of an algorithm.
func signerOf(alg string) *auth.Signer {
	if alg == "HS256" {
		return hmacSigner
	}
	return must(auth.PrivateKeySigner(pairs()[alg].privPEM))
}

var algorithms = []string{"HS256", "RS256", "ES256", "ES384", "ES512", "EdDSA"}

// ann is a user whose token lasts.
func ann(lasts time.Duration, roles ...string) auth.Identity {
	return auth.Identity{ID: "ann", Name: "Ann", Roles: roles, Expires: time.Now().Add(lasts)}
}

func sign(s *auth.Signer, id auth.Identity) string { return must(s.Sign(id, auth.SignOptions{})) }

// forge signs any header and claims with the secret of the tests.
func forge(header, claims string) string {
	signed := b64(header) + "." + b64(claims)
	return signed + "." + b64(string(hmac256(secret, signed)))
}

func b64(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

const hs256 = `{"alg":"HS256","typ":"JWT"}`

// within writes claims with an expiry; the last %d of the text is it.
func within(format string) string { return fmt.Sprintf(format, time.Now().Add(time.Hour).Unix()) }

func verifier(t testing.TB, keys auth.Keys, opts auth.VerifierOptions) *auth.Verifier {
	t.Helper()
	v, err := auth.NewVerifier(keys, opts)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func hmacVerifier(t testing.TB) *auth.Verifier {
	t.Helper()
	return verifier(t, hmacSigner.Key(), auth.VerifierOptions{})
}

// refused checks that a token is refused with a code.
func refused(t testing.TB, v *auth.Verifier, token, code string) {
	t.Helper()
	id, err := v.Verify(t.Context(), token)
	var got *auth.TokenError
	if !errors.As(err, &got) || got.Code != code {
		t.Errorf("%s: %+v, %v; want %s", wire.Shorten(token), id, err, code)
	}
	if err != nil && len(token) > 20 {
		for part := range strings.SplitSeq(token, ".") {
			if len(part) > 8 && strings.Contains(err.Error(), part[:8]) {
				t.Errorf("the error has a part of the token in it: %v", err)
			}
		}
	}
}

// A rig is a server that listens, with what is logged.
type rig struct {
	*server.Server

	t    testing.TB
	addr string
	logs *servertest.Log
}

// serve runs a server on loopback until the test ends.
func serve(t testing.TB, options ...server.Option) *rig {
	t.Helper()
	return serveOn(t, servertest.Listen(t), options...)
}

// serveInMemory is serve for a testing/synctest bubble. Nobody pings there: a
// test that lets an hour pass need not answer.
func serveInMemory(t testing.TB, options ...server.Option) *rig {
	t.Helper()
	return serveOn(t, wire.ListenPipe(), append(options, server.WithPingInterval(10_000*time.Hour))...)
}

func serveOn(t testing.TB, l net.Listener, options ...server.Option) *rig {
	t.Helper()
	r := &rig{t: t, logs: &servertest.Log{}}
	r.Server = server.New(append([]server.Option{server.WithLogger(r.logger())}, options...)...)
	r.addr = servertest.Serve(t, l, r.Server)
	return r
}

func (r *rig) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(r.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// mount mounts auth on a namespace, with an event "who" that is answered with
// the user as the handler sees it.
func (r *rig) mount(namespace string, opts auth.Options) *server.Namespace {
	ns := r.Of(namespace)
	opts.Logger = r.logger()
	auth.Mount(ns, opts)
	whoami(ns)
	return ns
}

func whoami(ns *server.Namespace) {
	ns.On("who", func(ctx context.Context, _ *server.Socket, args server.Args) error {
		id, ok := auth.From(ctx)
		if !ok {
			return args.Ack(nil)
		}
		return args.Ack(id.ID, id.Name, id.Roles, id.Anonymous)
	})
}

// secretive checks that nothing of the texts, piece by piece, is in the log.
func (r *rig) secretive(texts ...string) {
	r.t.Helper()
	log := r.logs.String()
	for _, text := range texts {
		for len(text) >= 12 {
			if strings.Contains(log, text[:12]) {
				r.t.Errorf("%q is in the log:\n%s", text[:12], log)
				break
			}
			text = text[12:]
		}
	}
}

// A client speaks Socket.IO packet by packet.
type client struct {
	wire.Session

	t testing.TB
}

func (r *rig) dial() *client {
	r.t.Helper()
	return r.dialWith(wire.Handshake{})
}

func (r *rig) dialWith(h wire.Handshake) *client {
	r.t.Helper()
	w, err := wire.OpenWS(r.addr, h)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = w.Close() })
	return &client{w, r.t}
}

// withToken is an auth payload.
func withToken(token string) string { return `{"token":"` + token + `"}` }

// join connects to a namespace.
func (c *client) join(namespace, payload string) (id string) {
	c.t.Helper()
	id, err := wire.Connect(c, namespace, payload)
	if err != nil {
		c.t.Fatal(err)
	}
	return id
}

// denied is told that it may not.
func (c *client) denied(namespace, payload, code string) {
	c.t.Helper()
	c.send("40" + wire.In(namespace) + payload)
	c.expect(`44` + wire.In(namespace) + `{"message":"Authentication error","data":{"code":"` + code + `"}}`)
}

func (c *client) send(packets ...string) {
	c.t.Helper()
	if err := c.Send(packets...); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) next() string {
	c.t.Helper()
	p, err := wire.NextMessage(c)
	if err != nil {
		c.t.Fatalf("next packet: %v", err)
	}
	return p.String()
}

func (c *client) expect(patterns ...string) {
	c.t.Helper()
	for _, want := range patterns {
		if got := c.next(); !wire.Match(want, got) {
			c.t.Fatalf("got %s, want %s", wire.Shorten(got), want)
		}
	}
}

// quiet checks that nothing has come: of two namespaces, one answers.
func (c *client) quiet(namespace string) {
	c.t.Helper()
	c.send("42" + wire.In(namespace) + `999["who"]`)
	c.expect("43" + wire.In(namespace) + "999[*")
}

func receive[T any](t testing.TB, what string, ch <-chan T) T {
	t.Helper()
	return servertest.Receive(t, what, ch)
}
