package admin

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// masked is shown in place of what is not.
const masked = "<masked>"

// secretive are parts of the names of what is nobody else's business.
var secretive = []string{
	"cookie", "authorization", "authenti", "token", "secret", "passw", "passphrase", "passcode", "credential",
	"apikey", "api-key", "api_key", "jwt", "session", "privatekey", "private-key", "private_key",
}

// secretWords are words of such names, which others have as a part: an author is
// no secret.
var secretWords = []string{"auth", "oauth", "bearer", "sid", "sig", "signature", "pwd", "pass", "pin", "otp"}

// token is a JSON Web Token somewhere in a text.
var token = regexp.MustCompile(`eyJ[\w-]*\.[\w-]+\.`)

// holdsToken reports whether there is one in a text, "Bearer eyJ…" say.
func holdsToken(text string) bool {
	return strings.Contains(text, "eyJ") && token.MatchString(text)
}

// Harmless reports whether what has this name, a header, a query parameter, or a
// field of an object, is not one of those that hold cookies, tokens, passwords
// and the like.
func Harmless(name string) bool {
	lower := strings.ToLower(name)
	for _, part := range secretive {
		if strings.Contains(lower, part) {
			return false
		}
	}
	return !slices.ContainsFunc(words(name), func(word string) bool { return slices.Contains(secretWords, strings.ToLower(word)) })
}

// words are those of a name: those of accessKey, access_key and Access-Key are the
// same but for their case.
func words(name string) (list []string) {
	begin := 0
	for i := range len(name) {
		switch c := name[i]; {
		case c < utf8.RuneSelf && !isLower(c) && !isUpper(c) && (c < '0' || c > '9'):
			list = append(list, name[begin:i])
			begin = i + 1
		case i > begin && isUpper(c) && isLower(name[i-1]):
			list = append(list, name[begin:i])
			begin = i
		}
	}
	return append(list, name[begin:])
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// header is what is shown of a header's value. Others than Referer hold URLs too,
// which proxies put there.
func (a *Admin) header(name, value string) string {
	if value != "" && (!a.opts.HeaderFilter(name) || holdsToken(value)) {
		return masked
	}
	return a.url(value)
}

// query is what is shown of a query's parameter.
func (a *Admin) query(name, value string) string {
	if value != "" && (!a.opts.HeaderFilter(name) || holdsToken(value) || a.leads(value)) {
		return masked
	}
	return value
}

// leads reports whether a value is a URL with something in its query, or in that of
// a URL in there, that is not to be shown.
func (a *Admin) leads(value string) bool {
	_, query, _ := strings.Cut(value, "?")
	for part := range strings.FieldsFuncSeq(query, func(c rune) bool { return strings.ContainsRune("?&;#", c) }) {
		name, secret, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		if secret != "" && (err != nil || !a.opts.HeaderFilter(name)) {
			return true
		}
	}
	return false
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
