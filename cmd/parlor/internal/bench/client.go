package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A client is one connection, and its socket in the namespace.
type client struct {
	run   *run
	id    int
	room  string
	shard *shard
	link  link
	open  *handshake

	joining bool // an acknowledgement of the join is awaited

	sent  atomic.Int64  // events of the load
	again chan struct{} // a closed loop: the event has come, and the next may be sent; nil otherwise

	// Owned by the reader.
	streams map[uint32]*ledger // by sender
	recent  *ledger            // of the sender recently
	from    uint32             // whose it is

	mu   sync.Mutex
	asks map[uint32]time.Duration // acknowledgements that are waited for: when the event was due
}

// joinAck is the number of the acknowledgement of a join; those of events are one more
// than the event's.
const joinAck = 0

// connect opens a connection, the socket in the namespace, and joins the room.
func (r *run) connect(ctx context.Context, id int) (*client, error) {
	c := &client{
		run: r, id: id,
		room:    fmt.Sprintf("bench-%08x-%d", r.number, r.opts.room(id)),
		shard:   r.recorder.shard(id),
		streams: map[uint32]*ledger{},
	}
	if r.opts.closedLoop() {
		c.again = make(chan struct{}, 1)
	}
	target := r.opts.Targets[id%len(r.opts.Targets)]
	if err := c.dial(ctx, target); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, c.link.interrupt)
	err := c.enter(ctx, target)
	if !stop() {
		err = endedError(ctx)
	}
	if c.joining && errors.Is(err, errTimeout) {
		err = cause("no acknowledgement of the join in time; say so if the server sends none (--no-join-ack)")
	}
	if err != nil {
		r.say(c)
		c.link.close()
		return nil, err
	}
	c.link.expect(time.Now().Add(c.open.silence()))
	return c, nil
}

// endedError is what went wrong when ctx has ended, and closed the connection.
func endedError(ctx context.Context) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errTimeout
	}
	return errInterrupted
}

// dial opens the connection.
func (c *client) dial(ctx context.Context, target *url.URL) (err error) {
	if c.run.opts.Transport != WebSocket {
		var polls *pollLink
		if polls, c.open, err = c.run.dialer.dialPolling(ctx, target); err != nil {
			return err
		}
		c.link = polls
		return nil
	}
	socket, err := c.run.dialer.dialWebSocket(ctx, target, "")
	if err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok {
		socket.expect(deadline)
	}
	first, err := socket.next()
	if err == nil {
		c.open, err = parseOpen(first)
	}
	if err != nil {
		socket.close()
		return err
	}
	c.link = socket
	return nil
}

// enter connects the socket to the namespace, moves it to WebSocket, and joins.
func (c *client) enter(ctx context.Context, target *url.URL) error {
	if deadline, ok := ctx.Deadline(); ok {
		c.link.expect(deadline)
	}
	packet := append([]byte("40"), c.run.prefix...)
	if list := c.run.opts.Auth; len(list) > 0 {
		packet = append(packet, list[c.id%len(list)]...)
	}
	if err := c.link.send(packet); err != nil {
		return err
	}
	if err := c.await(c.accepted); err != nil {
		return err
	}
	if c.run.opts.Transport == Upgrade {
		if err := c.upgrade(ctx, target); err != nil {
			return fmt.Errorf("the upgrade failed: %w", err)
		}
		stop := context.AfterFunc(ctx, c.link.interrupt) // the caller's is of the link from before
		defer stop()
	}
	if c.run.opts.Join == "" {
		return nil
	}
	packet = append(append([]byte("42"), c.run.prefix...), c.run.joinHead...)
	packet = c.run.join.append(packet, values{room: c.room, client: c.id})
	if err := c.link.send(append(packet, ']')); err != nil || !c.run.opts.JoinAck {
		return err
	}
	c.joining = true
	return c.await(c.joined)
}

// await reads until done says so or fails. Heartbeats are answered.
func (c *client) await(done func(packet []byte) (bool, error)) error {
	for {
		packet, err := c.link.next()
		if err != nil {
			return err
		}
		if bytes.Equal(packet, []byte("2")) {
			if err := c.link.send([]byte("3")); err != nil {
				return err
			}
			continue
		}
		if ok, err := done(packet); ok || err != nil {
			return err
		}
	}
}

