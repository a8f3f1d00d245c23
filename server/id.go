package server

import (
	"crypto/rand"
	"encoding/base64"
)

// newSocketID makes the id of a socket: 20 characters of base64url. It is not
// the engine's session id, which is a secret; and Node's sharded Redis adapter
// tells a socket's own room by this length.
func newSocketID() string {
	var b [15]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
