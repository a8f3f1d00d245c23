package admin

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

// NodeCredential is the [Principal.Credential] of a session that a Node server has
// made, which says neither whose it is nor what they have logged in with: it is good
// for as long as the store has it.
const NodeCredential = "node"

// What other credentials are, or begin with.
const (
	basicCredential = "basic:" // then a fingerprint
	funcCredential  = "func"   // where the function has not said
	tokenCredential = "token"  // likewise
)

var errOutdated = errors.New("what it was made with is not good any more")

// fingerprint is the same for as long as a user has the same hash. A hash has 128
// random bits of salt: nobody finds it, or the password, by this.
func fingerprint(username string, bcryptHash []byte) string {
	mac := hmac.New(sha256.New, bcryptHash)
	mac.Write([]byte(username))
	return basicCredential + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// fromFunction reports whether it is a function that has let in whoever has the
// credential. A store that loses credentials has none that are.
func fromFunction(credential string) bool {
	return credential != "" && credential != NodeCredential && !strings.HasPrefix(credential, basicCredential)
}

// recheck says why a session is not good any more, nil if it is.
func (a *Admin) recheck(ctx context.Context, p Principal) error {
	switch {
	case expired(p):
		return errExpired
	case p.Credential != NodeCredential && !a.opts.Auth.holds(p.Credential):
		return errOutdated
	case a.opts.Recheck != nil && !strings.HasPrefix(p.Credential, basicCredential):
		return a.opts.Recheck(ctx, p)
	}
	return nil
}
