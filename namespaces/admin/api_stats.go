package admin

import (
	"cmp"
	"context"
	"net/http"
	"runtime"
	"slices"

	"github.com/seed3686fee0/parlor/namespaces/admin/adminapi"
	"github.com/seed3686fee0/parlor/server"
)

// statsEvent is how servers ask each other for their statistics, among
// themselves. Node's server does not answer it, and is missing from the answers.
const statsEvent = "parlor:stats"

// answerPeers has this server answer others.
func (a *Admin) answerPeers() {
	a.ns.OnServerSide(statsEvent, func(_ context.Context, args server.Args) error {
		return args.Ack(a.serverStats())
	})
}

// serverStats are this server's.
func (a *Admin) serverStats() adminapi.Server {
	stats := a.stats()
	counted := a.count()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	s := adminapi.Server{
		ID:         stats.ServerID,
		Hostname:   stats.Hostname,
		PID:        stats.PID,
		Uptime:     stats.Uptime,
		Clients:    stats.Clients,
		Polling:    stats.Polling,
		Namespaces: []adminapi.Namespace{},
		Opened:     counted.opened,
		PacketsIn:  counted.packetsIn,
		BytesIn:    counted.bytesIn,
		PacketsOut: counted.packetsOut,
		BytesOut:   counted.bytesOut,
		Goroutines: runtime.NumGoroutine(),
		HeapBytes:  memory.HeapAlloc,
	}
	for _, n := range counted.closed {
		s.Closed += n
	}
	for _, ns := range stats.Namespaces {
		s.Namespaces = append(s.Namespaces, adminapi.Namespace{Name: ns.Name, Sockets: ns.Sockets})
	}
	return s
}

// stats is GET /v1/stats.
func (h *api) stats(r *http.Request, _ Principal) (any, error) {
	q := readQuery(r)
	if err := q.end(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), apiAsking)
	defer cancel()
	answers, err := h.admin.ns.ServerSideAsk(ctx, statsEvent)
	answer := adminapi.Stats{Reach: reach(err)}
	for _, args := range answers {
		var s adminapi.Server
		if args.Scan(&s) == nil && s.ID != "" {
			answer.Servers = append(answer.Servers, s)
		}
	}
	// Servers without an admin namespace are not asked; "/" all have.
	if n, err := h.admin.io.Of("/").Adapter().ServerCount(ctx); err == nil {
		answer.Missing = max(answer.Missing, n-1-len(answer.Servers))
	}
	slices.SortFunc(answer.Servers, func(a, b adminapi.Server) int { return cmp.Compare(a.ID, b.ID) })
	answer.Servers = slices.Insert(answer.Servers, 0, h.admin.serverStats())
	return answer, nil
}
