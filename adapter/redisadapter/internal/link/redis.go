package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// dialTimeout bounds how long a connection is waited for, so that the next
// attempt is soon after Redis is back.
const dialTimeout = 2 * time.Second

// keepAlive finds peers that have gone without a word, beside the pings.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// Redis is a [Driver] by go-redis. It opens connections of its own with the
// settings of the client that it is given: an application that keeps that
// client's connections busy does not hold it up, and nothing is sent twice by
// the client's retries, which would be delivered twice.
type Redis struct {
	source redis.UniversalClient
	nodes  *shards // of a Cluster, or nil

	mu     sync.Mutex
	client *redis.Client // for publishing; nil: to be made
	closed bool
}

// NewRedis returns a driver that reaches the Redis of a client, which may be of
// one server, of one behind Sentinel, or of a Cluster.
func NewRedis(rdb redis.UniversalClient) *Redis {
	d := &Redis{source: rdb}
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		d.nodes = newShards(cluster)
	}
	return d
}

// NewShardedRedis is [NewRedis] for shard channels, which in a Cluster are each at
// a place of its own.
func NewShardedRedis(rdb redis.UniversalClient) Driver {
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		return newShards(cluster)
	}
	return NewRedis(rdb)
}

// homeKey picks the master of a Cluster that everything is published at: what
// one connection sends arrives in its order, through the cluster's bus too.
const homeKey = "socket.io"

// options are those of the server to talk to.
func (d *Redis) options(ctx context.Context) (*redis.Options, error) {
	switch rdb := d.source.(type) {
	case *redis.Client:
		return own(rdb), nil
	case *redis.ClusterClient:
		node, err := rdb.MasterForKey(ctx, homeKey)
		if err != nil {
			return nil, fmt.Errorf("redis: no master: %w", err)
		}
		return own(node), nil
	}
	return nil, fmt.Errorf("%w: a %T has no one place to publish at", ErrRefused, d.source)
}

// own returns the options of a client, changed for connections of our own.
func own(c *redis.Client) *redis.Options {
	o := *c.Options()
	o.Protocol = 2 // messages are the same, and nothing else is pushed
	o.MaxRetries = -1
	o.DialerRetries = 1
	if o.DialTimeout <= 0 || o.DialTimeout > dialTimeout {
		o.DialTimeout = dialTimeout
	}
	o.ReadTimeout, o.WriteTimeout = dialTimeout, dialTimeout
	o.ContextTimeoutEnabled = true
	o.PoolSize, o.MinIdleConns, o.MaxIdleConns, o.MaxActiveConns, o.PipelinePoolSize = 4, 0, 0, 0, -1
	o.PoolTimeout = dialTimeout
	o.ClientSideCache, o.ClientSideCacheConfig, o.AutoPipelineOptions, o.Limiter = nil, nil, nil, nil
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return &o
}

func alive(conn net.Conn) net.Conn {
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.SetKeepAliveConfig(keepAlive) // a connection without it is still one
	}
	return conn
}

// publisher returns the client that publishes.
func (d *Redis) publisher(ctx context.Context) (*redis.Client, error) {
	if d.nodes != nil {
		return d.nodes.owner(ctx, homeKey)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, net.ErrClosed
	}
	if d.client == nil {
		o, err := d.options(ctx)
		if err != nil {
			return nil, err
		}
		d.client = redis.NewClient(o)
	}
	return d.client, nil
}

// failed has the nodes of a cluster looked for again, after an error.
func (d *Redis) failed(ctx context.Context) {
	if d.nodes != nil {
		d.nodes.cluster.ReloadState(ctx)
	}
}

// Publish implements [Driver].
func (d *Redis) Publish(ctx context.Context, batch []Outgoing) ([]Outcome, error) {
	outcomes := make([]Outcome, len(batch))
	client, err := d.publisher(ctx)
	if err != nil {
		for i := range outcomes {
			outcomes[i] = Unsent
		}
		return outcomes, err
	}
	if err = publish(ctx, client, batch, outcomes); err != nil {
		d.failed(ctx)
	}
	return outcomes, err
}

