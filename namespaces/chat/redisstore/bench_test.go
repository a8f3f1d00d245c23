package redisstore

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
)

// The benchmarks are of a Redis on the same machine, whose round trip is part of
// each: Recall, a GET, is the floor.
func BenchmarkStore(b *testing.B) {
	server := redistest.Start(b)
	var n atomic.Int64
	text := []byte(`{"text":"` + strings.Repeat("x", 200) + `"}`)
	at := time.Now()
	benches := []struct {
		name string
		run  func(s *Store, n int64) error
	}{
		{"Recall", func(s *Store, _ int64) error { _, _, err := s.Recall(background, "ann", "k"); return err }},
		{"JoinLeave", func(s *Store, n int64) error {
			id := fmt.Sprint("s", n)
			if _, err := s.Join(background, "lobby", id, chat.User{ID: id, Name: "Ann"}, 200); err != nil {
				return err
			}
			_, err := s.Leave(background, "lobby", id, id)
			return err
		}},
		{"Join", func(s *Store, n int64) error {
			_, err := s.Join(background, fmt.Sprint("r", n), "s", chat.User{ID: "s", Name: "Ann"}, 200)
			return err
		}},
		{"Post", func(s *Store, n int64) error {
			p := chat.Post{
				Room: fmt.Sprint("r", n%100), ID: chat.MakeMessageID(at.Add(time.Duration(n)*time.Millisecond), 0, 7),
				Text: text, UserID: "ann", Key: fmt.Sprint(n),
			}
			_, err := s.Post(background, p)
			return err
		}},
		{"History", func(s *Store, n int64) error {
			q := chat.Query{Room: fmt.Sprint("r", n%100), Bound: chat.LastMessageID, Limit: 50, Bytes: 64 << 10}
			_, err := s.History(background, q)
			return err
		}},
	}
	for _, bench := range benches {
		b.Run(bench.name, func(b *testing.B) {
			s := open(b, server.Addr, "/"+bench.name, Options{})
			b.ReportAllocs()
			for b.Loop() {
				if err := bench.run(s, n.Add(1)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(bench.name+"/parallel", func(b *testing.B) {
			s := open(b, server.Addr, "/parallel"+bench.name, Options{})
			b.SetParallelism(8)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := bench.run(s, n.Add(1)); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
