package admin

import "strings"

// masked is shown in place of what is not.
const masked = "<masked>"

// secretive are parts of the names of what is nobody else's business.
var secretive = []string{
	"cookie", "authorization", "token", "secret", "passw", "passphrase", "credential",
	"apikey", "api-key", "api_key", "jwt", "session", "signature", "private",
}

// Harmless reports whether what has this name, a header, a query parameter, or a
// field of an object, is not one of those that hold cookies, tokens, passwords
// and the like.
func Harmless(name string) bool {
	name = strings.ToLower(name)
	if name == "sid" || name == "auth" {
		return false
	}
	for _, part := range secretive {
		if strings.Contains(name, part) {
			return false
		}
	}
	return true
}
