package auth_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"
)

// What only those need who attack.

func pemBody(data []byte) string {
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return strings.Join(lines[1:len(lines)-1], "")
}

// otherPair is a key pair of the same kind that nobody trusts.
func otherPair(alg string) pair {
	p := pair{alg: alg}
	switch alg {
	case "RS256":
		p.private = must(rsa.GenerateKey(rand.Reader, 2048))
	case "EdDSA":
		p.private = ed25519Key()
	default:
		p.private = must(ecdsa.GenerateKey(pairs()[alg].private.Public().(*ecdsa.PublicKey).Curve, rand.Reader))
	}
	return p
}

// signWith signs any header and claims with a private key.
func signWith(t testing.TB, p pair, header, claims string) string {
	t.Helper()
	signed := b64(header) + "." + b64(claims)
	signature, err := jwt.GetSigningMethod(p.alg).Sign(signed, p.private)
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + b64(string(signature))
}

// jwkOf is a public key as a key set has it.
func jwkOf(kid string, public any, more ...string) string {
	j := map[string]any{"kid": kid, "use": "sig"}
	switch k := public.(type) {
	case *rsa.PublicKey:
		j["kty"], j["n"], j["e"] = "RSA", b64(string(k.N.Bytes())), b64(string(big.NewInt(int64(k.E)).Bytes()))
	case *ecdsa.PublicKey:
		point := must(k.Bytes())
		size := (len(point) - 1) / 2
		j["kty"], j["crv"] = "EC", map[elliptic.Curve]string{elliptic.P256(): "P-256", elliptic.P384(): "P-384", elliptic.P521(): "P-521"}[k.Curve]
		j["x"], j["y"] = b64(string(point[1:1+size])), b64(string(point[1+size:]))
	case ed25519.PublicKey:
		j["kty"], j["crv"], j["x"] = "OKP", "Ed25519", b64(string(k))
	}
	for i := 0; i < len(more); i += 2 {
		j[more[i]] = json.RawMessage(more[i+1])
	}
	return string(must(json.Marshal(j)))
}

func keySet(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

// embedded are headers that bring the pair's key along, or say where it is.
func embedded(p pair, url string) []string {
	var list []string
	for _, more := range []string{
		`"jwk":` + jwkOf("k", p.private.Public()),
		`"jku":"` + url + `"`,
		`"x5u":"` + url + `"`,
		`"x5c":["MIIB"],"x5t":"AAAA"`,
		`"kid":"` + url + `"`,
	} {
		list = append(list, fmt.Sprintf(`{"alg":%q,%s}`, p.alg, more))
	}
	return list
}

func der(r, s *big.Int) []byte { return must(asn1.Marshal(struct{ R, S *big.Int }{r, s})) }
