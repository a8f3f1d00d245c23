package redisstore

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// ownClient returns a client with the settings of another, but for those that
// say how long it waits. Nothing is sent twice by it, or where it is of a Cluster by
// [place]: whether the user has turned is told just once.
func ownClient(rdb redis.UniversalClient, timeout time.Duration) (redis.UniversalClient, error) {
	quiet := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch rdb := rdb.(type) {
	case *redis.Client:
		o := *rdb.Options()
		o.Protocol = 2
		o.MaxRetries, o.DialerRetries = -1, 1
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = timeout, timeout, timeout, timeout
		o.ContextTimeoutEnabled = true
		o.Limiter, o.AutoPipelineOptions, o.ClientSideCache, o.ClientSideCacheConfig = nil, nil, nil, nil
		o.MaintNotificationsConfig = quiet
		return redis.NewClient(&o), nil
	case *redis.ClusterClient:
		o := *rdb.Options()
		o.Protocol = 2
		o.MaxRetries, o.DialerRetries = -1, 1
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = timeout, timeout, timeout, timeout
		o.ContextTimeoutEnabled = true
		o.AutoPipelineOptions = nil
		o.MaintNotificationsConfig = quiet
		return redis.NewClusterClient(&o), nil
	}
	return nil, fmt.Errorf("redisstore: a %T has no one place for the state of a namespace", rdb)
}

// escaped keeps a namespace from ending the braces that it is in.
var escaped = strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D", "#", "%23")

// newInstance returns the name of an instance: 16 characters, as records need.
func newInstance() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// newEpoch returns a name for an epoch, which no instance has had.
var newEpoch = newInstance