// publish publishes a batch at one server.
func publish(ctx context.Context, client *redis.Client, batch []Outgoing, outcomes []Outcome) error {
	pipe := client.Pipeline()
	cmds := make([]*redis.IntCmd, len(batch))
	for i, m := range batch {
		if m.Shard {
			cmds[i] = pipe.SPublish(ctx, m.Channel, m.Payload)
		} else {
			cmds[i] = pipe.Publish(ctx, m.Channel, m.Payload)
		}
	}
	_, err := pipe.Exec(ctx)
	for i, cmd := range cmds {
		outcomes[i] = outcome(cmd)
	}
	return classify(err)
}

func outcome(cmd *redis.IntCmd) Outcome {
	err := cmd.Err()
	var op *net.OpError
	var reply redis.Error
	switch {
	case err == nil:
		return Outcome(cmd.Val())
	case errors.As(err, &op) && op.Op == "dial", errors.Is(err, redis.ErrPoolTimeout):
		return Unsent
	case errors.As(err, &reply):
		if early(reply) {
			return Unsent
		}
		return Refused
	}
	return Unanswered
}

// early reports errors of connections that are not ready for commands.
func early(reply redis.Error) bool {
	for _, code := range []string{"LOADING", "WRONGPASS", "NOAUTH", "MASTERDOWN", "CLUSTERDOWN", "MOVED", "ASK", "TRYAGAIN", "ERR max number of clients"} {
		if strings.HasPrefix(reply.Error(), code) {
			return true
		}
	}
	return false
}

// classify marks what will not change by trying again soon.
func classify(err error) error {
	if reply, ok := errors.AsType[redis.Error](err); ok {
		for _, code := range []string{"WRONGPASS", "NOAUTH", "NOPERM", "ERR unknown command", "ERR invalid password"} {
			if strings.HasPrefix(reply.Error(), code) {
				return fmt.Errorf("%w: %w", ErrRefused, err)
			}
		}
	}
	return err
}

// NumSub implements [Driver].
func (d *Redis) NumSub(ctx context.Context, sub Sub) (int, error) {
	if d.nodes != nil {
		var mu sync.Mutex
		sum := 0 // every node knows of its own connections only
		err := d.nodes.cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			c, err := d.nodes.client(node)
			if err != nil {
				return err
			}
			n, err := numSub(ctx, c, sub)
			mu.Lock()
			defer mu.Unlock()
			sum += n
			return err
		})
		return sum, err
	}
	client, err := d.publisher(ctx)
	if err != nil {
		return 0, err
	}
	return numSub(ctx, client, sub)
}

func numSub(ctx context.Context, c *redis.Client, sub Sub) (int, error) {
	var counts map[string]int64
	var err error
	if sub.Kind == Shard {
		counts, err = c.PubSubShardNumSub(ctx, sub.Name).Result()
	} else {
		counts, err = c.PubSubNumSub(ctx, sub.Name).Result()
	}
	return int(counts[sub.Name]), classify(err)
}

// Close implements [Driver].
func (d *Redis) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	switch {
	case d.nodes != nil:
		return d.nodes.Close()
	case d.client != nil:
		return d.client.Close()
	}
	return nil
}

// errSpent keeps go-redis from opening a second connection in place of the first.
var errSpent = errors.New("redis: the connection is lost")

// A listener is one connection. go-redis reconnects by itself, and then forgets
// to tell; here it finds that it cannot.
type listener struct {
	client *redis.Client
	pubsub *redis.PubSub

	shards atomic.Bool // there are subscriptions to shard channels, and no others

	mu   sync.Mutex
	conn net.Conn // nil before it is there
	used bool
}

// Listen implements [Driver].
func (d *Redis) Listen(ctx context.Context) (Listener, error) {
	o, err := d.options(ctx)
	if err != nil {
		return nil, err
	}
	l, err := listen(ctx, o)
	if err != nil {
		d.failed(ctx)
		return nil, err
	}
	if d.nodes != nil {
		return &homed{l, d.nodes.cluster, o.Addr}, nil
	}
	return l, nil
}

// A homed is a listener at the one master of a Cluster that all listen at. That may
// become a replica and close nothing. Everything is still heard there, but only
// masters are asked who listens: when another has its place, the connection is over.
type homed struct {
	*listener

	cluster *redis.ClusterClient
	addr    string
}

var errNotHome = errors.New("redis: another node is the master now")

