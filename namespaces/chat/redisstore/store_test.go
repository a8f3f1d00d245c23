package redisstore

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed3686fee0/parlor/internal/redistest"
	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/namespaces/chat/storetest"
)

// guard bounds what may take its time on a busy machine.
const guard = 30 * time.Second

// open makes a store that has the address of Redis, or of what is before it.
func open(t testing.TB, addr, namespace string, opts Options) *Store {
	t.Helper()
	return openWith(t, redistest.Client(addr), namespace, opts)
}

func TestWatcher(t *testing.T) {
	server := redistest.Start(t)
	var n atomic.Int64
	storetest.RunWatch(t, func(t testing.TB) []chat.Watcher {
		namespace := fmt.Sprint("/", n.Add(1))
		opts := Options{Heartbeat: 2 * quick}
		return []chat.Watcher{open(t, server.Addr, namespace, opts), open(t, server.Addr, namespace, opts)}
	})
}

func TestStore(t *testing.T) {
	server := redistest.Start(t)
	var n atomic.Int64
	storetest.Run(t, func(t testing.TB, o chat.MemoryOptions) []chat.Store {
		namespace := fmt.Sprint("/", n.Add(1))
		opts := Options{History: o.History, HistoryBytes: o.HistoryBytes, HistoryTotal: o.HistoryTotal}
		return []chat.Store{open(t, server.Addr, namespace, opts), open(t, server.Addr, namespace, opts)}
	})
}
