package redisstore

import (
	"log/slog"
	"math"
	"time"
)

// Options are what [New] can be told. The zero value is good for most. In a
// limit, zero means the default; what a negative value means is said there.
type Options struct {
	// Prefix is what all keys begin with, in braces and with the namespace:
	// "{parlor#/chat}room:lobby". Chats that share a Redis and not their users have
	// different ones. It has no braces. Default "parlor".
	Prefix string

	// Heartbeat is how often an instance says that it is alive. One that has not
	// for three times as long is dead. All instances have the same. Default 2 s.
	Heartbeat time.Duration
	// Timeout is how long a method waits for Redis, where the context does not
	// end earlier. Default 900 ms.
	Timeout time.Duration

	// History is how many messages of a room are kept. Default 100; negative:
	// none.
	History int
	// HistoryBytes is how many bytes of a room's messages are kept. Default 1 MiB;
	// negative: no limit.
	HistoryBytes int
	// HistoryTotal is how many bytes of all rooms' messages are kept, about what
	// they cost beside their texts counted too. When there are more, the rooms
	// written to longest ago are forgotten. Default 256 MiB; negative: no limit.
	HistoryTotal int
	// HistoryTTL is how long the history of a room is kept that nobody writes to.
	// Default a week.
	HistoryTTL time.Duration

	// Logger is told when Redis is lost and back, and of instances that have died.
	// Default: nowhere.
	Logger *slog.Logger
}

const (
	defaultPrefix       = "parlor"
	defaultHeartbeat    = 2 * time.Second
	defaultTimeout      = 900 * time.Millisecond
	defaultHistory      = 100
	defaultHistoryBytes = 1 << 20
	defaultHistoryTotal = 256 << 20
	defaultHistoryTTL   = 7 * 24 * time.Hour

	noLimit = min(1<<53, math.MaxInt) // 1<<53: what a number in Lua can count to

	// deadAfter is how many heartbeats are missed by one that is dead.
	deadAfter = 3
	// receiptTTL is how long a message is remembered by its key.
	receiptTTL = 10 * time.Minute
	// retryAfter is how long nothing is tried after Redis could not be reached.
	retryAfter = 250 * time.Millisecond
)

func (o Options) withDefaults() Options {
	if o.Prefix == "" {
		o.Prefix = defaultPrefix
	}
	defaults(&o.Heartbeat, defaultHeartbeat)
	defaults(&o.Timeout, defaultTimeout)
	defaults(&o.HistoryTTL, defaultHistoryTTL)
	if o.History == 0 {
		o.History = defaultHistory
	}
	limit(&o.HistoryBytes, defaultHistoryBytes)
	limit(&o.HistoryTotal, defaultHistoryTotal)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func defaults(field *time.Duration, value time.Duration) {
	if *field <= 0 {
		*field = value
	}
}

func limit(field *int, value int) {
	switch {
	case *field == 0:
		*field = value
	case *field < 0:
		*field = noLimit
	}
}

// Stats are counts of a store since it was made.
type Stats struct {
	Calls      uint64 // of Redis
	Errors     uint64 // of calls, and of what was not tried while Redis was away
	Syncs      uint64 // times that what Redis has was compared with what there is
	Reconciled uint64 // sockets of this instance that Redis had otherwise
	Orphans    uint64 // sockets that were made to leave by Watch
	Up         bool   // Redis answers, and has what there is
}
