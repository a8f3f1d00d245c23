package auth

import (
	"errors"

	"github.com/seed3686fee0/parlor/server"
)

// The codes that clients are told.
const (
	CodeTokenMissing   = "token_missing"
	CodeTokenInvalid   = "token_invalid"
	CodeTokenExpired   = "token_expired"
	CodeForbidden      = "forbidden"
	CodeTooManySockets = "too_many_sockets" // of LimitSockets
	CodeRateLimited    = "rate_limited"     // of auth_refresh
)

// A TokenError is why a token is not good. Its text is for the log, and has
// nothing of the token in it; clients are told the code alone.
type TokenError struct {
	// Code is CodeTokenMissing, CodeTokenInvalid or CodeTokenExpired; of a check of
	// one's own it may be CodeForbidden too.
	Code string

	cause error
}

func (e *TokenError) Error() string {
	if e.cause == nil {
		return e.Code
	}
	return e.Code + ": " + e.cause.Error()
}

// Unwrap returns the cause, or nil.
func (e *TokenError) Unwrap() error { return e.cause }

// invalid makes the error of a token that is bad in itself. The texts are fixed,
// so that nothing of a token gets into them.
func invalid(cause string) *TokenError {
	return &TokenError{Code: CodeTokenInvalid, cause: errors.New(cause)}
}

// A refusal is what a client is told, made once: all answers with a code are the
// same bytes, and a flood costs little.
type refusal struct {
	connect *server.ConnectError
	event   *server.ClientError
}

const refusalMessage = "Authentication error"

var refusals = func() map[string]refusal {
	m := make(map[string]refusal)
	for _, code := range []string{CodeTokenMissing, CodeTokenInvalid, CodeTokenExpired, CodeForbidden, CodeTooManySockets} {
		m[code] = refusal{
			connect: &server.ConnectError{Message: refusalMessage, Data: refusalData{code}},
			event:   &server.ClientError{Code: code, Message: refusalMessage},
		}
	}
	return m
}()

type refusalData struct {
	Code string `json:"code"`
}

// refuse returns what a client is told; a code that is none is token_invalid.
func refuse(code string) refusal {
	if r, ok := refusals[code]; ok {
		return r
	}
	return refusals[CodeTokenInvalid]
}

var errRateLimited = &server.ClientError{Code: CodeRateLimited, Message: "Rate limit exceeded"}
