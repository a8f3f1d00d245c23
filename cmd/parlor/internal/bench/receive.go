package bench

import (
	"bytes"
	"encoding/json"
	"time"
)

// read takes packets until the connection ends, and returns why.
func (c *client) read() error {
	for {
		packet, err := c.link.next()
		if err != nil {
			return err
		}
		if len(packet) == 0 {
			continue
		}
		switch packet[0] {
		case '2':
			c.link.expect(time.Now().Add(c.open.silence()))
			if err := c.link.send([]byte("3")); err != nil {
				return err
			}
		case '4':
			if err := c.message(packet); err != nil {
				return err
			}
		case '1':
			return errClosed
		}
	}
}

// message takes a Socket.IO packet.
func (c *client) message(packet []byte) error {
	if body, ok := c.body(packet, '2'); ok {
		c.event(body, len(packet))
		return nil
	}
	if body, ok := c.body(packet, '3'); ok {
		c.ack(body, len(packet))
		return nil
	}
	return c.ended(packet)
}

// event takes an event.
func (c *client) event(body []byte, size int) {
	now := c.run.now()
	n := counts{bytes: int64(size), last: now}
	_, body = ackID(body)
	if !bytes.HasPrefix(body, c.run.expect) || c.run.opts.Load == Acks {
		c.foreign(body, n)
		return
	}
	s, ok := findStamp(body, c.run.mark)
	if !ok {
		n.last, n.other = 0, 1
		c.shard.record(n, 0)
		return
	}
	if c.run.opts.room(int(s.sender)) != c.run.opts.room(c.id) {
		n.last, n.misdirected = 0, 1
		c.shard.record(n, 0)
		return
	}
	switch c.stream(s.sender).take(s.seq) {
	case duplicate:
		n.duplicates, n.last = 1, 0
	case late:
		n.late = 1
		fallthrough
	default:
		n.delivered = 1
	}
	c.shard.record(n, now-s.due)
	if c.again != nil && n.delivered > 0 && s.sender == uint32(c.id) {
		c.next()
	}
}

// foreign takes an event that is no part of the load. One that is called error is how
// the chat refuses what needs no acknowledgement.
func (c *client) foreign(body []byte, n counts) {
	n.last = 0
	if bytes.HasPrefix(body, []byte(`["error",`)) {
		var said []json.RawMessage
		var failure struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		}
		if json.Unmarshal(body, &said) == nil && len(said) > 1 && json.Unmarshal(said[1], &failure) == nil && failure.Code != "" {
			n.refused = 1
			c.run.refusals.add(failure.Code + ": " + failure.Message)
		}
	}
	n.other = 1 - n.refused
	c.shard.record(n, 0)
}

// stream is the ledger of a sender.
func (c *client) stream(sender uint32) *ledger {
	if c.recent != nil && c.from == sender {
		return c.recent
	}
	l := c.streams[sender]
	if l == nil {
		l = &ledger{}
		c.streams[sender] = l
	}
	c.recent, c.from = l, sender
	return l
}

// ack takes an acknowledgement.
func (c *client) ack(body []byte, size int) {
	now := c.run.now()
	n := counts{bytes: int64(size), last: now}
	id, answer := ackID(body)
	seq := uint32(id - 1)
	c.mu.Lock()
	due, waiting := c.asks[seq]
	delete(c.asks, seq)
	c.mu.Unlock()
	switch {
	case id <= joinAck:
		n.other, n.last = 1, 0
	case waiting:
		n.delivered = 1
		if said, refused := refusal(answer); refused {
			n.refused = 1
			c.run.refusals.add(said)
		}
	default:
		n.duplicates, n.last = 1, 0
	}
	c.shard.record(n, now-due)
	if c.again != nil && n.delivered > 0 {
		c.next()
	}
}

// next lets the sender go on.
func (c *client) next() {
	select {
	case c.again <- struct{}{}:
	default: // it has ended
	}
}
