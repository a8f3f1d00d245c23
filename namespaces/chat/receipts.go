package chat

import (
	"hash/maphash"
	"sync"
	"time"
)

// repeatWindow is how long a message is remembered by its clientMsgId.
const repeatWindow = 10 * time.Minute

// receipts remember which messages have been sent, by user and clientMsgId, in
// bounded memory: hashes of both, in maps without pointers, which the garbage
// collector passes over. Safe for concurrent use.
//
// What is remembered is in two generations. When the younger one is full, or as
// old as the window, it becomes the older one, which is forgotten; so a message
// is remembered for the window unless there are too many. A user's messages are
// all in one shard: one who sends many makes few others' be forgotten early.
type receipts struct {
	shards [receiptShards]receiptShard
	seed   maphash.Seed
	most   int // in one generation of a shard; 0: nothing is remembered
	now    func() time.Time
}

const receiptShards = 16

type receiptShard struct {
	mu         sync.Mutex
	begun      time.Time // the younger generation
	young, old map[receiptKey]MessageID
}

// A receiptKey stands for a user and a clientMsgId. With a seed that nobody
// knows, 128 bits in all are as good as the texts.
type receiptKey struct{ user, message uint64 }

func (r *receipts) init(remembered int, now func() time.Time) {
	if remembered > 0 {
		r.most = max(1, remembered/(2*receiptShards))
	}
	r.seed, r.now = maphash.MakeSeed(), now
}

func (r *receipts) place(userID, clientMsgID string) (*receiptShard, receiptKey) {
	k := receiptKey{maphash.String(r.seed, userID), maphash.String(r.seed, clientMsgID)}
	return &r.shards[k.user%receiptShards], k
}

func (r *receipts) recall(userID, clientMsgID string) (MessageID, bool) {
	s, k := r.place(userID, clientMsgID)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(k, r.now())
}

func (r *receipts) remember(userID, clientMsgID string, id MessageID) (first MessageID, repeated bool) {
	if r.most == 0 {
		return id, false
	}
	s, k := r.place(userID, clientMsgID)
	now := r.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if first, ok := s.find(k, now); ok {
		return first, true
	}
	if s.young == nil || len(s.young) >= r.most || now.Sub(s.begun) >= repeatWindow {
		s.old, s.young, s.begun = s.young, make(map[receiptKey]MessageID), now
	}
	s.young[k] = id
	return id, false
}

// find looks for a message that is not too old. The caller holds mu.
func (s *receiptShard) find(k receiptKey, now time.Time) (MessageID, bool) {
	id, ok := s.young[k]
	if !ok {
		id, ok = s.old[k]
	}
	if !ok || now.UnixMilli()-id.millis() >= repeatWindow.Milliseconds() {
		return MessageID{}, false
	}
	return id, true
}
