package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/internal/corpus"
)

// FuzzVerify: whatever comes, there is no panic; and what is accepted is what
// was signed, to the byte.
func FuzzVerify(f *testing.F) {
	corpus.Add(f)
	const id = "ann"
	// Tokens of fixed keys, so that what is found can be found again.
	token := forge(hs256, `{"sub":"ann","exp":253402300799,"roles":["a"]}`)
	signed := token[:strings.LastIndex(token, ".")]
	v := verifier(f, must(auth.Join(hmacSigner.Key(), signerOf("ES256").Key())), auth.VerifierOptions{})
	for _, seed := range []string{
		token, "", "..", ".", "a.b.c", forge(`{"alg":"none"}`, "{}"), forge(hs256, "null"), forge(`{"alg":"HS256","kid":"k"}`, "{}"), signed + ".", token + "=", token + "\n",
		strings.Replace(token, ".", "..", 1), forge(`{"alg":"ES256"}`, `{"sub":"ann","exp":1e400}`), strings.Repeat("A", 9000),
	} {
		f.Add(seed, 0, byte(0))
		f.Add(seed, len(seed)/2, byte(1))
	}
	// Also claims that are signed: the fuzzer cannot sign.
	for _, seed := range []string{`{"sub":"ann","exp":253402300799}`, `{"sub":"a","exp":1e9,"nbf":1,"iat":1.5,"aud":["x"],"iss":"y","roles":["z"],"name":"n"}`, `[`, `{"sub":"\ud800"}`} {
		f.Add(seed, -1, byte(0))
	}
	start := time.Now()
	f.Fuzz(func(t *testing.T, text string, at int, flip byte) {
		if at < 0 {
			got, err := v.Verify(t.Context(), forge(hs256, text))
			if err == nil && (got.ID == "" || !got.Expires.After(start.Add(-time.Minute)) || len(got.ID) > 4*128 || string(got.Claims) != text) {
				t.Errorf("%q: %+v", text, got)
			}
			return
		}
		if at < len(text) {
			text = text[:at] + string([]byte{text[at] ^ flip}) + text[at+1:]
		}
		got, err := v.Verify(t.Context(), text)
		if err == nil && (got.ID != id || text != token) {
			t.Errorf("accepted: %q", text)
		}
		mutated := token // of the good one
		if at < len(mutated) {
			mutated = mutated[:at] + string([]byte{mutated[at] ^ flip}) + mutated[at+1:]
		}
		if _, err := v.Verify(t.Context(), mutated); (err == nil) != (mutated == token) {
			t.Errorf("%q: %v", mutated, err)
		}
	})
}
