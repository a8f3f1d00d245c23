package auth

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// Keys are what a [Verifier] asks for the keys of a token. A [Key] is one, so
// is what [Join] returns, and [RemoteKeys]. It must be safe for concurrent use,
// and heed the end of ctx.
type Keys interface {
	// Find returns the keys that a token with this algorithm (alg) and key id
	// (kid, empty when it has none) may be signed with. What it is asked comes
	// from a token that nobody has verified. With none, or an error, the token is
	// refused; of many the first eight are tried.
	Find(ctx context.Context, alg, kid string) ([]Key, error)
}

// A Key verifies signatures with one algorithm. The zero Key verifies none. A
// key that is printed does not tell what it is.
type Key struct {
	id     string
	method jwt.SigningMethod
	value  hidden // what the method takes
}

// A hidden value is printed as an address, whatever has it and whatever prints
// that: a program that logs its verifier does not log its secret.
type hidden func() any

func hide(value any) hidden { return func() any { return value } }

// Algorithm is the key's, as tokens name it; empty for the zero Key.
func (k Key) Algorithm() string {
	if k.method == nil {
		return ""
	}
	return k.method.Alg()
}

// ID is the id of the key, if it has one.
func (k Key) ID() string { return k.id }

// WithID returns the key with an id: it is then for tokens with that id and
// those without.
func (k Key) WithID(id string) Key {
	k.id = id
	return k
}

// Find implements [Keys].
func (k Key) Find(_ context.Context, alg, kid string) ([]Key, error) {
	if !k.fits(alg, kid) {
		return nil, nil
	}
	return []Key{k}, nil
}

// fits reports whether a token with this header may be signed with the key.
func (k Key) fits(alg, kid string) bool {
	return k.method != nil && k.method.Alg() == alg && (k.id == "" || kid == "" || k.id == kid)
}

// verify reports whether a signature is the key's.
func (k Key) verify(signed string, signature []byte) bool {
	return k.method != nil && k.method.Verify(signed, signature, k.value()) == nil
}

// maxKeys is how many keys are tried for one token.
const maxKeys = 8

// Join makes one of several keys, for a change from one to the next: a token may
// be signed with any that its header fits.
func Join(keys ...Key) (Keys, error) {
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil, fmt.Errorf("auth: %d keys to join; there can be 1 to %d", len(keys), maxKeys)
	}
	for _, k := range keys {
		if k.method == nil {
			return nil, errors.New("auth: one of the keys to join is none")
		}
	}
	return keyList(append([]Key(nil), keys...)), nil
}

type keyList []Key

// Find implements [Keys].
func (l keyList) Find(_ context.Context, alg, kid string) ([]Key, error) {
	var found []Key
	for _, k := range l {
		if k.fits(alg, kid) {
			found = append(found, k)
		}
	}
	return found, nil
}

const minSecret = 32 // bytes; RFC 7518, section 3.2

// HMAC makes the key of a secret that both sides know, for HS256. The bytes are
// taken as they are: trim what a file ends with. A secret of less than 32 bytes,
// and one that anyone could guess, is an error.
func HMAC(secret []byte) (Key, error) {
	switch {
	case len(secret) < minSecret:
		return Key{}, fmt.Errorf("auth: the secret has %d bytes; at least %d random ones are needed", len(secret), minSecret)
	case bytes.Contains(secret, []byte("-----BEGIN ")):
		return Key{}, errors.New("auth: the secret is a PEM file; if it is a public key everybody may know it: use PublicKey")
	case guessable(secret):
		return Key{}, errors.New("auth: the secret is a placeholder, or repeats itself; use random bytes")
	}
	return Key{method: jwt.SigningMethodHS256, value: hide(bytes.Clone(secret))}, nil
}

