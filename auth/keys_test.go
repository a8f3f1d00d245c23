package auth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/auth"
)

func TestHMAC(t *testing.T) {
	for _, weak := range []string{
		"", "secret", strings.Repeat("a", 31), strings.Repeat("\x00", 32), strings.Repeat("x", 64), strings.Repeat("ab", 20), strings.Repeat("secret", 8),
		strings.Repeat("password", 4), "01234567890123456789012345678901", "0123456789abcdef0123456789abcdef", "your-256-bit-secret-goes-right-here",
		"a-string-secret-at-least-256-bits-long", "CHANGE_ME_CHANGE_ME_CHANGE_ME_PLEASE", "change-me-to-something-long-and-random", "replace-with-a-random-secret-of-32-bytes",
		"my-super-secret-key-for-jwt-signing-2024", string(secret[:31]), string(pairs()["ES256"].pubPEM),
	} {
		key, err := auth.HMAC([]byte(weak))
		if err == nil || key.Algorithm() != "" {
			t.Errorf("%q is a secret", weak)
		} else if len(weak) > 8 && strings.Contains(err.Error(), weak[:8]) {
			t.Errorf("the error has the secret in it: %v", err)
		}
		if s, err := auth.HMACSigner([]byte(weak)); err == nil || s != nil {
			t.Errorf("%q signs", weak)
		}
	}
	random := make([]byte, 32)
	for range 200 {
		_, _ = rand.Read(random)
		for _, strong := range [][]byte{random, []byte(hex.EncodeToString(random)), []byte(base64.StdEncoding.EncodeToString(random))} {
			if _, err := auth.HMAC(strong); err != nil {
				t.Fatalf("%x: %v", strong, err)
			}
		}
	}
	// The key is a copy.
	mine := []byte(string(secret))
	key := must(auth.HMAC(mine))
	clear(mine)
	if _, err := verifier(t, key, auth.VerifierOptions{}).Verify(t.Context(), sign(hmacSigner, ann(time.Hour))); err != nil {
		t.Error(err)
	}
}