// Ping implements [Listener].
func (l *homed) Ping(ctx context.Context) error {
	if node, err := l.cluster.MasterForKey(ctx, homeKey); err == nil && node.Options().Addr != l.addr {
		return errNotHome
	}
	return l.listener.Ping(ctx)
}

func listen(ctx context.Context, o *redis.Options) (*listener, error) {
	l := &listener{}
	dial := o.Dialer
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		l.mu.Lock()
		spent := l.used
		l.used = true
		l.mu.Unlock()
		if spent {
			return nil, errSpent
		}
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		l.mu.Lock()
		l.conn = conn
		l.mu.Unlock()
		return alive(conn), nil
	}
	l.client = redis.NewClient(o)
	l.pubsub = l.client.Subscribe(ctx)
	if err := l.Ping(ctx); err != nil { // connects
		_ = l.Close() // it is broken
		return nil, classify(err)
	}
	return l, nil
}

func names(subs []Sub, kind Kind) (list []string) {
	for _, s := range subs {
		if s.Kind == kind {
			list = append(list, s.Name)
		}
	}
	return list
}

// Subscribe implements [Listener].
func (l *listener) Subscribe(ctx context.Context, subs ...Sub) error {
	if list := names(subs, Pattern); list != nil {
		if err := l.pubsub.PSubscribe(ctx, list...); err != nil {
			return err
		}
	}
	if list := names(subs, Channel); list != nil {
		if err := l.pubsub.Subscribe(ctx, list...); err != nil {
			return err
		}
	}
	for _, name := range names(subs, Shard) { // one by one: they may be in different slots
		l.shards.Store(true)
		if err := l.pubsub.SSubscribe(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// Unsubscribe implements [Listener].
func (l *listener) Unsubscribe(ctx context.Context, subs ...Sub) error {
	if list := names(subs, Pattern); list != nil {
		if err := l.pubsub.PUnsubscribe(ctx, list...); err != nil {
			return err
		}
	}
	if list := names(subs, Channel); list != nil {
		if err := l.pubsub.Unsubscribe(ctx, list...); err != nil {
			return err
		}
	}
	for _, name := range names(subs, Shard) {
		if err := l.pubsub.SUnsubscribe(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// Ping implements [Listener].
func (l *listener) Ping(ctx context.Context) error { return l.pubsub.Ping(ctx) }

// Receive implements [Listener].
func (l *listener) Receive(ctx context.Context) (Event, error) {
	for {
		got, err := l.pubsub.Receive(ctx)
		if err != nil {
			return Event{}, classify(err)
		}
		switch got := got.(type) {
		case *redis.Message:
			e := Event{Type: Message, Sub: Sub{Kind: Channel, Name: got.Channel}, Channel: got.Channel, Payload: got.Payload}
			if got.Pattern != "" {
				e.Sub = Sub{Kind: Pattern, Name: got.Pattern}
			} else if l.shards.Load() { // go-redis does not tell message from smessage
				e.Sub.Kind = Shard
			}
			return e, nil
		case *redis.Subscription:
			return confirmation(got), nil
		case *redis.Pong:
			return Event{Type: Pong}, nil
		}
	}
}

func confirmation(s *redis.Subscription) Event {
	e := Event{Type: Subscribed, Sub: Sub{Kind: Channel, Name: s.Channel}}
	kind := s.Kind
	if rest, ok := strings.CutPrefix(kind, "p"); ok {
		e.Sub.Kind, kind = Pattern, rest
	} else if rest, ok := strings.CutPrefix(kind, "ss"); ok {
		e.Sub.Kind, kind = Shard, "s"+rest
	} else if rest, ok := strings.CutPrefix(kind, "sun"); ok {
		e.Sub.Kind, kind = Shard, "un"+rest
	}
	if kind == "unsubscribe" {
		e.Type = Unsubscribed
	}
	return e
}

// Close implements [Listener].
func (l *listener) Close() error {
	l.mu.Lock()
	l.used = true
	conn := l.conn
	l.mu.Unlock()
	if conn != nil {
		conn.Close() // first: a write that hangs holds the lock that the next takes
	}
	_ = l.pubsub.Close() // says only that the connection is closed
	return l.client.Close()
}

var (
	_ Driver   = (*Redis)(nil)
	_ Listener = (*listener)(nil)
)