// guessable reports whether a secret is one of those that are copied from
// examples, or typed.
func guessable(secret []byte) bool {
	distinct := make(map[byte]bool)
	for _, b := range secret {
		distinct[b] = true
	}
	if len(distinct) < 8 { // of 32 random bytes there are more; of 32 hexadecimal digits too, but for once in 100,000
		return true
	}
	for period := 1; period <= len(secret)/2; period++ {
		if bytes.HasPrefix(secret[period:], secret[:len(secret)-period]) {
			return true
		}
	}
	text := strings.NewReplacer("-", "", "_", "", " ", "", ".", "").Replace(strings.ToLower(string(secret)))
	for _, phrase := range []string{
		"changeme", "changethis", "replaceme", "replacewith", "replacethis", "placeholder",
		"yoursecret", "yourjwtsecret", "your256bit", "yoursupersecret", "mysupersecret", "supersecret",
		"stringsecret", "secretkey", "secretatleast", "jwtsecret", "abcdefghijklmnop", "0123456789abcdef",
	} {
		if strings.Contains(text, phrase) {
			return true
		}
	}
	return false
}

const (
	minRSA = 2048 // bits
	maxRSA = 8192 // beyond, a signature costs too much to verify
)

// PublicKey makes a key of a public key's PEM. The algorithm is that of the key:
// RS256 for RSA of 2048 to 8192 bits, ES256, ES384 or ES512 for the curves P-256,
// P-384 or P-521, EdDSA for Ed25519.
func PublicKey(data []byte) (Key, error) {
	block, err := onlyBlock(data)
	if err != nil {
		return Key{}, err
	}
	var public any
	switch {
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		return Key{}, errors.New("auth: this is a private key; whoever verifies tokens needs the public one alone (openssl pkey -pubout)")
	case block.Type == "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case block.Type == "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return Key{}, fmt.Errorf("auth: the PEM is a %q, not a public key", block.Type)
	}
	if err != nil {
		return Key{}, fmt.Errorf("auth: public key: %w", err)
	}
	return keyOf(public)
}

// onlyBlock reads a PEM that has one thing in it.
func onlyBlock(data []byte) (*pem.Block, error) {
	block, rest := pem.Decode(data)
	if block == nil {
		return nil, errors.New("auth: not a PEM file: there is no -----BEGIN line with its end")
	}
	if more, _ := pem.Decode(rest); more != nil {
		return nil, errors.New("auth: the PEM has more than one key in it")
	}
	return block, nil
}

// keyOf gives a public key its algorithm.
func keyOf(public any) (Key, error) {
	switch public := public.(type) {
	case *rsa.PublicKey:
		if n := public.N.BitLen(); n < minRSA || n > maxRSA {
			return Key{}, fmt.Errorf("auth: an RSA key of %d bits; it has to have %d to %d", n, minRSA, maxRSA)
		}
		if public.E < 3 || public.E&1 == 0 {
			return Key{}, errors.New("auth: an RSA key with an exponent that is none")
		}
		return Key{method: jwt.SigningMethodRS256, value: hide(public)}, nil
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P256():
			return Key{method: jwt.SigningMethodES256, value: hide(public)}, nil
		case elliptic.P384():
			return Key{method: jwt.SigningMethodES384, value: hide(public)}, nil
		case elliptic.P521():
			return Key{method: jwt.SigningMethodES512, value: hide(public)}, nil
		}
		return Key{}, errors.New("auth: an EC key on a curve other than P-256, P-384 and P-521")
	case ed25519.PublicKey:
		if smallOrder(public) {
			return Key{}, errors.New("auth: an Ed25519 key that anyone can sign for, such as one of zeros")
		}
		return Key{method: jwt.SigningMethodEdDSA, value: hide(public)}, nil
	}
	return Key{}, errors.New("auth: a key that is neither RSA, EC nor Ed25519")
}

// smallOrder reports whether an Ed25519 key is one of the points of order 1, 2, 4
// or 8, for which there are signatures that need no private key.
func smallOrder(public ed25519.PublicKey) bool {
	y := bytes.Clone(public)
	y[len(y)-1] &= 0x7f // the sign of x
	return slices.Contains(smallOrders, hex.EncodeToString(y))
}

// smallOrders are the y of those points, in all ways to write them.
var smallOrders = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p-1
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p, as 0
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // p+1, as 1
}
