package auth_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/server"
)

const Whoami server.Call[struct{}, string] = "whoami"

// A server whose login makes tokens with a secret that both know; SECRET_FILE
// names the file it is in. Clients connect with io("/chat", {auth: {token}}).
//
//nolint:testableexamples // it serves until it is stopped
func Example() {
	secret, err := os.ReadFile(os.Getenv("SECRET_FILE"))
	if err != nil {
		log.Fatal(err)
	}
	key, err := auth.HMAC(bytes.TrimSpace(secret))
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := auth.NewVerifier(key, auth.VerifierOptions{Issuer: "https://login.example", Audience: []string{"chat"}})
	if err != nil {
		log.Fatal(err)
	}
	io := server.New(server.WithAllowedOrigins("https://app.example"), server.WithLogger(slog.Default()))
	opts := auth.Options{Verifier: verifier, Logger: slog.Default()}

	chat := io.Of("/chat")
	auth.Mount(chat, opts)
	Whoami.Handle(chat, func(ctx context.Context, _ *server.Socket, _ struct{}) (string, error) {
		user, _ := auth.From(ctx)
		return user.Name, nil
	})

	staff := io.Of("/staff")
	auth.Mount(staff, opts) // each namespace asks for itself
	staff.Use(auth.RequireRole("admin", "moderator"))

	log.Fatal(http.ListenAndServe(":3000", io))
}

// Tokens for a test, and what is in them.
func ExampleSigner_Sign() {
	signer, err := auth.HMACSigner([]byte("N7c!q2Vx9Lr4#Tz8Wm1@Kp6$Yd3%Hs5^"))
	if err != nil {
		log.Fatal(err)
	}
	token, err := signer.Sign(auth.Identity{ID: "u1", Name: "Ann", Roles: []string{"admin"}, Expires: time.Now().Add(time.Hour)}, auth.SignOptions{})
	if err != nil {
		log.Fatal(err)
	}
	verifier, err := auth.NewVerifier(signer.Key(), auth.VerifierOptions{})
	if err != nil {
		log.Fatal(err)
	}
	user, err := verifier.Verify(context.Background(), token)
	fmt.Println(user.ID, user.Name, user.HasRole("admin"), err)
	_, err = verifier.Verify(context.Background(), token[:len(token)-4]+"AAAA")
	fmt.Println(err)
	// Output:
	// u1 Ann true <nil>
	// token_invalid: the signature is wrong
}

// One's own check, by the session cookie that the page has anyway.
//
//nolint:testableexamples // a client would be needed
func ExampleAuthenticate() {
	users := map[string]string{"s3ss10n": "ann"} // a database
	io := server.New()
	io.Of("/").Use(auth.Authenticate(func(_ context.Context, h server.Handshake) (auth.Identity, error) {
		request := http.Request{Header: h.Header()}
		cookie, err := request.Cookie("session")
		if err != nil {
			return auth.Identity{}, &auth.TokenError{Code: auth.CodeTokenMissing}
		}
		id, ok := users[cookie.Value]
		if !ok {
			return auth.Identity{}, fmt.Errorf("no such session")
		}
		return auth.Identity{ID: id, Name: id}, nil
	}))
}
