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

// stats are the server's, without any buckets.
func (a *Admin) stats() serverStats {
	engine := a.io.Engine().Stats()
	s := serverStats{
		ServerID:   a.opts.ServerID,
		Hostname:   a.hostname,
		PID:        a.pid,
		Uptime:     time.Since(a.started).Seconds(),
		Clients:    engine.Sessions,
		Polling:    engine.Polling,
		Events:     []bucket{},
		Namespaces: []namespaceStats{},
	}
	for _, ns := range a.io.Namespaces() {
		s.Namespaces = append(s.Namespaces, namespaceStats{ns.Name(), ns.Count()})
	}
	return s
}

// count reads the server's counters.
func (a *Admin) count() counters {
	s := a.io.Engine().Stats()
	c := counters{
		opened:     s.Opened,
		closed:     make(map[string]int64, len(s.Closed)),
		packetsIn:  s.PacketsIn,
		bytesIn:    s.BytesIn,
		packetsOut: s.PacketsOut,
		bytesOut:   s.BytesOut,
	}
	for reason, n := range s.Closed {
		c.closed[string(reason)] = n
	}
	return c
}

// opened is how many sockets this instance has.
func (a *Admin) opened() int { return a.io.Stats().Sockets }

// Stats are counts of an [Admin] since it was mounted.
type Stats struct {
	// Admins is how many are connected to this instance.
	Admins int
	// Watched is whether what happens on this instance is told to somebody, who
	// may be elsewhere.
	Watched bool
	// Refused is how many logins were.
	Refused int64
	// Commands is how many were given.
	Commands int64
	// Withheld is how many events of clients admins were not shown, as too many.
	Withheld int64
	// Lost is how often so much happened that all sockets had to be told anew.
	Lost int64
}

// Stats returns the counts.
func (a *Admin) Stats() Stats {
	return Stats{
		Admins:   a.ns.Count(),
		Watched:  a.watched.Load(),
		Refused:  a.refused.Load(),
		Commands: a.commands.Load(),
		Withheld: a.withheld.Load(),
		Lost:     a.lost.Load(),
	}
}
