package admin

import (
	"net/url"
	"strings"
)

// masked is shown in place of what is not.
const masked = "<masked>"

// secretive are parts of the names of what is nobody else's business.
var secretive = []string{
	"cookie", "authorization", "token", "secret", "passw", "passphrase", "credential",
	"apikey", "api-key", "api_key", "jwt", "session", "privatekey", "private-key", "private_key",
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

// header is what is shown of a header's value.
func (a *Admin) header(name, value string) string {
	switch {
	case value == "":
		return value
	case !a.opts.HeaderFilter(name) || looksLikeToken(value):
		return masked
	case name == "referer":
		return a.url(value)
	}
	return value
}

// query is what is shown of a query's parameter.
func (a *Admin) query(name, value string) string {
	if value != "" && (!a.opts.HeaderFilter(name) || looksLikeToken(value)) {
		return masked
	}
	return value
}

// url is what is shown of a URL: its parameters in their order.
func (a *Admin) url(text string) string {
	path, query, ok := strings.Cut(text, "?")
	if !ok {
		return text
	}
	query, _, _ = strings.Cut(query, "#")
	parts := strings.Split(query, "&")
	for i, part := range parts {
		rawName, rawValue, _ := strings.Cut(part, "=")
		name, errName := url.QueryUnescape(rawName)
		value, errValue := url.QueryUnescape(rawValue)
		if errName != nil || errValue != nil || a.query(name, value) != value {
			parts[i] = rawName + "=" + masked
		}
	}
	return path + "?" + strings.Join(parts, "&")
}
