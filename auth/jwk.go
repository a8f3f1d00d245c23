package auth

import (
	"errors"
	"slices"

	"github.com/MicahParks/jwkset"
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

// public is the key as the crypto packages have it, or nil. Certificates, and
// addresses where there may be some, are not given to the library: it would fetch
// them.
func (j *jwk) public() any {
	read, err := jwkset.NewJWKFromMarshal(
		jwkset.JWKMarshal{KTY: jwkset.KTY(j.Type), CRV: jwkset.CRV(j.Curve), N: j.N, E: j.E, X: j.X, Y: j.Y},
		jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{},
	)
	if err != nil {
		return nil
	}
	return read.Key()
}
