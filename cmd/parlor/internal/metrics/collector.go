package metrics

import (
	"runtime"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/seed3686fee0/parlor/server/engine"
)

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prefix+name, help, labels, nil)
}

// What is told about every server.
var (
	buildInfo = desc("build_info", "Always 1; its labels say what is running.", "version", "go")

	connections       = desc("connections", "Connections that are open, by transport.", "transport")
	connectionsOpened = desc("connections_opened_total", "Connections that were let in.")
	connectionsClosed = desc("connections_closed_total", "Connections that have ended, by the reason.", "reason")
	requestsRefused   = desc("requests_refused_total", "Requests that were refused, by the cause.", "cause")
	upgradesBegun     = desc("upgrades_begun_total", "WebSocket connections that were let in for an upgrade from polling.")
	upgrades          = desc("upgrades_total", "Upgrades from polling to WebSocket that have ended, by the outcome.", "outcome")
	packets           = desc("packets_total", "Messages of Engine.IO, by direction.", "direction")
	queuedBytes       = desc("queued_bytes", "Bytes that wait to be written to clients.")
	queuedConnections = desc("queued_connections", "Connections that something waits for.")
	queueLongest      = desc("queue_longest_bytes", "Bytes that wait for the connection that has the most; it is let go beyond its bound.")
	payloadBytes      = desc("payload_bytes_total", "Bytes of those messages, without framing and before compression.", "direction")

	sockets       = desc("sockets", "Sockets that are connected, by namespace.", "namespace")
	rooms         = desc("rooms", "Rooms that have sockets on this instance, by namespace; the sockets' own are left out.", "namespace")
	namespaces    = desc("namespaces", "Namespaces that there are.")
	dropped       = desc("volatile_dropped_total", "Volatile messages that were not sent, since the client did not keep up.")
	events        = desc("events_total", "Events of clients that were taken, and events to clients, once for each.", "direction")
	eventsWaiting = desc("events_waiting", "Events of clients that wait for the handlers of those before them.")
	acksAsked     = desc("acks_asked_total", "Acknowledgements that clients were asked for.")
	acks          = desc("acks_total", "Acknowledgements that are not awaited any more, by the outcome.", "outcome")
	rateLimited   = desc("rate_limited_total", "Packets of clients that came faster than the limits of events and bytes allow.")
	strayAcks     = desc("stray_acks_total", "Acknowledgements that nobody waited for.")
	handlerPanics = desc("handler_panics_total", "Panics in handlers, recovered.")

	certificateExpires = desc("certificate_expires_timestamp_seconds", "When the TLS certificate expires, the first of several.")

	memoryShort  = desc("memory_short", "1 while memory is short of GOMEMLIMIT, and connections without a request under way are closed for it.")
	logLinesLost = desc("log_lines_lost_total", "Lines of the log that could not be written.")
)

// What is told about a chat.
var (
	chatMessages    = desc("chat_messages_total", "Messages, direct messages and files that were taken.", "namespace", "kind")
	chatRepeated    = desc("chat_repeated_total", "Messages that were sent again by their clients, and not to their rooms.", "namespace")
	chatUndelivered = desc("chat_undelivered_total", "Direct messages to users who were not connected.", "namespace")
	chatUnkept      = desc("chat_unkept_total", "Messages that have no place in the history, for their attachments.", "namespace")
	chatLimited     = desc("chat_rate_limited_total", "Messages that were refused as too many.", "namespace")
	chatSignals     = desc("chat_signals_dropped_total", "Typing, cursors and presence that were dropped, by the cause.", "namespace", "cause")
)

// What is told about Redis.
var (
	redisUp        = desc("redis_up", "1 while this instance hears the others by way of Redis, and they hear it.")
	redisLag       = desc("redis_ping_seconds", "Time that Redis took to answer when it was last asked; left out while it does not.")
	redisQueued    = desc("redis_queued", "Messages that wait to be published.")
	redisSent      = desc("redis_sent_total", "Messages for other instances, by what became of them.", "outcome")
	redisReceived  = desc("redis_received_total", "Messages of other instances, by what became of them.", "outcome")
	redisConnects  = desc("redis_connects_total", "Times that the connection that listens was made; all but the first are reconnections.")
	redisMissing   = desc("redis_missing_answers_total", "Times that another instance did not answer a request in time.")
	storeUp        = desc("store_up", "1 while Redis answers the chat, and has what there is.", "namespace")
	storeCalls     = desc("store_calls_total", "Calls of Redis by the chat.", "namespace")
	storeErrors    = desc("store_errors_total", "Calls that failed, or were not tried while Redis was away.", "namespace")
	storeSyncs     = desc("store_syncs_total", "Times that what Redis has was compared with what there is.", "namespace")
	storeCorrected = desc("store_corrected_total", "Sockets of this instance that Redis had otherwise.", "namespace")
	storeOrphans   = desc("store_orphans_total", "Sockets of instances that have died which were made to leave.", "namespace")
)

// A collector reads the counts when it is asked.
type collector struct{ Sources }

// Describe implements [prometheus.Collector].
func (c collector) Describe(out chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, out) }

