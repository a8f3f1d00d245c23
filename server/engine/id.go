package engine

import (
	"crypto/rand"
	"encoding/base64"
)

// newID makes a session id: 18 random bytes, 24 characters of base64url. The
// id is a secret that lets its bearer speak for the session.
func newID() string {
	var b [18]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
