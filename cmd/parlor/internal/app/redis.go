package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/seed3686fee0/parlor/adapter"
	"github.com/seed3686fee0/parlor/adapter/redisadapter"
	"github.com/seed3686fee0/parlor/auth"
	"github.com/seed3686fee0/parlor/cmd/parlor/internal/config"
	"github.com/seed3686fee0/parlor/namespaces/chat"
	"github.com/seed3686fee0/parlor/namespaces/chat/redisstore"
	"github.com/seed3686fee0/parlor/server"
)

const (
	// redisHeartbeat is how often this instance says in Redis that it is alive;
	// without a word for three times as long its people have left.
	redisHeartbeat = 2 * time.Second
	// pingInterval is how often Redis is asked how long it takes.
	pingInterval = 2 * time.Second
	// redisTimeout is how long the end may take of what talks to Redis.
	redisTimeout = 2 * time.Second
)

// A cluster is what this instance has in common with others. A nil one is that of
// an instance that is alone.
type cluster struct {
	// Static.
	log     *slog.Logger
	rdb     redis.UniversalClient
	adapter *redisadapter.Cluster
	stores  map[string]*redisstore.Store // by namespace

	lag      atomic.Int64 // nanoseconds; none while Redis does not answer
	watching sync.WaitGroup
	stop     context.CancelFunc // of the watching
	watched  context.Context
}

// openCluster prepares what the flags say, and waits for nothing: Redis may come
// later, and go again.
func openCluster(cfg *config.Config, log *slog.Logger) (*cluster, error) {
	if !cfg.HasRedis() {
		return nil, nil //nolint:nilnil // see cluster
	}
	target, warning, err := redisTarget(&cfg.Redis)
	if err != nil {
		return nil, err
	}
	if warning != "" {
		log.Warn(warning)
	}
	c := &cluster{log: log, rdb: redisClient(target), stores: map[string]*redisstore.Store{}}
	opts := []redisadapter.Option{
		redisadapter.WithPrefix(cfg.Prefix),
		redisadapter.WithLogger(log),
		redisadapter.WithOnState(c.state),
		redisadapter.WithHandshake(discreet),
	}
	if cfg.Adapter == config.Sharded {
		c.adapter = redisadapter.NewSharded(c.rdb, opts...)
	} else {
		c.adapter = redisadapter.NewPubSub(c.rdb, opts...)
	}
	c.watched, c.stop = context.WithCancel(context.Background())
	c.watching.Go(c.measure)
	for _, name := range chatNamespaces {
		store, err := redisstore.New(c.rdb, name, redisstore.Options{
			Prefix:       cfg.Prefix,
			Heartbeat:    redisHeartbeat,
			History:      noneOr(cfg.ChatHistory),
			HistoryBytes: chatHistoryBytes,
			HistoryTotal: chatHistoryShared,
			Logger:       log.With("namespace", name),
		})
		if err != nil {
			c.close()
			return nil, fmt.Errorf("cannot use --redis (PARLOR_REDIS): %w", err)
		}
		c.stores[name] = store
	}
	return c, nil
}

// redisTarget is where Redis is and what it is shown. An error about what a flag says
// is a [*config.Error].
func redisTarget(cfg *config.Redis) (target *config.RedisTarget, warning string, err error) {
	target = cfg.Target()
	if cfg.PasswordFile == "" {
		return target, "", nil
	}
	password, warning, err := readKeyFile(config.RedisPasswordFileFlag, cfg.PasswordFile, true)
	if err != nil {
		return nil, "", err
	}
	target.SetPassword(string(password))
	return target, warning, nil
}

// discreet is what other members of the cluster are told of a handshake when they
// ask, for the Admin UI: nothing that could be used to pose as the client.
func discreet(h *adapter.Handshake) {
	*h = adapter.Handshake{
		Headers: only(h.Headers, "host", "origin", "user-agent", "accept-language"),
		Query:   only(h.Query, "EIO", "transport"),
		Time:    h.Time,
		Issued:  h.Issued,
		Address: h.Address,
		Secure:  h.Secure,
		XDomain: h.XDomain,
	}
}

// only returns what has one of the names.
func only(values map[string]string, names ...string) map[string]string {
	some := make(map[string]string, len(names))
	for _, name := range names {
		if value, ok := values[name]; ok {
			some[name] = value
		}
	}
	return some
}

