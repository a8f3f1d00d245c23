package redisadapter_test

import (
	"context"
	"log"
	"net/http"

	"github.com/redis/go-redis/v9"
	"github.com/seed3686fee0/parlor/adapter/redisadapter"
	"github.com/seed3686fee0/parlor/server"
)

// Instances that share a Redis share their rooms.
func ExamplePubSub() { //nolint:testableexamples // it needs a Redis
	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	io := server.New(server.WithAdapter(redisadapter.PubSub(rdb)))
	io.Of("/").OnConnect(func(_ context.Context, s *server.Socket) error { return s.Join("lobby") })
	log.Fatal(http.ListenAndServe(":3000", io))
}

// A cluster tells how the instance stands with the others.
func ExampleCluster() { //nolint:testableexamples // it needs a Redis
	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	cluster := redisadapter.NewSharded(rdb, redisadapter.WithOnState(func(up bool, err error) {
		log.Print("other instances are reached: ", up, " ", err)
	}))
	io := server.New(server.WithAdapter(cluster.Adapter))
	http.HandleFunc("/metrics", func(http.ResponseWriter, *http.Request) {
		s := cluster.Stats()
		log.Print(s.Published, " published, ", s.Dropped, " dropped")
	})
	http.Handle(io.Path(), io)
}

// A process without sockets emits to the clients of all instances.
func ExampleEmitter() { //nolint:testableexamples // it needs a Redis
	emitter := redisadapter.NewEmitter(redis.NewClient(&redis.Options{Addr: "localhost:6379"}))
	defer emitter.Close()
	if err := emitter.Of("/chat").To("lobby").Emit(context.Background(), "message", "hello"); err != nil {
		log.Print(err)
	}
}
