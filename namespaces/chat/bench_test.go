package chat_test

import (
	"fmt"
	"testing"

	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// BenchmarkMessage is a message with its acknowledgement, through the server and
// connections in memory, to rooms of several sizes. The clients' work is in it.
func BenchmarkMessage(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := open(b, chat.Options{MessageRate: -1})
			for i := range n - 1 {
				p := s.in(fmt.Sprint(i), "r")
				go func() {
					for {
						if _, err := p.w.Next(); err != nil {
							return
						}
					}
				}()
			}
			ann := s.in("ann", "r")
			b.ReportAllocs()
			for b.Loop() {
				ann.call("message", `{"room":"r","content":"Hello there, how are you today?"}`)
				ann.events = ann.events[:0]
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/delivery")
		})
	}
}