// redisClient makes the client whose settings all connections have. It does not
// connect. It waits no longer for an answer than whoever asks: logins of
// administrators ask it for sessions.
func redisClient(target *config.RedisTarget) redis.UniversalClient {
	switch {
	case target.Sentinel != nil:
		target.Sentinel.ContextTimeoutEnabled = true
		return redis.NewFailoverClient(target.Sentinel)
	case target.Cluster != nil:
		target.Cluster.ContextTimeoutEnabled = true
		return redis.NewClusterClient(target.Cluster)
	}
	target.Single.ContextTimeoutEnabled = true
	return redis.NewClient(target.Single)
}

// state is called when the other instances are reached, and when they are not.
func (c *cluster) state(up bool, err error) {
	if up {
		c.log.Info("Redis is there: all instances are one")
		return
	}
	c.log.Warn("degraded: without Redis, which is tried until it is there; clients stay connected, and reach those of this instance, but rooms of the chat cannot be joined, and no message is accepted that would be kept", "error", err)
}

// measure asks Redis every so often how long it takes to answer.
func (c *cluster) measure() {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()
	for {
		ctx, cancel := context.WithTimeout(c.watched, redisTimeout)
		begun := time.Now()
		err := c.rdb.Ping(ctx).Err()
		cancel()
		if err != nil {
			c.lag.Store(0)
		} else {
			c.lag.Store(int64(time.Since(begun)))
		}
		select {
		case <-ticker.C:
		case <-c.watched.Done():
			return
		}
	}
}

// options are those of the server.
func (c *cluster) options() []server.Option {
	if c == nil {
		return nil
	}
	return []server.Option{server.WithAdapter(c.adapter.Adapter)}
}

// store is the state of a namespace's chat; nil for the chat's own.
func (c *cluster) store(namespace string) chat.Store {
	if c == nil {
		return nil
	}
	return c.stores[namespace]
}

// watch says that this instance is alive, and sees to what dead ones have left,
// until close.
func (c *cluster) watch(namespace string, chat *chat.Chat) {
	if c == nil {
		return
	}
	c.watching.Go(func() {
		if err := chat.Watch(c.watched); err != nil {
			c.log.Error("what dead instances leave is not seen to any more", "namespace", namespace, "error", err)
		}
	})
}

// close ends all that talks to Redis, after the server has ended: its adapters
// with it, and the sockets are out of the stores.
func (c *cluster) close() {
	if c == nil {
		return
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c.stop()
		c.watching.Wait()
		var closing sync.WaitGroup
		for _, store := range c.stores {
			closing.Go(func() {
				if err := store.Close(); err != nil {
					c.log.Debug("closing the connections to Redis", "error", err)
				}
			})
		}
		closing.Wait()
		if err := c.rdb.Close(); err != nil {
			c.log.Debug("closing the connections to Redis", "error", err)
		}
	}()
	select {
	case <-ended:
	case <-time.After(redisTimeout):
		c.log.Warn("Redis was not told in time that this instance ends; the others find out")
	}
}

// An instance is the server with what it has in common with others.
type instance struct {
	*server.Server
	chats          map[string]*chat.Chat
	users          *auth.SocketLimit
	cluster        *cluster
	administration *administration
	drainWindow    time.Duration
}

// drain implements [drainer].
func (i instance) drain(ctx context.Context, log *slog.Logger) {
	log.Info("moving clients away", "over", i.drainWindow, "connections", i.Stats().Connections)
	ctx, cancel := context.WithTimeout(ctx, i.drainWindow+handlerTimeout)
	defer cancel()
	if err := i.Drain(ctx, i.drainWindow); err != nil {
		log.Warn("not all clients were moved away in time", "error", err)
	}
}

func (i instance) window() time.Duration { return i.drainWindow }

// Shutdown implements [socketServer]: clients are told, and the others that they
// have left, before what tells them ends.
func (i instance) Shutdown(ctx context.Context) error {
	err := errors.Join(i.Server.Shutdown(ctx), i.administration.close())
	i.cluster.close()
	return err
}

// redisLogger has go-redis log where all else does: what it says of connections is
// said better elsewhere, when it matters. While Redis is away it says the same for
// each connection that it tries: every so often is enough.
type redisLogger struct {
	log  *slog.Logger
	seen *seen
}

func newRedisLogger(log *slog.Logger) redisLogger { return redisLogger{log, newSeen()} }

// Printf implements the interface of [redis.SetLogger].
func (l redisLogger) Printf(ctx context.Context, format string, args ...any) {
	if !l.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	leftOut, ok := l.seen.pass(format) // of which there are few, unlike of texts
	if !ok {
		return
	}
	says := []any{"says", strings.TrimSpace(fmt.Sprintf(format, args...))}
	if leftOut > 0 {
		says = append(says, "left_out_before", leftOut)
	}
	l.log.DebugContext(ctx, "go-redis", says...)
}
