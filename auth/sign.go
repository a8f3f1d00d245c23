package auth

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// A Signer makes tokens: for development, for tests, and for a program that is
// its own login. It is safe for concurrent use.
type Signer struct {
	key    Key    // of the other side
	secret hidden // what the method signs with
}

// HMACSigner makes the signer of a secret; see [HMAC].
func HMACSigner(secret []byte) (*Signer, error) {
	key, err := HMAC(secret)
	if err != nil {
		return nil, err
	}
	return &Signer{key: key, secret: key.value}, nil
}

// PrivateKeySigner makes the signer of a private key's PEM. The algorithm is the
// one that [PublicKey] has for the other half.
func PrivateKeySigner(data []byte) (*Signer, error) {
	block, err := privateBlock(data)
	if err != nil {
		return nil, err
	}
	var private any
	switch block.Type {
	case "PRIVATE KEY":
		private, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		private, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		private, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		return nil, fmt.Errorf("auth: the PEM is a %q, not a private key that is not encrypted", block.Type)
	}
	if err != nil {
		return nil, errors.New("auth: the private key cannot be read") // a cause might quote it
	}
	signer, ok := private.(crypto.Signer)
	if !ok {
		return nil, errors.New("auth: a private key that is neither RSA, EC nor Ed25519")
	}
	key, err := keyOf(signer.Public())
	if err != nil {
		return nil, err
	}
	return &Signer{key: key, secret: hide(private)}, nil
}

// privateBlock reads a PEM that has one thing in it, apart from the parameters
// that openssl puts before an EC key.
func privateBlock(data []byte) (*pem.Block, error) {
	if block, rest := pem.Decode(data); block != nil && block.Type == "EC PARAMETERS" {
		data = rest
	}
	return onlyBlock(data)
}

// Key verifies what the signer signs.
func (s *Signer) Key() Key { return s.key }

// WithID returns the signer of a key with an id, which its tokens name.
func (s *Signer) WithID(id string) *Signer {
	return &Signer{key: s.key.WithID(id), secret: s.secret}
}

// SignOptions are what a token says beside its user. The zero value adds nothing.
type SignOptions struct {
	Issuer   string
	Audience []string
	// Claims are further ones. They cannot replace those that have a field here or
	// in [Identity].
	Claims map[string]any
}

// Sign makes a token for a user: of ID, Name, Roles and Expires, which has to be
// set and may be past. Identity.Claims are not signed.
func (s *Signer) Sign(id Identity, opts SignOptions) (string, error) {
	if id.ID == "" || id.Anonymous {
		return "", errors.New("auth: a token is for a user with an id")
	}
	if id.Expires.IsZero() {
		return "", errors.New("auth: a token has to expire")
	}
	claims := jwt.MapClaims{}
	for name, value := range opts.Claims {
		switch name {
		case "sub", "name", "roles", "exp", "iat", "iss", "aud":
			return "", fmt.Errorf("auth: the claim %q has a field of its own", name)
		}
		claims[name] = value
	}
	claims["sub"], claims["exp"], claims["iat"] = id.ID, id.Expires.Unix(), time.Now().Unix()
	if id.Name != "" {
		claims["name"] = id.Name
	}
	if len(id.Roles) > 0 {
		claims["roles"] = id.Roles
	}
	if opts.Issuer != "" {
		claims["iss"] = opts.Issuer
	}
	if len(opts.Audience) > 0 {
		claims["aud"] = opts.Audience
	}
	token := jwt.NewWithClaims(s.key.method, claims)
	if s.key.id != "" {
		token.Header["kid"] = s.key.id
	}
	text, err := token.SignedString(s.secret())
	if err != nil {
		return "", fmt.Errorf("auth: sign: %w", err)
	}
	return text, nil
}
