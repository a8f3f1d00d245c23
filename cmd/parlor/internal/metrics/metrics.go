// Package metrics tells Prometheus what the server knows of itself.
//
// Nearly all of it is read from the counts that the packages keep anyway, when it is
// asked for. Every label has a fixed set of values: nothing that a client sends
// becomes one.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/seed3686fee0/parlor/adapter/redisadapter"
	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/namespaces/chat/redisstore"
	"github.com/seed3686fee0/parlor/server"
)

const (
	prefix = "parlor_"
	// atOnce is how many may read the metrics at a time, and timeout how long one
	// may take: who asks more often is refused, and what is served goes first.
	atOnce  = 2
	timeout = 10 * time.Second
)

// Sources are what is told about. Those that are nil, or return nil, are left out.
type Sources struct {
	Version     string
	Server      *server.Server
	Times       *Times
	Namespaces  []*server.Namespace // those that are told apart
	Chats       map[string]*chat.Chat
	Redis       func() redisadapter.Stats
	RedisLag    func() time.Duration // none while Redis does not answer
	Stores      map[string]*redisstore.Store
	LogLost     func() uint64    // lines that could not be written
	MemoryShort func() bool      // connections that wait are closed for it
	Expires     func() time.Time // when the first certificate does; zero for none yet
}

// Handler returns what answers a scrape.
func Handler(s Sources) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collector{s},
	)
	if t := s.Times; t != nil {
		registry.MustRegister(t.handlers, t.acks, t.errors)
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		Registry:            registry, // errors of the collection itself are metrics too
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: atOnce,
		Timeout:             timeout,
	})
}
