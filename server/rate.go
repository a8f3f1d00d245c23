package server

import (
	"math"
	"time"

	"github.com/seed3686fee0/parlor/server/engine"
	"github.com/seed3686fee0/parlor/server/packet"
)

// A RatePolicy says what becomes of a connection that sends faster than
// [Limits].EventsPerSecond or BytesPerSecond allow.
type RatePolicy uint8

const (
	// RateWait makes the connection wait: no more is read of it until its budget
	// allows, which the client feels as a slow network. Its acknowledgements and
	// heartbeats wait as well: one that keeps flooding misses its pongs in the
	// end, and is let go with PingTimeout.
	RateWait RatePolicy = iota
	// RateRefuse drops what is too much. An event that wants an acknowledgement
	// gets the client error "rate_limited", a CONNECT its connect_error.
	// Answers and DISCONNECTs are not dropped; what they take too much of the bytes later
	// events lack.
	RateRefuse
	// RateClose closes the connection, with RateLimited.
	RateClose
)

const rateLimited = "Rate limit exceeded"

// A budget is what a connection may send. It belongs to the session's reader.
// golang.org/x/time/rate has what is needed in six times the memory, which each
// connection would take, and no debts, without which no packet could be larger than
// the burst.
type budget struct {
	events, bytes bucket
}

// A bucket fills up at a rate, to a burst at most.
type bucket struct {
	level float64
	at    time.Duration // when that was, since the server's making
}

// lack is how long it takes until n may be spent. What is more than a full bucket
// may be spent when it is full, and leaves a debt.
func (b *bucket) lack(now time.Duration, n float64, rate float64, burst int) time.Duration {
	if rate <= 0 || n == 0 {
		return 0
	}
	b.level = min(float64(burst), b.level+(now-b.at).Seconds()*rate)
	b.at = now
	missing := min(n, float64(burst)) - b.level
	if missing <= 0 {
		return 0
	}
	return max(1, time.Duration(math.Ceil(missing/rate*float64(time.Second))))
}

// spend takes n, where there is a rate at which it comes back.
func (b *bucket) spend(n int, rate float64) {
	if rate > 0 {
		b.level -= float64(n)
	}
}

// newBudget is a full one.
func (s *Server) newBudget(l *Limits) *budget {
	now := time.Since(s.since)
	return &budget{bucket{float64(l.EventBurst), now}, bucket{float64(l.ByteBurst), now}}
}

// cost is what a packet counts for among the events. An acknowledgement counts
// when nobody waits for it.
func cost(p *packet.Packet) int {
	if p.Type == packet.Event || p.Type == packet.Connect {
		return 1
	}
	return 0
}

// affords takes a packet's cost from the connection's budget, on the session's
// reader, and reports whether the packet may go on.
func (c *conn) affords(l *Limits, events, bytes int) bool {
	if c.budget == nil {
		c.budget = c.server.newBudget(l)
	}
	b := c.budget
	short := func() time.Duration {
		now := time.Since(c.server.since)
		return max(b.events.lack(now, float64(events), l.EventsPerSecond, l.EventBurst),
			b.bytes.lack(now, float64(bytes), l.BytesPerSecond, l.ByteBurst))
	}
	if d := short(); d > 0 {
		c.server.counts.limited.Add(1)
		switch l.OverRate {
		case RateRefuse:
			if events > 0 {
				return false
			}
		case RateClose:
			c.server.config.logger.Debug("connection closed", "error", rateLimited)
			c.session.Close(engine.Reason(RateLimited))
			return false
		case RateWait:
			for ; d > 0; d = short() {
				if !c.pause(d) {
					return false
				}
				l = c.server.limits.Load() // there may be others meanwhile
			}
		}
	}
	b.events.spend(events, l.EventsPerSecond)
	b.bytes.spend(bytes, l.BytesPerSecond)
	return true
}

// pause keeps the reader from going on for a time. It reports false when the
// connection has ended.
func (c *conn) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		c.mu.Lock()
		if c.closed {
			c.mu.Unlock()
			return false
		}
		space := make(chan struct{})
		c.space = space
		c.mu.Unlock()
		select {
		case <-t.C:
			return true
		case <-space: // the end, or what another wait would wait for
		}
	}
}

// tooFast answers a packet that is refused because of the rate.
func (c *conn) tooFast(l *Limits, s *Socket, p *packet.Packet) {
	switch {
	case l.OverRate != RateRefuse:
	case p.Type == packet.Connect:
		c.refuse(p.Namespace, rateLimited, nil)
	case p.Type == packet.Event && p.HasID:
		args, err := packet.NewArgs(clientError{"rate_limited", rateLimited})
		must(err)
		_ = (&inbound{socket: s, packet: p}).ack(args) // its error is about arguments
	}
}
