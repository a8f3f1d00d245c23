package auth

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	jsonx "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The signatures are golang-jwt's affair. Its parser is not used: it reads the
// claims before anybody has verified them, and of two claims with one name it
// takes the last.

// A rawToken is a token that nobody has verified.
type rawToken struct {
	alg, kid  string
	signed    string // what the signature is of
	payload   string // still in base64
	signature []byte
}

// maxKeyID bounds what keys are asked for, in bytes.
const maxKeyID = 256

// base64url is strict: there is one way to write the same bytes.
var base64url = base64.RawURLEncoding.Strict()

// algorithms are those of the keys that there are.
var algorithms = []string{"HS256", "RS256", "ES256", "EdDSA", "ES384", "ES512", "RS384", "RS512", "PS256", "PS384", "PS512"}

// split takes a token apart and reads its header.
func split(token string) (*rawToken, *TokenError) {
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok || !wellFormed(header) || !wellFormed(payload) || !wellFormed(signature) {
		return nil, invalid("it is not a signed JWT")
	}
	t := &rawToken{signed: token[:len(header)+1+len(payload)], payload: payload}
	text, err := base64url.DecodeString(header)
	if err != nil {
		return nil, invalid("its header is not base64url")
	}
	var h struct {
		Algorithm string         `json:"alg"`
		KeyID     *string        `json:"kid"`
		Critical  jsontext.Value `json:"crit"`
	}
	if err := jsonx.Unmarshal(text, &h); err != nil {
		return nil, invalid("its header is not the JSON of one")
	}
	switch {
	case !slices.Contains(algorithms, h.Algorithm):
		return nil, invalid("its algorithm is none that keys are for")
	case len(h.Critical) > 0:
		return nil, invalid("its header has extensions (crit)")
	case h.KeyID != nil && len(*h.KeyID) > maxKeyID:
		return nil, invalid("its key id is too long")
	}
	t.alg = h.Algorithm
	if h.KeyID != nil {
		t.kid = *h.KeyID
	}
	if t.signature, err = base64url.DecodeString(signature); err != nil {
		return nil, invalid("its signature is not base64url")
	}
	return t, nil
}

// wellFormed reports whether a part of a token is of base64url's alphabet: the
// decoder would pass over line breaks.
func wellFormed(part string) bool {
	for i := range len(part) {
		c := part[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// signedBy reports whether one of the keys has signed the token. It does not
// leave it to whoever has found the keys that they are of the token's algorithm.
func (t *rawToken) signedBy(keys []Key) bool {
	for _, k := range keys[:min(len(keys), maxKeys)] {
		if k.fits(t.alg, t.kid) && k.verify(t.signed, t.signature) {
			return true
		}
	}
	return false
}

// claims are what a token says, after its signature has been verified. Names are
// compared exactly, and one that comes twice, anywhere, is an error.
type claims struct {
	Issuer    *string        `json:"iss"`
	Subject   string         `json:"sub"`
	Audience  jsontext.Value `json:"aud"`
	Expires   jsontext.Value `json:"exp"`
	NotBefore jsontext.Value `json:"nbf"`
	Issued    jsontext.Value `json:"iat"`
	Name      string         `json:"name"`
	Roles     []string       `json:"roles"`

	text []byte
}

func readClaims(payload string) (*claims, *TokenError) {
	text, err := base64url.DecodeString(payload)
	if err != nil {
		return nil, invalid("its claims are not base64url")
	}
	c := &claims{text: text}
	if err := jsonx.Unmarshal(text, c); err != nil {
		return nil, invalid("its claims are not the JSON of some, or one comes twice")
	}
	return c, nil
}

// isFor reports whether aud is or contains one of the names.
func (c *claims) isFor(names []string) bool {
	var list []string
	switch c.Audience.Kind() {
	case '"':
		list = make([]string, 1)
		if err := jsonx.Unmarshal(c.Audience, &list[0]); err != nil {
			return false
		}
	case '[':
		if err := jsonx.Unmarshal(c.Audience, &list); err != nil {
			return false
		}
	}
	return slices.ContainsFunc(list, func(name string) bool { return slices.Contains(names, name) })
}

// identity reads who the token is for.
func (c *claims) identity() (Identity, *TokenError) {
	switch {
	case strings.TrimSpace(c.Subject) == "":
		return Identity{}, invalid("sub is missing, or empty")
	case len(c.Subject) > maxID && utf8.RuneCountInString(c.Subject) > maxID:
		return Identity{}, invalid("sub is too long")
	case strings.ContainsFunc(c.Subject, unicode.IsControl):
		return Identity{}, invalid("sub has control characters in it")
	case slices.Contains(c.Roles, ""): // or null
		return Identity{}, invalid("roles have an empty one")
	}
	name := shownName(c.Name)
	if name == "" {
		name = firstRunes(c.Subject, maxName)
	}
	return Identity{ID: c.Subject, Name: name, Roles: c.Roles, Claims: json.RawMessage(c.text)}, nil
}

// maxDate is the end of the year 9999.
const maxDate = 253402300799

// numericDate reads seconds since 1970; false for what is no number, or none
// that is a time.
func numericDate(v jsontext.Value) (time.Time, bool) {
	if v.Kind() != '0' {
		return time.Time{}, false
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || f < 0 || f > maxDate { // NaN has no JSON
		return time.Time{}, false
	}
	whole, part := math.Modf(f)
	return time.Unix(int64(whole), int64(part*1e9)), true
}