func TestPublicKey(t *testing.T) {
	encode := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	rsaKey := pairs()["RS256"].private.(*rsa.PrivateKey)
	if key, err := auth.PublicKey(encode("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey))); err != nil || key.Algorithm() != "RS256" {
		t.Error(key, err)
	}
	public := pairs()["ES256"].pubPEM
	small := must(rsa.GenerateKey(rand.Reader, 1024))
	p224 := must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
	for name, tt := range map[string]struct{ pem, says string }{
		"nothing":       {"", "not a PEM"},
		"no PEM":        {"ssh-ed25519 AAAA", "not a PEM"},
		"cut":           {string(public[:len(public)/2]), "not a PEM"},
		"rubbish":       {string(encode("PUBLIC KEY", []byte("rubbish"))), "public key"},
		"private":       {string(pairs()["ES256"].privPEM), "private key"},
		"private RSA":   {string(encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))), "private key"},
		"encrypted":     {string(encode("ENCRYPTED PRIVATE KEY", []byte("x"))), "private key"},
		"a certificate": {string(encode("CERTIFICATE", []byte("x"))), "CERTIFICATE"},
		"two":           {string(public) + string(public), "more than one"},
		"both halves":   {string(public) + string(pairs()["ES256"].privPEM), "more than one"},
		"small RSA":     {string(encode("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(small.Public())))), "1024 bits"},
		"a small curve": {string(encode("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(p224.Public())))), "curve"},
	} {
		if key, err := auth.PublicKey([]byte(tt.pem)); err == nil || !strings.Contains(err.Error(), tt.says) || key.Algorithm() != "" {
			t.Errorf("%s: %v; want %q", name, err, tt.says)
		}
	}
}

func TestSigner(t *testing.T) {
	encode := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	ec := must(x509.MarshalECPrivateKey(pairs()["ES256"].private.(*ecdsa.PrivateKey)))
	for name, data := range map[string][]byte{
		"PKCS 1":          encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(pairs()["RS256"].private.(*rsa.PrivateKey))),
		"SEC 1":           encode("EC PRIVATE KEY", ec),
		"with parameters": append(encode("EC PARAMETERS", []byte{6, 0}), encode("EC PRIVATE KEY", ec)...),
	} {
		s, err := auth.PrivateKeySigner(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := verifier(t, s.Key(), auth.VerifierOptions{}).Verify(t.Context(), sign(s, ann(time.Hour))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, data := range map[string][]byte{
		"nothing":   nil,
		"public":    pairs()["ES256"].pubPEM,
		"rubbish":   encode("PRIVATE KEY", []byte("rubbish")),
		"encrypted": encode("ENCRYPTED PRIVATE KEY", []byte("x")),
		"small":     encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(must(rsa.GenerateKey(rand.Reader, 1024)))),
	} {
		if s, err := auth.PrivateKeySigner(data); err == nil || s != nil {
			t.Errorf("%s: %v", name, s)
		}
	}
	for name, tt := range map[string]struct {
		id   auth.Identity
		opts auth.SignOptions
	}{
		"nobody":           {auth.Identity{Expires: time.Now()}, auth.SignOptions{}},
		"no expiry":        {auth.Identity{ID: "ann"}, auth.SignOptions{}},
		"anonymous":        {auth.Identity{ID: "x", Anonymous: true, Expires: time.Now()}, auth.SignOptions{}},
		"a claim of ours":  {ann(1), auth.SignOptions{Claims: map[string]any{"sub": "bob"}}},
		"one with no JSON": {ann(1), auth.SignOptions{Claims: map[string]any{"x": make(chan int)}}},
	} {
		if token, err := hmacSigner.Sign(tt.id, tt.opts); err == nil || token != "" {
			t.Errorf("%s: %s", name, token)
		}
	}
	token := must(hmacSigner.WithID("k").Sign(ann(time.Hour), auth.SignOptions{Issuer: "i", Audience: []string{"a", "b"}}))
	v := verifier(t, hmacSigner.Key(), auth.VerifierOptions{Issuer: "i", Audience: []string{"b"}})
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Error(err)
	}
}

func TestJoin(t *testing.T) {
	if _, err := auth.Join(); err == nil {
		t.Error("no keys")
	}
	if _, err := auth.Join(hmacSigner.Key(), auth.Key{}); err == nil {
		t.Error("the zero key")
	}
	if _, err := auth.Join(make([]auth.Key, 9)...); err == nil {
		t.Error("nine keys")
	}
	var list []auth.Key
	for _, alg := range algorithms {
		list = append(list, signerOf(alg).Key())
	}
	v := verifier(t, must(auth.Join(list...)), auth.VerifierOptions{})
	for _, alg := range algorithms {
		if _, err := v.Verify(t.Context(), sign(signerOf(alg), ann(time.Hour))); err != nil {
			t.Errorf("%s: %v", alg, err)
		}
	}
	refused(t, v, signWith(t, otherPair("ES256"), `{"alg":"ES256"}`, within(`{"sub":"ann","exp":%d}`)), auth.CodeTokenInvalid)
}

// Whatever a program prints, its keys are not in it.
func TestKeysNotPrinted(t *testing.T) {
	ed := signerOf("EdDSA")
	private := pairs()["EdDSA"].private.(ed25519.PrivateKey)
	for _, v := range []any{
		hmacSigner, *hmacSigner, hmacSigner.Key(), new(hmacSigner.Key()), must(auth.Join(hmacSigner.Key())), hmacVerifier(t), *hmacVerifier(t),
		auth.Options{Verifier: hmacVerifier(t)}, []auth.Keys{hmacSigner.Key()}, ed, *ed,
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
			text := fmt.Sprintf(verb, v)
			for _, key := range [][]byte{secret[:8], private[:8]} {
				for _, how := range []string{"%s", "%d", "%x", "%#v"} {
					part := strings.TrimPrefix(strings.TrimSuffix(fmt.Sprintf(how, key), "}"), "[]byte{")
					if part = strings.Trim(part, "[]"); strings.Contains(text, part) {
						t.Errorf("%T as %s: %s", v, verb, text)
					}
				}
			}
		}
	}
}

// An Ed25519 key of small order is none: one token of eight at least is good with a
// signature that took no private key.
func TestSmallOrder(t *testing.T) {
	for _, y := range []string{
		"00", "01", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"ec" + strings.Repeat("ff", 30) + "7f", "ed" + strings.Repeat("ff", 30) + "7f", "ee" + strings.Repeat("ff", 30) + "7f",
	} {
		for _, x := range []byte{0, 0x80} {
			public := make(ed25519.PublicKey, ed25519.PublicKeySize)
			copy(public, must(hex.DecodeString(y)))
			public[31] |= x
			file := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(public))})
			if _, err := auth.PublicKey(file); err == nil || !strings.Contains(err.Error(), "anyone can sign") {
				t.Errorf("%x: %v", public, err)
			}
			e := &endpoint{body: keySet(jwkOf("a", public))}
			if k, err := auth.JWKS(t.Context(), address, auth.JWKSOptions{Transport: e}); err == nil {
				k.Close()
				t.Errorf("%x in a key set", public)
			}
		}
	}
}
