package redisadapter

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/wire"
	"github.com/seed3686fee0/parlor/server/packet"
)

// emitterUID is what emitters call themselves: it is nobody's, so nothing is
// taken for a member's own echo.
const emitterUID = "emitter"

// An Emitter emits into a cluster from a process that serves no sockets, as
// Node's @socket.io/redis-emitter does. It is safe for concurrent use. Unlike an
// adapter it waits for Redis, and says when that fails: an error about one that
// did not answer leaves open whether the message was published.
type Emitter struct {
	driver  link.Driver
	form    form
	timeout time.Duration
	most    int // bytes of a message
}

func newEmitter(driver link.Driver, f form, c *config) *Emitter {
	return &Emitter{driver: driver, form: f, timeout: c.publishTimeout, most: c.maxMessage}
}

// NewEmitter returns an emitter for clusters made with [NewPubSub] or by Node's
// createAdapter, with the same prefix. It opens connections of its own with the
// client's settings; Close closes them.
func NewEmitter(rdb redis.UniversalClient, opts ...Option) *Emitter {
	c := newConfig(opts)
	return newEmitter(link.NewRedis(rdb), classic{prefix: c.prefix}, c)
}

// NewShardedEmitter is [NewEmitter] for clusters made with [NewSharded] or by
// Node's createShardedAdapter, with the same prefix and mode.
func NewShardedEmitter(rdb redis.UniversalClient, opts ...Option) *Emitter {
	c := newConfig(opts)
	return newEmitter(link.NewShardedRedis(rdb), sharded{prefix: c.prefix, mode: c.mode}, c)
}

// Close closes the emitter's connections.
func (e *Emitter) Close() error { return e.driver.Close() }

// Of addresses the sockets of a namespace; its leading slash may be left out.
func (e *Emitter) Of(namespace string) Emission {
	if !strings.HasPrefix(namespace, "/") {
		namespace = "/" + namespace
	}
	return Emission{emitter: e, namespace: namespace}
}

// To addresses the sockets of the namespace "/" in any of the rooms.
func (e *Emitter) To(rooms ...string) Emission { return e.Of("/").To(rooms...) }

// Emit sends an event to all sockets of the namespace "/".
func (e *Emitter) Emit(ctx context.Context, event string, args ...any) error {
	return e.Of("/").Emit(ctx, event, args...)
}

// An Emission addresses sockets of a namespace, on all instances. It is a value:
// its methods return another.
type Emission struct {
	emitter   *Emitter
	namespace string
	target    adapter.Target
}

// To addresses the sockets in any of the rooms, beside those in rooms that are
// addressed already. A socket's id is a room.
func (m Emission) To(rooms ...string) Emission {
	m.target.Rooms = slices.Concat(m.target.Rooms, rooms)
	return m
}

// In is another name for To.
func (m Emission) In(rooms ...string) Emission { return m.To(rooms...) }

// Except leaves out the sockets in any of the rooms.
func (m Emission) Except(rooms ...string) Emission {
	m.target.Except = slices.Concat(m.target.Except, rooms)
	return m
}

// Volatile allows the event to be dropped for a client that is not ready.
func (m Emission) Volatile() Emission {
	m.target.Flags.Volatile = true
	return m
}

// Compress says whether compressing is worth while. Default true.
func (m Emission) Compress(on bool) Emission {
	m.target.Flags.NoCompress = !on
	return m
}

// Emit sends an event to the sockets that are addressed.
func (m Emission) Emit(ctx context.Context, event string, args ...any) error {
	if packet.Reserved(event) {
		return fmt.Errorf("redisadapter: %q is a reserved event name", event)
	}
	list, err := packet.EventArgs(event, args...)
	if err != nil {
		return fmt.Errorf("redisadapter: emit %q: %w", event, err)
	}
	if n := list.Attachments(); n > wire.MaxAttachments {
		return fmt.Errorf("redisadapter: emit %q: %d binary parts, clients take %d", event, n, wire.MaxAttachments)
	}
	return m.send(ctx, &wire.Message{Op: wire.Broadcast, Args: list, Target: m.target})
}

// SocketsJoin puts the sockets that are addressed into rooms.
func (m Emission) SocketsJoin(ctx context.Context, rooms ...string) error {
	return m.send(ctx, &wire.Message{Op: wire.Join, Target: m.target, Rooms: rooms})
}

// SocketsLeave takes the sockets that are addressed out of rooms.
func (m Emission) SocketsLeave(ctx context.Context, rooms ...string) error {
	return m.send(ctx, &wire.Message{Op: wire.Leave, Target: m.target, Rooms: rooms})
}

// DisconnectSockets disconnects the sockets that are addressed; with closeConn
// the connections under them as well.
func (m Emission) DisconnectSockets(ctx context.Context, closeConn bool) error {
	return m.send(ctx, &wire.Message{Op: wire.Disconnect, Target: m.target, Close: closeConn})
}

// ServerSideEmit sends an event to the servers themselves, all of them.
func (m Emission) ServerSideEmit(ctx context.Context, event string, args ...any) error {
	list, err := packet.EventArgs(event, args...)
	if err != nil {
		return fmt.Errorf("redisadapter: server-side emit %q: %w", event, err)
	}
	return m.send(ctx, &wire.Message{Op: wire.ServerSide, Args: list})
}

func (m Emission) send(ctx context.Context, w *wire.Message) error {
	w.UID = emitterUID
	out, err := m.emitter.form.encode(w, m.namespace, "")
	if err != nil {
		return fmt.Errorf("redisadapter: %w", err)
	}
	if n := len(out.Payload); n > m.emitter.most { // the instances would ignore it
		return fmt.Errorf("%w: %d bytes, the limit is %d", errTooLarge, n, m.emitter.most)
	}
	ctx, cancel := context.WithTimeout(ctx, m.emitter.timeout)
	defer cancel()
	outcomes, err := m.emitter.driver.Publish(ctx, []link.Outgoing{out})
	switch {
	case err == nil && outcomes[0] >= 0:
		return nil
	case outcomes[0] == link.Unanswered:
		return fmt.Errorf("redisadapter: Redis did not say that it has published: %w", err)
	}
	return fmt.Errorf("redisadapter: not published: %w", err)
}
