package auth_test

import (
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/auth"
)

func BenchmarkVerify(b *testing.B) {
	for _, alg := range []string{"HS256", "ES256", "RS256", "EdDSA"} {
		b.Run(alg, func(b *testing.B) {
			s := signerOf(alg)
			v := verifier(b, s.Key(), auth.VerifierOptions{})
			token := sign(s, ann(time.Hour, "a", "b"))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(b.Context(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	// What a flood of bad tokens costs.
	b.Run("bad", func(b *testing.B) {
		s := signerOf("ES256")
		v := verifier(b, s.Key(), auth.VerifierOptions{})
		token := sign(s, ann(time.Hour))
		token = token[:len(token)-6] + "AAAAAA"
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Verify(b.Context(), token); err == nil {
				b.Fatal("accepted")
			}
		}
	})
}

// BenchmarkGuard is what each event pays.
func BenchmarkGuard(b *testing.B) {
	event, _ := guarded(b)
	b.ReportAllocs()
	for b.Loop() {
		event()
	}
}