// Collect implements [prometheus.Collector].
func (c collector) Collect(out chan<- prometheus.Metric) {
	m := sink(out)
	m.gauge(buildInfo, 1, c.Version, runtime.Version())
	if c.LogLost != nil {
		m.count(logLinesLost, c.LogLost())
	}
	if c.MemoryShort != nil {
		m.gauge(memoryShort, truth(c.MemoryShort()))
	}
	if c.Expires != nil {
		if at := c.Expires(); !at.IsZero() {
			m.gauge(certificateExpires, float64(at.Unix()))
		}
	}
	if c.Server != nil {
		c.collectEngine(m)
		c.collectServer(m)
	}
	for name, chat := range c.Chats {
		stats := chat.Stats()
		m.count(chatMessages, stats.Messages, name, "message")
		m.count(chatMessages, stats.Direct, name, "direct")
		m.count(chatMessages, stats.Files, name, "file")
		m.count(chatRepeated, stats.Repeated, name)
		m.count(chatUndelivered, stats.Undelivered, name)
		m.count(chatUnkept, stats.Unkept, name)
		m.count(chatLimited, stats.RateLimited, name)
		m.count(chatSignals, stats.SignalsOverBudget, name, "budget")
		m.count(chatSignals, stats.SignalsWithoutRoom, name, "no_room")
	}
	c.collectRedis(m)
}

func (c collector) collectEngine(m sink) {
	stats := c.Server.Engine().Stats()
	m.gauge(connections, float64(stats.Polling), engine.Polling)
	m.gauge(connections, float64(max(0, stats.Sessions-stats.Polling)), engine.WebSocket)
	m.total(connectionsOpened, stats.Opened)
	for reason, n := range stats.Closed {
		m.total(connectionsClosed, n, strings.ReplaceAll(string(reason), " ", "_"))
	}
	for cause, n := range stats.Refusals {
		m.total(requestsRefused, n, cause)
	}
	queues := c.Server.Engine().Queues()
	m.gauge(queuedBytes, float64(queues.Bytes))
	m.gauge(queuedConnections, float64(queues.Sessions))
	m.gauge(queueLongest, float64(queues.Longest))
	m.total(upgradesBegun, stats.UpgradesBegun)
	m.total(upgrades, stats.Upgrades, "done")
	m.total(upgrades, stats.UpgradesFailed, "failed")
	m.total(packets, stats.PacketsIn, "in")
	m.total(packets, stats.PacketsOut, "out")
	m.total(payloadBytes, stats.BytesIn, "in")
	m.total(payloadBytes, stats.BytesOut, "out")
	m.total(dropped, stats.VolatileDropped)
}

func (c collector) collectServer(m sink) {
	stats := c.Server.Stats()
	m.gauge(namespaces, float64(stats.Namespaces))
	m.total(events, stats.EventsIn, "in")
	m.total(events, stats.EventsOut, "out")
	m.gauge(eventsWaiting, float64(stats.EventsWaiting))
	m.total(acksAsked, stats.AcksAsked)
	m.total(acks, stats.AcksAnswered, "answered")
	m.total(acks, stats.AcksTimedOut, "timed_out")
	m.total(acks, stats.AcksLost, "lost")
	m.total(strayAcks, stats.StrayAcks)
	m.total(rateLimited, stats.RateLimited)
	m.total(handlerPanics, stats.Panics)
	for _, ns := range c.Namespaces {
		n := ns.Count()
		m.gauge(sockets, float64(n), ns.Name())
		m.gauge(rooms, float64(max(0, len(ns.Rooms())-n)), ns.Name()) // each socket is in one of its own
	}
}

func (c collector) collectRedis(m sink) {
	if c.Redis == nil {
		return
	}
	stats := c.Redis()
	m.gauge(redisUp, truth(stats.Up))
	if c.RedisLag != nil {
		if lag := c.RedisLag(); lag > 0 {
			m.gauge(redisLag, lag.Seconds())
		}
	}
	m.gauge(redisQueued, float64(stats.Queued))
	m.count(redisSent, stats.Published, "published")
	m.count(redisSent, stats.Dropped, "dropped")
	m.count(redisSent, stats.Unanswered, "unanswered")
	m.count(redisSent, stats.Refused, "refused")
	m.count(redisReceived, stats.Received, "received")
	m.count(redisReceived, stats.Malformed, "malformed")
	m.count(redisReceived, stats.Overflowed, "overflowed")
	m.count(redisConnects, stats.Connects)
	m.count(redisMissing, stats.Missing)
	for name, store := range c.Stores {
		stats := store.Stats()
		m.gauge(storeUp, truth(stats.Up), name)
		m.count(storeCalls, stats.Calls, name)
		m.count(storeErrors, stats.Errors, name)
		m.count(storeSyncs, stats.Syncs, name)
		m.count(storeCorrected, stats.Reconciled, name)
		m.count(storeOrphans, stats.Orphans, name)
	}
}

// A sink takes metrics.
type sink chan<- prometheus.Metric

func (m sink) gauge(d *prometheus.Desc, value float64, labels ...string) {
	m <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func (m sink) total(d *prometheus.Desc, n int64, labels ...string) {
	m <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
}

func (m sink) count(d *prometheus.Desc, n uint64, labels ...string) {
	m <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
}

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
