package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	defaultLeeway   = 30 * time.Second
	defaultMaxToken = 8 << 10
)

// VerifierOptions are what tokens are held to beside their signature. The zero
// value asks for nothing more.
type VerifierOptions struct {
	// Issuer is what iss has to be, exactly. Empty: it is not looked at.
	Issuer string
	// Audience is what aud has to be, or to have in its list: one of these,
	// exactly. Empty: it is not looked at.
	Audience []string
	// Leeway is by how much clocks may differ, and for how long a socket outlives
	// its token. Default 30 s; negative: none.
	Leeway time.Duration
	// MaxToken is the length in bytes beyond which a token is refused unread.
	// Default 8192.
	MaxToken int
}

// A Verifier verifies tokens. It is immutable, and safe for concurrent use.
type Verifier struct {
	keys     Keys
	issuer   string
	audience []string
	leeway   time.Duration
	maxToken int
}

// NewVerifier makes a verifier.
func NewVerifier(keys Keys, opts VerifierOptions) (*Verifier, error) {
	switch k := keys.(type) {
	case nil:
		return nil, errors.New("auth: a verifier needs keys")
	case Key:
		if k.method == nil {
			return nil, errors.New("auth: a verifier needs a key; this one is the zero Key")
		}
	case *RemoteKeys:
		if k == nil {
			return nil, errors.New("auth: a verifier needs keys; these are nil")
		}
	}
	if slices.Contains(opts.Audience, "") {
		return nil, errors.New("auth: an audience that is empty")
	}
	if opts.MaxToken < 0 {
		return nil, fmt.Errorf("auth: a length of %d bytes for tokens", opts.MaxToken)
	}
	v := &Verifier{
		keys:     keys,
		issuer:   opts.Issuer,
		audience: slices.Clone(opts.Audience),
		leeway:   max(opts.Leeway, 0),
		maxToken: opts.MaxToken,
	}
	if opts.Leeway == 0 {
		v.leeway = defaultLeeway
	}
	if v.maxToken == 0 {
		v.maxToken = defaultMaxToken
	}
	return v, nil
}

// Leeway is by how much clocks may differ.
func (v *Verifier) Leeway() time.Duration { return v.leeway }

// Verify returns whose token it is. The error is a [*TokenError]. It may wait for
// keys, as long as ctx lets it; what it allocates does not outgrow the token.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	id, err := v.verify(ctx, token)
	if err != nil { // a nil *TokenError would be an error
		return Identity{}, err
	}
	return id, nil
}

func (v *Verifier) verify(ctx context.Context, token string) (Identity, *TokenError) {
	if v == nil {
		return Identity{}, invalid("there is no verifier")
	}
	switch {
	case token == "":
		return Identity{}, &TokenError{Code: CodeTokenMissing}
	case len(token) > v.maxToken:
		return Identity{}, invalid("the token is too long")
	}
	t, err := split(token)
	if err != nil {
		return Identity{}, err
	}
	keys, findErr := v.keys.Find(ctx, t.alg, t.kid)
	if findErr != nil {
		return Identity{}, &TokenError{Code: CodeTokenInvalid, cause: fmt.Errorf("keys: %w", findErr)}
	}
	if len(keys) == 0 {
		return Identity{}, invalid("there is no key for its algorithm and key id")
	}
	if !t.signedBy(keys) {
		return Identity{}, invalid("the signature is wrong")
	}
	// Only now: what nobody has signed is not read.
	claims, err := readClaims(t.payload)
	if err != nil {
		return Identity{}, err
	}
	return v.judge(claims)
}

// judge holds the claims of a token that is signed to what is asked of them.
// That it has expired comes last: only a token that was good once is told so.
func (v *Verifier) judge(c *claims) (Identity, *TokenError) {
	switch {
	case v.issuer != "" && (c.Issuer == nil || *c.Issuer != v.issuer):
		return Identity{}, invalid("iss is another one")
	case len(v.audience) > 0 && !c.isFor(v.audience):
		return Identity{}, invalid("aud is another one")
	}
	id, err := c.identity()
	if err != nil {
		return Identity{}, err
	}
	expires, ok := numericDate(c.Expires)
	if !ok {
		return Identity{}, invalid("exp is missing, or no time")
	}
	now := time.Now()
	for _, from := range []jsontext.Value{c.NotBefore, c.Issued} {
		if len(from) == 0 {
			continue
		}
		if t, ok := numericDate(from); !ok || t.After(now.Add(v.leeway)) {
			return Identity{}, invalid("nbf or iat is in the future, or no time")
		}
	}
	if !now.Before(expires.Add(v.leeway)) {
		return Identity{}, &TokenError{Code: CodeTokenExpired, cause: errors.New("it has expired")}
	}
	id.Expires = expires
	return id, nil
}
