package redisstore

import (
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// A place is where the state of a namespace is: one server, or of a Cluster the
// master that has the slot of the namespace's keys. What a ClusterClient is asked it
// asks again when no answer comes, and a script would run twice; so it is only asked
// where that master is.
type place struct {
	client redis.UniversalClient // of ownClient
	key    string                // any of the keys
}

// movedPause is how long a call waits after it was told that the slot is elsewhere,
// for the client to find out where.
const movedPause = 20 * time.Millisecond

// do has f ask Redis. It asks again only after Redis has said that it has not the
// keys any more, as long as ctx lets it.
func (p *place) do(ctx context.Context, f func(c *redis.Client) error) error {
	switch rdb := p.client.(type) {
	case *redis.Client:
		return f(rdb)
	case *redis.ClusterClient:
		for {
			node, err := rdb.MasterForKey(ctx, p.key)
			if err == nil {
				err = f(node)
			}
			moved := isMoved(err)
			if moved || (err != nil && classify(err) != lostNothing) {
				rdb.ReloadState(ctx)
			}
			if !moved {
				return err
			}
			select {
			case <-time.After(movedPause):
			case <-ctx.Done():
				return err
			}
		}
	}
	return net.ErrClosed // not reached: see ownClient
}

func isMoved(err error) bool {
	reply, ok := errors.AsType[redis.Error](err)
	return ok && strings.HasPrefix(reply.Error(), "MOVED ")
}
