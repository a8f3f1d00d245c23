package server

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/seed3686fee0/parlor/server/engine"
)

// Drain moves the clients away, for a restart that they hardly notice. From now on
// new ones are refused, 503 with Retry-After, for a load balancer to take
// elsewhere. The connections that are there are closed one after another, spread
// evenly over a window of time, so that they do not all come back at once: each
// when the handlers that are at work for it have ended and what they have sent is
// on its way, acknowledgements among it. What a client sends after its turn has
// come is not handled, nor acknowledged.
//
// Clients see "transport close", after which they connect again by themselves;
// disconnect handlers run with ServerShuttingDown.
//
// A client that polls has 3 seconds to fetch the last that it was sent; one that has
// vanished, or whose requests go to another instance now, is not waited for longer.
//
// Drain returns when no connection is left. When ctx ends first it returns an error
// that wraps ctx's and says what was still waited for. Connections that are kept
// alive have to be served until then, and [Server.Shutdown] follows in either case.
// It is not for handlers, which it waits for.
func (s *Server) Drain(ctx context.Context, window time.Duration) error {
	sessions, drained := s.engine.Drain()
	began, turn := time.Now(), time.NewTimer(0)
	defer turn.Stop()
	for i, x := range sessions {
		turn.Reset(time.Until(began.Add(time.Duration(float64(window) * float64(i) / float64(len(sessions))))))
		select {
		case <-turn.C:
		case <-drained:
			return nil
		case <-ctx.Done():
			return s.undrained(sessions, context.Cause(ctx))
		}
		if c, ok := x.Receiver().(*conn); ok {
			c.leave()
		}
	}
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
		return s.undrained(sessions, context.Cause(ctx))
	}
}

// undrained is the error for sessions that were to be drained and are still there.
func (s *Server) undrained(sessions []*engine.Session, cause error) error {
	var atWork, unfetched, waiting int
	for _, x := range sessions {
		c, ok := x.Receiver().(*conn)
		if _, there := s.engine.Session(x.ID()); !there || !ok {
			continue
		}
		c.mu.Lock()
		switch {
		case c.closed:
			unfetched++
		case c.atWork():
			atWork++
		default:
			waiting++
		}
		c.mu.Unlock()
	}
	return fmt.Errorf("connections with handlers at work: %d, that have not fetched their last packets: %d, whose turn had not come: %d: %w",
		atWork, unfetched, waiting, cause)
}

// Draining reports whether new clients are refused, after Drain or Shutdown.
func (s *Server) Draining() bool { return s.engine.Draining() }

// leave has the connection closed once nothing is at work for it.
func (c *conn) leave() {
	c.mu.Lock()
	c.leaving = true
	c.mu.Unlock()
	c.rested()
}

// rested closes a connection that is leaving, if nothing is at work for it.
func (c *conn) rested() {
	c.mu.Lock()
	leaves := c.leaving && !c.atWork()
	c.mu.Unlock()
	if leaves {
		c.session.Close(engine.ServerShuttingDown)
	}
}

// atWork reports whether handlers are at work for the connection. The caller holds
// mu.
func (c *conn) atWork() bool {
	return c.detached > 0 || slices.ContainsFunc(c.slots, func(s slot) bool { return s.socket.running })
}
