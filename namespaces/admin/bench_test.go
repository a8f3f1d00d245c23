package admin_test

import (
	"testing"

	"github.com/seed3686fee0/parlor/namespaces/admin"
)

// BenchmarkEmit is a broadcast to 100 sockets, while nobody watches and while
// somebody does, who is shown a few of the events.
func BenchmarkEmit(b *testing.B) {
	for name, watch := range map[string]admin.Watch{"unwatched": admin.Cluster, "watched": admin.Always} {
		b.Run(name, func(b *testing.B) {
			r := serve(b, admin.Options{Auth: admin.Insecure(), Watch: watch})
			for range 100 {
				r.client("/").discard()
			}
			b.ReportAllocs()
			for b.Loop() {
				r.must(r.Of("/").Emit("event", 1))
			}
		})
	}
}
