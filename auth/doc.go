// Package auth says who the user of a socket is: it verifies the JSON Web
// Tokens that clients connect with, and ends sockets whose token has expired.
//
//	keys, err := auth.HMAC(secret)
//	…
//	verifier, err := auth.NewVerifier(keys, auth.VerifierOptions{Issuer: "https://login.example"})
//	…
//	auth.Mount(io.Of("/chat"), auth.Options{Verifier: verifier})
//
// The client passes its token on as io("/chat", {auth: {token}}). In a handler,
// [From] has the user.
//
// # Tokens
//
// A token is good when its signature is that of one of the [Keys], with the one
// algorithm of that key; when it has a subject (sub: the user's id), has not
// expired (exp, which is required), and is valid by now (nbf and iat, where it
// has them), give or take the leeway; and when its issuer and audience are the
// ones that are configured. What its header says of keys, but for their id, is
// not looked at. A token that says something twice is refused.
//
// # What clients are told
//
// A client that is refused gets connect_error with the message "Authentication
// error" and data {code}: token_missing, token_invalid, token_expired (the token
// would be good otherwise), forbidden (the user is known, and may not), or
// too_many_sockets (see [SocketLimit]). Why is in the log alone, and neither a
// token nor a part of one ever is.
//
// When the token of a connected socket expires, the client gets the event
// auth_expired {timestamp}; its events are handled for the leeway, then the
// socket is disconnected. An event auth_refresh {token}, any time before, goes on
// with a new token of the same user: its acknowledgement is {ok: true, expires},
// in milliseconds since 1970, or the error token_invalid, token_expired,
// forbidden, or rate_limited.
//
// Each namespace asks for itself: that a client is in one gives it no right to
// another.
package auth