// accepted takes the answer to CONNECT.
func (c *client) accepted(packet []byte) (bool, error) {
	if bytes.Equal(packet, []byte("1")) {
		return false, errClosed
	}
	if _, ok := c.body(packet, '0'); ok {
		return true, nil
	}
	if body, ok := c.body(packet, '4'); ok {
		var said struct {
			Message string          `json:"message"`
			Data    json.RawMessage `json:"data"`
		}
		_ = json.Unmarshal(body, &said) // what is not JSON has no message
		if said.Message == "Invalid namespace" {
			return false, cause(fmt.Sprintf("the server has no namespace %s (--namespace)", c.run.opts.Namespace))
		}
		text := fmt.Sprintf("refused: %s", said.Message)
		if len(said.Data) > 0 && len(said.Data) < 200 {
			text += " " + string(said.Data)
		}
		return false, cause(text)
	}
	return false, nil
}

// joined takes the acknowledgement of the join.
func (c *client) joined(packet []byte) (bool, error) {
	if reason := c.ended(packet); reason != nil {
		return false, reason
	}
	body, ok := c.body(packet, '3')
	if !ok {
		return false, nil
	}
	id, answer := ackID(body)
	if id != joinAck {
		return false, nil
	}
	if said, refused := refusal(answer); refused {
		return false, cause("the join was refused: " + said)
	}
	return true, nil
}

// body returns what follows a packet's type and namespace, if it is a message of that
// type in the run's namespace.
func (c *client) body(packet []byte, kind byte) ([]byte, bool) {
	if len(packet) < 2 || packet[0] != '4' || packet[1] != kind {
		return nil, false
	}
	body, ok := bytes.CutPrefix(packet[2:], c.run.prefix)
	if !ok { // without data it may end in the namespace's name
		name := bytes.TrimSuffix(c.run.prefix, []byte(","))
		return nil, len(name) > 0 && bytes.Equal(packet[2:], name)
	}
	if len(c.run.prefix) == 0 && len(body) > 0 && body[0] == '/' {
		return nil, false // of another namespace
	}
	return body, true
}

// ended is why a packet ends the socket; nil if it does not.
func (c *client) ended(packet []byte) error {
	if bytes.Equal(packet, []byte("1")) {
		return errClosed
	}
	if _, ok := c.body(packet, '1'); ok {
		return cause("the server disconnected the socket")
	}
	return nil
}

// ackID takes the number off the front of a packet's body; -1 for none.
func ackID(body []byte) (id int, rest []byte) {
	n := 0
	for n < len(body) && body[n] >= '0' && body[n] <= '9' {
		n++
	}
	if n == 0 {
		return -1, body
	}
	id, err := strconv.Atoi(string(body[:n]))
	if err != nil {
		return -1, body
	}
	return id, body[n:]
}

// refusal reports whether an answer is {"ok":false,…}, as a chat's are, and what it says.
func refusal(answer []byte) (string, bool) {
	if !bytes.Contains(answer, []byte(`"ok":false`)) {
		return "", false
	}
	var list []struct {
		OK    *bool `json:"ok"`
		Error struct {
			Code    string `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(answer, &list) != nil || len(list) == 0 || list[0].OK == nil || *list[0].OK {
		return "", false
	}
	return list[0].Error.Code + ": " + list[0].Error.Message, true
}

// upgrade moves the session to WebSocket. No poll is under way: nothing is lost.
func (c *client) upgrade(ctx context.Context, target *url.URL) error {
	polls := c.link.(*pollLink)
	for !polls.drained() {
		if _, err := polls.next(); err != nil {
			return err
		}
	}
	socket, err := c.run.dialer.dialWebSocket(ctx, target, c.open.SID)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, socket.close)
	defer stop()
	if deadline, ok := ctx.Deadline(); ok {
		socket.expect(deadline)
	}
	answer := []byte(nil)
	err = socket.send([]byte("2probe"))
	if err == nil {
		answer, err = socket.next()
	}
	if err == nil && string(answer) != "3probe" {
		err = cause("the server did not answer the probe")
	}
	if err == nil {
		err = socket.send([]byte("5"))
	}
	if err != nil {
		socket.close()
		return err
	}
	polls.close()
	c.link = socket
	return nil
}
