package auth_test

import (
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/auth"
)

// A verifier that could not be made, and whose error nobody has looked at, does
// not open the server.
func TestNoVerifier(t *testing.T) {
	r := serve(t)
	r.mount("/", auth.Options{})
	r.dial().denied("/", "", auth.CodeTokenMissing)
	r.dial().denied("/", withToken(sign(hmacSigner, ann(time.Hour))), auth.CodeTokenInvalid)
}
