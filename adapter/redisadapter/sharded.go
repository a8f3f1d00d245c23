package redisadapter

import (
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/link"
	"github.com/seed3686fee0/parlor/adapter/redisadapter/internal/wire"
)

// A Mode says which rooms have a channel of their own in the sharded form, so
// that only instances with a member there hear what is sent to them. All
// instances of a cluster have the same.
type Mode string

// The modes, under the names that Node's adapter gives them.
const (
	Static         Mode = "static"          // none
	Dynamic        Mode = "dynamic"         // all but those of single sockets
	DynamicPrivate Mode = "dynamic-private" // all
)

// socketID is the length of a socket's id, by which a sender in dynamic mode
// knows the room of a single socket.
const socketID = 20

// WithMode sets the mode of the sharded form. Default [Dynamic].
func WithMode(m Mode) Option { return func(c *config) { c.mode = m } }

// NewSharded returns a cluster over sharded pub/sub, as Node's createShardedAdapter
// makes one, for Redis 7 and later: a broadcast to one room reaches only instances
// that have members there. It does not talk to the form of [NewPubSub], nor do
// Node's emitters.
//
// It takes the clients that NewPubSub takes. In a Redis Cluster each channel is at
// the master that has its slot, and there is a connection to each of them.
func NewSharded(rdb redis.UniversalClient, opts ...Option) *Cluster {
	c := newConfig(opts)
	return newCluster(func() link.Driver { return link.NewShardedRedis(rdb) }, sharded{prefix: c.prefix, mode: c.mode}, c)
}

// Sharded is the adapter of [NewSharded], for a server that does not ask for its
// [Stats].
func Sharded(rdb redis.UniversalClient, opts ...Option) adapter.Factory {
	return NewSharded(rdb, opts...).Adapter
}

// A sharded is the form of Node's createShardedAdapter.
type sharded struct {
	prefix string
	mode   Mode
}

func (f sharded) main(namespace string) string { return f.prefix + "#" + namespace + "#" }

func (f sharded) sub(namespace, room string) link.Sub {
	return link.Sub{Kind: link.Shard, Name: f.main(namespace) + room + "#"}
}

func (f sharded) subs(namespace, uid string) []link.Sub {
	return []link.Sub{f.counted(namespace), f.sub(namespace, uid)}
}

func (f sharded) counted(namespace string) link.Sub {
	return link.Sub{Kind: link.Shard, Name: f.main(namespace)}
}

func (f sharded) roomSub(namespace, room string, private bool) (link.Sub, bool) {
	switch f.mode {
	case DynamicPrivate:
	case Dynamic:
		// Senders tell rooms of single sockets by their length only.
		if private && len(room) == socketID {
			return link.Sub{}, false
		}
	default:
		return link.Sub{}, false
	}
	return f.sub(namespace, room), true
}

func (f sharded) encode(m *wire.Message, namespace, to string) (link.Outgoing, error) {
	m.Namespace = namespace
	payload, err := wire.AppendSharded(m)
	out := link.Outgoing{Channel: f.main(namespace), Payload: payload, Shard: true}
	switch {
	case m.Op >= wire.Sockets:
		out.Channel = f.sub(namespace, to).Name
	case m.Op == wire.Broadcast && len(m.Target.Rooms) == 1:
		if room := m.Target.Rooms[0]; f.mode == DynamicPrivate || f.mode == Dynamic && len(room) != socketID {
			out.Channel = f.sub(namespace, room).Name
		}
	}
	return out, err
}

func (f sharded) answers(namespace, uid string, e *link.Event) bool {
	return e.Channel == f.sub(namespace, uid).Name
}

func (f sharded) echo(own *own, e *link.Event) bool { return strings.HasSuffix(e.Payload, own.end) }

func (f sharded) room(namespace string, e *link.Event) (room string, ok bool) {
	rest, ok := strings.CutPrefix(e.Channel, f.main(namespace))
	if !ok || rest == "" {
		return "", ok
	}
	return strings.CutSuffix(rest, "#")
}

func (f sharded) decode(r *wire.Reader, _ string, e *link.Event) (*wire.Message, error) {
	return r.Sharded(e.Payload)
}
