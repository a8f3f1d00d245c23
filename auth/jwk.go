package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"math/big"
	"slices"

	jsonx "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/golang-jwt/jwt/v5"
)

// maxJWKS is how many keys of a set are looked at.
const maxJWKS = 100

// A jwk is a public key as RFC 7517 writes it.
type jwk struct {
	Type       string         `json:"kty"`
	Use        string         `json:"use"`
	Operations []string       `json:"key_ops"`
	Algorithm  string         `json:"alg"`
	ID         string         `json:"kid"`
	N          string         `json:"n"`
	E          string         `json:"e"`
	Curve      string         `json:"crv"`
	X          string         `json:"x"`
	Y          string         `json:"y"`
	D          jsontext.Value `json:"d"` // the private half
}

// readKeySet reads the keys of a set that are of use; there has to be one. A key
// that cannot be read is passed over, as RFC 7517, section 5, asks for.
func readKeySet(text []byte) ([]Key, error) {
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := jsonx.Unmarshal(text, &set); err != nil {
		return nil, errors.New("not the JSON of a key set")
	}
	var keys []Key
	for _, text := range set.Keys[:min(len(set.Keys), maxJWKS)] {
		var j jwk
		if err := jsonx.Unmarshal(text, &j); err != nil {
			continue
		}
		if key, ok := j.key(); ok {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("no key in the set is of use")
	}
	return keys, nil
}

// rsaMethods are what an RSA key may name beside RS256.
var rsaMethods = []jwt.SigningMethod{
	jwt.SigningMethodRS256, jwt.SigningMethodRS384, jwt.SigningMethodRS512,
	jwt.SigningMethodPS256, jwt.SigningMethodPS384, jwt.SigningMethodPS512,
}

// key is the key with its one algorithm; false when it is of no use here.
func (j *jwk) key() (Key, bool) {
	switch {
	case j.Use != "" && j.Use != "sig",
		len(j.Operations) > 0 && !slices.Contains(j.Operations, "verify"),
		len(j.ID) > maxKeyID,
		len(j.D) > 0: // whoever has read it can sign
		return Key{}, false
	}
	key, err := keyOf(j.public())
	if err != nil {
		return Key{}, false
	}
	key.id = j.ID
	if j.Algorithm == "" || j.Algorithm == key.Algorithm() {
		return key, true
	}
	if j.Type == "RSA" {
		for _, m := range rsaMethods {
			if m.Alg() == j.Algorithm {
				key.method = m
				return key, true
			}
		}
	}
	return Key{}, false
}

var curves = map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}

// public is the key as the crypto packages have it, or nil.
func (j *jwk) public() any {
	number := func(text string) []byte {
		b, err := base64url.DecodeString(text)
		if err != nil {
			return nil
		}
		return b
	}
	switch j.Type {
	case "RSA":
		n, e := number(j.N), bytes.TrimLeft(number(j.E), "\x00")
		if len(n) == 0 || len(n) > 2*maxRSA/8 || len(e) == 0 || len(e) > 4 {
			return nil
		}
		exponent := new(big.Int).SetBytes(e).Int64()
		if exponent > 1<<31-1 {
			return nil
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent)}
	case "EC":
		curve, ok := curves[j.Curve]
		if !ok {
			return nil
		}
		size := (curve.Params().BitSize + 7) / 8
		x, y := number(j.X), number(j.Y)
		if len(x) != size || len(y) != size {
			return nil
		}
		public, err := ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y)) // checks that it is on the curve
		if err != nil {
			return nil
		}
		return public
	case "OKP":
		if x := number(j.X); j.Curve == "Ed25519" && len(x) == ed25519.PublicKeySize {
			return ed25519.PublicKey(x)
		}
	}
	return nil
}
