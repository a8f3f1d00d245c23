package admin

import "time"

// A serverStats is the argument of server_stats.
type serverStats struct {
	ServerID   string           `json:"serverId"`
	Hostname   string           `json:"hostname"`
	PID        int              `json:"pid"`
	Uptime     float64          `json:"uptime"` // seconds
	Clients    int              `json:"clientsCount"`
	Polling    int              `json:"pollingClientsCount"`
	Events     []bucket         `json:"aggregatedEvents"`
	Namespaces []namespaceStats `json:"namespaces"`
}

type bucket struct {
	Timestamp int64  `json:"timestamp"` // milliseconds since 1970
	Type      string `json:"type"`
	SubType   string `json:"subType,omitempty"` // of rawDisconnection: the reason
	Count     int64  `json:"count"`
}

type namespaceStats struct {
	Name    string `json:"name"`
	Sockets int    `json:"socketsCount"`
}

const statsInterval = 2 * time.Second

// stats are the server's, without any buckets.
func (a *Admin) stats() serverStats {
	s := serverStats{
		ServerID: a.opts.ServerID,
		Hostname: a.hostname,
		PID:      a.pid,
		Uptime:   time.Since(a.started).Seconds(),
		Clients:  a.io.Engine().Stats().Sessions,
		Events:   []bucket{},
	}
	for _, ns := range a.io.Namespaces() {
		s.Namespaces = append(s.Namespaces, namespaceStats{ns.Name(), ns.Count()})
	}
	return s
}
