package redisadapter

import "sync/atomic"

// Stats count what has happened since the cluster was made.
type Stats struct {
	// Up: the instance hears the others, and they hear it. While it does not,
	// its own clients are served as ever.
	Up bool
	// Queued is how many messages wait to be published.
	Queued int

	// Published messages were taken by Redis. It answers before it hands on: of
	// the last that it took before it died, others may have nothing.
	Published uint64
	// Dropped messages were never sent: too old or too many while Redis was
	// away, volatile, or too large.
	Dropped uint64
	// Unanswered messages were sent, and Redis did not say that it has them: it
	// may have published them or not. They are not sent again.
	Unanswered uint64
	// Refused messages were not permitted by Redis.
	Refused uint64

	// Received messages came from other members or emitters.
	Received uint64
	// Malformed messages were received and ignored.
	Malformed uint64
	// Overflowed messages were received and dropped, since a namespace had too
	// much to do already.
	Overflowed uint64

	// Connects is how often the connection that listens was made; all but one of
	// them are reconnections, before which messages may have been missed.
	Connects uint64
	// Missing is how often another instance did not answer a request in time.
	Missing uint64
}

type counters struct {
	published, dropped, unanswered, refused,
	received, malformed, overflowed, connects, missing atomic.Uint64
}

func (c *counters) stats() Stats {
	return Stats{
		Published: c.published.Load(), Dropped: c.dropped.Load(), Unanswered: c.unanswered.Load(), Refused: c.refused.Load(),
		Received: c.received.Load(), Malformed: c.malformed.Load(), Overflowed: c.overflowed.Load(),
		Connects: c.connects.Load(), Missing: c.missing.Load(),
	}
}
